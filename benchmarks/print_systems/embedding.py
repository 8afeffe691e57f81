"""Rows of the partial-print embedding: alone, fused with the correlation, and as the shortlist before it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.print_systems.correlation import Correlation, protocol_of
from benchmarks.print_systems.held_out import HELD_OUT_FILE, held_out_references
from benchmarks.print_systems.kept import Kept
from benchmarks.print_systems.models import OnnxModel
from benchmarks.print_systems.prints import LabelledPrints
from benchmarks.print_systems.rows import Row, search_figures, true_ranks
from outsole.matching.embedding import EVERY_EMBEDDED_PLACEMENT, item_inputs, probe_inputs, vectors_of_outputs
from outsole.matching.features import ProbeFeatures
from outsole.matching.fusion import COOCCURRENCE, EMBEDDING, FUSION_WEIGHT, VECTOR_SHARPNESS, fused, vector_similarity
from outsole.matching.rerank import SHARPNESS

WEIGHTS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3)
SIZES = (200, 400)
_TIMED_PROBES = 20
_FOREVER = float("inf")


class PartialPrints:
    """An embedding over a collection.

    Args:
        prints: The collection.
        model: Takes ``image`` and ``cells``, returns ``embedding``.
    """

    def __init__(self, prints: LabelledPrints, model: OnnxModel) -> None:
        self.prints = prints
        self.model = model
        self._vectors: NDArray[np.float16] | None = None

    @property
    def vectors(self) -> NDArray[np.float16]:
        """Of the references, float16 [N, D]."""
        if self._vectors is None:
            feeds = item_inputs(*self.prints.canvases, self.prints.rules)
            self._vectors = vectors_of_outputs(self.model(feeds, label=f"{self.model.name}, references"))
        return self._vectors

    def queries(self, index: int) -> NDArray[np.float16]:
        """Of a probe, one a rotation asked, float16 [P, D]."""
        placed = self.prints.placed(index)
        return vectors_of_outputs(self.model(probe_inputs(placed.images, placed.cells)))

    def scores(self, kept: Kept) -> NDArray[np.float32]:
        """Soft maxima over rotations, float32 [Q, N]."""

        def one(index: int) -> NDArray[np.floating]:
            return vector_similarity(self.queries(index), self.vectors)[0]

        shape = (self.prints.asked, self.prints.size)
        return kept.scores(self.model.name, self.key, shape, one)

    @property
    def key(self) -> str:
        """What the scores depend on."""
        constants = f"{SHARPNESS} {VECTOR_SHARPNESS} {EVERY_EMBEDDED_PLACEMENT} {FUSION_WEIGHT}"
        return f"{self.model.weights_sha256} {self.prints.rules.hash} {constants}"


def embedding_row(title: str, embedding: PartialPrints, kept: Kept) -> Row:
    """The embedding alone: one vector an item, one a rotation of the probe."""
    figures = search_figures(embedding.scores(kept), embedding.prints.truth)
    return _row(title, embedding, protocol_of(embedding.prints), figures, note="vector search alone")


def held_out_row(title: str, embedding: PartialPrints, kept: Kept) -> Row:
    """The embedding adapted without a tenth of the references, on the probes that show one of that tenth."""
    prints = embedding.prints
    listed = embedding.model.folder / HELD_OUT_FILE
    names = set(listed.read_text(encoding="utf-8").split()) if listed.is_file() else held_out_references(prints)
    rows = [row for row, row_of in enumerate(prints.truth.tolist()) if prints.ids[row_of] in names]
    protocol = f"{protocol_of(prints)}; the {len(rows)} probes whose reference was added after the adaptation"
    if not rows:
        return Row(title, protocol, note="not measured: no probe shows a reference that was held out")
    figures = search_figures(embedding.scores(kept)[rows], prints.truth[rows])
    return _row(title, embedding, protocol, figures, note=f"{len(names)} of {prints.size} references were left out")


def fused_row(title: str, correlation: Correlation, embedding: PartialPrints, kept: Kept) -> Row:
    """Correlation and vectors, the weight chosen on one half of the references and measured on the other."""
    prints = embedding.prints
    added = embedding.scores(kept) + correlation.cooccurrence_scores(kept)
    crossed = cross_validated(correlation.scores(kept), added, prints.truth)
    chosen = " and ".join(f"{weight:g}" for weight in crossed.weights)
    note = f"exhaustive; weights {chosen}, chosen on the other half of the references"
    return _row(
        title, embedding, f"{protocol_of(prints)}, cross-validated", search_figures(crossed.scores, prints.truth), note
    )


@dataclass(frozen=True)
class CrossValidated:
    """Scores whose weight was chosen on other references.

    Attributes:
        scores: float32 [Q, N].
        weights: The weight that was measured on each half.
    """

    scores: NDArray[np.float32]
    weights: tuple[float, float]


def cross_validated(
    correlation: NDArray[np.float32], added: NDArray[np.float32], truth: NDArray[np.int64]
) -> CrossValidated:
    """Fuse two kinds of scores, float32 [Q, N] each, without choosing the weight on what it is measured on.

    Probes of one reference, int64 [Q], stay in one half; with a single reference there is no other half to choose on,
    and the first weight is taken.
    """
    order = np.unique(truth, return_inverse=True)[1].reshape(-1)
    scores = np.empty_like(correlation)
    weights = []
    for half in (0, 1):
        measured = order % 2 == half
        weight = _best_weight(correlation[~measured], added[~measured], truth[~measured])
        scores[measured] = correlation[measured] + np.float32(weight) * added[measured]
        weights.append(weight)
    return CrossValidated(scores, (weights[0], weights[1]))


def _best_weight(correlation: NDArray[np.float32], added: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """The weight with the most at rank 1 and in the top 1 % together, the mean reciprocal rank between equals."""
    if not len(truth):
        return WEIGHTS[0]

    def goodness(weight: float) -> tuple[float, float]:
        mixed = correlation + np.float32(weight) * added
        figures = search_figures(mixed, truth)
        return figures["rank1"] + figures["top1pct"], float((1 / true_ranks(mixed, truth)).mean())

    return max(WEIGHTS, key=goodness)


def in_turns(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores [..., N] by which items come in the order of ``PrintSystem.merge_candidates``: two lists take turns."""
    ranks = [
        np.argsort(np.argsort(-scores, axis=-1, kind="stable"), axis=-1, kind="stable") for scores in (first, second)
    ]
    return -np.minimum(2 * ranks[0], 2 * ranks[1] + 1).astype(np.float32)


