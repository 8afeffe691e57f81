"""A row of the table of systems, and the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.reporting import text_table
from outsole.evaluation.cmc import cumulative_at_percent, cumulative_at_rank

# Figure -> heading; the first two are shares on made data, the recalls shares, the others percent.
FIGURES = {
    "hit100": "made hit@100",
    "map100": "made mAP@100",
    "rank1": "FID rank 1",
    "top1pct": "1 %",
    "top5pct": "5 %",
    "top10pct": "10 %",
    "recall200": "recall@200",
    "recall400": "recall@400",
}
_DASH = "-"
_SHARES = ("hit100", "map100", "recall200", "recall400")


@dataclass(frozen=True)
class Row:
    """One system under one protocol.

    Attributes:
        system: Its title.
        protocol: What it was asked, on which data.
        figures: By the names of ``FIGURES``; others (a loss, a speed-up) may stand beside them, for the JSON.
        trained_on: In words.
        parameters: Of its network; 0 where there is none or it is not known.
        ms_image: Milliseconds of the network an image on one core; 0 where it was not measured.
        note: What else a reader has to know, for example that the network is not at hand.
    """

    system: str
    protocol: str
    figures: Mapping[str, float] = field(default_factory=dict)
    trained_on: str = _DASH
    parameters: int = 0
    ms_image: float = 0.0
    note: str = ""

    def to_record(self) -> dict[str, Any]:
        """The row as plain values."""
        return asdict(self) | {"figures": dict(self.figures)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Row:
        """The row of ``to_record``; TypeError where it has other keys."""
        return cls(**record)


Rows = dict[str, Row]
"""By the part of the table that they belong to, and what tells them apart in it."""


def missing_row(system: str, protocol: str, why: str) -> Row:
    """The row of a system that cannot be measured here."""
    return Row(system, protocol, note=f"not measured: {why}")


def search_figures(scores: NDArray[np.floating], truth: NDArray[np.int64]) -> dict[str, float]:
    """Rank figures of scores.

    Args:
        scores: Higher is better, float [Q, N]; -inf for items that are not in the answer.
        truth: Row of each probe's reference, int64 [Q].

    Returns:
        ``rank1``, ``top1pct``, ``top5pct``, ``top10pct`` in percent, ``recall200`` and ``recall400`` 0 .. 1.
        Items with the same score rank in the order of their rows.
    """
    ranks = true_ranks(scores, truth)
    size = scores.shape[1]
    shares = 100 * cumulative_at_percent(ranks, (1, 5, 10), gallery_size=size)
    recall = cumulative_at_rank(ranks, (1, 200, 400))
    names = ("top1pct", "top5pct", "top10pct")
    return {
        "rank1": 100 * float(recall[0]),
        **dict(zip(names, map(float, shares), strict=True)),
        "recall200": float(recall[1]),
        "recall400": float(recall[2]),
    }


def true_ranks(scores: NDArray[np.floating], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank of each probe's reference, int64 [Q] from 1; 0 where its score is -inf."""
    own = np.take_along_axis(scores, truth[:, None], axis=1)
    earlier = (scores == own) & (np.arange(scores.shape[1])[None] < truth[:, None])
    ranks = 1 + (scores > own).sum(1) + earlier.sum(1)
    return np.where(np.isneginf(own[:, 0]), 0, ranks).astype(np.int64)


def markdown_table(rows: Sequence[Row], figures: Mapping[str, str] = FIGURES) -> str:
    """The rows as a Markdown table with these figures (name -> heading), for ``benchmarks/RESULTS.md``."""
    heads = _headings(figures)
    lines = [_joined(heads), _joined(["---"] * len(heads))]
    return "\n".join(lines + [_joined(_cells(row, figures)) for row in rows])


def plain_table(rows: Sequence[Row], figures: Mapping[str, str] = FIGURES) -> str:
    """The rows for a terminal."""
    return text_table(_headings(figures), [_cells(row, figures) for row in rows])


def _headings(figures: Mapping[str, str]) -> list[str]:
    return ["system", "protocol", *figures.values(), "trained on", "parameters", "ms an image", "note"]


def _cells(row: Row, figures: Mapping[str, str]) -> list[str]:
    found = [_figure(name, row.figures.get(name)) for name in figures]
    size = f"{row.parameters / 1e6:.2f} M" if row.parameters else _DASH
    speed = f"{row.ms_image:.1f}" if row.ms_image else _DASH
    return [row.system, row.protocol, *found, row.trained_on, size, speed, row.note]


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return _DASH
    return f"{value:.3f}" if name in _SHARES else f"{value:.1f}"


def _joined(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
