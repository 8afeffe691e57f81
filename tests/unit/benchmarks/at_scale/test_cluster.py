"""Arithmetic of scale: lines, ceilings, clusters, and a page that holds nothing that was not measured."""

from __future__ import annotations

import pytest

from benchmarks.at_scale.cluster import Ceiling, Line, Node, Slopes, ceiling, fitted, planned, scale_markdown
from outsole.errors import InvalidInput

SLOPES = Slopes(
    candidates_ms=Line(20, 0.004), memory_mib=Line(1024, 0.008), rest_ms=200, edition_bytes=270_000, cores=2
)
NODE = Node(cores=16, memory_gib=64, usable_part=0.5, core_hour_price=0.1)


def test_a_line_goes_through_its_points() -> None:
    line = fitted([1000, 2000, 4000], [12, 22, 42])
    assert line.base == pytest.approx(2)
    assert line.slope == pytest.approx(0.01)
    assert line.at(10_000) == pytest.approx(102)


@pytest.mark.parametrize(("items", "values"), [([5], [1]), ([5, 5], [1, 2]), ([5, 6], [1])])
def test_a_line_needs_two_sizes(items: list[float], values: list[float]) -> None:
    with pytest.raises(InvalidInput):
        fitted(items, values)


def test_a_ceiling_between_two_sizes_is_interpolated() -> None:
    assert ceiling([5000, 10_000, 20_000], [100, 200, 400]) == Ceiling(15_000, beyond=False)


def test_a_ceiling_beyond_all_sizes_is_said_to_be_so() -> None:
    found = ceiling([5000, 10_000], [50, 100])
    assert found is not None
    assert found.beyond
    assert found.items == pytest.approx(30_000)


def test_there_is_no_ceiling_where_the_smallest_size_is_too_slow_or_nothing_grows() -> None:
    assert ceiling([5000, 10_000], [301, 400]) is None
    assert ceiling([5000, 10_000], [100, 100]) is None


def test_a_cluster_has_enough_machines_for_memory_and_for_time() -> None:
    found = planned(SLOPES, NODE, items=10_000_000, limit_ms=300)
    # 80,000 MiB of vectors in 31 GiB each; 40,000 ms on two cores are 5,000 on sixteen, in 280 ms each.
    assert found.nodes_for_memory == 3
    assert found.nodes_for_time == 18
    assert found.nodes == 18
    assert found.candidates_ms == pytest.approx(20 + 5000 / 18)
    assert found.memory_gib == pytest.approx((18 * 1024 + 80_000) / 1024)


def test_what_a_search_costs_does_not_depend_on_how_the_items_are_shared_out_but_for_the_base() -> None:
    found = planned(SLOPES, NODE, items=10_000_000, limit_ms=300)
    # 40 s on two cores, 20 ms on all of 18 machines, 200 ms on two cores.
    assert found.core_seconds == pytest.approx(80 + 0.02 * 16 * 18 + 0.4)
    assert found.price_a_million == pytest.approx(found.core_seconds / 3600 * 0.1 * 1e6)


@pytest.mark.parametrize(("node", "limit_ms"), [(Node(2, 1), 300.0), (NODE, 20.0)])
def test_machines_that_never_suffice_are_refused(node: Node, limit_ms: float) -> None:
    with pytest.raises(InvalidInput):
        planned(SLOPES, node, items=1_000_000, limit_ms=limit_ms)


def test_the_page_holds_what_was_measured_and_no_cluster_without_slopes() -> None:
    page = scale_markdown({"p50_ms": 123.4}, {"machine": "two cores"}, {}, NODE)
    assert "| p50_ms | 123.4 |" in page
    assert "- machine: two cores" in page
    assert "no model of a cluster" in page


def test_the_page_keeps_assumptions_apart_from_measurements() -> None:
    cluster = planned(SLOPES, NODE, items=10_000_000)
    page = scale_markdown({}, {}, {"exact": (SLOPES, cluster)}, NODE)
    assert "10,000,000 items" in page
    assert "Measured on 2 cores" in page
    assert "Assumed: machines of 16 cores and 64 GiB" in page