def shortlisted(scores: NDArray[np.float32], candidates: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Scores [Q, N] of the ``size`` items that rank highest among the candidates' scores [Q, N], -inf elsewhere."""
    order = np.argsort(-candidates, axis=1, kind="stable")[:, :size]
    kept = np.full_like(scores, -np.inf)
    np.put_along_axis(kept, order, np.take_along_axis(scores, order, axis=1), axis=1)
    return kept


def shortlist_row(size: int, title: str, correlation: Correlation, embedding: PartialPrints, kept: Kept) -> Row:
    """A shortlist by co-occurrence and embedding in turns, the fused score on it, against that of all items.

    Its figures hold ``loss_pts`` (the larger loss at 1 % and at 10 %, points) and ``speedup`` (comparing all items over
    asking the shortlist and comparing it, medians in this process on one core; both have the same encoding before).
    """
    prints = embedding.prints
    similarity = embedding.scores(kept)
    cooccurrence = correlation.cooccurrence_scores(kept)
    candidates = in_turns(correlation.candidate_scores(kept), similarity)
    scores = fused(correlation.scores(kept), {COOCCURRENCE: cooccurrence, EMBEDDING: similarity})
    whole = search_figures(scores, prints.truth)
    figures = search_figures(shortlisted(scores, candidates, size), prints.truth)
    losses = {name: whole[f"top{name}pct"] - figures[f"top{name}pct"] for name in ("1", "10")}
    all_ms, some_ms = _times_ms(size, correlation, embedding)
    figures |= {"loss_pts": max(losses.values()), "speedup": all_ms / some_ms}
    note = (
        f"loses {losses['1']:.1f} points at 1 % and {losses['10']:.1f} at 10 % against all; "
        f"comparing takes {some_ms:.0f} ms instead of {all_ms:.0f} ({all_ms / some_ms:.1f} times faster) once encoded"
    )
    return _row(title, embedding, protocol_of(prints), figures, note)


def _times_ms(size: int, correlation: Correlation, embedding: PartialPrints) -> tuple[float, float]:
    """Median milliseconds of comparing all items, and of asking a shortlist and comparing it."""
    prints, reranker, vectors = embedding.prints, correlation.reranker, embedding.vectors
    times = []
    asked = range(0, prints.asked, max(1, prints.asked // _TIMED_PROBES))
    for index in tqdm(asked, desc=f"shortlist of {size}, time", unit="probe"):
        features, queries = correlation.features(index), embedding.queries(index)
        start = time.perf_counter()
        parts = _similarities(correlation, features, queries, vectors)
        candidates = in_turns(correlation.candidates(features), parts[EMBEDDING])
        rows = np.argsort(-candidates, kind="stable")[:size].astype(np.int64)
        some = {name: part[rows] for name, part in parts.items()}
        fused(reranker.score(features, rows, deadline=_FOREVER).scores, some)
        middle = time.perf_counter()
        parts = _similarities(correlation, features, queries, vectors)
        fused(reranker.score(features, None, deadline=_FOREVER).scores, parts)
        times.append((time.perf_counter() - middle, middle - start))
    whole, shortlist = (1000 * np.median(times, axis=0)).tolist()
    return float(whole), float(shortlist)


def _similarities(
    correlation: Correlation, features: ProbeFeatures, queries: NDArray[np.float16], vectors: NDArray[np.float16]
) -> dict[str, NDArray[np.float32]]:
    """What vectors add to the score of all items, float32 [N] each."""
    similarity, _ = vector_similarity(queries, vectors)
    return {COOCCURRENCE: correlation.cooccurrence(features), EMBEDDING: similarity}


def _row(title: str, embedding: PartialPrints, protocol: str, figures: dict[str, float], note: str) -> Row:
    model = embedding.model
    trained_on = str(model.spec.get("trained_on", "not said"))
    return Row(title, protocol, figures, trained_on, model.parameters, model.ms_image, note)
