"""The metrics table is what the documents say, and a scrape configuration can be made of any ports."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from outsole.errors import InvalidInput
from outsole.observability import FOREIGN_METRICS, METRICS, metric, render_scrape_config

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "METRICS.md").read_text(encoding="utf-8")


def table_rows(heading: str) -> list[tuple[str, ...]]:
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def test_the_documented_metrics_are_exactly_those_of_the_table() -> None:
    expected = [
        (f"`{m.name}`", m.kind, m.unit, ", ".join(f"`{label}`" for label in m.labels), m.meaning) for m in METRICS
    ]
    assert table_rows("Exported by Outsole") == expected


def test_the_documented_metrics_of_other_parts_are_exactly_those_of_the_table() -> None:
    expected = [(f"`{m.name}`", m.source, m.unit, m.meaning) for m in FOREIGN_METRICS]
    assert table_rows("Exported by other parts") == expected


def test_names_follow_the_conventions_of_prometheus() -> None:
    assert all(re.fullmatch(r"outsole_[a-z_]+", m.name) for m in METRICS)
    assert all(m.name.endswith("_total") == (m.kind == "counter") for m in METRICS)
    assert all(bool(m.boundaries) == (m.kind == "histogram") for m in METRICS)
    assert all(list(m.boundaries) == sorted(set(m.boundaries)) for m in METRICS)
    assert len({m.name for m in METRICS}) == len(METRICS)


def test_labels_never_carry_case_image_or_query_ids() -> None:
    assert not {"case", "image", "query", "probe", "item", "model"} & {label for m in METRICS for label in m.labels}


def test_an_unknown_metric_is_refused() -> None:
    assert metric("outsole_stage_latency_ms").labels == ("stage",)
    with pytest.raises(InvalidInput, match="nonsense"):
        metric("nonsense")


def test_a_scrape_configuration_names_the_given_ports_and_leaves_absent_jobs_out(tmp_path: Path) -> None:
    targets = {"ray": ["127.0.0.1:18603"], "triton": ["127.0.0.1:18602"]}
    path = render_scrape_config(ROOT / "deploy/prometheus", tmp_path, targets=targets, scrape_interval_s=1)
    text = path.read_text(encoding="utf-8")
    assert "scrape_interval: 1s" in text
    assert "scrape_timeout: 1s" in text
    assert {f.stem for f in (tmp_path / "targets").iterdir()} == {"ray", "triton"}
    assert json.loads((tmp_path / "targets/ray.json").read_text()) == [{"targets": ["127.0.0.1:18603"]}]


def test_a_job_that_the_configuration_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="redis"):
        render_scrape_config(ROOT / "deploy/prometheus", tmp_path, targets={"redis": ["127.0.0.1:1"]})
