"""Indexing with an encoder that answers at once: killed in the middle, it ends where an undisturbed one does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from benchmarks.at_scale.indexing import KillReport, survive_kills, write_pictures
from benchmarks.at_scale.ingest_program import InstantEncoder


def test_the_stand_in_answers_with_the_same_arrays_for_the_same_pictures(tmp_path: Path) -> None:
    log = tmp_path / "log"
    encoder = InstantEncoder("map", (4, 6, 3), log=log)
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    first = asyncio.run(encoder.encode(images, timeout_s=1))["map"]
    again = asyncio.run(encoder.encode({"image": images[1:]}, timeout_s=1))["map"]
    np.testing.assert_array_equal(first[1:], again)
    assert first.shape == (3, 4, 6, 3)
    assert len(log.read_text().split()) == 5


def test_pictures_are_all_different(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", 20)
    assert len({path.read_bytes() for path in folder.iterdir()}) == 20


def test_no_kill_counts_as_survived_where_something_was_encoded_again() -> None:
    assert KillReport(5, True, 0, 3, 2).metrics()["kills_survived"] == 5
    assert KillReport(5, True, 1, 3, 2).metrics()["kills_survived"] == 0
    assert KillReport(5, False, 0, 3, 2).metrics()["kills_survived"] == 0


def test_an_indexing_that_is_killed_ends_with_the_same_edition(tmp_path: Path) -> None:
    report = survive_kills(tmp_path, pictures=24, kills=2, seed=1)
    assert report.kills == 2
    assert report.identical
    assert report.encoded_again == 0
