"""The page about wear needs nothing else, and says of every picture what it is."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from outsole.report.wear_page import WearPage, render_wear_page, write_wear_page
from tests.unit.outsole.api.made_wear import WEAR

GIVEN = np.full((300, 120), 200, np.uint8)
PAGE = WearPage("print <1>.png", GIVEN, WEAR, datetime(2026, 1, 31, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def text() -> str:
    return render_wear_page(PAGE)


def test_the_page_refers_to_no_file_host_or_script_and_escapes_what_it_is_told(text: str) -> None:
    shown = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)
    assert not re.findall(r"<script|<link|https?://|url\(|@import", shown)
    assert set(re.findall(r'src="(.{0,5})', text)) == {"data:"}
    assert "print &lt;1&gt;.png" in shown and "<1>" not in shown
    assert "made shoes &lt;i&gt;&amp; nothing else&lt;/i&gt;" in shown and "<i>&" not in shown
    assert "match" not in shown.lower()


def test_the_page_says_what_the_pictures_are_and_how_they_were_made(text: str) -> None:
    assert text.count(WEAR.simulation_notice) == 2
    for said in (WEAR.model_hash, WEAR.probe_sha256, "wear_forward", "2026-01-31 12:00 UTC", *WEAR.warnings):
        assert said in text
    assert "decoded PNG, 120 x 300 px, 8 bit L; laid on" in text
    assert re.findall(r"<h3>([^<]+)</h3>", text) == ["The print that was given", "after 12 weeks", "after 52 weeks"]
    assert text.count("simulated; mean unsure") == 2
    assert text.count("data:image/png") == 5
    assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img [^>]*>", text))


def test_a_page_about_the_past_says_so_and_is_written_whole(tmp_path: Path) -> None:
    backward = dataclasses.replace(PAGE, answer=dataclasses.replace(WEAR, backward=True))
    path = write_wear_page(tmp_path / "deep/page.html", backward)
    text = path.read_text(encoding="utf-8")
    assert "<h1>The same print some weeks before</h1>" in text
    assert "<h3>52 weeks before</h3>" in text
    assert [found.name for found in path.parent.iterdir()] == ["page.html"]
