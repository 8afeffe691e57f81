"""The table of systems on a small made gallery, with untrained stand-ins for the networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.literature import main
from benchmarks.print_systems.rows import Row
from benchmarks.print_systems.side import ADAPTED, CRISP, GENERAL, metrics_of, rows_of_side
from outsole.synthesis.galleries import make_print_gallery
from tests.unit.benchmarks.standins import write_embedding, write_spatial

METRICS = {
    "crisp_hit100",
    "crisp_map100",
    "crisp_fid_recall200",
    "partial_fid_recall200",
    "partial_fid_top1pct",
    "general_fid_recall200",
    "general_fid_top1pct",
    "fused_top1pct",
    "fused_rank1",
    "shortlist_loss_pts",
    "shortlist_speedup",
    "depth_corr",
    "depth_loss_pts",
}


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    make_print_gallery(folder, models=6, probes=2, seed=5)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name in (GENERAL, ADAPTED, "partial_print_held_out"):
        write_embedding(folder / "models" / name)
    write_spatial(folder / "models" / CRISP)
    record = {
        "metrics": {"hit100": 0.96, "map100": 0.61},
        "preset": "cpu",
        "steps": 1000,
        "seconds": 1200.0,
        "device": "cpu",
        "complete": True,
        "parameters": 5,
        "settings": {"evaluate_items": 2000},
    }
    (folder / f"{CRISP}_cpu").mkdir()
    (folder / f"{CRISP}_cpu" / "result.json").write_text(json.dumps(record))
    return folder


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_rows_of_real_prints_are_measured_written_and_found_again(gallery: Path, runs: Path, tmp_path: Path) -> None:
    names = ("correlation", "partial", "fused", "shortlist", "crisp_lite", "cooccurrence", "mcncc")
    only = [word for name in names for word in ("--only", name)]
    wanted = ["--data", gallery, "--runs", runs, "--held-out", *only]
    output = _run(*wanted, "--json", tmp_path / "a.json", "--markdown", tmp_path / "a.md")
    record = json.loads((tmp_path / "a.json").read_text())
    assert set(record["metrics"]) == METRICS - {"depth_corr", "depth_loss_pts"}
    assert record["metrics"]["crisp_hit100"] == 0.96
    # Six references: nothing can be outside 200 of them, and nothing can be lost.
    assert record["metrics"]["partial_fid_recall200"] == 1.0
    assert record["metrics"]["shortlist_loss_pts"] == 0.0
    assert record["inputs"]["fused_row"] == f"fused {ADAPTED}"
    assert "added after the adaptation" in output
    assert "MCNCC, here" in (tmp_path / "a.md").read_text()
    kept = {path: path.stat().st_mtime_ns for path in (runs / "literature").iterdir()}
    _run(*wanted, "--json", tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text())["metrics"] == record["metrics"]
    assert {path: path.stat().st_mtime_ns for path in (runs / "literature").iterdir()} == kept


def test_what_is_not_at_hand_says_so_in_its_row(tmp_path: Path) -> None:
    names = ("partial", "crisp_ablations", "crisp_resnet50", "mcncc", "region_codes")
    output = _run(*[word for name in names for word in ("--only", name)], "--runs", tmp_path)
    lines = [line for line in output.splitlines() if "not measured" in line]
    assert any("no real prints were named" in line for line in lines)
    assert any("no run and no model of crisp_lite:pooled here" in line for line in lines)
    assert len(lines) >= 2 + 9 + 3 + 1 + 3


def test_a_row_of_the_other_side_ends_with_one_sentence() -> None:
    result = CliRunner().invoke(main, ["--side", "shoe", "--only", "mcncc"])
    assert result.exit_code == 1
    assert "one of published_shoes, imagenet" in result.output


def test_a_folder_that_is_no_collection_ends_with_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "has no references" in result.output


def test_the_published_rows_are_there_and_give_no_metric() -> None:
    rows = rows_of_side()["published"](None)  # type: ignore[arg-type]
    assert any(row.figures.get("top1pct") == 79.7 for row in rows.values())
    assert metrics_of(rows) == ({}, {})


def test_a_shortlist_of_400_stands_for_one_of_200_that_loses_too_much() -> None:
    rows = {
        f"shortlist {GENERAL} 200": Row("s", "p", {"loss_pts": 2.0, "speedup": 5.0}),
        f"shortlist {GENERAL} 400": Row("s", "p", {"loss_pts": 0.5, "speedup": 3.0}),
        f"fused {GENERAL}": Row("f", "p", {"top1pct": 93.0, "rank1": 74.0}),
        GENERAL: Row("g", "p", {"recall200": 0.9, "top1pct": 60.0}),
    }
    metrics, chosen = metrics_of(rows)
    assert (metrics["shortlist_loss_pts"], metrics["shortlist_speedup"]) == (0.5, 3.0)
    assert (metrics["fused_top1pct"], metrics["general_fid_recall200"]) == (93.0, 0.9)
    assert chosen["shortlist_row"] == f"shortlist {GENERAL} 400"
    assert "partial_fid_recall200" not in metrics
