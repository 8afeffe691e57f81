"""Where galleries lie on disk, what may be a name, and the manifest of an edition.

``<root>/<gallery>/editions/<edition>/`` holds ``manifest.json``, ``items.parquet``, ``offers.parquet``,
``thumbnails.parquet``, ``rejects.csv`` and one ``<array>.npy`` for each array; ``<root>/<gallery>/CURRENT`` names the
edition in force.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from outsole.errors import DataCorrupt, InvalidInput, NotFound

FORMAT = 3
MANIFEST = "manifest.json"
ITEMS = "items.parquet"
OFFERS = "offers.parquet"
THUMBNAILS = "thumbnails.parquet"
REJECTS = "rejects.csv"
CURRENT = "CURRENT"
THUMBNAILS_PER_GROUP = 256
SHOWS, SOLES, SHOES, TRACKS = "shows", "soles", "shoes", "tracks"
"""The setting that says what a gallery shows, and its values; one that does not say shows soles."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ARRAY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HASH_BLOCK_BYTES = 1 << 20


def checked_name(text: str, *, field: str) -> str:
    """Return ``text`` if it may name a gallery, an edition or an item.

    Raises:
        InvalidInput: It is not of the form ``[A-Za-z0-9][A-Za-z0-9._-]{0,99}``.
    """
    if not _NAME.fullmatch(text):
        raise InvalidInput(
            f"{text[:120]!r} cannot be used as a name",
            field=field,
            remedy="1 to 100 letters, digits, '.', '_' or '-', a letter or digit first",
        )
    return text


def checked_array_name(text: str) -> str:
    """Return ``text`` if it may name an array of an edition and a vector field.

    Raises:
        InvalidInput: It is not of the form ``[a-z][a-z0-9_]{0,39}``.
    """
    if not _ARRAY.fullmatch(text):
        raise InvalidInput(f"{text[:60]!r} cannot name an array", remedy="lower case letters, digits and '_'")
    return text


def editions_dir(root: Path, gallery: str) -> Path:
    """The directory that holds the editions of a gallery."""
    return root / checked_name(gallery, field="gallery") / "editions"


def root_of(folder: Path) -> Path:
    """The directory of all galleries that an edition's folder lies below."""
    return folder.parents[2]


def list_galleries(root: Path) -> list[str]:
    """Names of the galleries under ``root`` that have a current edition, in order of name."""
    if not root.is_dir():
        return []
    return sorted(p.name for p in root.iterdir() if _NAME.fullmatch(p.name) and (p / CURRENT).is_file())


def list_editions(root: Path, gallery: str) -> list[str]:
    """Ids of the complete editions of a gallery, in order of id; empty where the gallery does not exist."""
    folder = editions_dir(root, gallery)
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if _NAME.fullmatch(p.name) and (p / MANIFEST).is_file())


def current_edition(root: Path, gallery: str) -> str:
    """The id of the edition in force.

    Raises:
        NotFound: There is no such gallery, or it has no edition yet.
        DataCorrupt: The file that names the edition holds something else.
    """
    pointer = editions_dir(root, gallery).parent / CURRENT
    try:
        text = pointer.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise NotFound(f"there is no gallery {gallery!r}", field="gallery", remedy="index it first") from error
    except UnicodeDecodeError as error:
        raise DataCorrupt(f"{CURRENT} of gallery {gallery!r} does not name an edition") from error
    if not _NAME.fullmatch(text):
        raise DataCorrupt(f"{CURRENT} of gallery {gallery!r} does not name an edition")
    return text


def set_current(root: Path, gallery: str, edition: str) -> None:
    """Make ``edition`` the one in force; a reader sees the old name or the new one, nothing between."""
    pointer = editions_dir(root, gallery).parent / CURRENT
    temporary = pointer.with_name(f".{CURRENT}-{uuid.uuid4().hex}")
    write_durably(temporary, (edition + "\n").encode("ascii"))
    os.replace(temporary, pointer)
    sync_dir(pointer.parent)


