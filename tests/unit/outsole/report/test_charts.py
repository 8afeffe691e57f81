"""Charts are well-formed SVG, stay inside their frame, and say their figures in words."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from outsole.report.charts import cmc_chart, latency_chart, stage_chart


def test_the_curve_stays_inside_its_frame_and_rises() -> None:
    root = ElementTree.fromstring(cmc_chart([1, 1, 3, 0], ["a", "a", "b", "c"], gallery_size=100))
    line = next(node for node in root.iter() if node.get("class") == "line")
    points = [tuple(map(float, pair.split(","))) for pair in str(line.get("points")).split()]
    assert all(0 <= x <= 560 and 0 <= y <= 300 for x, y in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert "50% of probes at rank 1" in str(root.get("aria-label"))


@pytest.mark.parametrize("gallery_size", [1, 2, 100_000])
def test_a_curve_can_be_drawn_for_any_size_of_gallery(gallery_size: int) -> None:
    assert "nan" not in cmc_chart([1], ["a"], gallery_size=gallery_size).lower()


def test_the_histogram_holds_every_latency_and_names_its_percentiles() -> None:
    text = latency_chart([10.0] * 50 + [20.0] * 50)
    ElementTree.fromstring(text)
    assert "100 latencies: median 15 ms, 95th percentile 20 ms" in text


@pytest.mark.parametrize("latencies", [[5.0], [0.0, 0.0]])
def test_equal_latencies_can_be_drawn(latencies: list[float]) -> None:
    assert "nan" not in latency_chart(latencies).lower()


def test_the_stage_bar_fills_its_width_and_escapes_names() -> None:
    text = stage_chart({"encode": 30.0, "a<b": 10.0})
    widths = [float(value) for value in re.findall(r'<rect x="[\d.]+" y="0" width="([\d.]+)"', text)]
    assert widths == pytest.approx([839.0, 279.0])
    assert "a<b" not in text
