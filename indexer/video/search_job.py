"""A search of archives in bulk: files that are not indexed yet are indexed first, then shoe models are looked for.

read -> look at slices -> write edition -> search. The first three are ``indexer.video.index_videos``; what they
finished is found again by the next run, so that this may be stopped at any time.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from indexer.at_work import Stopping, Told, progress_of
from indexer.compose import IndexPlace
from indexer.video.compose import index_videos_into
from indexer.video.index_videos import VideoOptions
from indexer.video.model import VideoSettings
from indexer.video.sources import CameraPlan
from outsole.answers import ItemFilter
from outsole.errors import InvalidInput
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.filters import rows_allowed
from outsole.giving_way import GivingWay
from outsole.matching.model_tracks import ModelPictures, ModelTracks, check_comparable
from outsole.matching.shoe_system import SHOE
from outsole.operation_folder import OperationFolder
from outsole.video.search_result import SearchFacts, filter_of, write_result

_SCAN_TIMEOUT_S = 3_600.0
# What the networks have been given is finished whatever comes: the less it is, the sooner a query has them to itself.
_BATCH_FRAMES, _IN_FLIGHT = 4, 1


@dataclass(frozen=True)
class VideoSearchOrder:
    """What a search was asked for, as ``request.json`` holds it.

    Attributes:
        gallery, edition: Of the shoes.
        models: Ids of models to look for.
        place: As of an ingest.
        archives: Edition by name, in the order in which they are searched.
        files: To be indexed first, absolute paths.
        files_archive: Archive that they are indexed into.
        shoe_encoder: Name of the encoder for them: that of the gallery.
        camera: The fields of their ``CameraPlan``, the start as text.
        every_s: How often they are looked at, seconds; 0 for every frame.
        where: Which tracks take part, see ``outsole.video.search_result.filter_record``.
        tracks_per_model: Tracks wanted for each model.
        gives_way_at: The file of ``outsole.giving_way``; empty to give way to nobody.
    """

    gallery: str
    edition: str
    models: Sequence[str]
    place: Mapping[str, str]
    archives: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[str] = ()
    files_archive: str = ""
    shoe_encoder: str = ""
    camera: Mapping[str, Any] = field(default_factory=dict)
    every_s: float = 0.1
    where: Mapping[str, Any] = field(default_factory=dict)
    tracks_per_model: int = 100
    gives_way_at: str = ""


async def search_videos(folder: OperationFolder, order: VideoSearchOrder, told: Told, stopping: Stopping) -> str:
    """Index what is not indexed yet, search everything, and keep what was found in the operation's folder.

    Returns:
        The edition that the files made; empty where there were none, or none that could be used.

    Raises:
        OutsoleError: As of ``indexer.video.index_videos.index_videos``; files that cannot be used stop nothing as long
            as there are archives.
        PreconditionFailed: An archive and the gallery are of different encoders.
    """
    made = await _index(order, told, stopping) if order.files else ""
    # The files' archive is searched as it is now, whatever edition was named, and after the others.
    archives = {name: edition for name, edition in order.archives.items() if not made or name != order.files_archive}
    archives |= {order.files_archive: made} if made else {}
    told.stage("search", total=told.info.progress.total, done=told.info.progress.done)
    facts, found = await asyncio.to_thread(search_archives, order, archives, _warnings(told))
    await asyncio.to_thread(write_result, folder.path, facts, found)
    return made


async def _index(order: VideoSearchOrder, told: Told, stopping: Stopping) -> str:
    start = order.camera.get("start")
    camera = CameraPlan(**{**order.camera, "start": datetime.fromisoformat(start) if start else None})
    options = VideoOptions(
        settings=VideoSettings(
            every_s=order.every_s or None, batch_frames=_BATCH_FRAMES, requests_in_flight=_IN_FLIGHT
        ),
        on_rejects=told.failures,
        progress=progress_of(told, stopping, "look"),
    )
    if order.gives_way_at:
        options = dataclasses.replace(options, gate=GivingWay(Path(order.gives_way_at)))
    try:
        report = await index_videos_into(
            [Path(file) for file in order.files],
            order.files_archive,
            place=IndexPlace.of(order.place),
            camera=camera,
            shoe_encoder=order.shoe_encoder,
            options=options,
        )
    except InvalidInput:
        if order.archives and told.info.item_error_count >= len(order.files):
            return ""
        raise
    return report.edition


def _warnings(told: Told) -> tuple[str, ...]:
    failed = told.info.item_error_count
    return (f"{failed:,} files could not be used, and were not searched; the operation names them",) if failed else ()


def search_archives(
    order: VideoSearchOrder, archives: Mapping[str, str], warnings: Sequence[str] = ()
) -> tuple[SearchFacts, ModelTracks]:
    """Compare every picture of the models with every track that takes part.

    Args:
        order: What is looked for.
        archives: Edition by name.
        warnings: What is known already.

    Raises:
        NotFound, DataCorrupt: An edition is gone or damaged.
        PreconditionFailed: An archive and the gallery are of different encoders.
    """
    root, where = Path(order.place["editions_dir"]), filter_of(order.where)
    shoes = Edition.open(root, order.gallery, order.edition)
    rows = np.flatnonzero(rows_allowed(shoes.items, ItemFilter()))
    pictures = ModelPictures.of(order.models, shoes, rows=rows, codes=shoes.group_codes())
    vectors = np.asarray(shoes.array(SHOE)[pictures.shown], np.float32)
    store, found, totals = ExactStore(), [], []
    for number, (name, edition) in enumerate(archives.items()):
        archive = Edition.open(root, name, edition)
        check_comparable(archive, shoes, field="archives")
        totals.append(int(rows_allowed(archive.items, where).sum()))
        if totals[-1] and len(vectors):
            store.publish(archive, [SHOE])
            best = store.search(
                archive.id, SHOE, vectors, limit=order.tracks_per_model, where=where, timeout_s=_SCAN_TIMEOUT_S
            )
            found.append(ModelTracks.of_archive(best, pictures.owner, number))
    unseen = sum(count == 0 for count in pictures.counts)
    told = (f"{unseen:,} of {len(order.models):,} models have no picture in {order.gallery}",) if unseen else ()
    facts = SearchFacts(
        gallery=shoes.gallery,
        edition=shoes.id,
        encoder_hash=shoes.encoder_hash,
        models=tuple(order.models),
        pictures=pictures.counts,
        archives=tuple(archives),
        editions=tuple(archives.values()),
        totals=tuple(totals),
        where=order.where,
        warnings=(*warnings, *told),
        settings={"shoe_encoder": shoes.manifest.encoder_name, "tracks_per_model": str(order.tracks_per_model)},
    )
    return facts, ModelTracks.joined(found).best(order.tracks_per_model)
