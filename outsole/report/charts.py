"""The charts of a report as SVG text; what matters in them is also written in words, so grey print loses nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from outsole.evaluation.bootstrap import grouped_bootstrap
from outsole.evaluation.cmc import found_within

_WIDTH, _HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 16, 44
_STAGE_WIDTH = 1120
_STAGE_COLOURS = ("#44337a", "#2c5282", "#2b6cb0", "#2c7a7b", "#38a169", "#d69e2e", "#c05621", "#718096")
_LIGHT_STAGES = frozenset({5})


def cmc_chart(ranks: Sequence[int], references: Sequence[str], *, gallery_size: int) -> str:
    """Draw the share of probes whose true model is among the first r candidates, with its 95 % band.

    Args:
        ranks: Rank of the true model of each probe [Q]; 0 where it was not in the answer.
        references: The unit of the bootstrap for each probe [Q].
        gallery_size: Ranked models N; the axis is logarithmic from 1 to N.
    """
    marks = np.unique(np.rint(np.geomspace(1, max(gallery_size, 2), 60)).astype(np.int64))
    interval = grouped_bootstrap(found_within(ranks, marks), references, resamples=1000)
    # A step line: between two ranks nothing is gained.
    marks_x = _log_x(marks, gallery_size)
    line = _steps(marks_x, _percent_y(interval.mean))
    band = f"{_steps(marks_x, _percent_y(interval.high))} {_steps(marks_x, _percent_y(interval.low), reverse=True)}"
    ticks = [r for r in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000) if r <= gallery_size]
    label = f"Cumulative curve: {interval.mean[0]:.0%} of probes at rank 1, {interval.mean[-1]:.0%} at rank {marks[-1]}"
    places = _log_x(np.array(ticks), gallery_size).tolist()
    # Ticks that are no power of ten give way on a narrow screen.
    axis = "".join(_x_tick(x, f"{r:,}", optional=str(r)[0] != "1") for x, r in zip(places, ticks, strict=True))
    body = f'<polygon class="band" points="{band}"/><polyline class="line" points="{line}"/>'
    return _frame(label, _percent_axis() + axis + body + _x_title("first r candidates (logarithmic)"))


def latency_chart(latency_ms: Sequence[float]) -> str:
    """Draw a histogram of latencies in milliseconds [P], P >= 1, with lines at p50 and p95."""
    values = np.asarray(latency_ms, dtype=np.float64)
    top = float(values.max()) * 1.02 or 1.0
    counts, edges = np.histogram(values, bins=min(30, max(8, int(values.size**0.5) * 2)), range=(0.0, top))
    x = _LEFT + edges / top * _plot_width()
    # The top sixth stays free for the names of the percentiles.
    heights = counts / max(int(counts.max()), 1) * _plot_height() * 5 / 6
    bars = "".join(
        f'<rect class="bar" x="{left + 0.5:.1f}" y="{_base() - tall:.1f}" width="{max(right - left - 1, 1):.1f}" '
        f'height="{tall:.1f}"/>'
        for left, right, tall in zip(x[:-1], x[1:], heights, strict=True)
    )
    p50, p95 = (float(value) for value in np.percentile(values, [50, 95]))
    lines = _marker(p50, top, f"p50 {p50:.0f} ms", row=0) + _marker(p95, top, f"p95 {p95:.0f} ms", row=1)
    ticks = "".join(_x_tick(_LEFT + value / top * _plot_width(), f"{value:g}") for value in _nice_ticks(top))
    label = f"Histogram of {values.size} latencies: median {p50:.0f} ms, 95th percentile {p95:.0f} ms"
    return _frame(label, bars + lines + ticks + _x_title("milliseconds from request to answer"))


def stage_chart(stage_p50_ms: Mapping[str, float]) -> str:
    """Draw the median milliseconds of the stages as one stacked bar with a legend."""
    total = sum(stage_p50_ms.values()) or 1.0
    left, segments, legend = 0.0, [], []
    for index, (stage, value) in enumerate(stage_p50_ms.items()):
        colour = _STAGE_COLOURS[index % len(_STAGE_COLOURS)]
        width = value / total * _STAGE_WIDTH
        ink = "#1a202c" if index in _LIGHT_STAGES else "#fff"
        name = f'<text x="{left + width / 2:.1f}" y="22" text-anchor="middle" style="fill:{ink}">{escape(stage)}</text>'
        segments.append(f'<rect x="{left:.1f}" y="0" width="{max(width - 1, 0.5):.1f}" height="36" fill="{colour}"/>')
        segments.append(name if width > 9 * len(stage) else "")
        legend.append(f'<li><i style="background:{colour}"></i>{escape(stage)} <b>{value:.1f} ms</b></li>')
        left += width
    label = "Median milliseconds by stage: " + ", ".join(f"{name} {ms:.1f}" for name, ms in stage_p50_ms.items())
    head = f'<svg class="stages" viewBox="0 0 {_STAGE_WIDTH} 36" role="img" aria-label="{escape(label)}">'
    return f'{head}{"".join(segments)}</svg><ul class="legend">{"".join(legend)}</ul>'


def _plot_width() -> float:
    return _WIDTH - _LEFT - _RIGHT


def _plot_height() -> float:
    return _HEIGHT - _TOP - _BOTTOM


def _base() -> float:
    return _HEIGHT - _BOTTOM


def _log_x(ranks: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = _LEFT + np.log(ranks) / np.log(max(size, 2)) * _plot_width()
    return scaled


def _percent_y(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return _base() - shares * _plot_height()


def _steps(x: NDArray[np.float64], y: NDArray[np.float64], *, reverse: bool = False) -> str:
    corners_x, corners_y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
    order = slice(None, None, -1) if reverse else slice(None)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(corners_x[order], corners_y[order], strict=True))


def _percent_axis() -> str:
    levels = [(f"{share * 100:.0f} %", _base() - share * _plot_height()) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{name}</text>'
        for name, y in levels
    )


def _x_tick(x: float, name: str, *, optional: bool = False) -> str:
    kind = ' class="optional"' if optional else ""
    return (
        f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{_base()}" y2="{_base() + 4}"/>'
        f'<text{kind} x="{x:.1f}" y="{_base() + 19}" text-anchor="middle">{name}</text>'
    )


def _x_title(name: str) -> str:
    middle = _LEFT + _plot_width() / 2
    return f'<text class="title" x="{middle:.1f}" y="{_HEIGHT - 4}" text-anchor="middle">{name}</text>'


def _marker(value: float, top: float, name: str, *, row: int) -> str:
    x = _LEFT + value / top * _plot_width()
    anchor, offset = ("end", -6) if value > top / 2 else ("start", 6)
    return (
        f'<line class="marker" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_base()}"/>'
        f'<text class="halo" x="{x + offset:.1f}" y="{_TOP + 10 + 19 * row}" text-anchor="{anchor}">{name}</text>'
    )


def _nice_ticks(top: float) -> list[float]:
    rough = top / 5
    unit = 10.0 ** np.floor(np.log10(rough))
    step = float(unit * min((m for m in (1, 2, 5, 10) if m * unit >= rough), default=10))
    return [float(value) for value in np.arange(0, top, step)]


def _frame(label: str, body: str) -> str:
    axis = f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_base()}" y2="{_base()}"/>'
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">{body}{axis}</svg>'
