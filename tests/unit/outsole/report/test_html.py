"""The report is one file that needs nothing else, says what it must and never promises more than it knows."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from outsole.answers import Placement
from outsole.errors import InvalidInput
from outsole.report.html import render_report, write_report
from outsole.report.pictures import heat_overlay, png_bytes
from outsole.report.records import ReportCandidate, ReportProbe, ReportSummary, ReportWear

HEIGHT, WIDTH = 384, 160
STAGES = ("receive", "decode", "canvas", "encode", "candidates", "rerank", "group", "report")


def made_sole(seed: int) -> np.ndarray:
    """Draw a sole outline filled with bars and dots, dark on light, uint8 [384, 160]."""
    generator = np.random.default_rng(seed)
    inside = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(inside, (80, 120), (62, 105), 0, 0, 360, 255, -1)
    cv2.ellipse(inside, (80, 300), (50, 72), 0, 0, 360, 255, -1)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    slope, period = generator.uniform(-0.6, 0.6), generator.uniform(14, 26)
    bars = np.sin((y + slope * x) * 2 * np.pi / period) > 0.1
    dots = (np.sin(x * 2 * np.pi / period) * np.sin(y * 2 * np.pi / period)) > 0.4
    relief = dots if seed % 2 else bars
    return np.where(relief & (inside > 0), 40, 245).astype(np.uint8)


def made_probe(number: int, true_rank: int | None) -> ReportProbe:
    """Make a noisy heel or toe of a sole with five candidates."""
    generator = np.random.default_rng(100 + number)
    sole = made_sole(number)
    mask = np.zeros(sole.shape, bool)
    mask[(slice(200, None) if number % 2 else slice(0, 230)),] = True
    noisy = np.clip(sole + generator.normal(0, 35, sole.shape), 0, 255)
    probe = np.where(mask, noisy, 245).astype(np.uint8)
    heat = np.clip(generator.normal(0.4, 0.25, (24, 10)), 0, None) * cv2.resize(mask.astype(np.float32), (10, 24))
    candidates = tuple(
        ReportCandidate(
            rank=rank,
            model_id=f"model-{number * 7 + rank - 1:04d}",
            item_id=f"item-{rank}",
            score=0.62 / rank**0.4,
            score_parts={"correlation": 0.321, "embedding": 0.654} if number == 1 else {},
            placement=Placement(rotation_deg=-8.0 + 4 * rank, shift_x_px=3.0, shift_y_px=-11.0, mirrored=rank == 4),
            item_png=png_bytes(made_sole(number + rank - 1)),
            heat_png=heat_overlay(probe, heat / rank),
            brand="Made & Sons",
            is_true=rank == true_rank,
        )
        for rank in range(1, 7)
    )
    stage_ms = dict(zip(STAGES, (1.0, 6.0, 9.0, 61.0, 4.0, 402.0, 1.0, 3.0), strict=True))
    return ReportProbe(
        name=f"probe {number:05d}",
        image_png=png_bytes(probe),
        visible_fraction=float(mask.mean()) * 0.9,
        candidates=candidates,
        true_model=f"model-{number * 7:04d}",
        true_rank=true_rank,
        searched=1175,
        total=1175,
        stage_ms=stage_ms,
        warnings=("The file has 2 pages; the first was used.",) if number == 2 else (),
        sha256="ab" * 32,
    )


def made_summary(probes: int = 140) -> ReportSummary:
    """Make the summary of a run over a gallery of 1,175 models."""
    generator = np.random.default_rng(5)
    ranks = np.minimum(1 + generator.geometric(0.35, probes) ** 2 - 1, 900)
    return ReportSummary(
        title="Print search on made soles",
        gallery="demo",
        edition="3f9c1a2b77d0",
        encoder_hash="9d1f" * 16,
        commit="0123456789ab",
        machine="Example CPU 2.4 GHz, 2 cores, 7.7 GiB, Python 3.11.7, Linux x86_64",
        created="2026-01-31 12:00 UTC",
        mode="exhaustive",
        gallery_size=1175,
        ranks=tuple(ranks.tolist()),
        references=tuple(f"r{i // 2}" for i in range(probes)),
        latency_ms=tuple(generator.gamma(9, 55, probes).tolist()),
        stage_p50_ms=dict(zip(STAGES, (1.0, 6.1, 9.4, 60.8, 4.0, 402.5, 1.2, 3.0), strict=True)),
        notes=("The gallery was made by a program; no real shoe is shown.",),
    )


@pytest.fixture(scope="module")
def text() -> str:
    return render_report([made_probe(1, 1), made_probe(2, 3), made_probe(3, 0)], made_summary())


def without_pictures(text: str) -> str:
    return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)


def test_the_report_refers_to_no_file_host_or_script(text: str) -> None:
    shown = without_pictures(text)
    assert not re.findall(r"<script|<link|https?://|url\(|@import", shown)
    assert set(re.findall(r'src="(.{0,5})', text)) == {"data:"}


def test_the_report_says_candidate_and_never_the_forbidden_word(text: str) -> None:
    shown = without_pictures(text)
    assert "Candidate outsole designs, ranked by similarity; a class-level lead that requires examination" in shown
    assert "match" not in shown.lower()


def test_every_picture_and_chart_has_a_text_alternative(text: str) -> None:
    assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img [^>]*>", text))
    assert all("aria-label" in tag for tag in re.findall(r"<svg[^>]*>", text))


def test_a_card_shows_five_candidates_with_score_placement_and_truth(text: str) -> None:
    card = without_pictures(text).split('<article class="card">')[1]
    assert card.count("Heat map of candidate") == 5
    assert "true model model-0007 at rank 1" in card
    assert "score <b>0.620</b> (correlation 0.321, embedding 0.654)" in card
    assert "turned -4°, shifted +3, -11 px" in card
    assert card.count("mirrored") == 1


def test_a_true_model_outside_the_answer_is_said_plainly(text: str) -> None:
    assert "true model model-0021 is not in the answer" in text


def test_tiles_give_rank_one_top_percents_and_latency_percentiles(text: str) -> None:
    names = re.findall(r'<span class="name">([^<]+)</span>', text)
    assert names == ["Rank 1", "Top 1 % (first 12)", "Top 5 % (first 59)", "Top 10 % (first 118)", "p50", "p95"]


def test_names_from_a_gallery_are_escaped() -> None:
    summary = ReportSummary("<b>t</b>", "<i>g</i>", "e", "h", "c", "m", "now", "shortlist", 10)
    shown = render_report([], summary)
    assert "<i>g</i>" not in shown
    assert "&lt;i&gt;g&lt;/i&gt;" in shown


def test_a_report_without_known_truth_has_no_rank_figures() -> None:
    summary = ReportSummary("t", "g", "e", "h", "c", "m", "now", "shortlist", 10, latency_ms=(12.0,))
    shown = render_report([made_probe(4, None)], summary)
    assert "True model among" not in shown
    assert "Latency of a search" in shown


def test_ranks_without_references_are_refused() -> None:
    summary = ReportSummary("t", "g", "e", "h", "c", "m", "now", "shortlist", 10, ranks=(1,))
    with pytest.raises(InvalidInput, match="references"):
        render_report([], summary)


def test_writing_leaves_only_the_report_in_its_folder(tmp_path: Path) -> None:
    path = write_report(tmp_path / "demo" / "report.html", [made_probe(1, 1)], made_summary(6))
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8").endswith("</html>\n")


def test_simulated_wear_is_shown_where_there_is_a_model_with_what_it_is(text: str) -> None:
    strip = png_bytes(made_sole(1))
    wear = ReportWear("reference 00001", strip, "wear_forward", "9d1f" * 16, "made <b>soles</b>", "It is a simulation.")
    shown = render_report([], replace(made_summary(), wear=wear))
    section = shown.split("<h2>Wear, simulated</h2>")[1]
    for said in ("reference 00001", "It is a simulation.", "9d1f9d1f9d1f9d1f", "made &lt;b&gt;soles&lt;/b&gt;"):
        assert said in section
    assert section.count("data:image/png;base64,") == 1
    assert "Wear, simulated" not in text
