"""A search that knows of wear, through Ray Serve, Triton and Milvus Lite."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from indexer.compose import index_worn
from outsole.answers import SearchMode
from outsole.api import Client
from outsole.api.records import WearSearch
from outsole.commands.index import place_of
from outsole.errors import InvalidInput, PreconditionFailed
from outsole.matching.wear_views import VIEW_SHARPNESS
from tests.end_to_end.stack import FUSED_GALLERY, MODELS, STAND_IN, Stack

_WEEKS = 26


@pytest.fixture(scope="module")
def companion(stack: Stack) -> str:
    """The gallery, worn: its edition."""
    place = place_of(stack.settings.home, triton_url=stack.triton.grpc_url)
    report = asyncio.run(index_worn(stack.made.manifest, FUSED_GALLERY, weeks=_WEEKS, place=place, embedding=STAND_IN))
    return report.edition


@pytest.mark.parametrize("mode", SearchMode)
def test_every_item_is_compared_as_it_is_and_as_it_will_be(
    client: Client, stack: Stack, companion: str, mode: SearchMode
) -> None:
    plain = client.search_print(stack.probe(), gallery=FUSED_GALLERY, mode=mode, k=MODELS)
    worn = client.search_print(
        stack.probe(), gallery=FUSED_GALLERY, mode=mode, k=MODELS, wear=WearSearch(gallery_weeks=(_WEEKS,))
    )
    assert companion in worn.settings["wear_views"] and "wear_views" not in plain.settings
    assert (worn.searched, worn.total) == (plain.searched, plain.total)
    before = {hit.item_id: hit.score for hit in plain.hits}
    assert {hit.worn_weeks for hit in worn.hits} <= {0, _WEEKS}
    for hit in worn.hits:
        assert hit.score >= before[hit.item_id] - np.log(2) / VIEW_SHARPNESS - 1e-4
        assert hit.worn_weeks or hit.score <= before[hit.item_id] + 1e-4
    assert any("simulat" in warning for warning in worn.warnings)


def test_the_view_of_a_hit_can_be_explained(client: Client, stack: Stack, companion: str) -> None:
    item = stack.truth()
    told = client.explain_hit(stack.probe(), gallery=FUSED_GALLERY, item_id=item, worn_weeks=_WEEKS)
    assert told.hit.worn_weeks == _WEEKS
    assert sum(told.heat) == pytest.approx(told.hit.score, abs=1e-3)


def test_a_print_can_be_taken_back_before_it_is_compared(client: Client, stack: Stack) -> None:
    found = client.search_print(stack.probe(), gallery=FUSED_GALLERY, wear=WearSearch(probe_weeks=_WEEKS))
    assert {hit.probe_weeks for hit in found.hits} <= {0, _WEEKS}
    assert found.settings["wear_probe_weeks"] == str(_WEEKS)
    assert {"lay", "predict"} <= set(found.stage_ms)


def test_views_that_are_not_there_or_cannot_be_are_refused_with_what_to_do(client: Client, stack: Stack) -> None:
    with pytest.raises(PreconditionFailed, match="outsole index") as missing:
        client.search_print(stack.probe(), gallery=FUSED_GALLERY, wear=WearSearch(gallery_weeks=(52,)))
    assert missing.value.remedy.endswith(f"--gallery {FUSED_GALLERY} --worn 52")
    for weeks in ((3,), (54,), (26, 26), (2, 4, 6, 8, 10)):
        with pytest.raises(InvalidInput) as refused:
            client.search_print(stack.probe(), gallery=FUSED_GALLERY, wear=WearSearch(gallery_weeks=weeks))
        assert refused.value.field.startswith("wear.gallery_weeks")
