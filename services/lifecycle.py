"""Editions over the wire: list them, verify them, take items and editions out of use, make the vector store again."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Protocol

from outsole.api import convert_lifecycle
from outsole.api.generated.outsole.v1 import gallery_pb2
from outsole.errors import InvalidInput
from outsole.gallery.decisions import Decision, DecisionKind
from outsole.gallery.editions import Edition
from outsole.gallery.history import mark_retired
from outsole.gallery.items import checked_text
from outsole.gallery.revisions import decide
from outsole.gallery.verification import verify_edition
from outsole.lifecycle import EditionCheck, RebuildProgress
from services import validation
from services.catalogue import Catalogue
from services.parts import EditionRef
from services.rpc import GrpcContext, streaming, unary
from services.telemetry import Recorder

_CALL_TIMEOUT_S = 30.0
_PROGRESS_EVERY_S = 0.5
_NOBODY = "not said"


class HeldEditions(Protocol):
    """What the owner of the vector store does for editions; see `services.vector_store.PublishedStore`."""

    async def verify(self, edition: EditionRef, *, timeout_s: float) -> tuple[int, int, str]:
        """Rows held, vectors that found their own items, and the first difference."""
        ...

    async def rebuild(self, edition: EditionRef, *, follow: bool, timeout_s: float) -> RebuildProgress:
        """Make an edition's collections again, or only say how far that is."""
        ...

    async def retire(self, edition: EditionRef, *, timeout_s: float) -> None:
        """Drop an edition."""
        ...


class Lifecycle:
    """What happens to editions after they are made.

    Args:
        root: Directory of the galleries.
        store: The owner of the vector store.
        catalogue: The editions that are open.
        budget_ms: Time limit of a verification that does not say one, milliseconds.
    """

    def __init__(self, root: Path, store: HeldEditions, catalogue: Catalogue, *, budget_ms: int = 30_000) -> None:
        self._root = root
        self._store = store
        self._catalogue = catalogue
        self.budget_ms = budget_ms

    async def decide(self, gallery: str, decision: Decision) -> str:
        """Write a decision down and put an edition in force that follows it; its id.

        Raises:
            NotFound: There is no such gallery or item.
        """
        edition = await asyncio.to_thread(decide, self._root, gallery, decision)
        return edition.id

    async def verify(
        self, gallery: str, edition: str, *, every_vector: bool, store_only: bool, timeout_s: float
    ) -> EditionCheck:
        """Look at an edition's files and at what the vector store holds of it; the first difference ends it.

        Raises:
            BudgetSpent: The time was too short.
            NotFound: There is no such gallery or edition.
        """
        end = time.monotonic() + timeout_s
        opened = await asyncio.to_thread(self._catalogue.edition, gallery, edition)
        check = EditionCheck(gallery, opened.id)
        if not store_only:
            # Opened anew: what is held in memory would hide what is wrong on the disk.
            fresh = await asyncio.to_thread(Edition.open, self._root, gallery, opened.id)
            check = await asyncio.to_thread(verify_edition, fresh, every_vector=every_vector)
            if not check.is_whole:
                return check
        left_s = max(end - time.monotonic(), 0.001)
        rows, own, difference = await self._store.verify(EditionRef(gallery, opened.id), timeout_s=left_s)
        return dataclasses.replace(check, store_rows=rows, own_vectors=own, difference=difference)

    async def rebuild(self, gallery: str, edition: str) -> AsyncIterator[tuple[str, RebuildProgress]]:
        """Make the vector store's part of an edition again: its id and how far it is, until it is done.

        Raises:
            NotFound: There is no such gallery or edition.
            OutsoleError: What stopped it.
        """
        opened = await asyncio.to_thread(self._catalogue.searchable, gallery, edition)
        ref = EditionRef(gallery, opened.id)
        progress = await self._store.rebuild(ref, follow=False, timeout_s=_CALL_TIMEOUT_S)
        while progress.field:
            yield opened.id, progress
            await asyncio.sleep(_PROGRESS_EVERY_S)
            progress = await self._store.rebuild(ref, follow=True, timeout_s=_CALL_TIMEOUT_S)
        yield opened.id, progress

    async def retire(self, gallery: str, edition: str, *, reason: str) -> None:
        """Take an edition out of the vector store; its files stay.

        Raises:
            InvalidInput: No reason, or none is named.
            NotFound: There is no such gallery or edition.
            PreconditionFailed: It is in force.
        """
        if not edition:
            raise InvalidInput("no edition is named", field="edition", remedy="one of ListEditions")
        _checked_reason(reason, owner=edition)
        await asyncio.to_thread(self._catalogue.edition, gallery, edition)
        await asyncio.to_thread(mark_retired, self._root, gallery, edition, reason=reason)
        await self._store.retire(EditionRef(gallery, edition), timeout_s=_CALL_TIMEOUT_S)


