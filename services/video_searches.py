"""Searches of archives in bulk over the wire: what is asked is checked and handed over, what was found is read."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from outsole.answers import TrackFilter
from outsole.api import convert_video
from outsole.api.convert_operations import operation_to_wire
from outsole.api.convert_shoes import track_filter_from_wire
from outsole.api.generated.outsole.v1 import video_pb2
from outsole.errors import InvalidInput, NotFound, PreconditionFailed
from outsole.gallery.editions import Edition
from outsole.gallery.items import checked_text
from outsole.gallery.layout import checked_name
from outsole.matching.model_tracks import check_comparable
from outsole.operation_folder import OperationFolder
from outsole.operations import VIDEO_SEARCH, WorkState
from outsole.video.clocks import CameraClock
from outsole.video.search_result import filter_record, read_result
from outsole.video_answers import Coverage, FoundTrack, SearchedModel, TracedArchive, TrackHit, VideoSearchAnswer
from services import validation
from services.fields import naming, within
from services.index_methods import RemoteIndexing
from services.indexing import VideoSearchAsked
from services.pages import start_of, token_of
from services.parts import SearchParts
from services.queries import MAX_ARCHIVES, MAX_K
from services.rpc import GrpcContext, unary
from services.telemetry import Recorder
from services.track_search import coverage_warnings, filter_settings
from services.video_validation import names_once

MAX_FILES = 10_000
DEFAULT_TRACKS = 100
DEFAULT_EVERY_S = 0.1
_LONGEST_EVERY_S = 3_600.0


class VideoSearchMethods:
    """Mixed into the ingress."""

    recorder: Recorder
    indexing: RemoteIndexing
    operations_dir: Path
    _parts: SearchParts

    @unary(video_pb2.StartVideoSearchResponse)
    async def StartVideoSearch(
        self, request: video_pb2.StartVideoSearchRequest, grpc_context: GrpcContext
    ) -> video_pb2.StartVideoSearchResponse:
        """Start to search archives and files for shoe models."""
        asked = await asyncio.to_thread(search_asked, request, self._parts)
        info = await self.indexing.one("start_video_search", asked)
        return video_pb2.StartVideoSearchResponse(operation=operation_to_wire(info))

    @unary(video_pb2.GetVideoSearchResponse)
    async def GetVideoSearch(
        self, request: video_pb2.GetVideoSearchRequest, grpc_context: GrpcContext
    ) -> video_pb2.GetVideoSearchResponse:
        """Give what a search of archives found."""
        folder = OperationFolder(self.operations_dir / validation.operation_id(request.operation_id))
        size, token = validation.page(request.page)
        start = start_of(token, folder.operation_id)
        answer = await asyncio.to_thread(
            found_page, folder, self._parts, rows=slice(start, start + size), with_thumbnails=request.with_thumbnails
        )
        is_last = start + size >= answer.total_rows
        following = "" if is_last else token_of(folder.operation_id, start + size)
        return convert_video.found_to_wire(answer, following)


def search_asked(request: video_pb2.StartVideoSearchRequest, parts: SearchParts) -> VideoSearchAsked:
    """The search that is asked for, with the editions that are in force now.

    Raises:
        InvalidInput: A field that is missing or out of its range, or a gallery that shows something else.
        NotFound: There is no such gallery, archive or model.
        PreconditionFailed: An archive and the gallery are of different encoders, or their encoder is not served.
    """
    shoes = _shoes(request, parts)
    names = names_once(request.archives, "archives", most=MAX_ARCHIVES)
    files = tuple(request.files)
    if not names and not files:
        raise InvalidInput("nothing to search is named", field="archives", remedy="archives, files, or both")
    camera, into = _camera(request), _files_archive(request)
    archives = {}
    for number, name in enumerate(names):
        with naming(f"archives[{number}]", "archive"):
            archives[name] = parts.archives.edition(name)
        check_comparable(archives[name], shoes, field=f"archives[{number}]")
    where = track_filter_from_wire(request.track_filter)
    known = _existing(into, shoes, parts) if request.files_archive else ()
    _check_known(where, (*archives.values(), *known), camera)
    return VideoSearchAsked(
        order={
            "gallery": shoes.gallery,
            "edition": shoes.id,
            "models": list(request.model_ids),
            "archives": {name: edition.id for name, edition in archives.items()},
            "shoe_encoder": shoes.manifest.encoder_name,
            "camera": camera,
            "every_s": _every_s(request),
            "where": filter_record(where),
            "tracks_per_model": validation.in_range(request, "tracks_per_model", (1, MAX_K)) or DEFAULT_TRACKS,
        },
        archives=names,
        files=files,
        files_archive=into,
        request_id=validation.request_id(request.request_id),
    )


def found_page(
    folder: OperationFolder, parts: SearchParts, *, rows: slice, with_thumbnails: bool = False
) -> VideoSearchAnswer:
    """Some rows of what a search found, with everything that is said about the whole.

    Raises:
        NotFound: There is no such operation.
        InvalidInput: It is no search of archives.
        PreconditionFailed: It has not succeeded.
        DataCorrupt: What it found, or an edition that it searched, is damaged.
    """
    info = folder.info()
    if info.kind != VIDEO_SEARCH:
        raise InvalidInput(f"operation {info.operation_id!r} is of kind {info.kind}", field="operation_id")
    if info.state is not WorkState.SUCCEEDED:
        raise PreconditionFailed(
            f"operation {info.operation_id!r} is {info.state.value}",
            field="operation_id",
            remedy="start it anew" if info.state is WorkState.CANCELLED else "wait until it has succeeded",
        )
    facts, found = read_result(folder.path)
    editions = [parts.archives.edition(*named) for named in zip(facts.archives, facts.editions, strict=True)]
    where, page, ranks = facts.track_filter, found.picked(np.arange(len(found.rows))[rows]), found.ranks()[rows]
    tracks = parts.archives.tracks_of(editions, page, with_thumbnails=with_thumbnails)
    searched = tuple(
        TracedArchive(edition.gallery, edition.id, total, total, parts.archives.coverage(edition, where))
        for edition, total in zip(editions, facts.totals, strict=True)
    )
    told = (line for one in searched for line in coverage_warnings(one.archive, one.coverage))
    counts = np.bincount(found.models, minlength=len(facts.models)).tolist()
    hits = map(TrackHit, ranks.tolist(), page.scores.tolist(), tracks)
    return VideoSearchAnswer(
        rows=tuple(FoundTrack(facts.models[at], hit) for at, hit in zip(page.models.tolist(), hits, strict=True)),
        models=tuple(map(SearchedModel, facts.models, facts.pictures, counts)),
        archives=searched,
        coverage=Coverage.together(one.coverage for one in searched),
        gallery=facts.gallery,
        edition=facts.edition,
        encoder_hash=facts.encoder_hash,
        total_rows=len(found.rows),
        warnings=(*facts.warnings, *told),
        settings={**facts.settings, **filter_settings(where)},
    )


def _shoes(request: video_pb2.StartVideoSearchRequest, parts: SearchParts) -> Edition:
    """The gallery in force; it has the models that are asked for."""
    if not request.gallery:
        raise InvalidInput("no gallery is named", field="gallery", remedy="a gallery that shows shoes")
    models = names_once(request.model_ids, "model_ids", most=MAX_K)
    if not models:
        raise InvalidInput("no model is named", field="model_ids", remedy="1 at least; see ListItems")
    shoes = parts.catalogue.searchable_by_shoe(request.gallery)
    known = pc.is_in(pa.array(models, pa.string()), value_set=pc.unique(shoes.groups)).to_pylist()
    if not all(known):
        number = known.index(False)
        raise NotFound(f"gallery {shoes.gallery!r} has no model {models[number]!r}", field=f"model_ids[{number}]")
    return shoes


def _camera(request: video_pb2.StartVideoSearchRequest) -> dict[str, Any]:
    """The fields of a ``CameraPlan``; none where no files are named."""
    if not request.files:
        for stray in ("camera", "every_s"):
            if request.HasField(stray):
                raise InvalidInput(f"{stray} is for files", field=stray, remedy="leave it out, or name files")
        return {}
    if len(request.files) > MAX_FILES:
        raise InvalidInput(f"{len(request.files):,} files", field="files", remedy=f"at most {MAX_FILES:,}")
    said = request.camera
    with within("camera"):
        for name in ("camera", "place"):
            checked_text(getattr(said, name), field=name, owner="of the files")
        if not said.camera:
            raise InvalidInput("the files have no camera", field="camera", remedy="name the camera")
        clock = CameraClock(zone=said.zone or "UTC", offset_s=said.clock_offset_s)
        if said.start and len(request.files) > 1:
            raise InvalidInput(
                f"{len(request.files):,} files cannot begin at one time",
                field="start",
                remedy="search them one by one, or have the time in their names",
            )
        start = _time(said.start)
    return {
        "camera": said.camera,
        "place": said.place,
        "zone": clock.zone,
        "clock_offset_s": said.clock_offset_s,
        "start": start,
    }


def _time(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat() if text else ""
    except ValueError as error:
        raise InvalidInput(f"{text[:100]!r} is no time", field="start", remedy="ISO 8601") from error


def _every_s(request: video_pb2.StartVideoSearchRequest) -> float:
    every_s = request.every_s if request.HasField("every_s") else DEFAULT_EVERY_S
    if not (math.isfinite(every_s) and 0 <= every_s <= _LONGEST_EVERY_S):
        raise InvalidInput(f"every_s is {every_s}", field="every_s", remedy=f"0 to {_LONGEST_EVERY_S:,.0f}")
    return every_s


def _files_archive(request: video_pb2.StartVideoSearchRequest) -> str:
    """The archive that files go into: the one named, or one of these files alone."""
    if not request.files:
        if request.files_archive:
            raise InvalidInput("no files are named", field="files_archive", remedy="leave it out, or name files")
        return ""
    if request.files_archive:
        return checked_name(request.files_archive, field="files_archive")
    said = request.camera.SerializeToString(deterministic=True).hex()
    return "files-" + hashlib.sha256(json.dumps([sorted(request.files), said]).encode()).hexdigest()[:16]


def _existing(archive: str, shoes: Edition, parts: SearchParts) -> tuple[Edition, ...]:
    """The archive that files are added to, where it exists."""
    try:
        with naming("files_archive", "archive"):
            found = parts.archives.edition(archive)
    except NotFound:
        return ()
    check_comparable(found, shoes, field="files_archive")
    return (found,)


def _check_known(where: TrackFilter, archives: Sequence[Edition], camera: dict[str, Any]) -> None:
    """Raise ``InvalidInput`` for a camera or place that nothing has of what is searched."""
    for column, wanted in (("camera", where.cameras), ("place", where.places)):
        known = set(_values(archives, column)) | {camera.get(column)}
        if wanted and not known.issuperset(wanted):
            stray = next(name for name in wanted if name not in known)
            raise InvalidInput(
                f"no archive has the {column} {stray!r}",
                field=f"track_filter.{column}s",
                remedy=f"one of {', '.join(sorted(filter(None, known))[:10]) or 'none'}",
            )


def _values(archives: Sequence[Edition], column: str) -> Iterable[str]:
    return (value for archive in archives for value in pc.unique(archive.items[column]).to_pylist())
