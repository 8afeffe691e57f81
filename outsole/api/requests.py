"""The requests that both clients send, and where their bytes come from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from outsole.answers import ItemFilter, SearchMode
from outsole.api import convert, convert_gallery, convert_operations, convert_worn
from outsole.api.generated.outsole.v1 import common_pb2, gallery_pb2, index_pb2, retrieval_pb2, wear_pb2
from outsole.api.records import EvidenceRef, ExplainOptions, IngestOptions, ItemsOptions, SearchOptions, WearSearch
from outsole.errors import InvalidInput
from outsole.operations import WorkState

Picture = bytes | str | os.PathLike[str] | EvidenceRef
EvidenceSource = str | os.PathLike[str] | IO[bytes]

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
DEFAULT_PAGE_SIZE = 100
LONGEST_BUDGET_MS = 600_000
EVERY_ITEM = ItemFilter()

CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # The back-off is the client's own: gRPC's would hide RetryInfo and double the tries.
    ("grpc.enable_retries", 0),
)


def search_request(
    image: Picture, options: SearchOptions, *, gallery: str, timeout_s: float
) -> retrieval_pb2.SearchPrintRequest:
    """A search with a print; see ``SearchOptions``.

    Raises:
        InvalidInput: The picture cannot be read, the request is too large, or there are two masks.
    """
    where, wear = options.get("where", EVERY_ITEM), options.get("wear", WearSearch())
    request = retrieval_pb2.SearchPrintRequest(
        gallery=gallery,
        edition=options.get("edition", ""),
        k=options.get("k", 20),
        mode=convert.mode_to_wire(options.get("mode", SearchMode.SHORTLIST)),
        filter=None if where.is_empty else convert.item_filter_to_wire(where),
        require_complete=options.get("require_complete", False),
        encoder=options.get("encoder", ""),
        shortlist_size=options.get("shortlist_size"),
        wear=None if wear.is_off else convert_worn.wear_search_to_wire(wear),
    )
    _set_common(request, image, options, timeout_s)
    return request


def explain_request(
    image: Picture, options: ExplainOptions, *, gallery: str, item_id: str, timeout_s: float
) -> retrieval_pb2.ExplainHitRequest:
    """Asks why an item scored as it did; see ``ExplainOptions``. Raises ``InvalidInput`` as ``search_request``."""
    request = retrieval_pb2.ExplainHitRequest(
        gallery=gallery,
        item_id=item_id,
        edition=options.get("edition", ""),
        encoder=options.get("encoder", ""),
        worn_weeks=options.get("worn_weeks", 0),
        worn_edition=options.get("worn_edition", ""),
        probe_weeks=options.get("probe_weeks", 0),
    )
    _set_common(request, image, options, timeout_s)
    return request


def items_request(
    gallery: str, options: ItemsOptions, *, edition: str, page_token: str
) -> gallery_pb2.ListItemsRequest:
    """Asks for one page of items; see ``ItemsOptions``."""
    where = options.get("where", EVERY_ITEM)
    return gallery_pb2.ListItemsRequest(
        gallery=gallery,
        edition=edition,
        filter=None if where.is_empty else convert.item_filter_to_wire(where),
        page=common_pb2.Page(page_size=options.get("page_size", DEFAULT_PAGE_SIZE), page_token=page_token),
        with_thumbnails=options.get("with_thumbnails", False),
        states=[convert_gallery.STATE_TO_WIRE[state] for state in options.get("states", ())],
    )


def ingest_request(gallery: str, source: str, options: IngestOptions) -> index_pb2.StartIngestRequest:
    """Starts an ingest; see ``IngestOptions``."""
    return index_pb2.StartIngestRequest(
        gallery=gallery,
        source_uri=source,
        encoder=options.get("embedding", ""),
        feed=options.get("feed", ""),
        dry_run=options.get("dry_run", False),
        request_id=options.get("request_id", ""),
    )


def operations_request(states: Collection[WorkState], page_token: str) -> index_pb2.ListOperationsRequest:
    """Asks for one page of operations."""
    return index_pb2.ListOperationsRequest(
        page=common_pb2.Page(page_size=DEFAULT_PAGE_SIZE, page_token=page_token),
        states=convert_operations.states_to_wire(states),
    )


def verify_request(
    gallery: str, edition: str, *, every_vector: bool, store_only: bool, timeout_s: float
) -> gallery_pb2.VerifyEditionRequest:
    """Asks whether an edition is what it says, in the time of the call."""
    return gallery_pb2.VerifyEditionRequest(
        gallery=gallery,
        edition=edition,
        every_vector=every_vector,
        store_only=store_only,
        budget_ms=_deadline_ms(timeout_s),
    )


def known_options(options: Mapping[str, object], kind: type) -> None:
    """Refuses a misspelt option, as a signature would. Raises ``TypeError`` naming it."""
    unknown = sorted(options.keys() - kind.__annotations__.keys())
    if unknown:
        raise TypeError(f"unknown option {unknown[0]!r}; known are {', '.join(sorted(kind.__annotations__))}")


def read_evidence(source: EvidenceSource) -> tuple[bytes, str]:
    """Reads evidence whole, so that a retry sends the same bytes.

    Returns:
        The bytes, and the name of the file without directories; empty for a stream without a name.

    Raises:
        InvalidInput: The file cannot be read, or has more than 64 MiB.
    """
    if isinstance(source, (str, os.PathLike)):
        return _read(source, field="source"), Path(source).name
    name = Path(str(getattr(source, "name", ""))).name
    return _limited(source.read(MAX_MESSAGE_BYTES + 1), name, field="source"), name


def evidence_messages(data: bytes, file_name: str) -> Iterator[retrieval_pb2.UploadEvidenceRequest]:
    """The messages of an upload: metadata with the digest, then chunks of 256 KiB."""
    metadata = retrieval_pb2.EvidenceMetadata(file_name=file_name[:255], sha256=hashlib.sha256(data).hexdigest())
    yield retrieval_pb2.UploadEvidenceRequest(metadata=metadata)
    for start in range(0, len(data), CHUNK_BYTES):
        yield retrieval_pb2.UploadEvidenceRequest(chunk=data[start : start + CHUNK_BYTES])


def _set_common(
    request: retrieval_pb2.SearchPrintRequest | retrieval_pb2.ExplainHitRequest,
    image: Picture,
    options: Mapping[str, Any],
    timeout_s: float,
) -> None:
    """Sets the probe, the mask, the placements and the budget, which both kinds of request about prints have."""
    mask_png, mask_polygon = options.get("mask_png"), options.get("mask_polygon")
    if mask_png is not None and mask_polygon is not None:
        raise InvalidInput("both mask_png and mask_polygon", field="mask", remedy="give one of them")
    if mask_png is not None:
        request.mask_png = mask_png
    if mask_polygon is not None:
        request.mask_polygon.CopyFrom(convert.polygon_to_wire(mask_polygon))
    if (placements := options.get("placements")) is not None:
        request.placement_search.CopyFrom(convert.placement_search_to_wire(placements))
    set_probe(request, image, options, timeout_s)


def set_probe(
    request: retrieval_pb2.SearchPrintRequest
    | retrieval_pb2.ExplainHitRequest
    | retrieval_pb2.SearchShoeRequest
    | wear_pb2.PredictWearRequest
    | wear_pb2.ReconstructOutsoleRequest,
    image: Picture,
    options: Mapping[str, Any],
    timeout_s: float,
) -> None:
    """Sets the picture and the budget, which every query has. Raises ``InvalidInput`` as ``search_request``."""
    if isinstance(image, EvidenceRef):
        request.evidence_sha256 = image.sha256
    else:
        request.image = image if isinstance(image, bytes) else _read(image, field="image")
    # The server cannot see the call's deadline, so it travels as the budget.
    budget_ms = options.get("budget_ms")
    request.budget_ms = _deadline_ms(timeout_s) if budget_ms is None else budget_ms
    if (size := request.ByteSize()) > MAX_MESSAGE_BYTES:
        raise InvalidInput(f"the request has {size:,} bytes", field="image", remedy=f"at most {MAX_MESSAGE_BYTES:,}")


def _deadline_ms(timeout_s: float) -> int:
    return min(max(int(timeout_s * 1000), 1), LONGEST_BUDGET_MS)


def _read(path: str | os.PathLike[str], *, field: str) -> bytes:
    name = Path(path).name
    try:
        with Path(path).open("rb") as stream:
            return _limited(stream.read(MAX_MESSAGE_BYTES + 1), name, field=field)
    except OSError as error:
        raise InvalidInput(f"{name}: {error.strerror}", field=field, remedy="a readable file") from error


def _limited(data: bytes, name: str, *, field: str) -> bytes:
    if len(data) > MAX_MESSAGE_BYTES:
        raise InvalidInput(
            f"{name or 'the stream'} is too large", field=field, remedy=f"at most {MAX_MESSAGE_BYTES:,} bytes"
        )
    return data
