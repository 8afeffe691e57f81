"""Every kind of bad input gets its status, its field and its limit, and never a stack trace."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import grpc
import numpy as np
import pytest
from PIL import Image

from outsole.answers import ItemFilter, Placement, SearchMode
from outsole.api import Client
from outsole.api.errors import DETAILS_KEY
from outsole.api.generated.outsole.v1 import common_pb2, errors_pb2, gallery_pb2, retrieval_pb2, retrieval_pb2_grpc
from outsole.api.records import PlacementSearch
from outsole.errors import BudgetSpent, InvalidInput, NotFound, PreconditionFailed
from tests.end_to_end.stack import FOREIGN_GALLERY, GALLERY, Stack

Change = Callable[[retrieval_pb2.SearchPrintRequest], object]


def refused(stack: Stack, change: Change) -> tuple[grpc.StatusCode, list[tuple[str, str]], str]:
    """Status, (field, description) of each violation, and the text, of a search that is changed before it is sent."""
    request = retrieval_pb2.SearchPrintRequest(image=stack.probe(), gallery=GALLERY)
    change(request)
    with grpc.insecure_channel(stack.target) as channel:
        stub = retrieval_pb2_grpc.RetrievalServiceStub(channel)  # type: ignore[no-untyped-call]
        with pytest.raises(grpc.RpcError) as caught:
            stub.SearchPrint(request, timeout=20)
    text = caught.value.details()
    assert "Traceback" not in text
    assert 'File "' not in text
    status = errors_pb2.Status.FromString(dict(caught.value.trailing_metadata())[DETAILS_KEY])
    violations: list[tuple[str, str]] = []
    for detail in status.details:
        if detail.type_url.endswith("google.rpc.BadRequest"):
            found = errors_pb2.BadRequest.FromString(detail.value).field_violations
            violations = [(violation.field, violation.description) for violation in found]
    return caught.value.code(), violations, text


def png(array: np.ndarray) -> bytes:
    """A grey PNG."""
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes whose header promises 40,000 x 40,000 pixels."""
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def size_of(data: bytes) -> tuple[int, int]:
    """(width, height) of a picture."""
    with Image.open(io.BytesIO(data)) as image:
        return image.size


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"no image at all, just text", ""),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 60, ""),
        (bomb(), "80"),
    ],
    ids=["empty", "not an image", "broken header", "decompression bomb"],
)
def test_bytes_that_are_no_usable_image_are_refused(stack: Stack, data: bytes, says: str) -> None:
    code, violations, text = refused(stack, lambda request: setattr(request, "image", data))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert [field for field, _ in violations] == ["image"]
    assert says in text


