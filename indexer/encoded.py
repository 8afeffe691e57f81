"""Items that are encoded already: batches kept in a gallery's work folder, and those of its current edition.

Both are looked up by the sha256 of the image file, so that an interrupted or repeated indexing encodes nothing twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.model import PreparedImage
from outsole.errors import DataCorrupt, NotFound, PreconditionFailed
from outsole.gallery.editions import Edition
from outsole.gallery.writer import sweep_folders

_ARRAY = "array_"
_HASHES = ("picture_hashes",)
_FACTS = ("size_px", "thumbnails", "thumbnail_ends", *_HASHES)


@dataclass(frozen=True)
class Facts:
    """What the preparation found out about one image: size in pixels, a thumbnail and its perceptual hash."""

    width_px: int
    height_px: int
    thumbnail_png: bytes
    picture_hash: str = ""


def facts_of(prepared: PreparedImage) -> Facts:
    """What is kept of a prepared image beside its arrays."""
    return Facts(prepared.width_px, prepared.height_px, prepared.thumbnail_png, prepared.picture_hash)


class Origin(Protocol):
    """A place that holds encoded items by position."""

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Arrays of the edition, name -> [M, ...]."""
        ...

    def facts(self, position: int) -> Facts:
        """What is known of the item at a position."""
        ...

    def picture_hash(self, position: int) -> str:
        """Its perceptual hash alone, see `Facts`."""
        ...


class EditionOrigin:
    """The rows of an edition."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._widths = edition.items["width_px"].to_pylist()
        self._heights = edition.items["height_px"].to_pylist()
        self._hashes = edition.items["picture_hash"].to_pylist()

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """See `Origin.arrays`; mapped from disk."""
        return {name: self._edition.array(name) for name in self._edition.array_names}

    def facts(self, position: int) -> Facts:
        """See `Origin.facts`."""
        thumbnail = self._edition.thumbnail_png(position)
        return Facts(self._widths[position], self._heights[position], thumbnail, self.picture_hash(position))

    def picture_hash(self, position: int) -> str:
        """See `Origin.picture_hash`."""
        return str(self._hashes[position])


class BatchOrigin:
    """One batch in the work folder; what is asked for is read when it is first needed and can be let go again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content: dict[str, NDArray[Any]] = {}

    def _read(self, names: Sequence[str] | None = None) -> Mapping[str, NDArray[Any]]:
        """The members of the file named, all arrays of the edition by default."""
        if names is None or not self._content.keys() >= set(names):
            with np.load(self.path, allow_pickle=False) as stored:
                wanted = names or [name for name in stored.files if name.startswith(_ARRAY)]
                self._content |= {name: stored[name] for name in wanted if name not in self._content}
        return self._content

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """See `Origin.arrays`."""
        return {k.removeprefix(_ARRAY): v for k, v in self._read().items() if k.startswith(_ARRAY)}

    def facts(self, position: int) -> Facts:
        """See `Origin.facts`."""
        content = self._read(_FACTS)
        width, height = content["size_px"][position].tolist()
        start, end = content["thumbnail_ends"][position : position + 2].tolist()
        thumbnail = content["thumbnails"][start:end].tobytes()
        return Facts(width, height, thumbnail, self.picture_hash(position))

    def picture_hash(self, position: int) -> str:
        """See `Origin.picture_hash`."""
        return str(self._read(_HASHES)["picture_hashes"][position])

    def forget(self) -> None:
        """Let go of the memory."""
        self._content = {}


