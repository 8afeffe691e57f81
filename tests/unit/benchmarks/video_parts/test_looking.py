"""What the benchmark reads in an archive is what the pipeline saw and tracked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from benchmarks.video_parts.looking import Eyes, archived, seen_in
from outsole.errors import NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.layout import SHOWS
from outsole.video.archive_files import read_sightings
from tests.unit.indexer.video.walks import FRAMES, SHOES, CountingFinder, walk_model, write_walk


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Edition, list[Path]]:
    folder = tmp_path_factory.mktemp("looking")
    videos = [write_walk(folder / f"cam0{number}_walk.mp4", seed=number) for number in (1, 2)]
    eyes = Eyes(folder, "none", every_s=None, slice_s=0.5)
    finder = CountingFinder()
    model = walk_model(finder)
    # The second run finds both videos in the archive.
    for _ in range(2):
        edition = asyncio.run(archived(videos, "scene", root=folder / "archives", model=model, eyes=eyes))
    assert finder.frames == 2 * FRAMES
    return edition, videos


def test_every_sighting_has_its_vector_and_its_track(archive: tuple[Edition, list[Path]]) -> None:
    edition, videos = archive
    assert edition.manifest.settings[SHOWS] == "tracks"
    assert set(edition.items["camera"].to_pylist()) == {"cam01", "cam02"}
    for video in videos:
        seen = seen_in(edition, video)
        assert [one.frame for one in seen.sightings] == [shoe.frame for shoe in SHOES]
        assert seen.vectors.shape == (len(SHOES), 96)
        table = read_sightings(edition, seen.tracks[0].track_id.partition("-")[0])
        for place, track in enumerate(seen.tracks):
            own = [kept.row for kept in table.of(track)]
            assert np.flatnonzero(seen.track_of == place).tolist() == own
            assert track.embedding is not None
            assert float(seen.vectors[own].mean(axis=0) @ track.embedding) > 0.99
        assert (seen.track_of >= 0).all()


def test_a_video_that_an_archive_has_not_is_named(archive: tuple[Edition, list[Path]]) -> None:
    with pytest.raises(NotFound, match=r"no other\.mp4"):
        seen_in(archive[0], Path("other.mp4"))
