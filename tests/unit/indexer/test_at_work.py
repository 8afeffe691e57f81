"""What long work tells: rate and time left over the last minute, and how it ended."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from indexer.at_work import Told
from outsole.operation_folder import OperationFolder, now
from outsole.operations import VIDEO_SEARCH, OperationInfo, WorkState


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


@pytest.fixture
def told(tmp_path: Path, clock: Clock) -> Told:
    info = OperationInfo("abc-1", VIDEO_SEARCH, "door", "door.mp4", WorkState.RUNNING, now())
    return Told(OperationFolder.create(tmp_path, info, {}), info, unit="frames")


def test_the_rate_is_that_of_the_last_minute_and_the_rest_is_told_by_it(told: Told, clock: Clock) -> None:
    told.stage("look", total=10_000)
    # What was found finished after a stop took no time at all.
    told.update(9_000)
    for _ in range(100):
        clock.at += 1.0
        told.update(2)
    progress = told.info.progress
    assert (progress.done, progress.unit) == (9_200, "frames")
    assert progress.units_per_second == pytest.approx(2.0, rel=0.05)
    assert progress.seconds_left == pytest.approx(400.0, rel=0.05)


def test_a_long_wait_counts_as_time(told: Told, clock: Clock) -> None:
    told.stage("look", total=100)
    clock.at += 1.0
    told.update(10)
    clock.at += 99.0
    told.update(10)
    assert told.info.progress.units_per_second == pytest.approx(0.2, rel=0.5)


def test_one_that_holds_still_promises_nothing(told: Told, clock: Clock, tmp_path: Path) -> None:
    told.stage("look", total=100)
    clock.at += 1.0
    told.update(10)
    told.pause()
    found = OperationFolder(tmp_path / "abc-1").info()
    assert (found.state, found.finished) == (WorkState.PAUSED, "")
    assert (found.progress.done, found.progress.units_per_second, found.progress.seconds_left) == (10, 0.0, 0.0)
