"""Both clients against a real gRPC server in this process: one scenario, run on each."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from outsole.answers import GalleryInfo, Hit, ItemFilter, ItemInfo, Placement, SearchAnswer, SearchMode, Side
from outsole.api import AsyncClient, Client, convert, convert_gallery, convert_lifecycle, convert_operations
from outsole.api.errors import WireError, to_wire
from outsole.api.generated.outsole.v1 import (
    gallery_pb2,
    gallery_pb2_grpc,
    index_pb2,
    index_pb2_grpc,
    retrieval_pb2,
    retrieval_pb2_grpc,
)
from outsole.api.records import EvidenceRef, PlacementSearch, WearSearch
from outsole.api.requests import CHUNK_BYTES, MAX_MESSAGE_BYTES
from outsole.errors import (
    BudgetSpent,
    InvalidInput,
    NotFound,
    NotOffered,
    OutsoleError,
    Overloaded,
    PreconditionFailed,
    Unavailable,
)
from outsole.lifecycle import EditionCheck, EditionInfo, RebuildProgress
from outsole.operations import ItemFailure, OperationInfo, WorkProgress, WorkState

STREAMS = ("list_items", "rebuild_store")
REPOSITORY = Path(__file__).resolve().parents[4]
ANSWER = SearchAnswer((Hit(1, "m", "i", 0.5),), "soles", "e1", "h1", SearchMode.SHORTLIST, 4, 5)
ITEMS = tuple(ItemInfo(f"item-{number}", "m", side=Side.LEFT) for number in range(5))
EDITION = EditionInfo("e1", "2026-01-02T03:04:05Z", 5, 1, {"active": 4, "retired": 1}, in_force=True)
CHECK = EditionCheck("soles", "e1", 6, 1_000, 5, 5, 5)
STEPS = (RebuildProgress(0, 5, "cooccurrence"), RebuildProgress(5, 5))
OPERATION = OperationInfo(
    "abc-1",
    "ingest",
    "soles",
    "/feeds/a",
    WorkState.RUNNING,
    "2026-01-02T03:04:05.000006+00:00",
    progress=WorkProgress(3, 5, "images", "encode", 2.5, 0.8),
    item_error_count=1,
    item_errors=(ItemFailure("item-4", "it is no picture"),),
)
GALLERY = GalleryInfo("soles", "e1", 5, 1, "h1", "2026-01-02T03:04:05Z")


class ScriptedService(
    retrieval_pb2_grpc.RetrievalServiceServicer,
    gallery_pb2_grpc.GalleryServiceServicer,
    index_pb2_grpc.IndexServiceServicer,
):
    """Answers from constants after it has failed as it was told, the way that Ray Serve fails: by returning."""

    def __init__(self) -> None:
        self.failures: list[WireError] = []
        self.requests: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        self.delay_s = 0.0
        self.padding = 0

    def _begin(self, request: Any, context: grpc.ServicerContext) -> bool:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        time.sleep(self.delay_s)
        if not self.failures:
            return True
        failure = self.failures.pop(0)
        context.set_code(failure.code)
        context.set_details(failure.message)
        context.set_trailing_metadata(failure.trailing)
        return False

    def SearchPrint(self, request: Any, context: grpc.ServicerContext) -> Any:
        if not self._begin(request, context):
            return retrieval_pb2.SearchPrintResponse()
        message = convert.answer_to_wire(ANSWER)
        message.warnings.extend(["x" * self.padding] if self.padding else [])
        return message

    def ExplainHit(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return retrieval_pb2.ExplainHitResponse(heat=[0.25, 0.5], rows=1, columns=2, cell_px=8)

    def UploadEvidence(self, request_iterator: Iterator[Any], context: grpc.ServicerContext) -> Any:
        parts = list(request_iterator)
        if not self._begin(parts, context):
            return retrieval_pb2.UploadEvidenceResponse()
        data = b"".join(part.chunk for part in parts[1:])
        return retrieval_pb2.UploadEvidenceResponse(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))

    def ListGalleries(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        token = "" if request.page.page_token else "second"
        return gallery_pb2.ListGalleriesResponse(
            galleries=[convert_gallery.gallery_to_wire(GALLERY)], next_page_token=token
        )

    def GetGallery(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return gallery_pb2.GetGalleryResponse(gallery=convert_gallery.gallery_to_wire(GALLERY))

    def ListItems(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        start = int(request.page.page_token or 0)
        stop = start + request.page.page_size
        return gallery_pb2.ListItemsResponse(
            items=[convert_gallery.item_to_wire(item) for item in ITEMS[start:stop]],
            next_page_token=str(stop) if stop < len(ITEMS) else "",
            total_items=len(ITEMS),
            edition="e1",
        )

    def RetireItem(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return gallery_pb2.RetireItemResponse(edition="e2")

    def RestoreItem(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return gallery_pb2.RestoreItemResponse(edition="e1")

    def ListEditions(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        token = "" if request.page.page_token else "second"
        wire = [convert_lifecycle.edition_to_wire(EDITION)]
        return gallery_pb2.ListEditionsResponse(editions=wire, next_page_token=token)

    def VerifyEdition(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return convert_lifecycle.check_to_wire(CHECK)

    def RebuildStore(self, request: Any, context: grpc.ServicerContext) -> Any:
        if self._begin(request, context):
            yield from (convert_lifecycle.rebuild_to_wire("e1", step) for step in STEPS)

    def RetireEdition(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return gallery_pb2.RetireEditionResponse()

    def StartIngest(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return index_pb2.StartIngestResponse(operation=convert_operations.operation_to_wire(OPERATION))

    def GetOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return index_pb2.GetOperationResponse(operation=convert_operations.operation_to_wire(OPERATION))

    def ListOperations(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        token = "" if request.page.page_token else "second"
        wire = [convert_operations.operation_to_wire(OPERATION)]
        return index_pb2.ListOperationsResponse(operations=wire, next_page_token=token)

    def CancelOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return index_pb2.CancelOperationResponse(operation=convert_operations.operation_to_wire(OPERATION))

    def PauseOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        paused = dataclasses.replace(OPERATION, state=WorkState.PAUSED)
        return index_pb2.PauseOperationResponse(operation=convert_operations.operation_to_wire(paused))

    def ResumeOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        return index_pb2.ResumeOperationResponse(operation=convert_operations.operation_to_wire(OPERATION))

    def GetItem(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request, context)
        return gallery_pb2.GetItemResponse(item=convert_gallery.item_to_wire(ITEMS[2]))


class Running:
    """A server on a free port, and a way to call it with either client."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.service = ScriptedService()
        self.health = health.HealthServicer()
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        gallery_pb2_grpc.add_GalleryServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        index_pb2_grpc.add_IndexServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def call(self, method: str, *arguments: Any, settings: dict[str, Any] | None = None, **options: Any) -> Any:
        settings = {"timeout_s": 10.0, **(settings or {})}
        if self.kind == "async":
            return asyncio.run(self._call_async(method, arguments, options, settings))
        with Client(self.target, **settings) as client:
            result = getattr(client, method)(*arguments, **options)
            return list(result) if method in STREAMS else result

    async def _call_async(
        self, method: str, arguments: tuple[Any, ...], options: dict[str, Any], settings: dict[str, Any]
    ) -> Any:
        async with AsyncClient(self.target, **settings) as client:
            result = getattr(client, method)(*arguments, **options)
            return [page async for page in result] if method in STREAMS else await result


