"""Rows without any learning of their own: the correlation, MCNCC, and the co-occurrence vector."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.print_systems.kept import Kept
from benchmarks.print_systems.prints import NINE, LabelledPrints
from benchmarks.print_systems.rows import Row, search_figures
from outsole.answers import Placement
from outsole.encoders.spec import EncoderSpec
from outsole.matching.candidates import CandidateBasis
from outsole.matching.features import ProbeFeatures, probe_features, standardised
from outsole.matching.fusion import VECTOR_SHARPNESS, vector_similarity
from outsole.matching.mcncc import EROSION_CELLS, ROTATIONS_DEG, SCALE, mcncc_scores
from outsole.matching.rerank import SHARPNESS, PlacementReranker

PROTOCOL = "FID-300 development, {probes} probes, {items} references, exact label"
_TRAINED_ON = "ImageNet (EfficientNet-Lite2)"
_FOREVER = float("inf")


def protocol_of(prints: LabelledPrints) -> str:
    """What the probes of a collection were asked, in words."""
    return PROTOCOL.format(probes=prints.asked, items=prints.size)


class Correlation:
    """The project's correlation over a collection, its references transformed once.

    Args:
        prints: The collection.
    """

    def __init__(self, prints: LabelledPrints) -> None:
        self.prints = prints
        self.basis = CandidateBasis.load(prints.encoder.folder)
        self._reranker: PlacementReranker | None = None

    @property
    def reranker(self) -> PlacementReranker:
        """On one core; made when first asked for."""
        if self._reranker is None:
            self._reranker = PlacementReranker(self.prints, self.prints.rules, threads=1)
        return self._reranker

    def features(self, index: int) -> ProbeFeatures:
        """A probe's features under nine rotations."""
        placed = self.prints.placed(index)
        return probe_features(self.prints.encoded(placed.images), placed.cells, placed.placements)

    def scores(self, kept: Kept) -> NDArray[np.float32]:
        """Soft maxima over placements, float32 [Q, N]."""

        def one(index: int) -> NDArray[np.floating]:
            return self.reranker.score(self.features(index), None, deadline=_FOREVER).scores

        return kept.scores(
            "correlation", f"{self.prints.rules.hash} {SHARPNESS}", (self.prints.asked, self.prints.size), one
        )

    def cooccurrence(self, features: ProbeFeatures) -> NDArray[np.float32]:
        """Likeness of a probe's co-occurrence vectors, five rotations, to the items', a soft maximum, float32 [N]."""
        return vector_similarity(self._vectors(features), self._items)[0]

    def cooccurrence_scores(self, kept: Kept) -> NDArray[np.float32]:
        """The same of all probes, float32 [Q, N]."""
        return self._kept_scores(kept, "cooccurrence", self.cooccurrence)

    def candidates(self, features: ProbeFeatures) -> NDArray[np.float32]:
        """The likeness by which candidates are found, without what all scene prints have in common, float32 [N]."""
        return vector_similarity(self.basis.queries(self._vectors(features)), self._items)[0]

    def candidate_scores(self, kept: Kept) -> NDArray[np.float32]:
        """The same of all probes, float32 [Q, N]."""
        return self._kept_scores(kept, "candidates", self.candidates)

    def _vectors(self, features: ProbeFeatures) -> NDArray[np.float32]:
        return self.basis.vectors(features.maps[::2].astype(np.float32))

    @cached_property
    def _items(self) -> NDArray[np.float32]:
        return np.concatenate([self.basis.vectors(maps) for maps in _blocks(self.prints.maps)])

    def _kept_scores(
        self, kept: Kept, name: str, score: Callable[[ProbeFeatures], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        def one(index: int) -> NDArray[np.floating]:
            return score(self.features(index))

        key = f"{self.prints.rules.hash} {self.basis.sha256} {VECTOR_SHARPNESS}"
        return kept.scores(name, key, (self.prints.asked, self.prints.size), one)


def correlation_row(correlation: Correlation, kept: Kept) -> Row:
    """The project's own close look, exhaustive."""
    prints = correlation.prints
    figures = search_figures(correlation.scores(kept), prints.truth)
    return Row(
        "correlation (outsole.matching.rerank)",
        protocol_of(prints),
        figures,
        _TRAINED_ON,
        prints.encoder.parameters,
        prints.encoder.ms_image,
        note=f"{len(NINE)} rotations, all shifts",
    )


def cooccurrence_row(correlation: Correlation, kept: Kept, *, centred: bool) -> Row:
    """The candidate vector of the untrained encoder, as it adds to the score or, centred, as it finds candidates."""
    prints = correlation.prints
    scores = correlation.candidate_scores(kept) if centred else correlation.cooccurrence_scores(kept)
    return Row(
        "co-occurrence vector" + (", probes centred" if centred else ""),
        protocol_of(prints),
        search_figures(scores, prints.truth),
        f"{_TRAINED_ON}; basis on made treads",
        prints.encoder.parameters,
        prints.encoder.ms_image,
        note="5 rotations, one inner product each",
    )


def mcncc_row(correlation: Correlation, kept: Kept) -> Row:
    """MCNCC with this project's maps."""
    prints = correlation.prints
    items: list[NDArray[np.float16]] = []
    tried = tuple(Placement(rotation_deg=angle, scale=SCALE) for angle in ROTATIONS_DEG)

    def one(index: int) -> NDArray[np.floating]:
        if not items:
            items.append(half_scale_maps(prints))
        placed = prints.placed(index, tried)
        return mcncc_scores(items[0], prints.encoded(placed.images), cells=placed.cells).scores

    key = f"{prints.rules.hash} {EROSION_CELLS}"
    scores = kept.scores("mcncc", key, (prints.asked, prints.size), one)
    return Row(
        "MCNCC, here (Kong et al. 2019)",
        protocol_of(prints),
        search_figures(scores, prints.truth),
        _TRAINED_ON,
        prints.encoder.parameters,
        prints.encoder.ms_image,
        note=f"{len(tried)} rotations, half scale, statistics of every window, mask eroded by {EROSION_CELLS} cell",
    )


def half_scale_maps(prints: LabelledPrints) -> NDArray[np.float16]:
    """Standardised maps of the references at half scale, float16 [N, h / 2, w / 2, C]."""
    images, valid = prints.canvases
    rules = prints.rules
    window = half_scale_window(rules)
    height, width = rules.item_cells
    parts = []
    for start in range(0, len(images), 32):
        raw = prints.encoded(np.stack([half_scale(image) for image in images[start : start + 32]]))
        cells = np.asarray(valid[start : start + 32].reshape(-1, height // 2, 2, width // 2, 2).all((2, 4)))
        parts.append(standardised(raw[:, :, window[0], window[1]], cells).astype(np.float16))
    return np.concatenate(parts)


def half_scale(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A canvas at half its size in the middle of an empty one, uint8 [Hc, Wc]; the sides are multiples of 4."""
    height, width = canvas.shape
    laid = np.full_like(canvas, 128)
    small = cv2.resize(canvas, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    laid[height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2] = small
    return laid


def half_scale_window(rules: EncoderSpec) -> tuple[slice, slice]:
    """Where an item's cells, the margin dropped, lie on the map of a canvas at half scale."""
    sides = zip(rules.canvas_cells, rules.item_cells, strict=True)
    rows, columns = (slice((whole - item // 2) // 2, (whole - item // 2) // 2 + item // 2) for whole, item in sides)
    return rows, columns


def _blocks(maps: NDArray[np.float16]) -> list[NDArray[np.float32]]:
    return [maps[start : start + 64].astype(np.float32) for start in range(0, len(maps), 64)]
