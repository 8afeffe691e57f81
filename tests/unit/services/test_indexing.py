"""What an ingest may read is the operator's to say; lists of operations are paged by time."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from indexer.operation import IngestOrder
from outsole.errors import InvalidInput
from outsole.operations import INGEST, OperationInfo, WorkState
from services.index_methods import RemoteIndexing
from services.indexing import Asked, allowed_source, ingest_order
from services.settings import ServiceSettings


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    (tmp_path / "feeds" / "a b").mkdir(parents=True)
    (tmp_path / "feeds-of-others").mkdir()
    (tmp_path / "feeds" / "link").symlink_to(tmp_path / "feeds-of-others")
    return tmp_path / "feeds"


def test_a_source_below_an_allowed_directory_is_read(feeds: Path) -> None:
    for uri in (str(feeds / "a b"), f"file://{feeds}/a%20b", f"file://localhost{feeds}/a%20b", f"{feeds}/x/../a b"):
        assert allowed_source(uri, (Path("/elsewhere"), feeds)) == feeds / "a b"
    assert allowed_source(str(feeds), (feeds,)) == feeds


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "a b",
        "{0}/../feeds-of-others",
        "{0}/link",
        "{0}-of-others",
        "https://{0}",
        "file://host{0}/a",
        "{0}/missing",
    ],
)
def test_any_other_source_is_refused_by_name(feeds: Path, uri: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        allowed_source(uri.format(feeds), (feeds,))
    assert caught.value.field == "source_uri"


def test_nothing_is_allowed_until_the_operator_says_so(feeds: Path) -> None:
    assert ServiceSettings().ingest_dirs == ()
    with pytest.raises(InvalidInput, match="OUTSOLE_INGEST_ROOTS"):
        ingest_order(Asked("soles", str(feeds)), ServiceSettings())
    with pytest.raises(InvalidInput, match="INGEST_ROOTS"):
        ServiceSettings(ingest_roots="feeds")


@pytest.mark.parametrize(("backend", "url"), [("triton", "127.0.0.1:1"), ("in_process", "")])
def test_an_order_is_what_the_process_reads(feeds: Path, backend: str, url: str) -> None:
    settings = ServiceSettings(ingest_roots=f"/x:{feeds}", encoder_backend=backend, triton_url="127.0.0.1:1")
    order = ingest_order(Asked("soles", str(feeds), embedding="none", dry_run=True), settings)
    read = IngestOrder(**json.loads(json.dumps(order)))
    assert (read.gallery, read.source, read.embedding, read.dry_run) == ("soles", str(feeds), "none", True)
    assert read.place["triton_url"] == url


def test_pages_of_operations_lose_nothing_where_new_ones_come_between(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = [
        OperationInfo(f"op-{n}", INGEST, "soles", "/feeds", WorkState.QUEUED, f"2026-01-01T00:00:0{n}.000000+00:00")
        for n in (4, 3, 2, 1)
    ]

    async def answer(handle: Any, method: str, *arguments: Any, timeout_s: float) -> Any:
        return tuple(everything)

    monkeypatch.setattr("services.index_methods.call", answer)
    indexing = RemoteIndexing(None)  # type: ignore[arg-type]
    first, token = asyncio.run(indexing.page(frozenset(), size=2, token=""))
    everything.insert(0, OperationInfo("op-9", INGEST, "s", "/f", WorkState.QUEUED, "2026-01-01T00:00:09.000000+00:00"))
    second, last = asyncio.run(indexing.page(frozenset(), size=2, token=token))
    assert [info.operation_id for info in (*first, *second)] == ["op-4", "op-3", "op-2", "op-1"]
    assert last == ""
    with pytest.raises(InvalidInput, match=r"page\.page_token"):
        asyncio.run(indexing.page(frozenset(), size=2, token="rubbish"))
