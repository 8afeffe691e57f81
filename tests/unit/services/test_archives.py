"""Archives list their tracks by camera and time, and say what became of every frame."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outsole.answers import ItemState, TrackFilter
from outsole.errors import InvalidInput, NotFound, PreconditionFailed
from outsole.gallery.decisions import Decision, DecisionKind
from outsole.gallery.revisions import decide
from services.archives import Archives, TracksWanted
from services.catalogue import Catalogue, ItemsWanted, Served
from tests.unit.services.made_archives import (
    ENCODER,
    NOON,
    SOURCES,
    TRACKS_MADE,
    made_vectors,
    write_archive,
    write_shoes,
)

EVERYTHING = TracksWanted()


@pytest.fixture
def archives(tmp_path: Path) -> Archives:
    write_archive(tmp_path)
    return of(tmp_path)


def of(root: Path) -> Archives:
    return Archives(Catalogue(root, Served("made", "00" * 32, {}, shoes=dict([ENCODER]))))


def listed(archives: Archives, wanted: TracksWanted = EVERYTHING) -> list[str]:
    return [track.track_id for track in archives.tracks_page("site", "", wanted, size=100, token="").tracks]


def test_tracks_come_by_camera_and_start_and_untimed_ones_last(archives: Archives) -> None:
    assert listed(archives) == ["t2", "t1", "t5", "t3", "t4"]


def test_pages_keep_to_their_edition_and_their_filter(archives: Archives, tmp_path: Path) -> None:
    first = archives.tracks_page("site", "", EVERYTHING, size=2, token="")
    assert [track.track_id for track in first.tracks] == ["t2", "t1"]
    assert first.total == 5
    write_archive(tmp_path, rows=TRACKS_MADE[:1])
    rest = archives.tracks_page("site", "", EVERYTHING, size=3, token=first.next_page_token)
    assert [track.track_id for track in rest.tracks] == ["t5", "t3", "t4"]
    assert (rest.next_page_token, rest.edition) == ("", first.edition)
    other = TracksWanted(TrackFilter(cameras=("door",)))
    with pytest.raises(InvalidInput, match="token"):
        archives.tracks_page("site", "", other, size=3, token=first.next_page_token)


def test_a_list_keeps_to_cameras_places_times_and_states(archives: Archives, tmp_path: Path) -> None:
    def under(**where: object) -> list[str]:
        return listed(archives, TracksWanted(TrackFilter(**where)))  # type: ignore[arg-type]

    assert under(cameras=("yard",)) == ["t3", "t4"]
    assert under(places=("hall",)) == ["t2", "t1", "t5"]
    assert under(since=NOON + timedelta(seconds=121)) == ["t1", "t5", "t3"]
    decide(tmp_path, "site", Decision(DecisionKind.RETIRE, "t1", "a chair", by="tester"))
    assert listed(archives, TracksWanted(states=(ItemState.RETIRED,))) == ["t1"]
    edition = archives.searchable("site")
    assert [edition.item_ids[row] for row in archives.rows(edition, TrackFilter())] == ["t2", "t3", "t4", "t5"]


def test_a_track_tells_native_and_true_time_and_how_they_are_known(archives: Archives) -> None:
    page = archives.tracks_page("site", "", TracksWanted(with_thumbnails=True), size=100, token="")
    t2, _, _, t3, t4 = page.tracks
    assert (t2.start, t2.end) == (NOON + timedelta(seconds=5), NOON + timedelta(seconds=8))
    assert t2.native_start is not None
    # The clock is of Berlin, and a minute fast.
    assert t2.native_start.isoformat() == "2026-03-01T13:01:05+01:00"
    assert t2.native_start - t2.start == timedelta(seconds=60)  # type: ignore[operator]
    assert (t2.time_origin, t2.source_name, t2.source_sha256) == ("file_name", "door.mp4", "ab" * 32)
    assert t2.best == NOON + timedelta(seconds=6)
    assert (t3.time_origin, t4.time_origin) == ("by_hand", "")
    assert (t4.start, t4.end, t4.native_start, t4.best, t4.native_best) == (None,) * 5
    assert [track.thumbnail_png for track in page.tracks][:2] == [b"png t2", b"png t1"]
    assert archives.tracks_page("site", "", EVERYTHING, size=1, token="").tracks[0].thumbnail_png == b""


def test_an_archive_says_what_became_of_every_frame_of_every_source(archives: Archives) -> None:
    first, token = archives.archive_page("site", "", size=2, token="")
    rest, end = archives.archive_page("site", "", size=2, token=token)
    sources = (*first.sources, *rest.sources)
    assert end == ""
    assert [source.source_id for source in sources] == ["s-door", "s-lost", "s-yard"]
    assert (first.tracks, first.encoder, first.encoder_hash) == (5, *ENCODER)
    assert first.coverage == rest.coverage
    total = first.coverage
    assert (total.sources, total.received, total.failed, total.too_small, total.tracks) == (3, 115, 3, 20, 5)
    assert total.duration_s == 660.0
    assert (sources[0].path, sources[0].issues) == ("/video/door.mp4", ("it ends early",))
    assert sum(source.coverage.received for source in sources) == total.received


def test_coverage_under_a_filter_counts_the_sources_that_it_lets_in(archives: Archives) -> None:
    edition = archives.edition("site")

    def under(**where: object) -> tuple[int, int, int, int]:
        found = archives.coverage(edition, TrackFilter(**where))  # type: ignore[arg-type]
        return found.sources, found.received, found.sources_left_out, found.sources_untimed

    assert under() == (3, 115, 0, 0)
    assert under(cameras=("door",)) == (1, 100, 2, 0)
    # The source of the door truly runs from noon to ten past, one of the yard nobody knows when.
    assert under(since=NOON + timedelta(minutes=9), until=NOON + timedelta(hours=1)) == (1, 100, 2, 1)
    assert under(since=NOON + timedelta(minutes=11)) == (1, 10, 2, 1)
    assert under(until=datetime(2020, 1, 1, tzinfo=UTC), cameras=("yard",)) == (0, 0, 3, 1)


def test_a_camera_that_is_not_there_is_refused_and_the_known_ones_are_named(archives: Archives) -> None:
    edition = archives.edition("site")
    with pytest.raises(InvalidInput, match=r"has camera 'roof'.*known are door, yard") as caught:
        archives.rows(edition, TrackFilter(cameras=("roof",)))
    assert caught.value.field == "track_filter.cameras"
    with pytest.raises(InvalidInput) as caught:
        listed(archives, TracksWanted(TrackFilter(places=("hall", "moon"))))
    assert caught.value.field == "filter.places"


def test_another_kind_of_gallery_and_an_unknown_archive_are_told_apart(archives: Archives, tmp_path: Path) -> None:
    write_shoes(tmp_path, ["m"], made_vectors(1))
    for call in (archives.edition, archives.searchable):
        with pytest.raises(InvalidInput, match="shows shoes") as caught:
            call("shoes")
        assert caught.value.field == "archive"
        with pytest.raises(NotFound) as missing:
            call("nowhere")
        assert missing.value.field == "archive"


def test_an_archive_of_another_encoder_is_listed_but_not_searched(tmp_path: Path) -> None:
    write_archive(tmp_path, encoder=(ENCODER[0], "ff" * 32))
    archives = of(tmp_path)
    assert len(listed(archives)) == 5
    with pytest.raises(PreconditionFailed, match="other weights"):
        archives.searchable("site")
    assert archives.any_opens()


def test_items_of_an_archive_are_not_listed_as_those_of_a_catalogue(archives: Archives, tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, Served("made", "00" * 32, {}))
    with pytest.raises(InvalidInput, match="ListTracks"):
        catalogue.items_page("site", "", ItemsWanted(), size=1, token="")
    with pytest.raises(InvalidInput, match="ListTracks"):
        catalogue.item("site", "", "t1")
    with pytest.raises(InvalidInput, match="shows tracks"):
        catalogue.searchable_by_shoe("site")


def test_a_house_without_archives_has_none_that_opens(tmp_path: Path) -> None:
    write_shoes(tmp_path, ["m"], made_vectors(1))
    assert not of(tmp_path).any_opens()
    assert SOURCES[0].camera == "door"
