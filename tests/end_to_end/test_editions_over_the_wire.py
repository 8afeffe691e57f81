"""An edition's life through the whole real stack: ingest, verification, decisions, trial, rebuild, retirement."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from outsole import cli
from outsole.answers import ItemState
from outsole.api import Client
from outsole.errors import InvalidInput, NotFound, PreconditionFailed
from outsole.gallery.editions import Edition
from outsole.gallery.revisions import revise
from outsole.operations import OperationInfo, WorkState
from tests.end_to_end.stack import MODELS, Stack

CRAWLED = "crawled"
COUNT = 12
SHADES = 8
LIMIT_S = 120.0


@pytest.fixture(scope="module")
def source(stack: Stack) -> Path:
    """A directory below the allowed one, with a few references and a file that is no picture."""
    folder = stack.made.directory / "feed"
    folder.mkdir()
    for number in range(1, COUNT + 1):
        shutil.copy(stack.made.directory / f"references/{number:05d}.png", folder)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def crawled(stack: Stack, source: Path) -> OperationInfo:
    """The operation that made the gallery of this module."""
    with stack.client() as client:
        return finished(client, client.start_ingest(CRAWLED, str(source), embedding="none", request_id="first"))


@pytest.fixture(scope="module")
def long_source(stack: Stack) -> Path:
    """A directory that takes seconds to encode, so that a cancellation meets it at work: references in many shades."""
    folder = stack.made.directory / "long"
    folder.mkdir()
    for number in range(1, MODELS + 1):
        picture = cv2.imread(str(stack.made.directory / f"references/{number:05d}.png"), cv2.IMREAD_GRAYSCALE)
        for shade in range(SHADES):
            cv2.imwrite(str(folder / f"{number:05d}-{shade}.png"), np.asarray(picture) // 8 * 7 + 4 * shade)
    return folder


def finished(client: Client, info: OperationInfo) -> OperationInfo:
    """The operation once it is over; what it said on the way is checked to go forward."""
    deadline, done = time.monotonic() + LIMIT_S, 0
    while not info.state.is_over:
        assert time.monotonic() < deadline, info
        time.sleep(0.1)
        info = client.get_operation(info.operation_id)
        if info.progress.stage == "encode":
            assert done <= info.progress.done <= info.progress.total
            done = info.progress.done
    return info


def outsole(stack: Stack, *arguments: str) -> int:
    """A command against this stack."""
    return cli.run([*arguments, "--home", str(stack.settings.home), "--target", stack.target])


def test_an_ingest_over_the_wire_makes_a_gallery_that_is_searched(
    client: Client, stack: Stack, source: Path, crawled: OperationInfo
) -> None:
    assert (crawled.state, crawled.error) == (WorkState.SUCCEEDED, None)
    assert (crawled.progress.done, crawled.progress.total) == (COUNT + 1, COUNT + 1)
    assert [failure.item for failure in crawled.item_errors] == ["broken"]
    assert crawled.item_error_count == 1
    assert client.get_gallery(CRAWLED).edition == crawled.result
    answer = client.search_print(source / "00007.png", gallery=CRAWLED, k=3)
    assert (answer.hits[0].item_id, answer.total) == ("00007", COUNT)
    assert client.start_ingest(CRAWLED, str(source), embedding="none", request_id="first") == crawled


def test_an_ingest_that_is_cancelled_keeps_what_it_encoded(client: Client, stack: Stack, long_source: Path) -> None:
    source = str(long_source)
    begun = client.start_ingest("cancelled", source, embedding="none")
    assert client.start_ingest("cancelled", source, embedding="none").operation_id == begun.operation_id
    deadline = time.monotonic() + LIMIT_S
    while not client.get_operation(begun.operation_id).progress.done:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    client.cancel_operation(begun.operation_id)
    over = finished(client, begun)
    assert over.state is WorkState.CANCELLED
    with pytest.raises(NotFound):
        client.get_gallery("cancelled")
    assert list((stack.settings.editions_dir / "cancelled/work").rglob("*.npz"))
    again = finished(client, client.start_ingest("cancelled", source, embedding="none"))
    assert again.state is WorkState.SUCCEEDED
    assert client.get_gallery("cancelled").items == SHADES * MODELS
    assert [info.operation_id for info in client.list_operations(states=[WorkState.CANCELLED])] == [begun.operation_id]


@pytest.mark.parametrize("outside", ["/etc", "relative/path", "https://example.org/feed.csv", "../.."])
def test_a_source_that_the_operator_does_not_allow_is_refused(client: Client, outside: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        client.start_ingest("never", outside)
    assert caught.value.field == "source_uri"


def test_a_retired_item_is_out_of_searches_at_once_and_old_editions_keep_it(
    client: Client, source: Path, crawled: OperationInfo
) -> None:
    before = client.get_gallery(CRAWLED).edition
    retired = client.retire_item(CRAWLED, "00007", reason="withdrawn by the maker", by="tests")
    assert client.get_gallery(CRAWLED).edition == retired != before
    answer = client.search_print(source / "00007.png", gallery=CRAWLED, k=COUNT)
    assert (answer.edition, answer.total) == (retired, COUNT - 1)
    assert "00007" not in {hit.item_id for hit in answer.hits}
    item = client.get_item(CRAWLED, "00007")
    assert (item.state, item.state_reason) == (ItemState.RETIRED, "withdrawn by the maker")
    pages = client.list_items(CRAWLED, states=[ItemState.RETIRED])
    assert [item.item_id for page in pages for item in page] == ["00007"]
    pinned = client.search_print(source / "00007.png", gallery=CRAWLED, edition=before)
    assert pinned.hits[0].item_id == "00007"
    assert client.restore_item(CRAWLED, "00007", reason="it was another one") == before
    assert client.search_print(source / "00007.png", gallery=CRAWLED).hits[0].item_id == "00007"
    infos = {info.edition: info for info in client.list_editions(CRAWLED)}
    assert infos[before].in_force
    assert infos[retired].states == {"active": COUNT - 1, "retired": 1}


def test_an_edition_that_a_canary_does_not_stand_stays_out_of_force(
    client: Client, stack: Stack, source: Path, crawled: OperationInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(stack.settings.home)]
    print_ = str(source / "00005.png")
    assert cli.run(["canary", "add", CRAWLED, print_, "--model", "00005", "--within", "2", *home]) == 0
    assert outsole(stack, "canary", "run", CRAWLED) == 0
    before = client.get_gallery(CRAWLED).edition
    edition = Edition.open(stack.settings.editions_dir, CRAWLED)
    worse = revise(edition, {"00005": (ItemState.QUARANTINED, "tests"), "00006": (ItemState.QUARANTINED, "tests")})
    capsys.readouterr()
    assert outsole(stack, "publish", CRAWLED, worse.id, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["published"], report["previous"]) == (False, before)
    assert "00005" in report["reason"]
    assert client.get_gallery(CRAWLED).edition == before
    better = revise(edition, {"00006": (ItemState.QUARANTINED, "tests")})
    assert outsole(stack, "publish", CRAWLED, better.id, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["published"], report["own_vectors"], report["canaries"][0]["rank"]) == (True, COUNT - 1, 1)
    assert client.get_gallery(CRAWLED).edition == better.id
    assert outsole(stack, "publish", CRAWLED, before) == 0


def test_an_edition_is_verified_rebuilt_and_retired_through_the_service(
    client: Client, stack: Stack, source: Path, crawled: OperationInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    check = client.verify_edition(CRAWLED, every_vector=True)
    assert (check.difference, check.store_rows, check.vectors, check.own_vectors) == ("", COUNT, COUNT, COUNT)
    steps = list(client.rebuild_store(CRAWLED))
    assert (steps[-1].done, steps[-1].total) == (COUNT, COUNT)
    assert client.search_print(source / "00003.png", gallery=CRAWLED, require_complete=True).hits[0].item_id == "00003"
    current = client.get_gallery(CRAWLED).edition
    with pytest.raises(PreconditionFailed):
        client.retire_edition(CRAWLED, current, reason="tests")
    old = next(info.edition for info in client.list_editions(CRAWLED) if not info.in_force)
    client.retire_edition(CRAWLED, old, reason="tests")
    assert {info.edition for info in client.list_editions(CRAWLED) if info.retired} == {old}
    table = stack.settings.editions_dir / CRAWLED / "editions" / old / "items.parquet"
    data = table.read_bytes()
    table.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    capsys.readouterr()
    assert outsole(stack, "verify", CRAWLED, old) == 1
    assert "items.parquet" in capsys.readouterr().out
    table.write_bytes(data)
