"""The composition root of video indexing: from model folders and an address to what finds and describes shoes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from indexer.compose import IndexPlace, chosen_shoe_encoder, encoder_of
from indexer.video.index_videos import VideoIndexReport, VideoOptions, index_videos
from indexer.video.model import VideoModel, as_text
from indexer.video.sources import CameraPlan
from outsole.inference.encoder import Encoder, ModelContract
from outsole.video.finding import DetectedShoes, FinderSettings
from outsole.video.networks import open_networks


@asynccontextmanager
async def opened_video_model(
    place: IndexPlace,
    shoe_encoder: str = "",
    *,
    settings: FinderSettings | None = None,
    around: Callable[[str, Encoder], Encoder] | None = None,
) -> AsyncIterator[VideoModel]:
    """The detectors of shoes and a shoe encoder, for as long as the block lasts.

    Args:
        place: Model folders, and Triton's address where it is to be asked.
        shoe_encoder: Name of the encoder; empty for the shipped one.
        settings: How shoes are found.
        around: Puts something around each network, which it is given by name; for measuring.

    Raises:
        InvalidInput: There is no shoe encoder of that name.
        NotFound, DataCorrupt: A model folder is missing or damaged.
    """
    how, repository = settings or FinderSettings(), place.model_dir.parent
    system = chosen_shoe_encoder((repository, place.encoders_dir), shoe_encoder)
    async with contextlib.AsyncExitStack() as closing:

        def opened(contract: ModelContract, folder: Path) -> Encoder:
            # The stack does not load detectors by itself: whoever searches prints does without their memory.
            encoder = encoder_of(contract, folder, triton_url=place.triton_url, load_missing=True)
            closing.push_async_callback(encoder.close)
            return encoder if around is None else around(contract.model, encoder)

        networks, hashes = open_networks(repository, opened)
        yield VideoModel(
            name=system.spec.name,
            hash=system.spec.hash,
            finder=DetectedShoes(networks, how),
            encoder=opened(system.contract(), system.folder),
            settings={**hashes, "finder": as_text(how)},
        )


async def index_videos_into(
    files: Sequence[Path],
    archive: str,
    *,
    place: IndexPlace,
    camera: CameraPlan,
    shoe_encoder: str = "",
    options: VideoOptions | None = None,
) -> VideoIndexReport:
    """Index videos into an archive.

    Args:
        files, archive, camera, options: See ``indexer.video.index_videos.index_videos``.
        place: Models and archives.
        shoe_encoder: See ``opened_video_model``.

    Raises:
        OutsoleError: As of both.
    """
    async with opened_video_model(place, shoe_encoder) as model:
        return await index_videos(files, archive, root=place.editions_dir, model=model, camera=camera, options=options)
