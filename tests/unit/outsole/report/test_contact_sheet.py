"""The contact sheet is one file that needs nothing else, and shows originals only where they are what they were."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from outsole.answers import ShoeMarks, View
from outsole.report.contact_sheet import ContactSheet, SheetRow, render_sheet, write_sheet
from outsole.report.originals import Originals, marked_jpeg
from outsole.video_answers import Coverage, SourceInfo, TracedArchive, TrackInfo
from tests.unit.outsole.api.made_video import SOURCE, track

KEY = ("site", "s-door")
BEST = 12


def clip(path: Path) -> Path:
    """Twenty frames of 160 x 120, each of its own grey, lossless."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(20):
            picture = np.full((120, 160, 3), 40 + 10 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def source_of(path: Path) -> SourceInfo:
    data = path.read_bytes()
    return replace(SOURCE, path=str(path), sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


def seen() -> TrackInfo:
    png = cv2.imencode(".png", np.full((8, 16, 3), 90, np.uint8))[1].tobytes()
    return replace(
        track(thumbnail=png), best_frame=BEST, best_time_s=BEST / 10, box=(20.0, 30.0, 80.0, 70.0), view=View.SIDE
    )


@pytest.fixture
def original(tmp_path: Path) -> Path:
    return clip(tmp_path / "door.mkv")


def test_the_best_frame_is_decoded_again_with_the_box(original: Path) -> None:
    found = Originals({KEY: source_of(original)}).frame(seen())
    assert "whose sha256 is the recorded one" in found.remark
    shown = cv2.imdecode(np.frombuffer(found.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == (120, 160, 3)
    assert abs(int(shown[100, 120].mean()) - (40 + 10 * BEST)) < 5
    green, red = shown[30, 50, 1].astype(int), shown[30, 50, 2].astype(int)
    assert green > red + 40


def test_what_was_searched_for_is_marked_in_a_picture_made_smaller() -> None:
    gray = np.full((120, 160, 3), 90, np.uint8)
    marks = ShoeMarks(toe=(140.0, 100.0), heel=(60.0, 100.0), box=(20.0, 20.0, 120.0, 60.0))
    shown = cv2.imdecode(np.frombuffer(marked_jpeg(gray, marks, width_px=80), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == (60, 80, 3)
    greens = shown[..., 1].astype(int) - shown[..., 2]
    assert greens[10, 30] > 40 and greens[50, 50] > 40
    assert abs(greens[40, 30]) < 10


def test_an_original_that_is_gone_or_another_is_not_shown_and_the_sheet_says_so(original: Path) -> None:
    record = source_of(original)
    longer = replace(record, size_bytes=record.size_bytes + 1)
    other = replace(record, sha256="00" * 32)
    gone = replace(record, path="/nowhere/door.mkv")
    for sources, words in (
        ({KEY: longer}, "another size"),
        ({KEY: other}, "another sha256"),
        ({KEY: gone}, "not on this machine"),
        ({}, "does not say where"),
    ):
        found = Originals(sources).frame(seen())
        assert found.jpeg == b""
        assert words in found.remark


def test_a_frame_that_the_original_does_not_have_is_said_to_be_missing(original: Path) -> None:
    beyond = replace(seen(), best_frame=90, best_time_s=9.0)
    assert "Frame 90 could not be decoded" in Originals({KEY: source_of(original)}).frame(beyond).remark
    torn = original.with_name("torn.mkv")
    torn.write_bytes(b"no video at all")
    found = Originals({KEY: source_of(torn)}).frame(seen())
    assert "cannot be read on this machine" in found.remark


def sheet(*rows: SheetRow) -> ContactSheet:
    return ContactSheet(
        title="Tracks for <shoe>.png",
        probe="data:image/jpeg;base64,AAAA",
        probe_name="<shoe>.png",
        probe_sha256="cd" * 32,
        facts={"Archive": "site"},
        archives=[TracedArchive("site", "e1", 5, 5, Coverage(3, 7_200.0, 115, 105, 7, 3, too_small=20))],
        rows=rows,
        notes=["3 frames of site could not be decoded"],
        created=datetime(2026, 3, 2, tzinfo=UTC),
    )


def test_a_sheet_tells_times_scores_hashes_and_coverage_and_needs_no_other_file(original: Path, tmp_path: Path) -> None:
    frame = Originals({KEY: source_of(original)}).frame(seen())
    row = SheetRow(1, seen(), {"Score": "0.8750"}, frame.jpeg, frame.remark, model_id="m1")
    path = write_sheet(tmp_path / "report", sheet(row))
    text = path.read_text(encoding="utf-8")
    shown = re.sub(r"data:image/\w+;base64,[A-Za-z0-9+/=]+", "", text)
    assert path.name == "contact_sheet.html"
    assert len(re.findall("data:image/", text)) == 3
    assert not re.findall(r"<script|<link|https?://|url\(|@import", shown)
    # The best frame is a second after the first one, and the clock is of Berlin and a minute fast.
    for words in ("2026-03-01 12:00:01.200+00:00", "0.8750", "ab" * 32, "cd" * 32, "file name", "found by model m1"):
        assert words in shown
    assert "2026-03-01 13:01:01.200+01:00" in shown
    assert "&lt;shoe&gt;.png" in shown
    assert "2.00" in shown
    assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img [^>]*>", text))


def test_a_sheet_never_says_more_than_is_known() -> None:
    untimed = replace(track(is_timed=False))
    empty, alone = render_sheet(sheet()), render_sheet(sheet(SheetRow(1, untimed, {"Score": "0.1"}, remark="gone")))
    for text in (empty, alone):
        plain = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
        assert "match" not in plain.lower()
        assert "%" not in plain
        assert "requires examination" in " ".join(plain.split())
    assert "No track was found" in empty
    assert "not known" in alone
    assert "The archive keeps no crop" in alone
