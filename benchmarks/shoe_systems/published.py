"""What others published about shoes in surveillance, as they published it; nothing here is measured."""

from __future__ import annotations

from dataclasses import dataclass

PAPER = "shoe type recognition by attention, 2022"
PRIVATE = "published on 300 shoe types (150 for testing, 5,000 distractors), private"


@dataclass(frozen=True)
class Published:
    """A row of the attention paper.

    Attributes:
        rank1, mean_ap: Percent.
        what: Which row of which table.
    """

    rank1: float
    mean_ap: float
    what: str


def _one(rank1: float, mean_ap: float, what: str) -> Published:
    return Published(rank1, mean_ap, f"Table 1: {what}, fully connected features, hard labels")


def _two(rank1: float, mean_ap: float, what: str) -> Published:
    return Published(rank1, mean_ap, f"Table 2: layer 4, {what}, hard labels")


FULL = Published(74.3, 57.0, "Table 3: layer 4 maxima, labels smoothed by 0.14")
FULLY_CONNECTED = _one(65.4, 48.0, "its attention")
OF_VARIANTS = {
    "plain": _one(61.1, 46.3, "ResNet-50"),
    "se": _one(59.1, 43.8, "squeeze-and-excitation"),
    "cbam": _one(62.7, 45.9, "CBAM"),
    "eca": _one(59.1, 45.7, "ECA"),
    "average": _two(69.7, 52.6, "averages"),
    "both": _two(73.2, 54.4, "averages and maxima"),
    "hard_labels": _two(73.9, 54.9, "maxima"),
}
"""By variant of ``training.shoe_attention``; of the others nothing was published."""
NETVLAD = (
    "published on 500,000 private shop photographs, as gains read off a figure: 20 points by cleaning, 10 by NetVLAD"
)
