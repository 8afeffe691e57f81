"""Which pictures of a shoe model are the same picture: the same file, a near copy, or the mirror image of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Role, Side
from outsole.errors import InvalidInput
from outsole.gallery.items import Likeness
from outsole.imaging.picture_hash import NEAR_DISTANCE, hamming_distance, mirrored_hash

# In order of preference: a row that is like several pictures joins the one that it is most like.
_LIKENESSES = (Likeness.OWN, Likeness.SAME_FILE, Likeness.NEAR, Likeness.MIRRORED)
_SIDES = (Side.UNKNOWN, Side.LEFT, Side.RIGHT)


@dataclass(frozen=True)
class Pictures:
    """N pictures to compare; every sequence has N entries.

    Attributes:
        ids: Unique ids; the lowest one of those that show a picture represents it.
        models: The shoe model that each shows.
        roles: What of the shoe it shows, as declared.
        sides: Which foot.
        sha256s: Hex digest of each file; empty where it is not known.
        hashes: `outsole.imaging.picture_hash.picture_hash`, uint64 [N]; 0 where there is none.
    """

    ids: Sequence[str]
    models: Sequence[str]
    roles: Sequence[Role]
    sides: Sequence[Side]
    sha256s: Sequence[str]
    hashes: NDArray[np.uint64]

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(lengths.values())) != 1:
            raise InvalidInput(f"columns of pictures have lengths {lengths}", remedy="one entry a picture in each")
        if len(set(self.ids)) != len(self.ids):
            raise InvalidInput("an id of the pictures is given twice", field="ids", remedy="unique ids")


@dataclass(frozen=True)
class Duplicates:
    """Which picture represents each of N.

    Attributes:
        representatives: int64 [N], row of the representative; the row itself where it represents itself, and perhaps
            others.
        likenesses: How each row is like its representative; OWN where it is that itself.
    """

    representatives: NDArray[np.int64]
    likenesses: tuple[Likeness, ...]


@dataclass(frozen=True)
class _Columns:
    """The columns in order of model, role and id; equal files have equal numbers."""

    sides: NDArray[np.int8]
    files: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    mirrored: NDArray[np.uint64]


def find_duplicates(pictures: Pictures, *, near_distance: int = NEAR_DISTANCE) -> Duplicates:
    """Find the pictures that show one and the same picture, within each model and role.

    In order of id, a row joins the representative that it is most like (the same file, then near, then mirrored; the
    lowest id among equals), or becomes one. It is always compared with the representative itself, never with a row that
    joined it, so that likeness does not creep on from copy to copy. Two rows whose sides are known and differ join only
    as the same file: a right sole looks like the mirror image of the left one. The result does not depend on the order
    of the rows. Time grows with the square of a set's size: 60,000 rows take 1 to 2 seconds in sets of a few or of a
    hundred pictures, one set of 20,000 takes half a minute.

    Args:
        pictures: N rows, in any order.
        near_distance: Bits in which hashes of near or mirrored pictures differ at most, 0 .. 63.

    Raises:
        InvalidInput: The distance is out of range.
    """
    if not 0 <= near_distance < 64:
        raise InvalidInput(f"the distance is {near_distance}", field="near_distance", remedy="0 to 63 bits")
    order, starts, sizes = _groups(pictures)
    columns = _sorted_columns(pictures, order)
    owner = np.arange(len(order))
    likeness = np.zeros(len(order), np.int8)
    # One step for the second row of every group, one for the third, ...: all groups go side by side.
    for place in range(1, int(sizes.max(initial=0))):
        larger = sizes > place
        rows = starts[larger] + place
        earlier = (starts[larger, None] + np.arange(place)).ravel()
        row_of = np.repeat(rows, place)
        kept = owner[earlier] == earlier
        found = _liked(columns, row_of[kept], earlier[kept], near_distance)
        if len(found[0]):
            _join(owner, likeness, found)
    representatives = np.empty(len(order), np.int64)
    representatives[order] = order[owner]
    back = np.empty(len(order), np.int8)
    back[order] = likeness
    return Duplicates(representatives, tuple(_LIKENESSES[code] for code in back.tolist()))


def _groups(pictures: Pictures) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows in order of model, role and id [N]; where each group of equal model and role starts [G]; its size [G]."""
    ids, models = _codes(pictures.ids), _codes(pictures.models)
    roles = _codes([role.value for role in pictures.roles])
    order = np.lexsort((ids, roles, models)).astype(np.int64)
    if not len(order):
        return order, order, order
    changes = (np.diff(models[order]) != 0) | (np.diff(roles[order]) != 0)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1]).astype(np.int64)
    return order, starts, np.diff(np.append(starts, len(order)))


def _codes(texts: Sequence[str]) -> NDArray[np.int64]:
    """Numbers that are equal where texts are, and in the same order."""
    known = {text: code for code, text in enumerate(sorted(set(texts)))}
    return np.fromiter((known[text] for text in texts), np.int64, len(texts))


def _sorted_columns(pictures: Pictures, order: NDArray[np.int64]) -> _Columns:
    files = _codes(pictures.sha256s)
    # An unknown file is no other's: each gets a number of its own.
    unknown = np.fromiter((not digest for digest in pictures.sha256s), np.bool_, len(order))
    files = np.where(unknown, -1 - np.arange(len(order)), files)
    sides = np.fromiter((_SIDES.index(side) for side in pictures.sides), np.int8, len(order))
    hashes = np.asarray(pictures.hashes, np.uint64)
    return _Columns(sides[order], files[order], hashes[order], mirrored_hash(hashes[order]))


def _liked(
    columns: _Columns, rows: NDArray[np.int64], others: NDArray[np.int64], near_distance: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]:
    """The pairs of ``rows`` [P] and ``others`` [P] that are alike, each with the place of its likeness."""
    shown, shown_files = columns.hashes[rows], columns.files[rows]
    turned, compared = columns.mirrored[rows], columns.hashes[others]
    # Few pairs are alike in anything: the rest is asked of those alone.
    near = np.bitwise_count(shown ^ compared) <= near_distance
    near |= np.bitwise_count(turned ^ compared) <= near_distance
    near |= shown_files == columns.files[others]
    candidates = np.flatnonzero(near)
    rows, others = rows[candidates], others[candidates]
    codes = _likeness_codes(columns, rows, others, near_distance)
    alike = codes > 0
    return rows[alike], others[alike], codes[alike]


def _likeness_codes(
    columns: _Columns, rows: NDArray[np.int64], others: NDArray[np.int64], near_distance: int
) -> NDArray[np.int8]:
    """Place of each pair's likeness in ``_LIKENESSES``, int8 [P]; 0 where there is none."""
    same = columns.files[rows] == columns.files[others]
    left, right = columns.sides[rows], columns.sides[others]
    may_join = (left == right) | (left == 0) | (right == 0)
    compared = columns.hashes[others]
    near = may_join & (hamming_distance(columns.hashes[rows], compared) <= near_distance)
    turned = may_join & (hamming_distance(columns.mirrored[rows], compared) <= near_distance)
    return np.select([same, near, turned], [1, 2, 3], 0).astype(np.int8)


def _join(
    owner: NDArray[np.int64],
    likeness: NDArray[np.int8],
    found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]],
) -> None:
    """Give each row of the pairs found its representative: by likeness, then by id."""
    rows, others, codes = found
    order = np.lexsort((others, codes, rows))
    joined, first = np.unique(rows[order], return_index=True)
    owner[joined] = others[order][first]
    likeness[joined] = codes[order][first]
