"""Editions through the owner of the vector store, in this process: verify, rebuild, retire."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from outsole.answers import ItemFilter, ItemState
from outsole.errors import DataCorrupt, InvalidInput, NotFound, PreconditionFailed, Unavailable
from outsole.gallery.decisions import Decision, DecisionKind
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.history import switch
from services.catalogue import Catalogue, Served
from services.lifecycle import Lifecycle
from services.parts import EditionRef
from services.vector_store import PublishedStore
from tests.unit.outsole.gallery.made_editions import ENCODER, written

FIELDS = ("cooccurrence",)


class Losing(ExactStore):
    """Counts one row less than there is."""

    def count(self, edition_id: str) -> int:
        return max(super().count(edition_id) - 1, 0)


def parts(root: Path, store: ExactStore | None = None) -> tuple[Lifecycle, PublishedStore]:
    owner = PublishedStore(store or ExactStore(), root=root, encoder_hashes=[ENCODER], fields=FIELDS)
    return Lifecycle(root, owner, Catalogue(root, Served("made", ENCODER, {}))), owner


@pytest.fixture
def edition(tmp_path: Path) -> Edition:
    made = written(tmp_path)
    switch(tmp_path, "soles", made.id, reason="the first")
    return made


def verified(root: Path, store: ExactStore | None = None, *, store_only: bool = False) -> str:
    lifecycle, _ = parts(root, store)
    check = asyncio.run(lifecycle.verify("soles", "", every_vector=True, store_only=store_only, timeout_s=30.0))
    assert check.store_rows is not None or check.difference
    return check.difference


def test_a_whole_edition_that_the_store_holds_is_whole(tmp_path: Path, edition: Edition) -> None:
    assert verified(tmp_path) == ""
    assert verified(tmp_path, store_only=True) == ""


def test_a_store_that_holds_other_rows_is_named(tmp_path: Path, edition: Edition) -> None:
    assert "holds 39 of the 40 items" in verified(tmp_path, Losing())


def test_damage_on_the_disk_is_found_though_the_edition_is_open(tmp_path: Path, edition: Edition) -> None:
    lifecycle, _ = parts(tmp_path)

    async def twice() -> tuple[str, str]:
        first = await lifecycle.verify("soles", "", every_vector=False, store_only=False, timeout_s=30.0)
        data = bytearray((edition.folder / "maps.npy").read_bytes())
        data[-1] ^= 1
        (edition.folder / "maps.npy").write_bytes(data)
        second = await lifecycle.verify("soles", "", every_vector=False, store_only=False, timeout_s=30.0)
        return first.difference, second.difference

    first, second = asyncio.run(twice())
    assert first == ""
    assert "maps.npy" in second


def test_a_rebuild_says_how_far_it_is_and_searches_wait_for_it(tmp_path: Path, edition: Edition) -> None:
    async def work() -> list[tuple[int, int]]:
        lifecycle, owner = parts(tmp_path)
        steps = [(step.done, step.total) async for _, step in lifecycle.rebuild("soles", "")]
        query = {"cooccurrence": np.asarray(edition.array("cooccurrence")[3:4])}
        ref = EditionRef("soles", edition.id)
        found = await owner.find(ref, query, limit=1, where=ItemFilter(), timeout_s=10.0)
        assert found.value["cooccurrence"].rows.tolist() == [[3]]
        # Asked again, it is done again.
        return steps + [(step.done, step.total) async for _, step in lifecycle.rebuild("soles", "")]

    steps = asyncio.run(work())
    assert steps[-1] == (40, 40)
    assert all(done <= total == 40 for done, total in steps)


def test_what_stops_a_rebuild_is_raised(tmp_path: Path, edition: Edition) -> None:
    class Broken(ExactStore):
        def rebuild(self, *arguments: object) -> None:
            raise Unavailable("Milvus is away")

    async def work() -> None:
        lifecycle, _ = parts(tmp_path, Broken())
        async for _ in lifecycle.rebuild("soles", ""):
            pass

    with pytest.raises(Unavailable):
        asyncio.run(work())


def test_an_edition_in_force_is_not_retired_and_an_old_one_is(tmp_path: Path, edition: Edition) -> None:
    newer = written(tmp_path, count=41)
    store = ExactStore()
    store.publish(edition, FIELDS)

    async def retire(name: str, reason: str = "old") -> None:
        await parts(tmp_path, store)[0].retire("soles", name, reason=reason)

    refusals: list[tuple[Callable[[], object], type[Exception]]] = [
        (lambda: asyncio.run(retire(edition.id)), PreconditionFailed),
        (lambda: asyncio.run(retire("0" * 16)), NotFound),
        (lambda: asyncio.run(retire("")), InvalidInput),
        (lambda: asyncio.run(retire(edition.id, "")), InvalidInput),
    ]
    for refused, kind in refusals:
        with pytest.raises(kind):
            refused()
    assert store.count(edition.id) == 40
    switch(tmp_path, "soles", newer.id, reason="newer")
    asyncio.run(retire(edition.id))
    assert store.count(edition.id) == 0
    assert edition.folder.is_dir()


def test_a_decision_puts_a_revision_in_force(tmp_path: Path, edition: Edition) -> None:
    lifecycle, _ = parts(tmp_path)
    decision = Decision(DecisionKind.RETIRE, "item-003", "withdrawn", "me")
    after = asyncio.run(lifecycle.decide("soles", decision))
    assert Edition.open(tmp_path, "soles").id == after
    assert Edition.open(tmp_path, "soles").item(3).state is ItemState.RETIRED


def test_a_gallery_whose_files_are_gone_is_not_decided_about(tmp_path: Path, edition: Edition) -> None:
    shutil.rmtree(edition.folder)
    with pytest.raises((NotFound, DataCorrupt)):
        asyncio.run(parts(tmp_path)[0].decide("soles", Decision(DecisionKind.RETIRE, "item-003", "x", "me")))