class WorkFolder:
    """Encoded batches of one gallery and one encoder, kept until an edition holds them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        folder.mkdir(parents=True, exist_ok=True)

    def known(self) -> dict[str, tuple[BatchOrigin, int]]:
        """Where the items kept here are, by sha256; a batch that was cut short is removed."""
        places: dict[str, tuple[BatchOrigin, int]] = {}
        for path in sorted(self.path.glob("*.npz")):
            try:
                # Opened here: numpy leaves the file open where it turns out to be no archive.
                with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                    hashes = stored["sha256"].tolist()
            except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile):
                path.unlink()
                continue
            origin = BatchOrigin(path)
            places.update({digest: (origin, position) for position, digest in enumerate(hashes)})
        return places

    def keep(self, hashes: Sequence[str], arrays: Mapping[str, NDArray[Any]], facts: Sequence[Facts]) -> BatchOrigin:
        """Write a batch of N items, whole or not at all; they keep their order in the origin returned."""
        name = hashlib.sha256("".join(hashes).encode()).hexdigest()[:24]
        pictures = [f.thumbnail_png for f in facts]
        content = {
            "sha256": np.array(hashes),
            "picture_hashes": np.array([f.picture_hash for f in facts]),
            "size_px": np.array([(f.width_px, f.height_px) for f in facts], dtype=np.int64),
            "thumbnails": np.frombuffer(b"".join(pictures), dtype=np.uint8),
            "thumbnail_ends": np.cumsum([0, *map(len, pictures)], dtype=np.int64),
            **{_ARRAY + key: np.asarray(value) for key, value in arrays.items()},
        }
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **content)
        temporary = self.path / f".{uuid.uuid4().hex}"
        temporary.write_bytes(buffer.getbuffer())
        path = self.path / f"{name}.npz"
        os.replace(temporary, path)
        return BatchOrigin(path)

    def clear(self) -> None:
        """Remove what is kept, and the folder where nothing else is in it."""
        for path in self.path.iterdir():
            path.unlink()
        self.path.rmdir()


def reusable_rows(
    root: Path, gallery: str, *, encoder_hash: str, settings: Mapping[str, str], embeddings: Mapping[str, str]
) -> dict[str, tuple[Origin, int]]:
    """Items of the current edition that another indexing with these encoders and settings would make again.

    Returns:
        sha256 -> (the edition, row); empty where there is no edition, it differs, or its bytes are not what they were.
    """
    try:
        edition = Edition.open(root, gallery)
        manifest = edition.manifest
        found = (manifest.encoder_hash, dict(manifest.settings), dict(manifest.embeddings))
        if found != (encoder_hash, dict(settings), dict(embeddings)):
            return {}
        edition.verify()
    except (NotFound, DataCorrupt):
        return {}
    origin = EditionOrigin(edition)
    return {digest: (origin, row) for row, digest in enumerate(edition.items["sha256"].to_pylist())}


def gather(places: Sequence[tuple[Origin, int]]) -> tuple[dict[str, NDArray[Any]], list[Facts]]:
    """Collect N items, at least one, from wherever they are: arrays name -> [N, ...], and what is known of each.

    Raises:
        PreconditionFailed: Items kept from an earlier run have other arrays than those made now.
    """
    origins = {id(origin): origin for origin, _ in places}
    owner = np.array([id(origin) for origin, _ in places])
    position = np.array([position for _, position in places])
    first = places[0][0].arrays()
    collected = {name: np.empty((len(places), *array.shape[1:]), array.dtype) for name, array in first.items()}
    for key, origin in origins.items():
        taken = owner == key
        arrays = origin.arrays()
        if _layout(arrays) != _layout(first):
            raise PreconditionFailed(
                f"items encoded earlier have arrays {_layout(arrays)}, those encoded now {_layout(first)}",
                remedy="name what changed in the model's settings, or index into a new gallery",
            )
        for name, array in arrays.items():
            collected[name][taken] = array[position[taken]]
    return collected, [origin.facts(at) for origin, at in places]


def _layout(arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    return {name: f"{array.dtype} {array.shape[1:]}" for name, array in sorted(arrays.items())}


@contextmanager
def only_indexing(root: Path, gallery: str) -> Iterator[None]:
    """Hold a gallery's lock; it is let go when the process ends, however it ends.

    Raises:
        PreconditionFailed: Another process is indexing into this gallery.
    """
    folder = root / gallery
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PreconditionFailed(f"another process is indexing into {gallery!r}", remedy="wait for it") from error
        sweep_folders(root, gallery)
        yield
