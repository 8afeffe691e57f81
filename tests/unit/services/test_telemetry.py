"""The clock of a request keeps to its budget, and keeps waiting apart from work."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from outsole.errors import BudgetSpent, NotFound
from services.telemetry import RequestClock


class Kept:
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.observed: list[tuple[str, float, Mapping[str, str]]] = []

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        self.observed.append((name, value, labels))

    def add(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        raise AssertionError(name)

    put = add


def test_waiting_is_kept_apart_from_work() -> None:
    kept = Kept()
    clock = RequestClock(10_000, recorder=kept)
    with clock.stage("rerank"):
        time.sleep(0.05)
        clock.waited("rerank", 30.0)
    assert 15 <= clock.stage_ms["rerank"] < 40
    work, wait = kept.observed
    assert (work[0], work[2]) == ("outsole_stage_latency_ms", {"stage": "rerank"})
    assert wait == ("outsole_queue_wait_ms", 30.0, {"stage": "rerank"})


def test_a_stage_does_not_begin_when_the_budget_is_spent() -> None:
    clock = RequestClock(1)
    time.sleep(0.005)
    with pytest.raises(BudgetSpent, match="budget of 1 ms was spent in stage decode") as caught, clock.stage("decode"):
        raise AssertionError("it began")
    assert caught.value.field == "budget_ms"


def test_a_part_that_ran_out_of_time_is_named_by_its_stage_and_other_errors_pass() -> None:
    clock = RequestClock(1_000)
    with pytest.raises(BudgetSpent, match="stage encode"), clock.stage("encode"):
        raise BudgetSpent("the server did not answer", field="timeout_s")
    with pytest.raises(NotFound, match="no item"), clock.stage("rerank"):
        raise NotFound("no item")
    assert set(clock.stage_ms) == {"encode", "rerank"}


def test_what_is_left_shrinks() -> None:
    clock = RequestClock(500)
    assert 0.3 < clock.remaining_s() <= 0.5