@pytest.fixture(params=["blocking", "async"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    started = Running(request.param)
    yield started
    started.server.stop(None).wait()


def test_a_search_sends_every_option_and_returns_the_answer(running: Running, tmp_path: Path) -> None:
    picture = tmp_path / "print.png"
    picture.write_bytes(b"picture")
    where = ItemFilter(("A",), (Side.LEFT,), ("boot",))
    placements = PlacementSearch(-8.0, 8.0, 2.0, try_mirrored=True, scales=(1.0, 1.1), pinned=Placement(3.0))
    answer = running.call(
        "search_print",
        picture,
        gallery="soles",
        k=7,
        mode=SearchMode.EXHAUSTIVE,
        mask_polygon=[(0, 0), (5, 0), (5, 9)],
        placements=placements,
        where=where,
        budget_ms=1234,
        edition="e1",
        encoder="lite2",
        require_complete=True,
        shortlist_size=50,
        wear=WearSearch((26, 52), probe_weeks=4),
    )
    (sent,) = running.service.requests
    assert answer == ANSWER
    assert (sent.image, sent.gallery, sent.k, sent.budget_ms) == (b"picture", "soles", 7, 1234)
    assert (sent.edition, sent.encoder, sent.require_complete, sent.shortlist_size) == ("e1", "lite2", True, 50)
    assert convert.mode_from_wire(sent.mode) is SearchMode.EXHAUSTIVE
    assert convert.polygon_from_wire(sent.mask_polygon) == ((0, 0), (5, 0), (5, 9))
    assert convert.placement_search_from_wire(sent.placement_search) == placements
    assert convert.item_filter_from_wire(sent.filter) == where
    assert (list(sent.wear.gallery_weeks), sent.wear.probe_weeks) == ([26, 52], 4)


def test_a_search_without_options_leaves_them_to_the_service_and_sends_its_deadline(running: Running) -> None:
    running.call("search_print", EvidenceRef("ab" * 32, 7), gallery="soles", timeout_s=3.0)
    (sent,) = running.service.requests
    assert sent.evidence_sha256 == "ab" * 32
    assert (sent.k, sent.budget_ms) == (20, 3000)
    absent = ("placement_search", "filter", "shortlist_size", "mask_png", "mask_polygon", "wear")
    assert not any(sent.HasField(name) for name in absent)


def test_every_call_names_the_application(running: Running) -> None:
    running.call("get_gallery", "soles", settings={"application": "other"})
    assert running.service.metadata[0]["application"] == "other"


def test_an_explanation_comes_back_with_its_heat(running: Running) -> None:
    view: dict[str, Any] = {"worn_weeks": 26, "worn_edition": "e2"}
    found = running.call("explain_hit", b"picture", gallery="soles", item_id="i", mask_png=b"mask", **view)
    assert (found.heat, found.rows, found.columns, found.cell_px) == ((0.25, 0.5), 1, 2, 8)
    sent = running.service.requests[0]
    assert (sent.worn_weeks, sent.worn_edition, sent.probe_weeks) == (26, "e2", 0)
    assert (running.service.requests[0].item_id, running.service.requests[0].mask_png) == ("i", b"mask")


@pytest.mark.parametrize(
    "failure",
    [
        to_wire(Unavailable("away", retry_after_s=0.01)),
        to_wire(Overloaded("busy")),
        WireError(grpc.StatusCode.RESOURCE_EXHAUSTED, "queue is full", ()),
        WireError(grpc.StatusCode.UNAVAILABLE, "", ()),
    ],
)
def test_a_busy_or_absent_service_is_tried_again(running: Running, failure: WireError) -> None:
    running.service.failures = [failure]
    assert running.call("search_print", b"picture", gallery="soles") == ANSWER
    assert len(running.service.requests) == 2


def test_the_wait_that_the_service_asks_for_is_kept(running: Running) -> None:
    running.service.failures = [to_wire(Unavailable("away", retry_after_s=0.5))]
    started = time.monotonic()
    running.call("get_gallery", "soles")
    assert time.monotonic() - started >= 0.5


def test_the_last_error_is_raised_when_the_retries_are_spent(running: Running) -> None:
    running.service.failures = [to_wire(Overloaded("busy", retry_after_s=0.0))] * 9
    with pytest.raises(Overloaded) as caught:
        running.call("get_gallery", "soles", settings={"retries": 2})
    assert len(running.service.requests) == 3
    assert isinstance(caught.value.__cause__, grpc.RpcError)


def test_a_wait_beyond_the_deadline_is_not_begun(running: Running) -> None:
    running.service.failures = [to_wire(Unavailable("away", retry_after_s=60.0))]
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        running.call("get_gallery", "soles", settings={"timeout_s": 5.0})
    assert caught.value.retry_after_s == 60.0
    assert time.monotonic() - started < 4.0


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("0 models", field="k", remedy="1 to 1,000"),
        NotFound("no gallery soles", field="gallery"),
        PreconditionFailed("made by another encoder", field="edition"),
        BudgetSpent("50 ms are over", field="budget_ms"),
        NotOffered("not in this release"),
        OutsoleError("defect"),
    ],
)
def test_other_errors_are_raised_at_once_as_the_service_raised_them(running: Running, error: OutsoleError) -> None:
    running.service.failures = [to_wire(error)]
    with pytest.raises(type(error)) as caught:
        running.call("search_print", b"picture", gallery="soles")
    assert vars(caught.value) == vars(error)
    assert len(running.service.requests) == 1


