"""Whether an edition is what it says: hashes of its files, rows of its tables and arrays, and its vectors."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from outsole.answers import ItemFilter
from outsole.errors import DataCorrupt, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.filters import rows_allowed
from outsole.gallery.layout import THUMBNAILS
from outsole.gallery.store import VectorStore
from outsole.lifecycle import EditionCheck

OWN_VECTORS = 16
_SAMPLED_VECTORS = 1_000
_BLOCK_ROWS = 4_096
# Half precision keeps a unit vector's length to a thousandth.
_LENGTH_TOLERANCE = 5e-3
_SCORE_TOLERANCE = 1e-3
_SEARCHED = 10


def verify_edition(edition: Edition, *, every_vector: bool = False) -> EditionCheck:
    """Compare an edition with its manifest and itself; what is found is said, not raised.

    Args:
        edition: What is looked at.
        every_vector: Look at every vector, not only at a sample of 1,000 spread over the edition.
    """
    try:
        edition.verify()
        _check_rows(edition)
        vectors = _check_vectors(edition, every_vector=every_vector)
    except (DataCorrupt, NotFound) as error:
        return EditionCheck(edition.gallery, edition.id, difference=str(error))
    files = edition.manifest.files.values()
    return EditionCheck(
        edition.gallery,
        edition.id,
        files=len(files),
        size_bytes=sum(record.size_bytes for record in files),
        vectors=vectors,
    )


def vector_fields(edition: Edition) -> tuple[str, ...]:
    """Names of the arrays that hold one vector an item: floats [N, D]."""
    records = {name: edition.manifest.files[f"{name}.npy"] for name in edition.array_names}
    return tuple(name for name, r in records.items() if len(r.shape) == 2 and np.dtype(r.dtype).kind == "f")


def spread_rows(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most ``count`` of the rows int64 [n], from the first to the last at equal distances."""
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]


def check_own_vectors(
    edition: Edition,
    store: VectorStore | None = None,
    *,
    fields: Sequence[str] | None = None,
    timeout_s: float = 60.0,
) -> int:
    """Search for 16 vectors of an edition, spread over what is searched of it; they have to find their own items.

    Args:
        edition: Published in the store.
        store: What is searched; the exact store where None.
        fields: Names of the arrays whose vectors are searched for; all that hold vectors where None.
        timeout_s: Seconds for each field.

    Returns:
        How many vectors were searched for.

    Raises:
        DataCorrupt: A vector did not find its item; the first one is named.
        OutsoleError: The store did not answer.
    """
    fields = vector_fields(edition) if fields is None else fields
    if store is None:
        store = ExactStore()
        store.publish(edition, fields)
    rows = spread_rows(np.flatnonzero(rows_allowed(edition.items, ItemFilter())), OWN_VECTORS)
    if not len(rows):
        return 0
    for field in fields:
        vectors = np.asarray(edition.array(field)[rows], dtype=np.float32)
        found = store.search(edition.id, field, vectors, limit=_SEARCHED, where=ItemFilter(), timeout_s=timeout_s)
        for row, vector, near, scores in zip(rows, vectors, found.rows, found.scores, strict=True):
            if not _finds_itself(int(row), vector, near, scores):
                raise DataCorrupt(
                    f"{field} of item {edition.item_ids[row]!r} of edition {edition.id!r} does not find its own item"
                )
    return len(rows) * len(fields)


def _finds_itself(row: int, vector: NDArray[np.float32], near: NDArray[np.int64], scores: NDArray[np.float32]) -> bool:
    # Many models have one tread: where more items than were asked for are as near as itself, these may be others.
    return row in near or (bool((near >= 0).all()) and float(scores[-1]) >= float(vector @ vector) - _SCORE_TOLERANCE)


def _check_rows(edition: Edition) -> None:
    with pq.ParquetFile(edition.folder / THUMBNAILS) as thumbnails:
        found = {THUMBNAILS: thumbnails.metadata.num_rows, "items": edition.items.num_rows}
    found |= {name: len(edition.array(name)) for name in edition.array_names}
    for name, rows in found.items():
        if rows != len(edition):
            raise DataCorrupt(f"{name} of edition {edition.id!r} has {rows:,} rows, it has {len(edition):,} items")
    ids: Sequence[str] = edition.item_ids
    if any(left >= right for left, right in itertools.pairwise(ids)):
        raise DataCorrupt(f"the items of edition {edition.id!r} are not in order of id")
    stray = set(edition.offers["item_id"].to_pylist()) - set(ids)
    if stray:
        raise DataCorrupt(f"edition {edition.id!r} has an offer of {min(stray)!r}, which is no item of it")
    models = len(set(edition.groups.to_pylist()))
    if models != edition.manifest.models:
        raise DataCorrupt(
            f"edition {edition.id!r} has {models:,} models, its manifest says {edition.manifest.models:,}"
        )


def _check_vectors(edition: Edition, *, every_vector: bool) -> int:
    looked = 0
    for field in vector_fields(edition):
        for rows, vectors in _blocks(edition, field, every_vector=every_vector):
            lengths = np.linalg.norm(vectors, axis=1)
            wrong = ~np.isfinite(lengths) | (np.abs(lengths - 1.0) > _LENGTH_TOLERANCE)
            if wrong.any():
                first = int(np.flatnonzero(wrong)[0])
                raise DataCorrupt(
                    f"{field} of item {edition.item_ids[rows[first]]!r} of edition {edition.id!r} has length "
                    f"{lengths[first]:g}, it should be 1"
                )
            looked += len(rows)
    return looked


def _blocks(edition: Edition, field: str, *, every_vector: bool) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
    rows = np.arange(len(edition))
    rows = rows if every_vector else spread_rows(rows, _SAMPLED_VECTORS)
    array = edition.array(field)
    for start in range(0, len(rows), _BLOCK_ROWS):
        part = rows[start : start + _BLOCK_ROWS]
        yield part, np.asarray(array[part], dtype=np.float32)
