"""Searches with labelled prints through the public API, and what they came to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from outsole.answers import SearchAnswer, SearchMode
from outsole.api import Client
from outsole.errors import PreconditionFailed
from outsole.evaluation.collections import LabelledProbe

STAGES = ("receive", "decode", "canvas", "encode", "candidates", "rerank", "group", "report")
MOST_MODELS = 1000


@dataclass(frozen=True)
class SearchOutcome:
    """One search with a print whose reference is known.

    Attributes:
        probe: What was searched with.
        answer: What came back.
        rank: Rank of the reference's model, 1-based; 0 where it is not in the answer.
        latency_ms: From the call to the answer, as the caller saw it.
    """

    probe: LabelledProbe
    answer: SearchAnswer
    rank: int
    latency_ms: float

    @property
    def true_model(self) -> str:
        """The model of the reference, where it is in the answer; else the reference's id."""
        hits = self.answer.hits
        return hits[self.rank - 1].model_id if self.rank else self.probe.item_id


def run_searches(
    client: Client, probes: Iterable[LabelledProbe], *, gallery: str, mode: SearchMode, k: int = MOST_MODELS
) -> list[SearchOutcome]:
    """Search with every probe, one after the other, for the first ``k`` models, at most 1,000.

    Raises:
        OutsoleError: The first that a search ends with.
        PreconditionFailed: The gallery's edition changed on the way, so that ranks cannot be put together.
    """
    outcomes: list[SearchOutcome] = []
    for probe in probes:
        data = probe.path.read_bytes()
        begun = time.perf_counter()
        answer = client.search_print(data, gallery=gallery, k=k, mode=mode)
        outcomes.append(SearchOutcome(probe, answer, _rank(answer, probe.item_id), (time.perf_counter() - begun) * 1e3))
        if answer.edition != outcomes[0].answer.edition:
            raise PreconditionFailed(f"gallery {gallery!r} has another edition now", remedy="start again")
    return outcomes


def _rank(answer: SearchAnswer, item_id: str) -> int:
    return next((hit.rank for hit in answer.hits if hit.item_id == item_id), 0)


def stage_p50_ms(outcomes: Sequence[SearchOutcome]) -> dict[str, float]:
    """Median milliseconds of each stage that ran, in the order of the query's way."""
    return {stage: float(np.median(times)) for stage, times in stage_times_ms(outcomes).items()}


def stage_times_ms(outcomes: Sequence[SearchOutcome]) -> dict[str, list[float]]:
    """Milliseconds of each stage that ran, one a search, in the order of the query's way."""
    ran = [stage for stage in STAGES if any(stage in outcome.answer.stage_ms for outcome in outcomes)]
    return {stage: [outcome.answer.stage_ms.get(stage, 0.0) for outcome in outcomes] for stage in ran}
