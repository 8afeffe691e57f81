"""Writes a self-contained HTML report: no script, no file beside it, readable on a phone and on paper."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup

from outsole.answers import Placement
from outsole.errors import InvalidInput
from outsole.evaluation.bootstrap import Interval, grouped_bootstrap
from outsole.evaluation.cmc import found_within, rank_of_percent
from outsole.report.charts import cmc_chart, latency_chart, stage_chart
from outsole.report.pictures import palette_stops
from outsole.report.records import ReportCandidate, ReportProbe, ReportSummary, ReportWear

__all__ = ["ReportCandidate", "ReportProbe", "ReportSummary", "ReportWear", "render_report", "write_report"]

SHOWN_CANDIDATES = 5
_TOP_PERCENTS = (1, 5, 10)
_TEMPLATES = Path(__file__).parent / "templates"


def write_report(path: Path, rows: Sequence[ReportProbe], summary: ReportSummary) -> Path:
    """Write the report of a run to one HTML file, at once: a reader never sees half of it.

    Args:
        path: File to write; its folder is made where missing.
        rows: The probes to show, one card each, in this order.
        summary: What was run, and the figures over all probes.

    Returns:
        ``path``.

    Raises:
        InvalidInput: ``ranks`` and ``references`` of the summary differ in length.
    """
    return write_whole(path, render_report(rows, summary))


def write_whole(path: Path, text: str) -> Path:
    """Write a file at once, its folder made where missing; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return path


def render_report(rows: Sequence[ReportProbe], summary: ReportSummary) -> str:
    """Return the report as HTML text; see :func:`write_report`."""
    if len(summary.ranks) != len(summary.references):
        raise InvalidInput(
            f"{len(summary.references)} references for {len(summary.ranks)} ranks", field="summary.references"
        )
    template = report_environment().get_template("report.html.j2")
    return template.render(
        summary=summary,
        probes=rows,
        shown=SHOWN_CANDIDATES,
        tiles=_tiles(summary),
        cmc=_svg(cmc_chart(summary.ranks, summary.references, gallery_size=summary.gallery_size))
        if summary.ranks
        else "",
        latency=_svg(latency_chart(summary.latency_ms)) if summary.latency_ms else "",
        stages=_svg(stage_chart(summary.stage_p50_ms)) if summary.stage_p50_ms else "",
        palette=", ".join(palette_stops(9)),
    )


def report_environment() -> jinja2.Environment:
    """Where the templates of reports are found, with the filters that they share; what goes into them is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["data_uri"] = _data_uri
    environment.filters["placement"] = _placement_text
    return environment


def _svg(text: str) -> Markup:
    # The charts escape every label themselves.
    return Markup(text)  # noqa: S704


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _placement_text(placement: Placement) -> str:
    parts = [f"turned {placement.rotation_deg:+.0f}°"]
    parts.append(f"shifted {placement.shift_x_px:+.0f}, {placement.shift_y_px:+.0f} px")
    if abs(placement.scale - 1) > 5e-4:
        parts.append(f"scaled {placement.scale:.2f}")
    parts += ["mirrored"] if placement.mirrored else []
    parts += ["polarity inverted"] if placement.inverted else []
    return ", ".join(parts)


def _tiles(summary: ReportSummary) -> list[tuple[str, str, str]]:
    """Return the summary tiles as name, value and a line below."""
    tiles: list[tuple[str, str, str]] = []
    if summary.ranks:
        tiles += _rank_tiles(summary)
    if summary.latency_ms:
        p50, p95 = np.percentile(summary.latency_ms, [50, 95])
        count = len(summary.latency_ms)
        tiles += [("p50", f"{p50:.0f} ms", f"of {count} searches"), ("p95", f"{p95:.0f} ms", "95th percentile")]
    return tiles


def _rank_tiles(summary: ReportSummary) -> list[tuple[str, str, str]]:
    cutoffs = rank_of_percent(_TOP_PERCENTS, gallery_size=summary.gallery_size)
    found = found_within(summary.ranks, np.concatenate([[1], cutoffs]))
    interval = grouped_bootstrap(found, summary.references)
    names = ["Rank 1", *(f"Top {p} % (first {r})" for p, r in zip(_TOP_PERCENTS, cutoffs.tolist(), strict=True))]
    return [(name, f"{interval.mean[i]:.1%}", _range_text(interval, i)) for i, name in enumerate(names)]


def _range_text(interval: Interval, index: int) -> str:
    return f"{interval.low[index] * 100:.1f} to {interval.high[index] * 100:.1f} (95 %)"