class EditionMethods:
    """Mixed into the ingress: the RPCs of `Lifecycle`."""

    recorder: Recorder
    lifecycle: Lifecycle
    _catalogue: Catalogue

    @unary(gallery_pb2.RetireItemResponse)
    async def RetireItem(
        self, request: gallery_pb2.RetireItemRequest, grpc_context: GrpcContext
    ) -> gallery_pb2.RetireItemResponse:
        """Take an item out of searches."""
        decision = _decision(DecisionKind.RETIRE, request)
        return gallery_pb2.RetireItemResponse(edition=await self.lifecycle.decide(request.gallery, decision))

    @unary(gallery_pb2.RestoreItemResponse)
    async def RestoreItem(
        self, request: gallery_pb2.RestoreItemRequest, grpc_context: GrpcContext
    ) -> gallery_pb2.RestoreItemResponse:
        """Take a retirement back."""
        decision = _decision(DecisionKind.RESTORE, request)
        return gallery_pb2.RestoreItemResponse(edition=await self.lifecycle.decide(request.gallery, decision))

    @unary(gallery_pb2.ListEditionsResponse)
    async def ListEditions(
        self, request: gallery_pb2.ListEditionsRequest, grpc_context: GrpcContext
    ) -> gallery_pb2.ListEditionsResponse:
        """List the editions of a gallery."""
        size, token = validation.page(request.page)
        found, following = await asyncio.to_thread(
            self._catalogue.editions_page, request.gallery, size=size, token=token
        )
        wire = [convert_lifecycle.edition_to_wire(info) for info in found]
        return gallery_pb2.ListEditionsResponse(editions=wire, next_page_token=following)

    @unary(gallery_pb2.VerifyEditionResponse)
    async def VerifyEdition(
        self, request: gallery_pb2.VerifyEditionRequest, grpc_context: GrpcContext
    ) -> gallery_pb2.VerifyEditionResponse:
        """Compare an edition with what it says."""
        check = await self.lifecycle.verify(
            request.gallery,
            request.edition,
            every_vector=request.every_vector,
            store_only=request.store_only,
            timeout_s=validation.budget_s(request, self.lifecycle.budget_ms),
        )
        return convert_lifecycle.check_to_wire(check)

    @streaming(gallery_pb2.RebuildStoreResponse)
    async def RebuildStore(
        self, request: gallery_pb2.RebuildStoreRequest, grpc_context: GrpcContext
    ) -> AsyncGenerator[gallery_pb2.RebuildStoreResponse, None]:
        """Make what the vector store holds of an edition again."""
        async for edition, progress in self.lifecycle.rebuild(request.gallery, request.edition):
            yield convert_lifecycle.rebuild_to_wire(edition, progress)

    @unary(gallery_pb2.RetireEditionResponse)
    async def RetireEdition(
        self, request: gallery_pb2.RetireEditionRequest, grpc_context: GrpcContext
    ) -> gallery_pb2.RetireEditionResponse:
        """Take an edition out of the vector store."""
        await self.lifecycle.retire(request.gallery, request.edition, reason=request.reason)
        return gallery_pb2.RetireEditionResponse()


def _decision(kind: DecisionKind, request: gallery_pb2.RetireItemRequest | gallery_pb2.RestoreItemRequest) -> Decision:
    if not request.item_id:
        raise InvalidInput("no item is named", field="item_id", remedy="an item's id")
    reason = _checked_reason(request.reason, owner=request.item_id)
    return Decision(kind, request.item_id, reason, request.by.strip() or _NOBODY)


def _checked_reason(reason: str, *, owner: str) -> str:
    if not reason.strip():
        raise InvalidInput("no reason is given", field="reason", remedy="say why")
    return checked_text(reason.strip(), field="reason", owner=owner)
