"""Records of archives and traces for tests of what carries and prints them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from outsole.answers import Hit, ItemState, SearchAnswer, SearchMode, View
from outsole.video_answers import (
    ArchiveInfo,
    Coverage,
    FoundTrack,
    SearchedModel,
    SourceInfo,
    Trace,
    TraceAnswer,
    TracedArchive,
    TraceRow,
    TrackAnswer,
    TrackHit,
    TrackInfo,
    VideoSearchAnswer,
)

COVERAGE = Coverage(3, 660.5, 115, 105, 7, 3, 50, 40, 80, 20, 60, 5, 1, 2, 4, 1)
_NOON = datetime(2026, 3, 1, 12, 0, 5, 250_000, tzinfo=UTC)


def track(name: str = "t1", *, is_timed: bool = True, thumbnail: bytes = b"") -> TrackInfo:
    """A track of three seconds at a camera of Berlin whose clock is a minute fast."""
    native = (_NOON + timedelta(minutes=1)).astimezone(ZoneInfo("Europe/Berlin"))
    native = native.replace(tzinfo=datetime.fromisoformat(native.isoformat()).tzinfo)
    return TrackInfo(
        track_id=name,
        archive="site",
        source_id="s-door",
        source_name="door.mp4",
        source_sha256="ab" * 32,
        camera="door",
        place="hall",
        start=_NOON if is_timed else None,
        end=_NOON + timedelta(seconds=3) if is_timed else None,
        native_start=native if is_timed else None,
        native_end=native + timedelta(seconds=3) if is_timed else None,
        time_origin="file_name" if is_timed else "",
        first_frame=10,
        last_frame=85,
        best_frame=40,
        first_time_s=5.25,
        last_time_s=8.25,
        best_time_s=6.25,
        box=(1.0, 2.0, 61.0, 32.0),
        toe=(60.0, 30.0),
        heel=(2.5, 31.0),
        view=View.BACK,
        weight=0.75,
        length_px=57.5,
        sightings=40,
        side_views=30,
        front_views=8,
        back_views=2,
        too_small=3,
        state=ItemState.QUARANTINED,
        state_reason="a chair",
        thumbnail_png=thumbnail,
    )


HITS = (TrackHit(1, 0.875, track(thumbnail=b"png")), TrackHit(2, 0.5, track("t2", is_timed=False)))
TRACKS = TrackAnswer(
    HITS,
    "site",
    "e1",
    "h1",
    5,
    5,
    COVERAGE,
    "cd" * 32,
    ("decoded",),
    ("3 frames of site could not be decoded",),
    {"encode": 2.5},
    {"k": "20"},
)
SHOES = SearchAnswer((Hit(1, "m1", "i1", 0.5),), "shoes", "e2", "h1", SearchMode.EXHAUSTIVE, 4, 4, visible_fraction=1.0)
SOURCE = SourceInfo(
    "s-door",
    "door.mp4",
    "/video/door.mp4",
    "ab" * 32,
    1_000,
    "door",
    "hall",
    "Europe/Berlin",
    60.0,
    "2026-03-01T13:01:00",
    "file_name",
    "presentation",
    "h264",
    640,
    480,
    COVERAGE,
    ("it ends early",),
)
ARCHIVE = ArchiveInfo("site", "e1", "2026-03-02T00:00:00+00:00", "shoe", "h1", 5, COVERAGE, (SOURCE, SOURCE))
_PRINT = SearchAnswer(
    (Hit(1, "m1", "i1", 0.5), Hit(2, "m2", "i2", 0.25)), "soles", "e3", "h3", SearchMode.SHORTLIST, 4, 5
)
TRACE = TraceAnswer(
    rows=(TraceRow(1, track(thumbnail=b"png"), "m1", 1, 0.5, 0.875, 2),),
    traces=(Trace(_PRINT.hits[0], HITS[1:], 2), Trace(_PRINT.hits[1], (), 0)),
    print=_PRINT,
    archives=(TracedArchive("site", "e1", 5, 5, COVERAGE),),
    shoe_gallery="shoes",
    shoe_edition="e2",
    encoder_hash="h1",
    warnings=("1 of 2 candidate models have no picture in shoes, and could not be looked for: m2",),
    stage_ms={"tracks": 1.5},
    settings={"order": "joint_ranks"},
)
FOUND = VideoSearchAnswer(
    rows=(*(FoundTrack("m1", hit) for hit in HITS), FoundTrack("m2", HITS[0])),
    models=(SearchedModel("m1", 3, 2), SearchedModel("m2", 1, 1), SearchedModel("m3", 0, 0)),
    archives=(TracedArchive("site", "e1", 5, 5, COVERAGE),),
    coverage=COVERAGE,
    gallery="shoes",
    edition="e2",
    encoder_hash="h1",
    total_rows=3,
    warnings=("1 of 3 models have no picture in shoes",),
    settings={"tracks_per_model": "100"},
)
