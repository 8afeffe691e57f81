"""The benchmark of video as a program: parts by name, results kept and written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

from benchmarks.video import PARTS, main

_SMALL = (
    "--cameras",
    "1",
    "--models",
    "3",
    "--walks",
    "1",
    "--seconds",
    "8",
    "--every-s",
    "1",
    "--encoder",
    "imagenet",
)


def test_a_small_run_writes_tracks_a_trace_and_the_pipelines_ratio(tmp_path: Path) -> None:
    path = tmp_path / "video.json"
    arguments = [
        *_SMALL,
        "--only",
        "tracks",
        "--only",
        "trace",
        "--prints",
        "1",
        "--only",
        "pipeline",
        "--work",
        str(tmp_path),
        "--keep",
        "--json",
        str(path),
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    metrics = json.loads(path.read_text())["metrics"]
    assert metrics["failed_parts"] == 0
    assert {"track_recall", "trace_top5", "trace_candidates", "pipeline_ratio", "find_ms"} <= metrics.keys()
    kept = (tmp_path / "outsole-video" / "measured.json").stat().st_mtime_ns
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert (tmp_path / "outsole-video" / "measured.json").stat().st_mtime_ns == kept


def test_what_is_asked_for_has_a_part() -> None:
    assert {"shoes", "outliers", "tracks", "trace", "pipeline", "rss", "kills"} <= PARTS.keys()


def test_a_part_that_fails_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    path = tmp_path / "video.json"
    done = CliRunner().invoke(main, ["--only", "shoes", "--encoder", str(tmp_path / "none"), "--json", str(path)])
    assert done.exit_code == 0, done.output
    assert json.loads(path.read_text())["metrics"] == {"failed_parts": 1.0}
