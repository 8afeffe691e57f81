"""Losses of the systems, each over a whole batch at once and in float32 also where autocast is on."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from outsole.errors import InvalidInput

_SCALE_LIMIT = 100.0
# The constants of structural similarity for pictures of 0 .. 1.
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2


def supervised_contrastive(
    embeddings: torch.Tensor, labels: torch.Tensor, *, temperature: float = 0.07
) -> torch.Tensor:
    """Supervised contrastive loss of pooled vectors (Khosla et al., NeurIPS 2020, eq. 2, L_out), mean over anchors.

    Args:
        embeddings: float [M, D], M = 2N views; brought to unit length here.
        labels: int [M]; views of one label are each other's positives.
        temperature: Divides the cosines, more than 0.

    Returns:
        float32 scalar. Anchors without a positive do not take part.

    Raises:
        InvalidInput: Shapes do not fit, the temperature is not positive, or no label occurs twice.
    """
    if embeddings.ndim != 2:
        raise InvalidInput(f"have shape {tuple(embeddings.shape)}", field="embeddings", remedy="[M, D]")
    with _full_precision(embeddings):
        unit = functional.normalize(embeddings.float(), dim=1)
        return contrastive_of_similarities(unit @ unit.T, labels, temperature=temperature)


def spatial_supervised_contrastive(
    maps: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor, *, temperature: float = 0.07
) -> torch.Tensor:
    """The same of spatial maps, whose similarity is the masked mean of per-cell cosines (CriSp, ECCV 2024, sec. 4.2).

    Args:
        maps: float [M, C, H, W], M = 2N views; each cell is brought to unit length here.
        mask: 0 or 1, [H, W] for the whole batch or [M, H, W]: row i is what anchor i shows.
        labels: int [M].
        temperature: Divides the similarities, more than 0.

    Returns:
        float32 scalar.

    Raises:
        InvalidInput: As ``supervised_contrastive``.
    """
    with _full_precision(maps):
        similarities = masked_similarities(maps, maps, mask)
        return contrastive_of_similarities(similarities, labels, temperature=temperature)


def masked_similarities(queries: torch.Tensor, items: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Masked mean of per-cell cosines of every query with every item.

    ``s(q, i) = sum over cells of mask(q) cos(q, i) / sum of mask(q)``: an inner product of the masked query with the
    untouched item, so that no item is computed again for another mask.

    Args:
        queries: float [Q, C, H, W]; not normalised.
        items: float [N, C, H, W]; not normalised.
        mask: 0 or 1, [H, W] or [Q, H, W]. A mask without a cell gives similarities of 0.

    Returns:
        float32 [Q, N], -1..1.
    """
    if queries.ndim != 4 or items.shape[1:] != queries.shape[1:]:
        found = f"{tuple(queries.shape)} and {tuple(items.shape)}"
        raise InvalidInput(f"are {found}", field="maps", remedy="[Q, C, H, W] and [N, C, H, W]")
    if mask.shape not in (queries.shape[2:], (queries.shape[0], *queries.shape[2:])):
        raise InvalidInput(f"has shape {tuple(mask.shape)}", field="mask", remedy="[H, W] or [Q, H, W]")
    with _full_precision(queries):
        shown = mask.float().expand(queries.shape[0], *queries.shape[2:])
        share = shown / shown.sum((1, 2), keepdim=True).clamp(min=1.0)
        weighted = functional.normalize(queries.float(), dim=1) * share.unsqueeze(1)
        return weighted.flatten(1) @ functional.normalize(items.float(), dim=1).flatten(1).T


def contrastive_of_similarities(
    similarities: torch.Tensor, labels: torch.Tensor, *, temperature: float
) -> torch.Tensor:
    """L_out of Khosla et al., eq. 2, from similarities [M, M] (row: anchor); the diagonal does not count.

    ``mean over i of -1/|P(i)| sum over p in P(i) of log(exp(s_ip / t) / sum over a != i of exp(s_ia / t))``.
    """
    size = labels.shape[0]
    if labels.ndim != 1 or similarities.shape != (size, size):
        found = f"{tuple(labels.shape)} for similarities {tuple(similarities.shape)}"
        raise InvalidInput(f"have shape {found}", field="labels", remedy="one label for each view")
    if not temperature > 0:
        raise InvalidInput(f"is {temperature}", field="temperature", remedy="more than 0")
    itself = torch.eye(size, dtype=torch.bool, device=labels.device)
    positive = (labels.unsqueeze(0) == labels.unsqueeze(1)) & ~itself
    count = positive.sum(1)
    anchors = count > 0
    if not bool(anchors.any()):
        raise InvalidInput("no label occurs twice", field="labels", remedy="two views of each model in a batch")
    logits = (similarities.float() / temperature).masked_fill(itself, -math.inf)
    log_share = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    # The diagonal is -inf, and -inf times 0 is not 0: it is filled before it is summed.
    per_anchor = -log_share.masked_fill(~positive, 0.0).sum(1) / count.clamp(min=1)
    return (per_anchor * anchors).sum() / anchors.sum()


