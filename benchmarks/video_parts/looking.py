"""Videos through the indexer's own pipeline: which networks look, and what an archive then says of a video."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.shoe_systems.outliers import CHECKPOINT, ShoeEncoder, find_encoder, unit_vectors
from indexer.compose import IndexPlace
from indexer.video.compose import opened_video_model
from indexer.video.coverage import read_source_rows
from indexer.video.index_videos import VideoOptions, index_videos
from indexer.video.model import VideoModel, VideoSettings
from indexer.video.sources import CameraPlan
from outsole.errors import NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.layout import file_sha256
from outsole.inference.encoder import Encoder
from outsole.video.archive_files import SIGHTING_SCHEMA, read_tracks, sightings_file, sightings_of, vectors_in
from outsole.video.records import Sighting
from outsole.video.tracks import SightingTable, Track
from services.settings import ServiceSettings

EVERY_S = 0.1
ENCODE_TIMEOUT_S = 600.0
_IN_NO_TRACK = -1


@dataclass(frozen=True)
class Eyes:
    """What looks at videos, and how often.

    Attributes:
        repository: Folder of the model folders, the detectors among them.
        encoder: As `benchmarks.shoe_systems.outliers.find_encoder` takes it.
        triton_url: ``host:port`` of a Triton to ask; empty for ONNX Runtime in this process.
        every_s: How often a video is looked at, seconds; None for every frame.
        slice_s: See ``indexer.video.model.VideoSettings``.
    """

    repository: Path
    encoder: str
    triton_url: str = ""
    every_s: float | None = EVERY_S
    slice_s: float = VideoSettings.slice_s

    @property
    def settings(self) -> VideoSettings:
        """How videos are indexed."""
        return VideoSettings(every_s=self.every_s, slice_s=self.slice_s)

    def place(self, home: Path) -> IndexPlace:
        """Models, and the archives of a home directory."""
        settings = self.services(home)
        return IndexPlace(settings.model_dir, settings.encoders_dir, settings.editions_dir, self.triton_url)

    def services(self, home: Path) -> ServiceSettings:
        """Settings of services on a home directory that run in this process."""
        return ServiceSettings.from_environment(
            overrides={"home": home, "model_repository": self.repository, "encoder_backend": "in_process"}
        )

    @asynccontextmanager
    async def opened(self, around: Callable[[str, Encoder], Encoder] | None = None) -> AsyncIterator[VideoModel]:
        """The model for as long as the block lasts; one that is not in the repository runs in this process.

        Args:
            around: See ``indexer.video.compose.opened_video_model``.

        Raises:
            NotFound, DataCorrupt: A model is missing or damaged.
        """
        folder = Path(self.encoder)
        is_shipped = folder.resolve().parent == self.repository.resolve()
        async with opened_video_model(self.place(folder), folder.name if is_shipped else "", around=around) as model:
            if is_shipped:
                yield model
                return
            plain: Encoder = PlainEncoder(find_encoder(self.encoder))
            plain = plain if around is None else around(folder.name, plain)
            yield replace(model, name=folder.name, hash=_hash_of(folder), encoder=plain)


class PlainEncoder:
    """A shoe encoder that is a function of crops, as the pipeline asks for it.

    Args:
        encode: The function; its vectors are brought to unit length here.
    """

    def __init__(self, encode: ShoeEncoder) -> None:
        self._encode = encode

    async def encode(self, images: Any, *, timeout_s: float) -> dict[str, NDArray[Any]]:
        """See `outsole.inference.encoder.Encoder.encode`; nothing interrupts it."""
        del timeout_s
        vectors = await asyncio.to_thread(unit_vectors, self._encode, images)
        return {"embedding": vectors.astype(np.float16)}

    async def is_ready(self) -> bool:
        """Always."""
        return True

    async def close(self) -> None:
        """Nothing is held."""


def _hash_of(encoder: Path) -> str:
    """What tells an encoder that no specification names from others."""
    files = [path for path in (encoder / CHECKPOINT, *sorted(encoder.glob("*/model.onnx"))) if path.is_file()]
    return hashlib.sha256("".join([encoder.name, *map(file_sha256, files)]).encode()).hexdigest()


async def archived(videos: Sequence[Path], archive: str, *, root: Path, model: VideoModel, eyes: Eyes) -> Edition:
    """Index videos of made cameras into one archive; those that it has are not looked at again.

    Args:
        videos: Files whose names begin with their camera's.
        archive: Its name.
        root: Directory of all archives.
        model: Of ``eyes``.
        eyes: How it looks.
    """
    for video in videos:
        camera = CameraPlan(video.stem.partition("_")[0])
        options = VideoOptions(settings=eyes.settings)
        report = await index_videos([video], archive, root=root, model=model, camera=camera, options=options)
        found = report.coverage
        told = f"{found.decoded} frames, {found.shoes} shoes, {found.tracks} tracks"
        click.echo(f"{video.name}: {told} in {report.seconds:.0f} s", err=True)
    return Edition.open(root, archive)


@dataclass(frozen=True)
class Seen:
    """What a video showed.

    Attributes:
        sightings: All of them, in the order of the frames.
        vectors: float32 [N, D], one a sighting; NaN where it is too small to be searched.
        tracks: Walk-pasts, in order of id.
        track_of: Place in ``tracks`` of each sighting, int64 [N]; -1 where it is in none.
    """

    sightings: tuple[Sighting, ...]
    vectors: NDArray[np.float32]
    tracks: tuple[Track, ...]
    track_of: NDArray[np.int64]


def seen_in(edition: Edition, video: Path) -> Seen:
    """What an archive keeps of a video.

    Raises:
        NotFound: The archive has no video of that name.
        DataCorrupt: Its files cannot be read.
    """
    source = next((row.source_id for row in read_source_rows(edition) if row.name == video.name), None)
    if source is None:
        raise NotFound(f"archive {edition.gallery!r} has no {video.name}", field="video")
    rows = edition.table(sightings_file(source), SIGHTING_SCHEMA)
    sightings, found = tuple(sightings_of(rows)), vectors_in(rows)
    vectors = np.full((len(sightings), 1), np.nan, np.float32) if found is None else found
    tracks = read_tracks(edition, source)
    table = SightingTable(sightings, np.asarray(rows["walk"], np.int64))
    track_of = np.full(len(sightings), _IN_NO_TRACK, np.int64)
    for place, track in enumerate(tracks):
        track_of[[kept.row for kept in table.of(track)]] = place
    return Seen(sightings, vectors, tracks, track_of)
