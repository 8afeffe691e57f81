"""The side of shoes of the table, with a stand-in for the trained encoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

from benchmarks.literature import main
from benchmarks.print_systems.kept import Kept
from benchmarks.print_systems.models import Shelf
from benchmarks.print_systems.rows import Row
from benchmarks.shoe_systems.side import ADAPTED, ENCODER, VARIANTS, metrics_of, parts
from tests.standins import write_shoe_encoder
from training.shoe_attention import SYSTEM

SHARES = {"rank1": 0.5, "rank5": 0.75, "map": 0.6, "front_rank1": 0.25, "back_rank1": 0.125}


def _write_run(folder: Path, metrics: dict[str, float], *, preset: str = "short") -> None:
    record = {
        "metrics": metrics,
        "preset": preset,
        "steps": 120,
        "seconds": 240.0,
        "device": "cpu",
        "complete": True,
        "settings": {"evaluate_items": 200},
    }
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(record))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_shoe_encoder(tmp_path / "models", ENCODER)
    for name in (f"{ENCODER}_short", f"{ENCODER}_se_short", "netvlad_lite_cpu"):
        _write_run(tmp_path / name, SHARES)
    _write_run(tmp_path / f"{ADAPTED}_cpu", {"rank1": 0.75, "rank1_before": 0.5, "map": 0.8}, preset="cpu")
    return tmp_path


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["--side", "shoe", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_every_shoe_system_has_its_row_and_what_was_measured_is_found_again(runs: Path, tmp_path: Path) -> None:
    wanted = ("--runs", runs, "--models", 4)
    output = _run(*wanted, "--json", tmp_path / "a.json", "--markdown", tmp_path / "a.md")
    record = json.loads((tmp_path / "a.json").read_text())
    metrics = record["metrics"]
    assert set(metrics) == {"shoe_rank1", "shoe_map", "shoe_cmc5", "shoe_gain_pts", "adapted_rank1", "adapted_gain_pts"}
    assert 0 <= metrics["shoe_rank1"] <= metrics["shoe_map"] <= 1
    assert metrics["adapted_gain_pts"] == pytest.approx(25.0)
    lines = (tmp_path / "a.md").read_text().splitlines()
    # Two lines of heading; published alone, trunk, encoder twice, variants, two NetVLADs, adapted.
    assert len(lines) == 2 + 1 + 1 + 2 + len(VARIANTS) + 2 + 1
    assert any(
        "squeeze-and-excitation" in line and "| 59.1 | 43.8 | 50.0 | 60.0 | 75.0 | 25.0 |" in line for line in lines
    )
    assert "Rank-1 50.0 before" in output
    kept = {path: path.stat().st_mtime_ns for path in (runs / "literature").iterdir()}
    _run(*wanted, "--json", tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text())["metrics"] == metrics
    assert {path: path.stat().st_mtime_ns for path in (runs / "literature").iterdir()} == kept


def test_what_is_not_at_hand_says_so_beside_what_was_published(tmp_path: Path) -> None:
    names = ("attention_variants", "netvlad", "adapted_shoes")
    output = _run(*[word for name in names for word in ("--only", name)], "--runs", tmp_path)
    lines = [line for line in output.splitlines() if "not measured" in line]
    assert len(lines) == len(VARIANTS) + 2 + 1
    assert any("no run of shoe_attention:cbam here" in line and "62.7" in line for line in lines)


def test_the_table_has_every_variant_that_is_trained() -> None:
    assert set(VARIANTS) == set(SYSTEM.variants)
    rows = parts()["attention_variants"](Shelf(Path("nowhere")), Kept(None))
    assert rows["hard_labels"].figures == {"published_rank1": 73.9, "published_map": 54.9}
    assert rows["stage"].figures == {}


def test_published_figures_alone_give_no_metric() -> None:
    rows = parts()["published_shoes"](Shelf(Path("nowhere")), Kept(None))
    assert [row.figures["published_rank1"] for row in rows.values()] == [65.4]
    assert metrics_of(rows) == ({}, {})
    assert metrics_of({ENCODER: Row("a", "b")}) == ({}, {})