def in_batch_cross_entropy(
    queries: torch.Tensor, items: torch.Tensor, scale: torch.Tensor | float, *, labels: torch.Tensor | None = None
) -> torch.Tensor:
    """Each query should find its own item among the batch's, and each item its query (both ways, mean).

    Args:
        queries: float [N, D]; row i belongs to row i of ``items``. Brought to unit length here.
        items: float [N, D].
        scale: Multiplies the cosines; a scalar tensor of ``LearnedScale``, or a number.
        labels: int [N]; other rows of the same label are not counted as wrong. None: every row is its own model.

    Returns:
        float32 scalar.
    """
    if queries.ndim != 2 or queries.shape != items.shape:
        found = f"{tuple(queries.shape)} and {tuple(items.shape)}"
        raise InvalidInput(f"have shapes {found}", field="embeddings", remedy="[N, D] both")
    with _full_precision(queries):
        cosines = functional.normalize(queries.float(), dim=1) @ functional.normalize(items.float(), dim=1).T
        logits = scale * cosines
        if labels is not None:
            same = labels.unsqueeze(0) == labels.unsqueeze(1)
            itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
            logits = logits.masked_fill(same & ~itself, -math.inf)
        own = torch.arange(len(queries), device=queries.device)
        return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def best_positive_triplet(
    queries: torch.Tensor,
    items: torch.Tensor,
    *,
    positive: torch.Tensor,
    negative: torch.Tensor,
    margin: float = 0.1,
    hardest: int = 10,
) -> torch.Tensor:
    """Weakly supervised ranking loss (NetVLAD; Arandjelovic et al., CVPR 2016, eq. 7), mean over queries and negatives.

    ``max(0, min over p of |q - p|^2 + margin - |q - n|^2)``: of a set that is only said to show what the query shows,
    the best one counts, so that wrong pictures in it pull at nothing.

    Args:
        queries: float [Q, D]; brought to unit length here.
        items: float [N, D]; brought to unit length here.
        positive: bool [Q, N], the weakly labelled set of each query; not empty.
        negative: bool [Q, N], what each query must be kept apart from; not empty.
        margin: Of squared distances, 0 .. 4.
        hardest: Negatives that count, the nearest ones of each query, at least 1.

    Returns:
        float32 scalar.

    Raises:
        InvalidInput: Shapes do not fit, a query without a positive or a negative, or a number out of range.
    """
    if queries.ndim != 2 or items.ndim != 2 or queries.shape[1] != items.shape[1]:
        found = f"{tuple(queries.shape)} and {tuple(items.shape)}"
        raise InvalidInput(f"have shapes {found}", field="embeddings", remedy="[Q, D] and [N, D]")
    if margin < 0 or hardest < 1:
        raise InvalidInput(f"are {margin} and {hardest}", field="margin, hardest", remedy="0 or more, 1 or more")
    for name, kind in (("positive", positive), ("negative", negative)):
        if kind.shape != (len(queries), len(items)) or not bool(kind.any(dim=1).all()):
            raise InvalidInput("leaves a query without one", field=name, remedy="bool [Q, N], one or more in each row")
    with _full_precision(queries):
        cosines = functional.normalize(queries.float(), dim=1) @ functional.normalize(items.float(), dim=1).T
        distances = 2 - 2 * cosines
        best = distances.masked_fill(~positive, math.inf).amin(dim=1, keepdim=True)
        near = distances.masked_fill(~negative, math.inf).topk(min(hardest, len(items)), dim=1, largest=False).values
        counted = near.isfinite()
        # Rows have different numbers of negatives; what stands in for a missing one counts nothing.
        short = functional.relu(best + margin - near.masked_fill(~counted, 0.0)) * counted
        return (short.sum(dim=1) / counted.sum(dim=1)).mean()