def write_durably(path: Path, data: bytes) -> None:
    """Write a whole file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_dir(path: Path) -> None:
    """Wait until the entries of a directory are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def share(source: Path, target: Path) -> None:
    """Have a file of an edition in another one as well: the same file by a hard link, or else a copy.

    Raises:
        NotFound: It is not there.
    """
    try:
        os.link(source, target)
    except FileNotFoundError as error:
        raise NotFound(f"edition {source.parent.name!r} lacks its file {source.name}", field="edition") from error
    except OSError:
        shutil.copyfile(source, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True)
class FileRecord:
    """One file of an edition as its manifest describes it.

    Attributes:
        sha256: Hex digest of the bytes.
        size_bytes: Length of the file.
        dtype: Of an array, as numpy writes it, for example ``<f2``; empty for a table.
        shape: Of an array, the items first; empty for a table.
    """

    sha256: str
    size_bytes: int
    dtype: str = ""
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What an edition is: everything but ``created`` goes into its id.

    Attributes:
        gallery: The gallery's name.
        encoder_name, encoder_hash: The encoder that made the maps.
        settings: Settings that shaped the arrays.
        items, models: How many of each.
        files: Records by file name.
        created: UTC time of the first indexing, ISO 8601.
        embeddings: Hash by name of what made further vectors of the items; empty, and then left out of the file, where
            there are none, so that editions from before there were any keep their ids.
    """

    gallery: str
    encoder_name: str
    encoder_hash: str
    settings: Mapping[str, str]
    items: int
    models: int
    files: Mapping[str, FileRecord]
    created: str
    embeddings: Mapping[str, str] = field(default_factory=dict)

    @property
    def encoders(self) -> dict[str, str]:
        """Hash by name of every encoder that made the edition, the correlation encoder first."""
        return {self.encoder_name: self.encoder_hash, **self.embeddings}

    @property
    def shows(self) -> str:
        """What the items show, in a word."""
        return self.settings.get(SHOWS, SOLES)

    @property
    def edition(self) -> str:
        """The edition's id: 16 hex digits of the hash of its content."""
        content = {key: value for key, value in self._as_json().items() if key != "created"}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _as_json(self) -> dict[str, Any]:
        known = {"format": FORMAT, **asdict(self)}
        if not self.embeddings:
            del known["embeddings"]
        return known

    def to_bytes(self) -> bytes:
        """The manifest as it is written, with the edition's id beside it for people."""
        return (json.dumps({"edition": self.edition, **self._as_json()}, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of the edition in ``folder``.

        Raises:
            NotFound: There is no manifest.
            DataCorrupt: It cannot be understood, or its content does not have the id that the folder is named by.
        """
        path = folder / MANIFEST
        try:
            fields = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise NotFound(f"there is no edition {folder.name!r}", field="edition") from error
        except ValueError as error:
            raise DataCorrupt(f"{MANIFEST} of edition {folder.name!r} is not JSON") from error
        found = fields.pop("format", None) if isinstance(fields, dict) else None
        if found != FORMAT:
            raise DataCorrupt(
                f"edition {folder.name!r} has format {found!r}, this release reads {FORMAT}", remedy="index it again"
            )
        manifest = cls._from_json(fields, folder.name)
        if manifest.edition != folder.name:
            raise DataCorrupt(f"{MANIFEST} of edition {folder.name!r} has the content of {manifest.edition!r}")
        return manifest

    @classmethod
    def _from_json(cls, fields: dict[str, Any], edition: str) -> Manifest:
        fields.pop("edition", None)
        try:
            files = {
                name: FileRecord(**{**record, "shape": tuple(record["shape"])})
                for name, record in fields.pop("files").items()
            }
            return cls(files=files, **fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataCorrupt(f"{MANIFEST} of edition {edition!r} lacks a field or has one too many") from error
