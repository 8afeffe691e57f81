"""hit@100 and mAP@100 on models that no training saw (``training.made_prints.unseen_probes``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from outsole.encoders.crisp import masked_similarity
from outsole.evaluation.retrieval import hit_at, mean_average_precision_at, ranked_models
from training.made_prints import MadeProbes

K = 100
_BATCH = 32


def embedded(
    embed: Callable[[torch.Tensor], torch.Tensor], pictures: NDArray[np.uint8], device: torch.device
) -> torch.Tensor:
    """Embeddings of pictures uint8 [N, P, H, W], made in batches; float32 [N, ...] on the CPU."""
    parts = [
        embed(torch.from_numpy(pictures[start : start + _BATCH]).to(device)).float().cpu()
        for start in range(0, len(pictures), _BATCH)
    ]
    return torch.cat(parts)


def recall_shares(scores: torch.Tensor) -> dict[str, float]:
    """Where each probe ranks its own item, row i that of column i, among all N.

    Args:
        scores: float [N, N], higher is better.

    Returns:
        ``recall_rank1``, ``recall_top1pct`` and ``recall_top10pct``, shares 0 .. 1 of the probes.
    """
    count = len(scores)
    rank = (scores > scores.diagonal()[:, None]).sum(1)
    within = {"recall_rank1": 1, "recall_top1pct": count // 100, "recall_top10pct": count // 10}
    return {name: float((rank < max(places, 1)).float().mean()) for name, places in within.items()}


def figures(
    probes: torch.Tensor, gallery: torch.Tensor, relevant: NDArray[np.bool_], *, shown: torch.Tensor | None = None
) -> Mapping[str, float]:
    """Retrieval figures of embeddings.

    Args:
        probes: float32 [Q, C, H, W] cells of unit length, or [Q, D] vectors of unit length.
        gallery: float32 [N, C, H, W] or [N, D], one a model.
        relevant: bool [Q, N].
        shown: float32 [Q, H, W], the cells that each probe shows; all where None.

    Returns:
        ``hit100`` and ``map100``, 0 .. 1, over unique models.
    """
    maps = [vectors.reshape(*vectors.shape[:2], *(vectors.shape[2:] or (1, 1))) for vectors in (probes, gallery)]
    cells = torch.ones(len(probes), *maps[0].shape[2:]) if shown is None else shown
    similarity = masked_similarity(maps[0], cells, maps[1]).numpy()
    ranked = ranked_models(similarity, np.arange(len(gallery)))
    return {
        f"hit{K}": hit_at(ranked, relevant, K),
        f"map{K}": mean_average_precision_at(ranked, relevant, K),
    }


def vector_figures(network: torch.nn.Module, made: MadeProbes) -> Mapping[str, float]:
    """``hit100`` and ``map100`` of a network that returns one vector a picture."""
    device = next(network.parameters()).device
    gallery = embedded(network, made.gallery, device)
    return figures(embedded(network, made.probes, device), gallery, made.relevant)
