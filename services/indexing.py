"""The owner of the operations, and what an ingest may read.

Its process does little, so that little is imported: protobuf, numpy and Arrow stay with those who need them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from outsole.errors import InvalidInput, OutsoleError
from outsole.operations import INGEST, VIDEO_SEARCH, OperationInfo, WorkState
from services.operations import Operations
from services.settings import ServiceSettings

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.2
_NAMED_SOURCES = 5


@dataclass(frozen=True)
class Asked:
    """An ingest as a caller asks for it; the attributes are those of the contract's StartIngestRequest."""

    gallery: str
    source_uri: str
    embedding: str = ""
    feed: str = ""
    dry_run: bool = False
    request_id: str = ""


@dataclass(frozen=True)
class VideoSearchAsked:
    """A search of archives as a caller asks for it, checked; the attributes are those of the contract's request.

    Attributes:
        order: What ``indexer.video.search_job.VideoSearchOrder`` reads, but for files and places.
        archives: As the caller named them.
        files: As the caller named them.
        files_archive: Archive that they go into; empty where there are none.
        request_id: The caller's name for the request.
    """

    order: Mapping[str, Any]
    archives: tuple[str, ...]
    files: tuple[str, ...] = ()
    files_archive: str = ""
    request_id: str = ""

    @property
    def source(self) -> str:
        """What is searched, the first of it by name."""
        named = (*self.archives, *self.files)
        more = (f"{len(named) - _NAMED_SOURCES:,} more",) if len(named) > _NAMED_SOURCES else ()
        return ", ".join((*named[:_NAMED_SOURCES], *more))


class IndexOwner:
    """The deployment that owns the operations; there is one replica of it. Its calls return at once.

    Args:
        settings: Of the services.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._operations = Operations(settings.operations_dir)
        self._looking = asyncio.create_task(self._look_forever())

    async def start_ingest(self, asked: Asked, *, timeout_s: float, sent_at: float) -> OperationInfo:
        """Accept an ingest. Raises ``InvalidInput`` for a source that the operator does not allow."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._start, asked)

    async def start_video_search(self, asked: VideoSearchAsked, *, timeout_s: float, sent_at: float) -> OperationInfo:
        """Accept a search of archives. Raises ``InvalidInput`` for a file that the operator does not allow."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._start_video_search, asked)

    async def operation(self, operation_id: str, *, timeout_s: float, sent_at: float) -> OperationInfo:
        """See `services.operations.Operations.get`."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._operations.get, operation_id)

    async def operations(
        self, states: frozenset[WorkState], *, timeout_s: float, sent_at: float
    ) -> tuple[OperationInfo, ...]:
        """See `services.operations.Operations.listed`."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._operations.listed, states)

    async def cancel_operation(self, operation_id: str, *, timeout_s: float, sent_at: float) -> OperationInfo:
        """See `services.operations.Operations.cancel`."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._operations.cancel, operation_id)

    async def pause_operation(self, operation_id: str, *, timeout_s: float, sent_at: float) -> OperationInfo:
        """See `services.operations.Operations.pause`."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._operations.pause, operation_id)

    async def resume_operation(self, operation_id: str, *, timeout_s: float, sent_at: float) -> OperationInfo:
        """See `services.operations.Operations.resume`."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._operations.resume, operation_id)

    def _start(self, asked: Asked) -> OperationInfo:
        request = ingest_order(asked, self._settings)
        return self._operations.start(
            request, kind=INGEST, gallery=asked.gallery, source=asked.source_uri, request_id=asked.request_id
        )

    def _start_video_search(self, asked: VideoSearchAsked) -> OperationInfo:
        request = video_search_order(asked, self._settings)
        return self._operations.start(
            request, kind=VIDEO_SEARCH, gallery=asked.files_archive, source=asked.source, request_id=asked.request_id
        )

    async def _look_forever(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._operations.look)
            except (OSError, OutsoleError):
                # A full disk, for example, passes; whoever waits must not wait for ever.
                _log.exception("the operations could not be looked at; they are looked at again")
            await asyncio.sleep(_LOOK_EVERY_S)

    def __del__(self) -> None:
        # Ray Serve calls this when it stops a replica.
        with contextlib.suppress(Exception):
            self._operations.close()


def ingest_order(asked: Asked, settings: ServiceSettings) -> dict[str, object]:
    """What ``indexer.operation.IngestOrder`` reads: the caller's wish, and the operator's places.

    Raises:
        InvalidInput: The source lies outside of what the operator allows, or is not there.
    """
    return {
        "gallery": asked.gallery,
        "source": str(allowed_source(asked.source_uri, settings.ingest_dirs)),
        "place": _place(settings),
        "embedding": asked.embedding,
        "feed": asked.feed,
        "allowed_roots": [str(root) for root in settings.ingest_dirs],
        "allowed_hosts": list(settings.ingest_host_names),
        "dry_run": asked.dry_run,
    }


def video_search_order(asked: VideoSearchAsked, settings: ServiceSettings) -> dict[str, object]:
    """What ``indexer.video.search_job.VideoSearchOrder`` reads.

    Raises:
        InvalidInput: A file lies outside of what the operator allows, or is not there.
    """
    roots = settings.ingest_dirs
    files = [str(allowed_source(file, roots, field=f"files[{number}]")) for number, file in enumerate(asked.files)]
    return {
        **asked.order,
        "files": files,
        "files_archive": asked.files_archive,
        "place": _place(settings),
        "gives_way_at": str(settings.queries_file),
    }


def _place(settings: ServiceSettings) -> dict[str, str]:
    """Encoders and galleries, as ``indexer.compose.IndexPlace`` reads them."""
    return {
        "model_dir": str(settings.model_dir),
        "encoders_dir": str(settings.encoders_dir),
        "editions_dir": str(settings.editions_dir),
        "triton_url": settings.triton_url if settings.encoder_backend == "triton" else "",
    }


def allowed_source(uri: str, roots: tuple[Path, ...], *, field: str = "source_uri") -> Path:
    """The directory or file that a source names, if it lies in a directory that the operator allows.

    Args:
        uri: A path, or ``file://`` and a path.
        roots: What the operator allows.
        field: The request field that named it.

    Raises:
        InvalidInput: It does not, is no absolute path, or is not there.
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        raise InvalidInput(f"{uri[:200]!r} cannot be read", field=field, remedy="a path, or file:// and a path")
    path = Path(unquote(parts.path) if parts.scheme else uri)
    if not path.is_absolute():
        raise InvalidInput(f"{uri[:200]!r} is no absolute path", field=field, remedy="as the service's host sees it")
    # Links are followed first, and what is not allowed is told alike whether or not it exists.
    found = path.resolve()
    if not any(found.is_relative_to(root.resolve()) for root in roots):
        raise InvalidInput(
            f"{uri[:200]!r} lies outside of what this service may read",
            field=field,
            remedy="the operator names directories in OUTSOLE_INGEST_ROOTS",
        )
    if not found.exists():
        raise InvalidInput(f"there is nothing at {uri[:200]!r}", field=field)
    return found
