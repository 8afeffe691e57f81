"""Measures requests: the clock of one request with its budget, and the recorders that export what it finds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from outsole.errors import BudgetSpent
from outsole.observability import METRICS


class Recorder(Protocol):
    """Takes measurements by the names of `outsole.observability.METRICS`."""

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Add a value to a histogram."""
        ...

    def add(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """Raise a counter; amounts of 0 are left out."""
        ...

    def put(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Set a gauge."""
        ...


class NullRecorder:
    """Records nothing; for use outside of Ray."""

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """See `Recorder.observe`."""

    def add(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """See `Recorder.add`."""

    def put(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """See `Recorder.put`."""


class RayRecorder:
    """Records through ``ray.serve.metrics``; only inside a replica."""

    def __init__(self) -> None:
        from ray.serve import metrics

        self._instruments: dict[str, Any] = {}
        for metric in METRICS:
            labels: Any = metric.labels
            if metric.kind == "histogram":
                made: Any = metrics.Histogram(
                    metric.name, metric.meaning, boundaries=list(metric.boundaries), tag_keys=labels
                )
            else:
                kind = metrics.Counter if metric.kind == "counter" else metrics.Gauge
                made = kind(metric.name, metric.meaning, tag_keys=labels)
            self._instruments[metric.name] = made

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """See `Recorder.observe`."""
        self._instruments[name].observe(value, dict(labels))

    def add(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """See `Recorder.add`."""
        if amount > 0:
            self._instruments[name].inc(amount, dict(labels))

    def put(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """See `Recorder.put`."""
        self._instruments[name].set(value, dict(labels))


class RequestClock:
    """The time of one request: what is left of its budget, and where it went.

    Args:
        budget_ms: Milliseconds from now on.
        recorder: Where stages and waits are recorded.
    """

    def __init__(self, budget_ms: float, *, recorder: Recorder | None = None) -> None:
        self._started = time.monotonic()
        self._budget_ms = budget_ms
        self._recorder: Recorder = recorder or NullRecorder()
        self._waits_ms: dict[str, float] = {}
        self.stage_ms: dict[str, float] = {}

    @property
    def budget_ms(self) -> float:
        """The whole budget, milliseconds."""
        return self._budget_ms

    def remaining_s(self) -> float:
        """Seconds left, above 0. Raises ``BudgetSpent`` where none are."""
        left = self._started + self._budget_ms / 1000 - time.monotonic()
        if left <= 0:
            raise BudgetSpent("no time was left")
        return left

    def waited(self, stage: str, wait_ms: float) -> None:
        """Note that a part waited before it took a stage up; the wait is kept apart from the work."""
        self._waits_ms[stage] = self._waits_ms.get(stage, 0.0) + max(wait_ms, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage. Raises ``BudgetSpent``, naming it, where the budget ends before or within it."""
        begun = time.perf_counter()
        try:
            self.remaining_s()
            yield
        except BudgetSpent as error:
            raise BudgetSpent(
                f"the budget of {self._budget_ms:g} ms was spent in stage {name}",
                field="budget_ms",
                remedy="give it more time, or search less",
            ) from error
        finally:
            wait_ms = self._waits_ms.get(name, 0.0)
            work_ms = max((time.perf_counter() - begun) * 1000 - wait_ms, 0.0)
            self.stage_ms[name] = self.stage_ms.get(name, 0.0) + work_ms
            self._recorder.observe("outsole_stage_latency_ms", work_ms, {"stage": name})
            if name in self._waits_ms:
                self._recorder.observe("outsole_queue_wait_ms", wait_ms, {"stage": name})
