"""Editions: immutable states of a gallery, read as memory-mapped arrays and Parquet tables."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from outsole.answers import GalleryInfo, ItemInfo, ItemState, Side
from outsole.errors import DataCorrupt, NotFound
from outsole.gallery.items import OFFER_SCHEMA
from outsole.gallery.kinds import RowKind, kind_of
from outsole.gallery.layout import (
    ITEMS,
    OFFERS,
    THUMBNAILS,
    THUMBNAILS_PER_GROUP,
    Manifest,
    checked_array_name,
    checked_name,
    current_edition,
    editions_dir,
    file_sha256,
    list_editions,
    list_galleries,
)

__all__ = ["Edition", "list_editions", "list_galleries"]


class Edition:
    """One immutable state of a gallery; rows are numbered from 0 in order of item id.

    Open it with `Edition.open`; it can be shared by threads.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._arrays: dict[str, NDArray[Any]] = {}

    @classmethod
    def open(cls, root: Path, gallery: str, edition: str | None = None) -> Edition:
        """Open an edition, the one in force by default. Hashes are not computed; see `verify`.

        Raises:
            InvalidInput: A name that cannot be one.
            NotFound: There is no such gallery or edition.
            DataCorrupt: The manifest cannot be understood, or a file is missing or has another length.
        """
        chosen = current_edition(root, gallery) if edition is None else checked_name(edition, field="edition")
        folder = editions_dir(root, gallery) / chosen
        manifest = Manifest.read(folder)
        for name, record in sorted(manifest.files.items()):
            path = folder / name
            if not path.is_file():
                raise DataCorrupt(f"edition {chosen!r} lacks its file {name}", remedy="index it again")
            if path.stat().st_size != record.size_bytes:
                raise DataCorrupt(
                    f"{name} of edition {chosen!r} has {path.stat().st_size} bytes, its manifest says "
                    f"{record.size_bytes}",
                    remedy="index it again",
                )
        return cls(folder, manifest)

    @property
    def id(self) -> str:
        """16 hex digits; the same content always has the same id."""
        return self.folder.name

    @property
    def gallery(self) -> str:
        """Name of the gallery."""
        return self.manifest.gallery

    @property
    def encoder_hash(self) -> str:
        """Hash of the encoder's specification."""
        return self.manifest.encoder_hash

    @property
    def embedding(self) -> str:
        """Name of the partial-print embedding that the edition was indexed with; empty where there is none."""
        return next(iter(self.manifest.embeddings), "")

    @property
    def kind(self) -> RowKind:
        """What its rows are."""
        return kind_of(self.manifest.shows)

    @property
    def created(self) -> str:
        """UTC time of the first indexing, ISO 8601."""
        return self.manifest.created

    def __len__(self) -> int:
        return self.manifest.items

    @cached_property
    def items(self) -> pa.Table:
        """The items (or tracks) in order of id, with the columns of the edition's kind."""
        table = self._table(ITEMS, self.kind.schema)
        if table.num_rows != len(self):
            raise DataCorrupt(f"{ITEMS} of edition {self.id!r} has other rows than it should")
        return table

    @cached_property
    def offers(self) -> pa.Table:
        """The offers in order of item id, feed and sku, with the columns of `outsole.gallery.items.OFFER_SCHEMA`."""
        return self._table(OFFERS, OFFER_SCHEMA)

    def _table(self, name: str, schema: pa.Schema) -> pa.Table:
        table = self._read(name)
        if not table.schema.equals(schema):
            raise DataCorrupt(f"{name} of edition {self.id!r} has other columns than it should")
        return table

    def _read(self, name: str, columns: list[str] | None = None) -> pa.Table:
        try:
            with pq.ParquetFile(self.folder / name) as file:
                # In one thread: 50,000 rows take 17 ms in place of 15, and less memory.
                return file.read(columns, use_threads=False)
        except pa.ArrowException as error:
            raise DataCorrupt(f"{name} of edition {self.id!r} cannot be read") from error

    def table(self, name: str, schema: pa.Schema) -> pa.Table:
        """A further table of the edition, whole.

        Raises:
            NotFound: The edition has no such file.
            DataCorrupt: It cannot be read, or has other columns.
        """
        if name not in self.manifest.files:
            raise NotFound(f"edition {self.id!r} has no {name}")
        return self._table(name, schema)

    @property
    def groups(self) -> pa.ChunkedArray:
        """What each row is grouped by in answers: the model of an item, the track itself."""
        return self.items[self.kind.group]

    def group_codes(self) -> NDArray[np.int64]:
        """int64 [N]: equal numbers for rows of one group, in the order in which the groups first appear."""
        encoded = self.groups.combine_chunks().dictionary_encode()
        return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)

    @property
    def offer_count(self) -> int:
        """Rows of `offers`, which are not read."""
        return int(self._read(OFFERS, []).num_rows)

    def states(self) -> dict[str, int]:
        """How many items are in each state that there is, in order of the states' names; one column alone is read."""
        counts = self._read(ITEMS, ["state"])["state"].value_counts()
        return dict(sorted((row["values"], row["counts"]) for row in counts.to_pylist()))

    @property
    def array_names(self) -> tuple[str, ...]:
        """Names of the arrays, in order."""
        return tuple(sorted(name.removesuffix(".npy") for name in self.manifest.files if name.endswith(".npy")))

    @property
    def array_hashes(self) -> tuple[str, ...]:
        """Hex digests of the arrays, in order of their names: equal for editions that hold the same arrays."""
        return tuple(self.manifest.files[f"{name}.npy"].sha256 for name in self.array_names)

    def array(self, name: str) -> NDArray[Any]:
        """An array of the edition, [N, ...], mapped into memory and read-only; row i belongs to item i.

        Raises:
            NotFound: The edition has no such array.
            DataCorrupt: The file's type or shape differs from the manifest's.
        """
        if name not in self._arrays:
            self._arrays[name] = self._map(checked_array_name(name))
        return self._arrays[name]

    def _map(self, name: str) -> NDArray[Any]:
        record = self.manifest.files.get(f"{name}.npy")
        if record is None:
            raise NotFound(f"edition {self.id!r} has no array {name!r}", remedy=f"it has {', '.join(self.array_names)}")
        try:
            mapped: NDArray[Any] = np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise DataCorrupt(f"{name}.npy of edition {self.id!r} cannot be read") from error
        if mapped.shape != record.shape or mapped.dtype.str != record.dtype:
            raise DataCorrupt(
                f"{name}.npy of edition {self.id!r} is {mapped.dtype.str} {mapped.shape}, its manifest says "
                f"{record.dtype} {record.shape}"
            )
        return mapped

    @cached_property
    def item_ids(self) -> tuple[str, ...]:
        """Item ids by row."""
        return tuple(self.items["item_id"].to_pylist())

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {item: row for row, item in enumerate(self.item_ids)}

    def size_px(self, row: int) -> tuple[int, int]:
        """(height, width) of an item's image as it was indexed, pixels."""
        return int(self.items["height_px"][row].as_py()), int(self.items["width_px"][row].as_py())

    def has_item(self, item_id: str) -> bool:
        """Whether the edition has an item of that id, whatever its state."""
        return item_id in self._rows

    def row_of(self, item_id: str) -> int:
        """Row number of an item.

        Raises:
            NotFound: The edition has no such item.
        """
        try:
            return self._rows[item_id]
        except KeyError as error:
            raise NotFound(
                f"gallery {self.gallery!r} has no item {item_id[:120]!r} in edition {self.id!r}", field="item_id"
            ) from error

    def thumbnail_png(self, row: int) -> bytes:
        """The PNG bytes of an item's thumbnail."""
        with pq.ParquetFile(self.folder / THUMBNAILS, memory_map=True) as file:
            group = file.read_row_group(row // THUMBNAILS_PER_GROUP, columns=["thumbnail_png"])
        return bytes(group["thumbnail_png"][row % THUMBNAILS_PER_GROUP].as_py())

    def item(self, row: int, *, with_thumbnail: bool = False) -> ItemInfo:
        """What is known about the item in a row."""
        fields = self.items.slice(row, 1).to_pylist()[0]
        return ItemInfo(
            item_id=fields["item_id"],
            model_id=fields["model_id"],
            brand=fields["brand"],
            side=Side(fields["side"]),
            category=fields["category"],
            tread_family=fields["tread_family"],
            sha256=fields["sha256"],
            thumbnail_png=self.thumbnail_png(row) if with_thumbnail else b"",
            year=fields["year"],
            state=ItemState(fields["state"]),
            state_reason=fields["state_reason"],
        )

    def info(self) -> GalleryInfo:
        """The gallery and this edition in one line."""
        return GalleryInfo(
            name=self.gallery,
            edition=self.id,
            items=self.manifest.items,
            models=self.manifest.models,
            encoder_hash=self.encoder_hash,
            created=self.created,
            encoders=self.manifest.encoders,
        )

    def verify(self, names: Collection[str] | None = None) -> None:
        """Compare the hashes of files with the manifest.

        Args:
            names: Which files; every one of the edition where None.

        Raises:
            DataCorrupt: Names the first file, in order of name, whose bytes differ.
        """
        for name, record in sorted(self.manifest.files.items()):
            if names is not None and name not in names:
                continue
            try:
                found = file_sha256(self.folder / name)
            except FileNotFoundError as error:
                raise DataCorrupt(f"edition {self.id!r} lacks its file {name}", remedy="index it again") from error
            if found != record.sha256:
                raise DataCorrupt(
                    f"{name} of edition {self.id!r} has sha256 {found[:16]}..., its manifest says "
                    f"{record.sha256[:16]}...",
                    remedy="index it again",
                )
