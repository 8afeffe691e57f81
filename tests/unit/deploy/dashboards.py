"""Reads the queries out of a Grafana dashboard, for tests that check or run them."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LATENCY_DASHBOARD = ROOT / "deploy/grafana/dashboards/latency.json"


def panel_queries(path: Path = LATENCY_DASHBOARD, *, window: str = "30s") -> list[tuple[str, str]]:
    """Return (panel title, PromQL) of every query, with Grafana's rate interval replaced by ``window``."""
    panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
    return [
        (panel["title"], target["expr"].replace("$__rate_interval", window))
        for panel in panels
        for target in panel.get("targets", [])
    ]