def test_a_truncated_image_is_refused(stack: Stack) -> None:
    whole = stack.probe()
    code, violations, _ = refused(stack, lambda request: setattr(request, "image", whole[: len(whole) // 2]))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert violations[0][0] == "image"


@pytest.mark.parametrize("kind", ["TIFF", "WEBP"])
def test_of_several_pages_the_first_is_searched_and_a_warning_says_so(client: Client, stack: Stack, kind: str) -> None:
    with Image.open(io.BytesIO(stack.probe())) as first:
        out = io.BytesIO()
        grey = first.convert("L")
        other = Image.fromarray(255 - np.asarray(grey))
        grey.save(out, kind, save_all=True, append_images=[other], **({"lossless": True} if kind == "WEBP" else {}))
    answer = client.search_print(out.getvalue(), gallery=GALLERY)
    assert answer.hits
    assert any("first" in warning for warning in answer.warnings)


@pytest.mark.parametrize("k", [0, -1, 1_001])
def test_zero_and_over_large_k_are_refused_with_the_limit(stack: Stack, k: int) -> None:
    code, violations, _ = refused(stack, lambda request: setattr(request, "k", k))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert violations[0][0] == "k"
    assert "1 to 1,000" in violations[0][1]


@pytest.mark.parametrize(("field", "value"), [("shortlist_size", 0), ("shortlist_size", 401), ("budget_ms", 0)])
def test_other_numbers_out_of_range_are_refused(stack: Stack, field: str, value: int) -> None:
    code, violations, _ = refused(stack, lambda request: setattr(request, field, value))
    assert (code, violations[0][0]) == (grpc.StatusCode.INVALID_ARGUMENT, field)


def test_a_request_without_a_probe_is_refused(stack: Stack) -> None:
    code, violations, _ = refused(stack, lambda request: request.ClearField("image"))
    assert (code, violations[0][0]) == (grpc.StatusCode.INVALID_ARGUMENT, "image")


def test_an_empty_mask_is_refused(stack: Stack) -> None:
    width, height = size_of(stack.probe())
    mask = png(np.zeros((height, width), np.uint8))
    code, violations, _ = refused(stack, lambda request: setattr(request, "mask_png", mask))
    assert (code, violations[0][0]) == (grpc.StatusCode.INVALID_ARGUMENT, "mask_png")


def test_a_mask_of_another_shape_is_refused_with_the_right_one(stack: Stack) -> None:
    width, height = size_of(stack.probe())
    mask = png(np.full((height, width + 1), 255, np.uint8))
    code, violations, _ = refused(stack, lambda request: setattr(request, "mask_png", mask))
    assert (code, violations[0][0]) == (grpc.StatusCode.INVALID_ARGUMENT, "mask_png")
    assert f"{width} x {height}" in violations[0][1]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_polygon_with_nan_is_refused_naming_the_point(stack: Stack, bad: float) -> None:
    points = [(1.0, 1.0), (50.0, bad), (50.0, 50.0)]
    outline = common_pb2.Polygon(points=[common_pb2.Point(x_px=x, y_px=y) for x, y in points])
    code, violations, _ = refused(stack, lambda request: request.mask_polygon.CopyFrom(outline))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert violations[0][0].startswith("mask_polygon.points[1]")


def test_a_polygon_beside_the_image_is_an_empty_mask(client: Client, stack: Stack) -> None:
    far = [(1e5, 1e5), (1e5 + 9, 1e5), (1e5, 1e5 + 9)]
    with pytest.raises(InvalidInput) as caught:
        client.search_print(stack.probe(), gallery=GALLERY, mask_polygon=far)
    assert caught.value.field == "mask_polygon"


def test_a_brand_that_nobody_sells_is_refused_naming_those_there_are(client: Client, stack: Stack) -> None:
    with pytest.raises(InvalidInput) as caught:
        client.search_print(stack.probe(), gallery=GALLERY, where=ItemFilter(brands=("Nonesuch",)))
    assert caught.value.field == "filter.brands"
    assert "Nonesuch" in caught.value.message
    known = {item.brand for page in client.list_items(GALLERY) for item in page}
    assert all(brand in caught.value.remedy for brand in sorted(known)[:10])


def test_a_side_that_is_none_and_an_unknown_filter_field_are_refused(stack: Stack) -> None:
    code, violations, _ = refused(stack, lambda request: request.filter.sides.append(common_pb2.SIDE_UNSPECIFIED))
    assert (code, violations[0][0]) == (grpc.StatusCode.INVALID_ARGUMENT, "filter.sides[0]")
    unknown = common_pb2.ItemFilter.FromString(b"\xfa\x01\x03red")
    code, violations, _ = refused(stack, lambda request: request.filter.CopyFrom(unknown))
    assert (code, violations[0][0]) == (grpc.StatusCode.INVALID_ARGUMENT, "filter")


def test_a_mode_that_is_none_is_refused(stack: Stack) -> None:
    code, violations, _ = refused(stack, lambda request: setattr(request, "mode", 7))
    assert (code, violations[0][0]) == (grpc.StatusCode.INVALID_ARGUMENT, "mode")


def test_more_placements_than_there_is_time_for_are_refused(client: Client, stack: Stack) -> None:
    wide = PlacementSearch(rotation_min_deg=-180, rotation_max_deg=180, rotation_step_deg=0.5)
    with pytest.raises(InvalidInput):
        client.search_print(stack.probe(), gallery=GALLERY, placements=wide)
    with pytest.raises(InvalidInput):
        client.search_print(
            stack.probe(), gallery=GALLERY, placements=PlacementSearch(pinned=Placement(scale=float("nan")))
        )


def test_what_does_not_exist_is_not_found(client: Client, stack: Stack) -> None:
    probe = stack.probe()
    calls: list[tuple[str, Callable[[], object]]] = [
        ("gallery", lambda: client.search_print(probe, gallery="nowhere")),
        ("edition", lambda: client.search_print(probe, gallery=GALLERY, edition="0123456789abcdef")),
        ("gallery", lambda: client.get_gallery("nowhere")),
        ("gallery", lambda: list(client.list_items("nowhere"))),
        ("item_id", lambda: client.get_item(GALLERY, "99999")),
        ("item_id", lambda: client.explain_hit(probe, gallery=GALLERY, item_id="99999")),
    ]
    for field, call in calls:
        with pytest.raises(NotFound) as caught:
            call()
        assert caught.value.field == field
    code, _, text = refused(stack, lambda request: setattr(request, "evidence_sha256", "0" * 64))
    assert code is grpc.StatusCode.NOT_FOUND
    assert "0" * 64 in text


def test_an_edition_of_another_encoder_is_a_failed_precondition(client: Client, stack: Stack) -> None:
    for mode in SearchMode:
        with pytest.raises(PreconditionFailed, match="encoder ffff"):
            client.search_print(stack.probe(), gallery=FOREIGN_GALLERY, mode=mode)
    with pytest.raises(PreconditionFailed):
        client.explain_hit(stack.probe(), gallery=FOREIGN_GALLERY, item_id="00001")
    with pytest.raises(PreconditionFailed):
        client.search_print(stack.probe(), gallery=GALLERY, encoder="another")
    assert client.get_gallery(FOREIGN_GALLERY).encoder_hash == "f" * 64


@pytest.mark.parametrize("mode", list(SearchMode))
def test_a_spent_budget_is_deadline_exceeded_naming_the_stage(client: Client, stack: Stack, mode: SearchMode) -> None:
    with pytest.raises(BudgetSpent, match="budget of 5 ms was spent in stage"):
        client.search_print(stack.probe(), gallery=GALLERY, mode=mode, budget_ms=5)
    assert client.search_print(stack.probe(), gallery=GALLERY, mode=mode).hits


def test_uploads_that_are_none_are_refused(stack: Stack) -> None:
    part = retrieval_pb2.UploadEvidenceRequest
    metadata = part(metadata=retrieval_pb2.EvidenceMetadata(file_name="a.png", sha256="0" * 64))
    streams = {
        "metadata": [part(chunk=b"bytes first")],
        "chunk": [part(metadata=retrieval_pb2.EvidenceMetadata())],
        "metadata.sha256": [metadata, part(chunk=b"other bytes")],
    }
    with grpc.insecure_channel(stack.target) as channel:
        stub = retrieval_pb2_grpc.RetrievalServiceStub(channel)  # type: ignore[no-untyped-call]
        for field, messages in streams.items():
            with pytest.raises(grpc.RpcError) as caught:
                stub.UploadEvidence(iter(messages), timeout=10)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert caught.value.details().startswith(f"{field}: ")
    assert not list(stack.settings.evidence_dir.glob(".upload-*"))


def test_page_sizes_and_tokens_of_other_lists_are_refused(client: Client, stack: Stack) -> None:
    with pytest.raises(InvalidInput) as caught:
        list(client.list_items(GALLERY, page_size=1_001))
    assert caught.value.field == "page.page_size"
    with grpc.insecure_channel(stack.target) as channel:
        ask = channel.unary_unary(
            "/outsole.v1.GalleryService/ListItems",
            request_serializer=gallery_pb2.ListItemsRequest.SerializeToString,
            response_deserializer=gallery_pb2.ListItemsResponse.FromString,
        )
        page = ask(gallery_pb2.ListItemsRequest(gallery=GALLERY, page=common_pb2.Page(page_size=5)), timeout=10)
        assert page.next_page_token
        with pytest.raises(grpc.RpcError) as refusal:
            ask(
                gallery_pb2.ListItemsRequest(
                    gallery=GALLERY,
                    filter=common_pb2.ItemFilter(sides=[common_pb2.SIDE_LEFT]),
                    page=common_pb2.Page(page_token=page.next_page_token),
                ),
                timeout=10,
            )
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
