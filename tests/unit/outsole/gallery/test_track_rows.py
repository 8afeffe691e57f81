"""Editions of tracks: what an archive keeps, and searches by camera and time."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outsole.answers import ItemState, TrackFilter, View
from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.layout import SHOWS, TRACKS
from outsole.gallery.revisions import revise
from outsole.gallery.track_rows import (
    NEVER_BEGUN,
    NEVER_ENDED,
    SOURCE_SCHEMA,
    SourceRow,
    TrackRow,
    source_rows,
    source_table,
    track_rows,
)
from outsole.gallery.writer import EditionWriter

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCES = "sources.parquet"


def track(name: str, camera: str, after_s: float | None) -> TrackRow:
    start = NEVER_BEGUN if after_s is None else round((NOON + timedelta(seconds=after_s)).timestamp() * 1000)
    return TrackRow(
        item_id=name,
        source_id="s1",
        camera=camera,
        place="hall",
        start_ms=start,
        end_ms=NEVER_ENDED if after_s is None else start + 3_000,
        first_frame=10,
        last_frame=85,
        best_frame=40,
        first_time_s=0.4,
        last_time_s=3.4,
        best_time_s=1.6,
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


ROWS = [track("t1", "A", 0.0), track("t2", "B", 1.0), track("t3", "A", 60.0), track("t4", "B", None)]
SOURCE = SourceRow("s1", "door.mp4", "/video/door.mp4", "ab" * 32, 1_000, "A", issues=("it ends early",))


@pytest.fixture
def archive(tmp_path: Path) -> Edition:
    with EditionWriter(tmp_path, "door", encoder_hash="e", encoder_name="shoe", settings={SHOWS: TRACKS}) as writer:
        writer.append(ROWS, {"shoe": np.eye(4, 8, dtype=np.float16)})
        writer.add_table(SOURCES, source_table([SOURCE]))
        return writer.publish()


def test_tracks_and_sources_come_back_as_they_were(archive: Edition) -> None:
    assert track_rows(archive.items) == ROWS
    assert source_rows(archive.table(SOURCES, SOURCE_SCHEMA)) == [SOURCE]
    assert archive.groups.to_pylist() == ["t1", "t2", "t3", "t4"]
    assert archive.manifest.models == len(archive) == 4
    archive.verify()


def test_a_table_that_is_not_there_or_has_other_columns_is_named(archive: Edition) -> None:
    with pytest.raises(NotFound, match=r"has no sightings\.parquet"):
        archive.table("sightings.parquet", SOURCE_SCHEMA)
    with pytest.raises(DataCorrupt, match=r"sources\.parquet .* other columns"):
        archive.table(SOURCES, archive.kind.schema)


def test_tracks_are_found_by_camera_and_time_and_one_without_a_time_in_no_range(archive: Edition) -> None:
    store = ExactStore()
    store.publish(archive, ["shoe"])

    def found(**fields: object) -> set[int]:
        where = TrackFilter(**fields)  # type: ignore[arg-type]
        query = np.ones((1, 8), np.float32)
        rows = store.search(archive.id, "shoe", query, limit=4, where=where, timeout_s=5.0).rows
        return set(rows[rows >= 0].tolist())

    assert found() == {0, 1, 2, 3}
    assert found(cameras=("B",)) == {1, 3}
    assert found(since=NOON + timedelta(seconds=30)) == {2}
    assert found(until=NOON + timedelta(seconds=30)) == {0, 1}
    assert found(places=("yard",)) == set()


def test_a_track_can_be_retired_like_an_item(archive: Edition) -> None:
    after = revise(archive, {"t2": (ItemState.RETIRED, "a child's shoe")})
    assert [row.state for row in track_rows(after.items)].count(ItemState.RETIRED) == 1
    assert after.id != archive.id


@pytest.mark.parametrize(("field", "value"), [("camera", ""), ("camera", "a" * 201), ("item_id", "a b")])
def test_a_track_without_a_camera_or_with_a_name_that_cannot_be_one_is_refused(field: str, value: str) -> None:
    changed: dict[str, Any] = {field: value}
    with pytest.raises(InvalidInput):
        dataclasses.replace(ROWS[0], **changed)


def test_a_finished_file_is_in_the_edition_by_a_link_and_has_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "finished.bin"
    path.write_bytes(b"of a source")
    with EditionWriter(tmp_path, "door", encoder_hash="e", settings={SHOWS: TRACKS}) as writer:
        writer.append([track("a", "door", 0)], {"shoe": np.ones((1, 4), np.float16)})
        writer.add_file("kept.bin", path)
        edition = writer.write()
    assert (edition.folder / "kept.bin").samefile(path)
    edition.verify()
    assert "kept.bin" in edition.manifest.files


def test_an_archive_without_tracks_is_searched_and_has_none(tmp_path: Path) -> None:
    path = tmp_path / "finished.bin"
    path.touch()
    with EditionWriter(tmp_path, "door", encoder_hash="e", settings={SHOWS: TRACKS}) as writer:
        writer.append([], {"shoe": np.zeros((0, 4), np.float16)})
        writer.add_file("kept.bin", path)
        edition = writer.write()
    store = ExactStore()
    store.publish(edition, ["shoe"])
    found = store.search(edition.id, "shoe", np.ones((1, 4), np.float32), limit=3, where=TrackFilter(), timeout_s=5)
    assert (len(edition), found.rows.size) == (0, 0)
