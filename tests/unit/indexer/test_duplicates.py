"""Duplicates: what joins, what never does, and who represents whom."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pytest

from indexer.duplicates import Duplicates, Pictures, find_duplicates
from outsole.answers import Role, Side
from outsole.errors import InvalidInput
from outsole.gallery.items import Likeness
from outsole.imaging.picture_hash import mirrored_hash

OWN, SAME, NEAR, MIRRORED = Likeness
LEFT, RIGHT, UNKNOWN = Side.LEFT, Side.RIGHT, Side.UNKNOWN
BASE = 0x0123_4567_89AB_CDEF
FAR = BASE ^ 0xFFFF_FFFF_0000_0000


@dataclass(frozen=True)
class Row:
    """One picture of the table below."""

    id: str
    hash: int
    model: str = "M"
    role: Role = Role.SOLE
    side: Side = UNKNOWN
    sha256: str = ""


def table(rows: list[Row]) -> Pictures:
    return Pictures(
        ids=[row.id for row in rows],
        models=[row.model for row in rows],
        roles=[row.role for row in rows],
        sides=[row.side for row in rows],
        sha256s=[row.sha256 for row in rows],
        hashes=np.array([row.hash for row in rows], np.uint64),
    )


def found(rows: list[Row], near_distance: int = 7) -> dict[str, tuple[str, Likeness]]:
    duplicates = find_duplicates(table(rows), near_distance=near_distance)
    return {
        row.id: (rows[owner].id, likeness)
        for row, owner, likeness in zip(rows, duplicates.representatives.tolist(), duplicates.likenesses, strict=True)
    }


def flipped(value: int) -> int:
    return int(mirrored_hash(value))


def bits(count: int, first: int = 0) -> int:
    return ((1 << count) - 1) << first


def test_same_near_and_mirrored_pictures_join_the_lowest_id() -> None:
    rows = [
        Row("d", flipped(BASE)),
        Row("b", BASE, sha256="one"),
        Row("a", BASE, sha256="one"),
        Row("c", BASE ^ bits(7), sha256="two"),
        Row("e", FAR),
    ]
    assert found(rows) == {
        "a": ("a", OWN),
        "b": ("a", SAME),
        "c": ("a", NEAR),
        "d": ("a", MIRRORED),
        "e": ("e", OWN),
    }


def test_one_bit_beyond_the_distance_stands_alone() -> None:
    assert found([Row("a", BASE), Row("b", BASE ^ bits(8))])["b"] == ("b", OWN)
    assert found([Row("a", BASE), Row("b", BASE ^ bits(8))], near_distance=8)["b"] == ("a", NEAR)


@pytest.mark.parametrize("other", [{"model": "N"}, {"role": Role.SIDE}])
def test_nothing_joins_across_models_or_roles(other: dict[str, object]) -> None:
    twin = Row("b", BASE, **{"sha256": "one", **other})  # type: ignore[arg-type]
    assert found([Row("a", BASE, sha256="one"), twin])["b"] == ("b", OWN)


@pytest.mark.parametrize("value", [BASE, flipped(BASE)])
def test_left_and_right_join_only_as_the_same_file(value: int) -> None:
    left = Row("a", BASE, side=LEFT, sha256="one")
    assert found([left, Row("b", value, side=RIGHT, sha256="two")])["b"] == ("b", OWN)
    assert found([left, Row("b", value, side=LEFT)])["b"][0] == "a"
    assert found([left, Row("b", value)])["b"][0] == "a"
    assert found([left, Row("b", BASE, side=RIGHT, sha256="one")])["b"] == ("a", SAME)


def test_likeness_does_not_creep_from_copy_to_copy() -> None:
    rows = [Row("a", BASE), Row("b", BASE ^ bits(6)), Row("c", BASE ^ bits(12)), Row("d", BASE ^ bits(14))]
    assert found(rows) == {"a": ("a", OWN), "b": ("a", NEAR), "c": ("c", OWN), "d": ("c", NEAR)}


def test_a_row_joins_what_it_is_most_like_before_the_lowest_id() -> None:
    middle = BASE ^ bits(6)
    rows = [Row("a", BASE, side=LEFT), Row("b", BASE ^ bits(12), side=RIGHT, sha256="one"), Row("c", middle)]
    assert found(rows)["c"] == ("a", NEAR)
    rows[2] = Row("c", middle, sha256="one")
    assert found(rows)["c"] == ("b", SAME)


def test_unknown_files_and_hashes_are_like_nothing() -> None:
    assert {owner for owner, _ in found([Row("a", 0), Row("b", 0), Row("c", BASE)]).values()} == {"a", "b", "c"}


def test_the_result_does_not_depend_on_the_order_of_the_rows() -> None:
    rng = np.random.default_rng(4)
    sides = list(Side)
    rows = []
    for number in range(400):
        changed = BASE
        for bit in rng.integers(0, 64, rng.integers(0, 12)).tolist():
            changed ^= 1 << bit
        value = flipped(changed) if rng.random() < 0.3 else changed
        kind = {"model": f"m{number % 7}", "side": sides[number % 3], "sha256": f"{rng.integers(200)}"}
        rows.append(Row(f"i{number:03d}", value, **kind))  # type: ignore[arg-type]
    expected = found(rows)
    assert len({likeness for _, likeness in expected.values()}) == 4
    for _ in range(3):
        assert found([rows[place] for place in rng.permutation(len(rows)).tolist()]) == expected
    assert expected == one_by_one(rows)


def one_by_one(rows: list[Row]) -> dict[str, tuple[str, Likeness]]:
    """The rule written down plainly: the oracle."""
    heads: list[Row] = []
    answer = {}
    for row in sorted(rows, key=lambda r: r.id):
        likes = [(_like(row, head), head.id) for head in heads]
        best = min((like for like in likes if like[0]), default=(0, row.id))
        answer[row.id] = (best[1], list(Likeness)[best[0]])
        if not best[0]:
            heads.append(row)
    return answer


def _like(row: Row, head: Row) -> int:
    if (row.model, row.role) != (head.model, head.role):
        return 0
    if row.sha256 and row.sha256 == head.sha256:
        return 1
    if UNKNOWN not in (row.side, head.side) and row.side != head.side:
        return 0
    if (row.hash ^ head.hash).bit_count() <= 7:
        return 2
    return 3 if (flipped(row.hash) ^ head.hash).bit_count() <= 7 else 0


def test_no_pictures_have_no_duplicates() -> None:
    assert find_duplicates(table([])).representatives.shape == (0,)


def test_sixty_thousand_rows_are_compared_group_by_group() -> None:
    # Quadratic work over all rows would not come to an end here.
    rng = np.random.default_rng(5)
    count = 60_000
    pictures = Pictures(
        ids=[f"i{number:05d}" for number in range(count)],
        models=[f"m{number // 3}" for number in range(count)],
        roles=[Role.SOLE] * count,
        sides=[UNKNOWN] * count,
        sha256s=[""] * count,
        hashes=np.repeat(rng.integers(1, 2**63, count // 3).astype(np.uint64), 3),
    )
    result = find_duplicates(pictures)
    assert isinstance(result, Duplicates)
    assert np.array_equal(result.representatives, np.arange(count) // 3 * 3)
    assert result.likenesses == (OWN, NEAR, NEAR) * (count // 3)


def test_columns_of_another_length_and_ids_given_twice_are_refused() -> None:
    whole = table([Row("a", 1), Row("b", 2)])
    columns = {item.name: getattr(whole, item.name) for item in fields(whole)}
    with pytest.raises(InvalidInput, match="lengths"):
        Pictures(**{**columns, "models": ["M"]})
    with pytest.raises(InvalidInput, match="twice"):
        Pictures(**{**columns, "ids": ["a", "a"]})
    with pytest.raises(InvalidInput, match="64"):
        find_duplicates(whole, near_distance=64)