class LearnedScale(nn.Module):
    """A positive factor that is learned through its logarithm; at most 100.

    Args:
        start: Its first value.
    """

    def __init__(self, start: float = 14.0) -> None:
        super().__init__()
        if not 0 < start <= _SCALE_LIMIT:
            raise InvalidInput(f"is {start}", field="start", remedy=f"more than 0, at most {_SCALE_LIMIT:g}")
        self.logarithm = nn.Parameter(torch.tensor(math.log(start)))

    def forward(self) -> torch.Tensor:
        """The factor, float32 scalar."""
        return self.logarithm.exp().clamp(max=_SCALE_LIMIT)


class CosineProxies(nn.Module):
    """One learned unit vector a class; cross entropy of scaled cosines with an additive margin (CosFace, 2018, eq. 4).

    Args:
        classes: How many there are.
        dimensions: Of an embedding.
        scale: Multiplies the cosines.
        margin: Taken off the cosine with the own class.
        smoothing: See ``smoothed_cross_entropy``.
    """

    def __init__(
        self, classes: int, dimensions: int, *, scale: float = 20.0, margin: float = 0.1, smoothing: float = 0.0
    ) -> None:
        super().__init__()
        self.proxies = nn.Parameter(functional.normalize(torch.randn(classes, dimensions), dim=1))
        self.scale = scale
        self.margin = margin
        self.smoothing = smoothing

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Loss of ``embeddings`` float [M, D] (brought to unit length here) of classes ``labels`` int [M]."""
        with _full_precision(embeddings):
            unit = functional.normalize(embeddings.float(), dim=1)
            cosines = unit @ functional.normalize(self.proxies.float(), dim=1).T
            own = functional.one_hot(labels, num_classes=len(self.proxies))
            return smoothed_cross_entropy(self.scale * (cosines - self.margin * own), labels, smoothing=self.smoothing)


def smoothed_cross_entropy(logits: torch.Tensor, labels: torch.Tensor, *, smoothing: float) -> torch.Tensor:
    """Cross entropy against ``(1 - e) one_hot + e / K`` (Szegedy et al., CVPR 2016, sec. 7), mean over rows.

    Args:
        logits: float [M, K].
        labels: int [M], 0 .. K - 1.
        smoothing: e, from 0 to below 1.
    """
    if not 0 <= smoothing < 1:
        raise InvalidInput(f"is {smoothing}", field="smoothing", remedy="from 0 to below 1")
    with _full_precision(logits):
        return functional.cross_entropy(logits.float(), labels, label_smoothing=smoothing)


def structural_dissimilarity(predicted: torch.Tensor, truth: torch.Tensor, *, window: int = 7) -> torch.Tensor:
    """One less the mean structural similarity (Wang et al., IEEE TIP 2004, eq. 13; uniform window), a scalar 0 .. 2.

    Args:
        predicted, truth: float [N, H, W], 0 .. 1.
        window: Side of the window, odd, pixels.
    """
    if predicted.shape != truth.shape or predicted.ndim != 3:
        shapes = f"{tuple(predicted.shape)} and {tuple(truth.shape)}"
        raise InvalidInput(f"pictures of {shapes}", field="predicted", remedy="two of [N, H, W]")
    with _full_precision(predicted):
        x, y = predicted.float(), truth.float()
        moments = torch.stack([x, y, x * x, y * y, x * y], dim=1)
        mean_x, mean_y, square_x, square_y, product = functional.avg_pool2d(moments, window, stride=1).unbind(dim=1)
        variances = square_x - mean_x.square() + square_y - mean_y.square()
        covariance = product - mean_x * mean_y
        likeness = (2 * mean_x * mean_y + _SSIM_C1) * (2 * covariance + _SSIM_C2)
        likeness = likeness / ((mean_x.square() + mean_y.square() + _SSIM_C1) * (variances + _SSIM_C2))
        return 1 - likeness.mean()


def _full_precision(values: torch.Tensor) -> torch.autocast:
    """Switches autocast off: cosines in bfloat16, divided by a small temperature, would be off by tenths."""
    return torch.autocast(values.device.type, enabled=False)
