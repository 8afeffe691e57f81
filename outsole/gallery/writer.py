"""Writing an edition: batches of items go to a temporary folder that becomes the edition by one rename."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from outsole.answers import ItemState
from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.history import switch
from outsole.gallery.items import ItemRow, Offer, offer_table, restated
from outsole.gallery.kinds import kind_of
from outsole.gallery.layout import (
    ITEMS,
    MANIFEST,
    OFFERS,
    REJECTS,
    SHOWS,
    SOLES,
    THUMBNAILS,
    THUMBNAILS_PER_GROUP,
    FileRecord,
    Manifest,
    checked_array_name,
    checked_name,
    editions_dir,
    file_sha256,
    share,
    sync_dir,
    write_durably,
)
from outsole.gallery.track_rows import TrackRow

_NEW = ".new-"
_ABANDONED_S = 3600.0
_ROWS_AT_ONCE = 4096
_Row = TypeVar("_Row")
_THUMBNAIL_SCHEMA = pa.schema([("item_id", pa.string()), ("thumbnail_png", pa.binary())])


class _ArrayFile:
    """A .npy file that grows by rows; its header is written again at the end, when the length is known."""

    def __init__(self, path: Path, first: NDArray[Any]) -> None:
        self.path = path
        self.dtype = first.dtype
        self.row_shape = first.shape[1:]
        self.rows = 0
        self._file: BinaryIO = path.open("w+b")
        self._header()

    def _header(self) -> None:
        # numpy pads the header so that the first axis may grow without moving the data.
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.rows, *self.row_shape)}
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, batch: NDArray[Any]) -> None:
        if batch.dtype != self.dtype or batch.shape[1:] != self.row_shape:
            raise InvalidInput(
                f"{self.path.stem} changed from {self.dtype} {self.row_shape} to {batch.dtype} {batch.shape[1:]}"
            )
        self._file.write(np.ascontiguousarray(batch).data)
        self.rows += len(batch)

    def mapped(self) -> NDArray[Any]:
        """The rows so far, mapped into memory and read-only."""
        end = self._file.tell()
        self._header()
        offset = self._file.tell()
        self._file.seek(end)
        self._file.flush()
        shape = (self.rows, *self.row_shape)
        return np.memmap(self.path, self.dtype, mode="r", offset=offset, shape=shape)

    def finish(self) -> FileRecord:
        self._header()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return FileRecord(
            sha256=file_sha256(self.path),
            size_bytes=self.path.stat().st_size,
            dtype=self.dtype.str,
            shape=(self.rows, *self.row_shape),
        )

    def close(self) -> None:
        self._file.close()


class _Rows(Generic[_Row]):
    """Rows that become a table, in pieces as they come: Arrow holds an item and its offer in 250 bytes."""

    def __init__(self, as_table: Callable[[Sequence[_Row]], pa.Table]) -> None:
        self._as_table = as_table
        self._tables = [as_table([])]
        self._waiting: list[_Row] = []

    def extend(self, rows: Sequence[_Row]) -> None:
        """Add rows."""
        self._waiting += rows
        if len(self._waiting) >= _ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._tables.append(self._as_table(self._waiting))
        self._waiting = []

    def table(self) -> pa.Table:
        """All rows so far, in one piece: equal rows are then equal bytes in a file."""
        if self._waiting:
            self._flush()
        if len(self._tables) > 1:
            self.put(pa.concat_tables(self._tables))
        return self._tables[0]

    def put(self, table: pa.Table) -> None:
        """Have the rows of a table in place of all so far."""
        self._tables = [table.combine_chunks()]


class EditionWriter:
    """Collects an edition in batches, in ascending order of item id, and publishes it.

    Use it as a context manager: what was not published when the block ends is thrown away.

    Args:
        root: Directory of all galleries.
        gallery: The gallery's name.
        encoder_hash, encoder_name: The encoder that made the arrays.
        settings: Settings that shaped the arrays; part of the edition's id.
        embeddings: Hash by name of what made further vectors; at most one, part of the edition's id.

    Raises:
        InvalidInput: The gallery's name cannot be one.
    """

    def __init__(
        self,
        root: Path,
        gallery: str,
        *,
        encoder_hash: str,
        encoder_name: str = "",
        settings: Mapping[str, str] | None = None,
        embeddings: Mapping[str, str] | None = None,
    ) -> None:
        self._root = root
        self._gallery = gallery
        self._encoder = (encoder_name, encoder_hash)
        self._settings = dict(settings or {})
        self._embeddings = dict(embeddings or {})
        self._folder = new_folder(root, gallery)
        self._kind = kind_of(self._settings.get(SHOWS, SOLES))
        self._items = _Rows(self._kind.table)
        self._tables: dict[str, pa.Table] = {}
        self._files: list[str] = []
        self._offers = _Rows(offer_table)
        self._last_id = ""
        self._arrays: dict[str, _ArrayFile] = {}
        self._thumbnails = pq.ParquetWriter(self._folder / THUMBNAILS, _THUMBNAIL_SCHEMA, compression="none")
        self._waiting: list[tuple[str, bytes]] = []

    def __enter__(self) -> EditionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thumbnails.close()
        for array in self._arrays.values():
            array.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def append(
        self,
        items: Sequence[ItemRow] | Sequence[TrackRow],
        arrays: Mapping[str, NDArray[Any]],
        *,
        thumbnails: Sequence[bytes] | None = None,
        offers: Sequence[Offer] = (),
    ) -> None:
        """Add a batch.

        Args:
            items: N items, ids ascending and above all earlier ones; without any only the arrays are begun.
            arrays: Name -> [N, ...]; the same names, types and row shapes in every batch.
            thumbnails: N PNG files; empty ones by default.
            offers: Offers of these items, in any order.

        Raises:
            InvalidInput: Ids out of order or given twice, lengths that differ, or an array that changed.
        """
        if not items:
            self._begin(arrays)
            return
        self._check_order(items)
        pictures = [b""] * len(items) if thumbnails is None else list(thumbnails)
        if {len(items)} != {len(pictures), *(len(array) for array in arrays.values())}:
            raise InvalidInput(f"a batch of {len(items)} items came with arrays or thumbnails of another length")
        if self._last_id and set(arrays) != set(self._arrays):
            raise InvalidInput(f"arrays changed from {sorted(self._arrays)} to {sorted(arrays)}")
        self._begin(arrays)
        for name, array in arrays.items():
            self._arrays[name].append(array)
        self._items.extend(items)
        self._offers.extend(offers)
        self._last_id = items[-1].item_id
        self._waiting.extend(zip((item.item_id for item in items), pictures, strict=True))
        self._flush_thumbnails(THUMBNAILS_PER_GROUP)

    def add_table(self, name: str, table: pa.Table) -> None:
        """Keep a further table in the edition, in a Parquet file of that name."""
        self._tables[name] = table.combine_chunks()

    def add_file(self, name: str, path: Path) -> None:
        """Keep a further file in the edition: one that is finished, by a hard link where the file system has them.

        Raises:
            NotFound: It is not there.
        """
        share(path, self._folder / name)
        self._files.append(name)

    @property
    def array_names(self) -> tuple[str, ...]:
        """Names of the arrays appended so far."""
        return tuple(self._arrays)

    def vectors(self, name: str) -> NDArray[Any]:
        """An array of what was appended so far, [N, ...], read-only, mapped from the temporary folder.

        Raises:
            NotFound: No such array was appended.
        """
        if name not in self._arrays:
            raise NotFound(f"no array {name!r} was appended", remedy=f"there are {', '.join(sorted(self._arrays))}")
        return self._arrays[name].mapped()

    def items(self) -> pa.Table:
        """The items appended so far, with the columns of the gallery's kind."""
        return self._items.table()

    def restate(self, states: Mapping[str, tuple[ItemState, str]]) -> None:
        """Give items that were appended another state and its reason, by item id; ids that are not there are left."""
        self._items.put(restated(self.items(), states))

    def _begin(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        for name, array in arrays.items():
            if name not in self._arrays:
                self._arrays[name] = _ArrayFile(self._folder / f"{checked_array_name(name)}.npy", array)

    def _check_order(self, items: Sequence[ItemRow] | Sequence[TrackRow]) -> None:
        ids = [item.item_id for item in items]
        before = [self._last_id, *ids[:-1]]
        wrong = next((new for old, new in zip(before, ids, strict=True) if new <= old), None)
        if wrong is not None:
            raise InvalidInput(f"item {wrong!r} is out of order or given twice", field="item_id")

    def _flush_thumbnails(self, at_least: int) -> None:
        # Row groups have one fixed length, so that a row's group is known without reading the file.
        while self._waiting and len(self._waiting) >= at_least:
            ids, pictures = zip(*self._waiting[:THUMBNAILS_PER_GROUP], strict=True)
            table = pa.table({"item_id": ids, "thumbnail_png": pictures}, schema=_THUMBNAIL_SCHEMA)
            self._thumbnails.write_table(table, row_group_size=THUMBNAILS_PER_GROUP)
            del self._waiting[: len(pictures)]

    def publish(self, *, rejects_csv: bytes = b"") -> Edition:
        """Make the edition and put it in force; arguments and errors are those of `write`."""
        edition = self.write(rejects_csv=rejects_csv)
        switch(self._root, self._gallery, edition.id, reason="written")
        return edition

    def write(self, *, rejects_csv: bytes = b"") -> Edition:
        """Make the edition, which is not yet in force; where the same content exists already, that edition.

        Args:
            rejects_csv: The content of ``rejects.csv``; part of the edition's id.

        Raises:
            InvalidInput: Nothing was appended, or an offer of an item that was not. An archive in whose videos nobody
                walks past is an edition all the same: it says what was looked at.
        """
        if not self._last_id and not self._files:
            raise InvalidInput("an edition needs at least one item")
        manifest = self._finish(rejects_csv)
        return finish_edition(self._folder, manifest, root=self._root)

    def _sorted_offers(self, items: pa.Table) -> pa.Table:
        offers = self._offers.table()
        stray = offers.filter(pc.invert(pc.is_in(offers["item_id"], items["item_id"])))
        if stray.num_rows:
            raise InvalidInput(f"offer {stray['sku'][0].as_py()!r} is of an item that is not there", field="item_id")
        return offers.sort_by([(name, "ascending") for name in offers.column_names]).combine_chunks()

    def _finish(self, rejects_csv: bytes) -> Manifest:
        self._flush_thumbnails(1)
        self._thumbnails.close()
        items = self.items()
        write_items(self._folder, items)
        pq.write_table(self._sorted_offers(items), self._folder / OFFERS)
        write_durably(self._folder / REJECTS, rejects_csv)
        files = {array.path.name: array.finish() for array in self._arrays.values()}
        for name, table in self._tables.items():
            pq.write_table(table, self._folder / name)
        names = (ITEMS, OFFERS, THUMBNAILS, REJECTS, *self._tables, *self._files)
        files |= {name: record_of(self._folder / name) for name in names}
        encoder_name, encoder_hash = self._encoder
        return Manifest(
            gallery=self._gallery,
            encoder_name=encoder_name,
            encoder_hash=encoder_hash,
            settings=self._settings,
            items=items.num_rows,
            models=pc.count_distinct(items[self._kind.group]).as_py(),
            files=files,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            embeddings=self._embeddings,
        )


def new_folder(root: Path, gallery: str) -> Path:
    """A new empty folder beside a gallery's editions, in which one is made; no reader takes it for an edition."""
    folder = editions_dir(root, gallery) / f"{_NEW}{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    return folder


def sweep_folders(root: Path, gallery: str, *, older_than_s: float = _ABANDONED_S) -> None:
    """Remove what a writer left behind that was killed: folders of `new_folder` that nobody has touched for an hour."""
    for folder in editions_dir(root, gallery).glob(f"{_NEW}*"):
        with contextlib.suppress(FileNotFoundError):
            newest = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            if time.time() - newest > older_than_s:
                shutil.rmtree(folder, ignore_errors=True)


def write_items(folder: Path, items: pa.Table) -> None:
    """Write an edition's table of items; the same table in one piece is the same bytes."""
    pq.write_table(items, folder / ITEMS)


def record_of(path: Path) -> FileRecord:
    """What the manifest says of a table, once it is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return FileRecord(sha256=file_sha256(path), size_bytes=path.stat().st_size)


def finish_edition(folder: Path, manifest: Manifest, *, root: Path, checked: Collection[str] | None = None) -> Edition:
    """Make a folder that holds all files of an edition that edition, by one rename.

    Where the same content exists already that edition is returned; one whose files are damaged is made anew.

    Args:
        folder: From `new_folder`; it is gone afterwards, or still there where the edition existed.
        manifest: Describes its files.
        root: Directory of all galleries.
        checked: Files of an existing edition whose hashes are computed; all of them where None.
    """
    target = folder.parent / checked_name(manifest.edition, field="edition")
    if not _exists_whole(root, manifest, checked):
        shutil.rmtree(target, ignore_errors=True)
        write_durably(folder / MANIFEST, manifest.to_bytes())
        sync_dir(folder)
        os.rename(folder, target)
        sync_dir(target.parent)
    return Edition.open(root, manifest.gallery, target.name)


def _exists_whole(root: Path, manifest: Manifest, checked: Collection[str] | None) -> bool:
    try:
        Edition.open(root, manifest.gallery, manifest.edition).verify(checked)
    except (NotFound, DataCorrupt):
        return False
    return True
