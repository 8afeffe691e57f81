"""Clocks of cameras: starts, zones, offsets, and the two nights a year that a local time cannot be trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from outsole.errors import InvalidInput
from outsole.video.clocks import CameraClock, Start, StartOrigin, choose_start, start_in_name

NOON = datetime(2024, 1, 31, 12)


def clock(moment: datetime, zone: str = "Europe/Berlin", offset_s: float = 0.0) -> CameraClock:
    return CameraClock(zone, offset_s, Start(moment, StartOrigin.BY_HAND))


@pytest.mark.parametrize(
    "name",
    [
        "20240131_235959.mp4",
        "ch01_20240131235959_20240201001500.mp4",
        "cam-3_20240131-235959.avi",
        "IMG 20240131T235959.mov",
        "2024-01-31T23-59-59.mkv",
        "2024-01-31 23.59.59.mkv",
        "Eingang 2024_01_31_23_59_59 (2).mp4",
        "2024.01.31_23:59:59.ts",
    ],
)
def test_names_of_recorders_tell_the_start(name: str) -> None:
    assert start_in_name(name) == datetime(2024, 1, 31, 23, 59, 59)


def test_a_name_may_tell_milliseconds_and_that_it_is_utc() -> None:
    assert start_in_name("PXL_20240131_235959123.mp4") == datetime(2024, 1, 31, 23, 59, 59, 123000)
    assert start_in_name("2024-01-31T23-59-59Z.mp4") == datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["", "clip.mp4", "20240231_235959.mp4", "2024-01-31.mp4", "120240131235959.mp4", "20240131_246060.mp4"]
)
def test_other_names_tell_none(name: str) -> None:
    assert start_in_name(name) is None


def test_the_most_trusted_start_is_taken_and_named() -> None:
    hour = [NOON + timedelta(hours=place) for place in range(4)]
    known = {"by_hand": hour[0], "sidecar": hour[1], "file_name": "20240131_140000.mp4", "container": hour[3]}
    for name, moment in zip(["by_hand", "sidecar", "file_name", "container"], hour, strict=True):
        assert choose_start(**known) == Start(moment, StartOrigin(name))  # type: ignore[arg-type]
        del known[name]
    assert choose_start() is None


def test_without_a_start_times_stay_relative() -> None:
    relative = CameraClock("Europe/Berlin", 3.0)
    assert relative.is_relative
    assert (relative.native_time(1.0), relative.utc_time(1.0), relative.origin) == (None, None, None)


def test_native_time_is_what_the_camera_showed_and_utc_is_corrected() -> None:
    fast = clock(NOON, offset_s=90.0)
    native, utc = fast.native_time(60.0), fast.utc_time(60.0)
    assert native is not None and native.isoformat() == "2024-01-31T12:01:00+01:00"
    assert utc is not None and utc.isoformat() == "2024-01-31T10:59:30+00:00"
    assert fast.origin is StartOrigin.BY_HAND and not fast.is_relative


def test_a_start_with_an_offset_is_that_instant_in_any_zone() -> None:
    moment = NOON.replace(tzinfo=timezone(timedelta(hours=-5)))
    assert clock(moment).utc_time(0.0) == datetime(2024, 1, 31, 17, tzinfo=UTC)


def test_a_recording_over_the_change_of_summer_time_loses_no_hour() -> None:
    spring = clock(datetime(2024, 3, 31, 1, 59, 59))
    native = spring.native_time(2.0)
    assert native is not None and native.isoformat() == "2024-03-31T03:00:01+02:00"
    assert spring.utc_time(2.0) == datetime(2024, 3, 31, 1, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "said"), [(datetime(2024, 10, 27, 2, 30), "twice"), (datetime(2024, 3, 31, 2, 30), "skipped")]
)
def test_a_local_time_that_summer_time_makes_doubtful_is_not_guessed(moment: datetime, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        clock(moment)
    assert caught.value.field == "start" and "+02:00" in caught.value.remedy
    clock(moment.replace(tzinfo=timezone(timedelta(hours=2))))
    clock(moment, zone="Etc/GMT-1")


@pytest.mark.parametrize("zone", ["Europe/Entenhausen", "../etc/passwd", "", "/etc/localtime"])
def test_a_zone_that_is_not_there_is_refused(zone: str) -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        CameraClock(zone)


@pytest.mark.parametrize("offset_s", [float("nan"), float("inf"), 1e12])
def test_an_offset_that_is_no_clock_is_refused(offset_s: float) -> None:
    with pytest.raises(InvalidInput, match="offset_s"):
        CameraClock("UTC", offset_s)
