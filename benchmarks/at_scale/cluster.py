"""From slopes measured on one machine to a cluster: plain arithmetic; what is assumed stands apart from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from outsole.errors import InvalidInput

_GIB = 2**30
_MIB = 2**20


@dataclass(frozen=True)
class Line:
    """A straight line through measurements: ``value = base + slope * items``."""

    base: float
    slope: float

    def at(self, items: float) -> float:
        """The value at a number of items."""
        return self.base + self.slope * items


def fitted(items: Sequence[float], values: Sequence[float]) -> Line:
    """The line of least squares through measurements.

    Raises:
        InvalidInput: Fewer than two sizes.
    """
    if len(set(items)) < 2 or len(items) != len(values):
        raise InvalidInput("a line needs values at two sizes or more", field="items")
    slope, base = np.polyfit(np.asarray(items, np.float64), np.asarray(values, np.float64), 1)
    return Line(float(base), float(slope))


@dataclass(frozen=True)
class Ceiling:
    """Where a time limit is passed.

    Attributes:
        items: Number of items.
        beyond: Whether it lies beyond what was measured, by the line through all sizes.
    """

    items: float
    beyond: bool


def ceiling(items: Sequence[float], p50_ms: Sequence[float], *, limit_ms: float = 300.0) -> Ceiling | None:
    """The number of items at which a latency passes a limit, between the sizes measured where it does so there.

    Args:
        items: Sizes, ascending.
        p50_ms: Medians at them.
        limit_ms: The limit.

    Returns:
        None where it is passed already at the smallest size, or would be passed at none.
    """
    if p50_ms[0] > limit_ms:
        return None
    for (low, below), (high, above) in zip(
        zip(items, p50_ms, strict=True), list(zip(items, p50_ms, strict=True))[1:], strict=False
    ):
        if below <= limit_ms < above:
            return Ceiling(low + (limit_ms - below) / (above - below) * (high - low), beyond=False)
    line = fitted(items, p50_ms)
    if line.slope <= 0:
        return None
    return Ceiling(max((limit_ms - line.base) / line.slope, float(items[-1])), beyond=True)


@dataclass(frozen=True)
class Node:
    """A machine of the cluster; what is not measured is assumed here.

    Attributes:
        cores: Cores.
        memory_gib: Main memory, GiB.
        usable_part: Part of it that vectors may take.
        core_hour_price: Price of one core for an hour, in whatever currency.
    """

    cores: int
    memory_gib: float
    usable_part: float = 0.6
    core_hour_price: float = 0.04


@dataclass(frozen=True)
class Slopes:
    """What was measured on one machine.

    Attributes:
        candidates_ms: Candidate stage by items, on all its cores.
        memory_mib: Memory of the serving processes by items, without the pages of files.
        rest_ms: All other stages of a search of a shortlist; they do not grow with the gallery.
        edition_bytes: Bytes of an edition on disk by item.
        cores: Cores of the machine that was measured.
    """

    candidates_ms: Line
    memory_mib: Line
    rest_ms: float
    edition_bytes: float
    cores: int


@dataclass(frozen=True)
class Cluster:
    """A cluster for so many items.

    Attributes:
        items: Items.
        nodes: Machines, each with its part of the items.
        nodes_for_memory, nodes_for_time: What either alone would need.
        memory_gib: Of all vectors and processes.
        disk_gib: Of one edition.
        candidates_ms: Candidate stage on one machine's part.
        core_seconds: Core-seconds of one search.
        price_a_million: Price of a million searches on machines that are always busy.
    """

    items: int
    nodes: int
    nodes_for_memory: int
    nodes_for_time: int
    memory_gib: float
    disk_gib: float
    candidates_ms: float
    core_seconds: float
    price_a_million: float


def planned(slopes: Slopes, node: Node, *, items: int, limit_ms: float = 300.0) -> Cluster:
    """How many machines hold so many items and ask all of them within a limit.

    A core of the cluster is taken to scan as fast as one that was measured. Each machine holds the base of the memory
    line once.

    Raises:
        InvalidInput: One machine's memory does not even hold the processes, or the limit is below the stage's base.
    """
    room_mib = node.memory_gib * 1024 * node.usable_part - slopes.memory_mib.base
    faster = node.cores / slopes.cores
    time_ms = limit_ms - max(slopes.candidates_ms.base, 0.0)
    if room_mib <= 0 or time_ms <= 0:
        raise InvalidInput("no number of such machines is enough", field="node", remedy="larger machines")
    for_memory = max(1, math.ceil(slopes.memory_mib.slope * items / room_mib))
    for_time = max(1, math.ceil(slopes.candidates_ms.slope * items / faster / time_ms))
    nodes = max(for_memory, for_time)
    stage = max(slopes.candidates_ms.base, 0.0) + slopes.candidates_ms.slope * items / nodes / faster
    # Every machine is busy with its part; the rest is done on one.
    core_seconds = (stage * node.cores * nodes + slopes.rest_ms * slopes.cores) / 1e3
    return Cluster(
        items=items,
        nodes=nodes,
        nodes_for_memory=for_memory,
        nodes_for_time=for_time,
        memory_gib=(nodes * slopes.memory_mib.base + slopes.memory_mib.slope * items) * _MIB / _GIB,
        disk_gib=slopes.edition_bytes * items / _GIB,
        candidates_ms=stage,
        core_seconds=core_seconds,
        price_a_million=core_seconds / 3600 * node.core_hour_price * 1e6,
    )


def scale_markdown(
    metrics: Mapping[str, float],
    inputs: Mapping[str, object],
    clusters: Mapping[str, tuple[Slopes, Cluster]],
    node: Node,
) -> str:
    """The page ``benchmarks/SCALE.md``: every number is of this run; what it did not measure is left out."""
    lines = [
        "# At scale",
        "",
        'Written by `make bench NAME=scale ARGS="--scale-md benchmarks/SCALE.md"` from its own run; nothing here was'
        " filled in by hand.",
        "",
        "## Run",
        "",
        *(f"- {name}: {value}" for name, value in inputs.items()),
        "",
        "## Measured",
        "",
        "| metric | value |",
        "|---|---|",
        *(f"| {name} | {value:,.4g} |" for name, value in metrics.items()),
    ]
    for store, (slopes, cluster) in clusters.items():
        lines += ["", f"## {cluster.items:,} items with the store `{store}`", "", *_model_lines(slopes, cluster, node)]
    if not clusters:
        lines += ["", "This run measured no slopes that grow with the gallery, so there is no model of a cluster."]
    return "\n".join(lines) + "\n"


def _model_lines(slopes: Slopes, cluster: Cluster, node: Node) -> list[str]:
    stage, memory = slopes.candidates_ms, slopes.memory_mib
    return [
        f"Measured on {slopes.cores} cores: the candidate stage takes {stage.base:.2f} ms and"
        f" {stage.slope * 1e3:.4f} ms a thousand items; the processes take {memory.base:.0f} MiB and"
        f" {memory.slope * 1024:.2f} KiB an item; the other stages take {slopes.rest_ms:.0f} ms;"
        f" an edition takes {slopes.edition_bytes / 1024:.1f} KiB an item.",
        "",
        f"Assumed: machines of {node.cores} cores and {node.memory_gib:.0f} GiB, {node.usable_part:.0%} of it for this;"
        f" a core costs {node.core_hour_price:g} an hour; the lines go on straight; parts are asked at the same time.",
        "",
        "| for | value |",
        "|---|---|",
        f"| memory of all machines, GiB | {cluster.memory_gib:,.0f} |",
        f"| disk of one edition, GiB | {cluster.disk_gib:,.0f} |",
        f"| machines | {cluster.nodes} ({cluster.nodes_for_memory} for memory, {cluster.nodes_for_time} for time) |",
        f"| candidate stage, ms | {cluster.candidates_ms:.0f} |",
        f"| core-seconds a search | {cluster.core_seconds:.2f} |",
        f"| price of a million searches | {cluster.price_a_million:,.2f} |",
    ]