def test_a_slow_service_ends_with_the_deadline(running: Running) -> None:
    running.service.delay_s = 1.0
    started = time.monotonic()
    with pytest.raises(BudgetSpent):
        running.call("search_print", b"picture", gallery="soles", timeout_s=0.2)
    assert time.monotonic() - started < 0.9


def test_a_method_of_a_later_release_is_not_offered(running: Running) -> None:
    running.service.failures = [WireError(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!", ())]
    with pytest.raises(NotOffered):
        running.call("get_item", "soles", "i")


@pytest.mark.parametrize("as_stream", [False, True])
def test_evidence_travels_in_chunks_and_is_sent_whole_again_on_a_retry(
    running: Running, tmp_path: Path, as_stream: bool
) -> None:
    data = bytes(range(256)) * 2_500
    path = tmp_path / "scene.tif"
    path.write_bytes(data)
    running.service.failures = [to_wire(Unavailable("away", retry_after_s=0.0))]
    evidence = running.call("upload_evidence", io.BytesIO(data) if as_stream else path)
    digest = hashlib.sha256(data).hexdigest()
    assert evidence == EvidenceRef(digest, len(data))
    first, second = running.service.requests
    assert first == second
    assert [len(part.chunk) for part in first[1:]] == [CHUNK_BYTES, CHUNK_BYTES, len(data) - 2 * CHUNK_BYTES]
    assert first[0].metadata.sha256 == digest
    assert first[0].metadata.file_name == ("" if as_stream else "scene.tif")


def test_galleries_of_all_pages_are_listed(running: Running) -> None:
    assert running.call("list_galleries") == (GALLERY, GALLERY)
    assert [request.page.page_token for request in running.service.requests] == ["", "second"]


def test_items_come_page_by_page_of_one_edition(running: Running) -> None:
    pages = running.call("list_items", "soles", page_size=2, where=ItemFilter(brands=("A",)), with_thumbnails=True)
    assert pages == [ITEMS[:2], ITEMS[2:4], ITEMS[4:]]
    assert [request.edition for request in running.service.requests] == ["", "e1", "e1"]
    assert all(request.with_thumbnails and request.filter.brands == ["A"] for request in running.service.requests)


def test_a_gallery_and_an_item_are_described(running: Running) -> None:
    assert running.call("get_gallery", "soles") == GALLERY
    assert running.call("get_item", "soles", "item-2", edition="e1") == ITEMS[2]


@pytest.mark.parametrize("serving", [True, False])
def test_health_is_what_the_standard_service_says(running: Running, serving: bool) -> None:
    state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
    running.health.set("outsole.v1.RetrievalService", state)
    assert running.call("health", "outsole.v1.RetrievalService") is serving


def test_health_of_nobody_is_unavailable_at_once(running: Running) -> None:
    running.server.stop(None).wait()
    started = time.monotonic()
    with pytest.raises(Unavailable):
        running.call("health")
    assert time.monotonic() - started < 5.0


def test_an_answer_above_the_default_cap_of_grpc_is_received(running: Running) -> None:
    running.service.padding = 6_000_000
    assert len(running.call("search_print", b"picture", gallery="soles").warnings[0]) == 6_000_000


def test_a_request_that_the_server_finds_too_large_is_not_tried_again(running: Running) -> None:
    with pytest.raises(InvalidInput):
        running.call("search_print", bytes(5_000_000), gallery="soles")


def test_a_request_above_the_limit_is_not_sent(running: Running) -> None:
    with pytest.raises(InvalidInput) as caught:
        running.call("search_print", bytes(MAX_MESSAGE_BYTES), gallery="soles")
    assert caught.value.field == "image"
    assert running.service.requests == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda run: run.call("search_print", "absent.png", gallery="soles"), "image"),
        (lambda run: run.call("upload_evidence", "absent.png"), "source"),
        (
            lambda run: run.call(
                "search_print", b"x", gallery="soles", mask_png=b"m", mask_polygon=[(0, 0), (1, 0), (1, 1)]
            ),
            "mask",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(running: Running, wrong: Callable[[Running], Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        wrong(running)
    assert caught.value.field == field
    assert running.service.requests == []


def test_a_misspelt_option_is_refused_with_the_known_ones(running: Running) -> None:
    with pytest.raises(TypeError, match=r"'brand'.*where"):
        running.call("search_print", b"picture", gallery="soles", brand="A")


def test_editions_are_listed_verified_made_again_and_retired(running: Running) -> None:
    assert running.call("list_editions", "soles") == (EDITION, EDITION)
    assert running.call("verify_edition", "soles", every_vector=True, timeout_s=7.0) == CHECK
    asked = running.service.requests[-1]
    assert (asked.every_vector, asked.store_only, asked.budget_ms) == (True, False, 7_000)
    assert running.call("rebuild_store", "soles") == list(STEPS)
    running.call("retire_edition", "soles", "e0", reason="old")
    assert (running.service.requests[-1].edition, running.service.requests[-1].reason) == ("e0", "old")


def test_decisions_about_items_say_which_edition_is_in_force(running: Running) -> None:
    assert running.call("retire_item", "soles", "item-1", reason="withdrawn", by="me") == "e2"
    asked = running.service.requests[-1]
    assert (asked.item_id, asked.reason, asked.by) == ("item-1", "withdrawn", "me")
    assert running.call("restore_item", "soles", "item-1", reason="it was another") == "e1"


def test_an_ingest_is_started_watched_listed_and_cancelled(running: Running) -> None:
    assert running.call("start_ingest", "soles", "/feeds/a", dry_run=True, request_id="mine") == OPERATION
    asked = running.service.requests[-1]
    assert (asked.source_uri, asked.dry_run, asked.request_id) == ("/feeds/a", True, "mine")
    assert running.call("get_operation", "abc-1").item_errors == OPERATION.item_errors
    assert running.call("list_operations", states=[WorkState.RUNNING]) == (OPERATION, OPERATION)
    assert running.call("cancel_operation", "abc-1").progress == OPERATION.progress
    assert running.call("pause_operation", "abc-1").state is WorkState.PAUSED
    assert running.call("resume_operation", "abc-1") == OPERATION
    with pytest.raises(TypeError, match="encoder"):
        running.call("start_ingest", "soles", "/feeds/a", encoder="x")


def test_an_error_of_a_rebuild_is_one_of_the_tree(running: Running) -> None:
    running.service.failures = [to_wire(NotFound("there is no gallery 'x'", field="gallery"))]
    with pytest.raises(NotFound, match="no gallery"):
        running.call("rebuild_store", "x")


# grpcio itself depends on typing_extensions.
ONLY_GRPC_AND_PROTOBUF = """
import sys

class NothingElse:
    def find_spec(self, name, path=None, target=None):
        top, _, rest = name.partition(".")
        known = top in sys.stdlib_module_names or top in ("grpc", "outsole", "typing_extensions")
        if not known and not (top == "google" and rest.partition(".")[0] in ("", "protobuf", "_upb")):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, NothingElse())
from outsole.api import AsyncClient, Client
print(*{".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("outsole.")})
"""


def test_the_clients_work_where_grpc_and_protobuf_are_all_there_is() -> None:
    command = [sys.executable, "-c", ONLY_GRPC_AND_PROTOBUF]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wanted = {"answers", "api", "errors", "frame_answers", "lifecycle", "operations", "video_answers"}
    wanted |= {"wear", "wear_answers"}
    assert set(done.stdout.split()) == {f"outsole.{name}" for name in wanted}
