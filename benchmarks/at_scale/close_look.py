"""Exhaustive ranks in a gallery of any size, in this process: every block of items is prepared once for all probes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.encoders.spec import EncoderSpec
from outsole.gallery.editions import Edition
from outsole.matching.features import ProbeFeatures
from outsole.matching.grouping import rank_models
from outsole.matching.print_system import PrintSystem
from outsole.matching.rerank import PlacementReranker

# Prepared maps of this many items take about 330 MiB.
_BLOCK_ITEMS = 512
_NO_LIMIT_MIB = 4096.0


@dataclass(frozen=True)
class _Block:
    """Maps of some items; what `PlacementReranker` reads them from."""

    maps: NDArray[Any]

    def array(self, name: str) -> NDArray[Any]:
        """The maps."""
        return self.maps


@dataclass(frozen=True)
class Exhaustive:
    """What comparing probes with everything came to.

    Attributes:
        scores: float32 [Q, N].
        seconds_a_probe: Wall clock over all probes, each.
    """

    scores: NDArray[np.float32]
    seconds_a_probe: float

    def model_ranks(self, rows: Sequence[int], codes: NDArray[np.int64]) -> list[int]:
        """Rank of the model of each probe's item among all models, 1-based; ``codes`` as of `rank_models`."""
        every = np.arange(self.scores.shape[1], dtype=np.int64)
        found = []
        for scores, row in zip(self.scores, rows, strict=True):
            order = rank_models(every, scores, codes, k=len(every))
            found.append(int(np.flatnonzero(codes[order] == codes[row])[0]) + 1)
        return found


def compare_with_all(edition: Edition, spec: EncoderSpec, probes: Sequence[ProbeFeatures]) -> Exhaustive:
    """Score every item of an edition for every probe, in blocks, so that memory does not grow with the gallery."""
    maps, vectors = edition.array("maps"), PrintSystem.edition_vectors(edition)
    scores = np.empty((len(probes), len(edition)), np.float32)
    begun = time.perf_counter()
    with tqdm(total=len(edition), desc=f"compare {len(probes)} probes with all", unit="item") as bar:
        for start in range(0, len(edition), _BLOCK_ITEMS):
            part = np.s_[start : min(start + _BLOCK_ITEMS, len(edition))]
            block = {name: array[part] for name, array in vectors.items()}
            reranker = PlacementReranker(_Block(maps[part]), spec, cache_mib=_NO_LIMIT_MIB, vectors=block)
            for line, probe in zip(scores, probes, strict=True):
                line[part] = reranker.score(probe, None, deadline=float("inf")).scores
            bar.update(reranker.items)
    return Exhaustive(scores, (time.perf_counter() - begun) / max(1, len(probes)))


def model_codes(edition: Edition) -> NDArray[np.int64]:
    """int64 [N]: equal numbers for items of the same model."""
    encoded = edition.items["model_id"].combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)
