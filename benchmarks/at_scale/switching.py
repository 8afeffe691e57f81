"""A switch of editions under load: nothing may be dropped, and no answer may hold items of two editions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.at_scale.serving import search
from outsole.answers import SearchAnswer
from outsole.api import Client
from outsole.errors import OutsoleError

_CALL_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class LoadedCall:
    """One search under load.

    Attributes:
        begun_s: When it was sent, seconds from the beginning of the load.
        latency_ms: Until it was answered or failed.
        answer: None where it failed.
        error: Why, in words.
    """

    begun_s: float
    latency_ms: float
    answer: SearchAnswer | None
    error: str = ""


@dataclass(frozen=True)
class SwitchReport:
    """What the callers saw of a switch.

    Attributes:
        requests, dropped: Searches sent, and those that were not answered.
        mixed: Answers with an item that their edition does not search, or of an edition that is neither.
        after: Answers of the new edition.
        late: Answers of the old edition that were asked for after the first one of the new edition was there.
        first_new_s: Seconds from the switch to the first answer of the new edition; -1 where there was none.
        slowest_ms: Of the answered ones.
        errors: What the dropped ones said, each once.
    """

    requests: int
    dropped: int
    mixed: int
    after: int
    late: int
    first_new_s: float
    slowest_ms: float
    errors: tuple[str, ...]


def constant_load(
    target: str, gallery: str, pictures: Sequence[bytes], *, at_a_time: int, seconds: float, begun: float
) -> list[LoadedCall]:
    """Keep so many searches under way for so long; none is tried again."""
    calls: list[LoadedCall] = []

    def one_caller(number: int) -> None:
        with Client(target, timeout_s=_CALL_TIMEOUT_S, retries=0) as client:
            turn = number
            while time.monotonic() - begun < seconds:
                calls.append(_call(client, gallery, pictures[turn % len(pictures)], begun))
                turn += at_a_time

    callers = [threading.Thread(target=one_caller, args=(number,)) for number in range(at_a_time)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return sorted(calls, key=lambda call: call.begun_s)


def _call(client: Client, gallery: str, picture: bytes, begun: float) -> LoadedCall:
    sent = time.monotonic()
    answer, error = None, ""
    try:
        answer = search(client, gallery, picture)
    except OutsoleError as failure:
        error = f"{type(failure).__name__}: {' '.join(str(failure).split())}"
    return LoadedCall(sent - begun, (time.monotonic() - sent) * 1e3, answer, error)


def switch_under_load(
    target: str,
    gallery: str,
    pictures: Sequence[bytes],
    *,
    switch: Callable[[], None],
    retired: Mapping[str, frozenset[str]],
    seconds: float = 20.0,
    at_a_time: int = 4,
) -> tuple[SwitchReport, list[LoadedCall]]:
    """Switch after a third of the time.

    Args:
        target: Address of the service.
        gallery: What is searched.
        pictures: Probes, searched in turns.
        switch: Puts the new edition in force.
        retired: Items that an edition does not search, by its id; the old edition first.
        seconds, at_a_time: How long, and how many searches are under way.
    """
    begun = time.monotonic()
    timer = threading.Timer(seconds / 3, switch)
    timer.start()
    calls = constant_load(target, gallery, pictures, at_a_time=at_a_time, seconds=seconds, begun=begun)
    timer.join()
    return report_of(calls, retired, switched_s=seconds / 3), calls


def report_of(calls: Sequence[LoadedCall], retired: Mapping[str, frozenset[str]], *, switched_s: float) -> SwitchReport:
    """Sum the calls up; arguments as of `switch_under_load`."""
    answered = [(call, call.answer) for call in calls if call.answer is not None]
    old, *_, new = retired
    ends = [call.begun_s + call.latency_ms / 1e3 for call, answer in answered if answer.edition == new]
    first_new = min(ends, default=float("inf"))
    return SwitchReport(
        requests=len(calls),
        dropped=len(calls) - len(answered),
        mixed=sum(_is_mixed(answer, retired) for _, answer in answered),
        after=len(ends),
        late=sum(answer.edition == old and call.begun_s > first_new for call, answer in answered),
        first_new_s=first_new - switched_s if ends else -1.0,
        slowest_ms=max((call.latency_ms for call, _ in answered), default=0.0),
        errors=tuple(sorted({call.error for call in calls if call.error})),
    )


def _is_mixed(answer: SearchAnswer, retired: Mapping[str, frozenset[str]]) -> bool:
    if answer.edition not in retired:
        return True
    return any(hit.item_id in retired[answer.edition] for hit in answer.hits)
