"""Dashboards and alerts use metrics that exist, and Prometheus accepts what it is given."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from outsole.observability import FOREIGN_METRICS, METRICS, render_scrape_config
from tests.unit.deploy.dashboards import LATENCY_DASHBOARD, ROOT, panel_queries

PROMETHEUS = ROOT / "deploy/prometheus"
KNOWN = {name for metric in METRICS for name in metric.series} | {metric.name for metric in FOREIGN_METRICS}
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing; apt-get install prometheus brings it"
)


def alert_expressions() -> list[str]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def names_in(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"', "", expression)
    return set(re.findall(r"\b(?:ray|nv|milvus)_\w+|\bup\b(?=\s*[{=])", bare))


def test_every_query_of_the_dashboard_uses_metrics_that_exist() -> None:
    queries = panel_queries()
    assert len(queries) > 20
    assert all(names_in(query) and names_in(query) <= KNOWN for _, query in queries)


def test_every_alert_uses_metrics_that_exist() -> None:
    assert all(names_in(expression) and names_in(expression) <= KNOWN for expression in alert_expressions())


def test_every_metric_of_our_own_is_on_the_dashboard() -> None:
    used = {name for _, query in panel_queries() for name in names_in(query)}
    assert all(used & set(metric.series) for metric in METRICS)


def test_queries_group_only_by_labels_that_the_metric_has() -> None:
    labels = {name: {*metric.labels, "le"} for metric in METRICS for name in metric.series}
    for title, query in panel_queries():
        own = [name for name in names_in(query) if name in labels]
        wanted = {part.strip() for found in re.findall(r"by \(([^)]*)\)", query) for part in found.split(",")}
        assert all(wanted <= labels[name] for name in own), title


def test_no_query_divides_a_histograms_sum_which_ray_estimates() -> None:
    assert not [query for query in [*alert_expressions(), *(q for _, q in panel_queries())] if "_ms_sum" in query]


def test_panels_have_titles_descriptions_and_do_not_overlap() -> None:
    panels = [p for p in json.loads(LATENCY_DASHBOARD.read_text())["panels"] if p["type"] != "row"]
    assert all(panel["title"] and panel["description"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for p in (panel["gridPos"] for panel in panels)
        for x in range(p["x"], p["x"] + p["w"])
        for y in range(p["y"], p["y"] + p["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_the_provisioning_points_at_the_dashboard_and_its_data_source() -> None:
    source = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    used = set(re.findall(r'"uid": "(prometheus)"', LATENCY_DASHBOARD.read_text()))
    assert {entry["uid"] for entry in source["datasources"]} == used


@needs_promtool
def test_promtool_accepts_the_configuration_for_given_ports(tmp_path: Path) -> None:
    targets = {"ray": ["127.0.0.1:1"], "triton": ["127.0.0.1:2"], "milvus": ["127.0.0.1:3"]}
    config = render_scrape_config(PROMETHEUS, tmp_path, targets=targets)
    done = subprocess.run(["promtool", "check", "config", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout + done.stderr


@needs_promtool
def test_alerts_fire_when_they_must_and_stay_quiet_otherwise() -> None:
    command = ["promtool", "test", "rules", "alerts_test.yml"]
    done = subprocess.run(command, cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_can_parse_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{i}", "expr": query} for i, (_, query) in enumerate(panel_queries())]
    for rule in rules:
        rule["record"] = rule["record"].replace("panel:", "panel:n")
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
