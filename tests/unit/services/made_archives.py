"""Editions of tracks and of shoes with made vectors, for tests of what searches them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outsole.answers import View
from outsole.gallery.editions import Edition
from outsole.gallery.items import ItemRow
from outsole.gallery.layout import SHOES, SHOWS, TRACKS
from outsole.gallery.track_rows import NEVER_BEGUN, NEVER_ENDED, SourceRow, TrackRow, source_table
from outsole.gallery.writer import EditionWriter

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENCODER = ("shoe_stand_in", "ab" * 32)
SOURCES = (
    SourceRow(
        "s-door",
        "door.mp4",
        "/video/door.mp4",
        "ab" * 32,
        1_000,
        "door",
        "hall",
        zone="Europe/Berlin",
        clock_offset_s=60.0,
        start="2026-03-01T13:01:00",
        start_origin="file_name",
        times_from="presentation",
        codec="h264",
        duration_s=600.0,
        width_px=640,
        height_px=480,
        received=100,
        decoded=90,
        skipped=7,
        failed=3,
        with_people=50,
        with_shoes=40,
        shoes=80,
        too_small=20,
        searched=60,
        tracks=3,
        static=1,
        short=2,
        issues=("it ends early",),
    ),
    SourceRow(
        "s-yard",
        "yard.mp4",
        "/video/yard.mp4",
        "cd" * 32,
        2_000,
        "yard",
        "outside",
        start="2026-03-01T14:00:00+00:00",
        start_origin="by_hand",
        duration_s=60.0,
        received=10,
        decoded=10,
        tracks=1,
    ),
    SourceRow(
        "s-lost",
        "lost.avi",
        "/video/lost.avi",
        "ef" * 32,
        3_000,
        "yard",
        received=5,
        decoded=5,
        tracks=1,
    ),
)


def track(name: str, source: SourceRow, start_s: float, *, is_timed: bool = True) -> TrackRow:
    """A track of three seconds that begins so long after noon, whatever its source says."""
    start = round((NOON + timedelta(seconds=start_s)).timestamp() * 1000) if is_timed else NEVER_BEGUN
    return TrackRow(
        item_id=name,
        source_id=source.source_id,
        camera=source.camera,
        place=source.place,
        start_ms=start,
        end_ms=start + 3_000 if is_timed else NEVER_ENDED,
        first_frame=10,
        last_frame=85,
        best_frame=40,
        first_time_s=start_s,
        last_time_s=start_s + 3.0,
        best_time_s=start_s + 1.0,
        box=(1.0, 2.0, 61.0, 32.0),
        toe=(60.0, 30.0),
        heel=(2.5, 31.0),
        view=View.SIDE,
        weight=0.8,
        length_px=57.5,
        sightings=40,
        side_views=30,
        front_views=8,
        back_views=2,
        too_small=3,
    )


TRACKS_MADE = (
    track("t1", SOURCES[0], 120.0),
    track("t2", SOURCES[0], 5.0),
    track("t3", SOURCES[1], 7_201.0),
    track("t4", SOURCES[2], 2.0, is_timed=False),
    track("t5", SOURCES[0], 300.0),
)


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float16]:
    """The same directions with unit length."""
    made: NDArray[np.float16] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    return made


def made_vectors(count: int, dimensions: int = 64, seed: int = 0) -> NDArray[np.float16]:
    """Unit vectors that hardly resemble each other, float16 [count, dimensions]."""
    return unit(np.random.default_rng(seed).normal(size=(count, dimensions)))


def write_archive(
    root: Path,
    name: str = "site",
    *,
    rows: Sequence[TrackRow] = TRACKS_MADE,
    vectors: NDArray[np.float16] | None = None,
    encoder: tuple[str, str] = ENCODER,
) -> Edition:
    """An edition of tracks in force, with the sources of this module."""
    settings = {SHOWS: TRACKS}
    with EditionWriter(root, name, encoder_hash=encoder[1], encoder_name=encoder[0], settings=settings) as writer:
        made = made_vectors(len(rows)) if vectors is None else vectors
        writer.append(rows, {"shoe": made}, thumbnails=[f"png {row.item_id}".encode() for row in rows])
        writer.add_table("sources.parquet", source_table(SOURCES))
        return writer.publish()


def write_shoes(
    root: Path, models: Sequence[str], vectors: NDArray[np.float16], *, encoder: tuple[str, str] = ENCODER
) -> Edition:
    """An edition ``shoes`` in force, one picture for each of the models."""
    items = [ItemRow(f"picture-{number:03d}", model) for number, model in enumerate(models)]
    settings = {SHOWS: SHOES}
    with EditionWriter(root, "shoes", encoder_hash=encoder[1], encoder_name=encoder[0], settings=settings) as writer:
        writer.append(items, {"shoe": vectors})
        return writer.publish()
