"""One operation of the index service in a process of its own.

    python -m indexer.operation FOLDER

The folder is an ``outsole.operation_folder.OperationFolder``. SIGTERM ends the work in order and keeps what was
finished: the operation is CANCELLED or PAUSED where somebody asked for that, else it stays RUNNING and is begun again
later.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.access import Access
from indexer.at_work import Stopping, Told, progress_of
from indexer.compose import IndexPlace, index_into
from indexer.index_pictures import CrawlOptions
from indexer.manifest import DEFAULT_FEED, read_source
from indexer.video.search_job import VideoSearchOrder, search_videos
from outsole.errors import OutsoleError
from outsole.operation_folder import OperationFolder
from outsole.operations import VIDEO_SEARCH, WorkState

# Long work leaves the processor to whoever waits for an answer.
_NICENESS = 10
_INTERNAL = "internal error; the operation's log has the cause"


@dataclass(frozen=True)
class IngestOrder:
    """What an ingest was asked for, as ``request.json`` holds it.

    Attributes:
        gallery: The gallery to fill.
        source: Directory or manifest, an absolute path.
        place: Encoders and galleries, paths as text.
        embedding: See ``indexer.compose.index_into``.
        feed: Name under which the source is crawled again and again; empty for the default one.
        dry_run: Only read the source.
        allowed_roots: Directories from which pictures may be read, the operator's; empty for the source's own.
        allowed_hosts: Hosts from which pictures may be fetched, the operator's.
    """

    gallery: str
    source: str
    place: Mapping[str, str]
    embedding: str = ""
    feed: str = ""
    dry_run: bool = False
    allowed_roots: Sequence[str] = ()
    allowed_hosts: Sequence[str] = ()


def run(folder: OperationFolder) -> int:
    """Do an operation; returns the exit status of the process."""
    stopping = Stopping()
    # Until the event loop has its own handlers, which take a second of imports to come.
    signal.signal(signal.SIGTERM, lambda *_: stopping.ask())
    with folder.working() as is_ours:
        if not is_ours:
            return 1
        folder.forget_errors()
        info = dataclasses.replace(folder.info(), state=WorkState.RUNNING, item_error_count=0)
        told = Told(folder, info, unit="frames" if info.kind == VIDEO_SEARCH else "images")
        told.stage("read")
        try:
            result = asyncio.run(stopping.run(_work(folder, told, stopping)))
        except asyncio.CancelledError:
            if folder.should_stop:
                told.end(WorkState.CANCELLED)
            elif folder.should_pause:
                told.pause()
            return 0
        except OutsoleError as error:
            told.end(WorkState.FAILED, error=error)
            return 1
        except Exception:
            told.end(WorkState.FAILED, error=OutsoleError(_INTERNAL))
            raise
        told.end(WorkState.SUCCEEDED, result=result)
    return 0


async def _work(folder: OperationFolder, told: Told, stopping: Stopping) -> str:
    if told.info.kind == VIDEO_SEARCH:
        return await search_videos(folder, VideoSearchOrder(**folder.request()), told, stopping)
    order = IngestOrder(**folder.request())
    if order.dry_run:
        return await asyncio.to_thread(_dry_run, order, told)
    report = await index_into(
        Path(order.source),
        order.gallery,
        place=IndexPlace.of(order.place),
        embedding=order.embedding,
        options=CrawlOptions(feed=order.feed or DEFAULT_FEED, access=_access(order), on_rejects=told.failures),
        progress=progress_of(told, stopping, "encode"),
    )
    return report.edition


def _dry_run(order: IngestOrder, told: Told) -> str:
    found = read_source(Path(order.source), feed=order.feed or DEFAULT_FEED, access=_access(order))
    told.stage("read", total=len(found.entries) + len(found.rejects))
    told.update(len(found.entries) + len(found.rejects))
    told.failures(found.rejects)
    return ""


def _access(order: IngestOrder) -> Access:
    return Access(roots=tuple(map(Path, order.allowed_roots)), hosts=tuple(order.allowed_hosts))


def main(arguments: list[str]) -> int:
    """Do the operation of a folder."""
    os.nice(_NICENESS)
    return run(OperationFolder(Path(arguments[0])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
