"""Each loss and its gradient against a slow reference that follows the formula term by term, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from outsole.errors import InvalidInput
from training.losses import (
    CosineProxies,
    LearnedScale,
    best_positive_triplet,
    in_batch_cross_entropy,
    masked_similarities,
    smoothed_cross_entropy,
    spatial_supervised_contrastive,
    structural_dissimilarity,
    supervised_contrastive,
)

_LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 3])
_TEMPERATURE = 0.2


def _made(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    cosine: torch.Tensor = (a * b).sum() / (a.norm() * b.norm())
    return cosine


def _slow_contrastive(similarity: Callable[[int, int], torch.Tensor], labels: list[int]) -> torch.Tensor:
    """Eq. 2 of the paper as it is written there, as a mean over the anchors that have a positive."""
    terms = []
    for i, label in enumerate(labels):
        others = [a for a in range(len(labels)) if a != i]
        positives = [p for p in others if labels[p] == label]
        if positives:
            total = torch.stack([torch.exp(similarity(i, a) / _TEMPERATURE) for a in others]).sum()
            logs = [torch.log(torch.exp(similarity(i, p) / _TEMPERATURE) / total) for p in positives]
            terms.append(-torch.stack(logs).sum() / len(positives))
    return torch.stack(terms).sum() / len(terms)


def _agree(
    fast: Callable[[torch.Tensor], torch.Tensor], slow: Callable[[torch.Tensor], torch.Tensor], start: torch.Tensor
) -> None:
    """Both give the same value and the same gradient, which is not zero."""
    single, double = start.clone().requires_grad_(), start.double().requires_grad_()
    found, expected = fast(single), slow(double)
    (gradient,) = torch.autograd.grad(found, single)
    (wanted,) = torch.autograd.grad(expected, double)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert wanted.abs().max() > 1e-4
    torch.testing.assert_close(gradient.double(), wanted, rtol=1e-4, atol=1e-6)


def test_the_contrastive_loss_of_vectors_is_that_of_the_paper() -> None:
    def slow(vectors: torch.Tensor) -> torch.Tensor:
        return _slow_contrastive(lambda i, a: _cosine(vectors[i], vectors[a]), _LABELS.tolist())

    _agree(lambda vectors: supervised_contrastive(vectors, _LABELS, temperature=_TEMPERATURE), slow, _made(7, 5))


@pytest.mark.parametrize("own_masks", [False, True])
def test_the_contrastive_loss_of_maps_sees_only_the_cells_of_the_anchors_mask(own_masks: bool) -> None:
    mask = (_made(7, 3, 4, seed=1) > 0).float() if own_masks else (_made(3, 4, seed=1) > 0).float()

    def slow(maps: torch.Tensor) -> torch.Tensor:
        def similarity(i: int, a: int) -> torch.Tensor:
            shown = mask[i] if own_masks else mask
            cells = [(y, x) for y in range(3) for x in range(4) if shown[y, x]]
            return torch.stack([_cosine(maps[i, :, y, x], maps[a, :, y, x]) for y, x in cells]).mean()

        return _slow_contrastive(similarity, _LABELS.tolist())

    _agree(
        lambda maps: spatial_supervised_contrastive(maps, mask, _LABELS, temperature=_TEMPERATURE),
        slow,
        _made(7, 5, 3, 4),
    )


def test_a_full_mask_gives_equal_maps_a_similarity_of_one_and_an_empty_mask_of_zero() -> None:
    maps = _made(3, 4, 2, 2)
    assert masked_similarities(maps, maps, torch.ones(2, 2)).diagonal().tolist() == pytest.approx([1.0] * 3)
    assert masked_similarities(maps, maps, torch.zeros(2, 2)).abs().max() == 0


def test_cells_outside_the_mask_change_nothing() -> None:
    mask = torch.tensor([[1.0, 0.0]])
    first, second = _made(4, 3, 1, 2), _made(4, 3, 1, 2)
    second[..., 1] = _made(4, 3, 1, seed=9)
    torch.testing.assert_close(masked_similarities(first, first, mask), masked_similarities(second, second, mask))


@pytest.mark.parametrize("labelled", [False, True])
def test_the_in_batch_loss_is_a_cross_entropy_both_ways_at_the_scale(labelled: bool) -> None:
    items = _made(5, 6, seed=4)
    labels = [0, 1, 0, 2, 3] if labelled else [0, 1, 2, 3, 4]

    def slow(queries: torch.Tensor) -> torch.Tensor:
        def log_share(rows: torch.Tensor, columns: torch.Tensor, i: int) -> torch.Tensor:
            rivals = [j for j in range(5) if j == i or labels[j] != labels[i]]
            total = torch.stack([torch.exp(9.0 * _cosine(rows[i], columns[j])) for j in rivals]).sum()
            return torch.log(torch.exp(9.0 * _cosine(rows[i], columns[i])) / total)

        other = items.double()
        return -torch.stack(
            [(log_share(queries, other, i) + log_share(other, queries, i)) / 2 for i in range(5)]
        ).mean()

    given = torch.tensor(labels) if labelled else None
    _agree(lambda queries: in_batch_cross_entropy(queries, items, 9.0, labels=given), slow, _made(5, 6))


def test_the_learned_scale_starts_where_it_should_and_is_learned() -> None:
    scale = LearnedScale(14.0)
    assert scale().item() == pytest.approx(14.0)
    vectors = _made(6, 4)
    torch.autograd.backward(in_batch_cross_entropy(vectors, vectors, scale()))
    # Vectors that find themselves want a sharper scale.
    assert scale.logarithm.grad is not None and float(scale.logarithm.grad) < 0


def test_the_learned_scale_ends_at_a_hundred() -> None:
    scale = LearnedScale(100.0)
    with torch.no_grad():
        scale.logarithm.add_(5.0)
    assert scale().item() == 100.0


@pytest.mark.parametrize("smoothing", [0.0, 0.14])
def test_proxies_take_the_margin_off_the_own_class(smoothing: float) -> None:
    torch.manual_seed(0)
    proxies = CosineProxies(4, 5, scale=20.0, margin=0.1, smoothing=smoothing)

    def slow(vectors: torch.Tensor) -> torch.Tensor:
        terms = []
        for i, label in enumerate(_LABELS.tolist()):
            logits = [
                20.0 * (_cosine(vectors[i], proxies.proxies[k].double()) - (0.1 if k == label else 0.0))
                for k in range(4)
            ]
            total = torch.stack([torch.exp(logit) for logit in logits]).sum()
            targets = [smoothing / 4 + (1 - smoothing if k == label else 0.0) for k in range(4)]
            shares = [t * torch.log(torch.exp(z) / total) for t, z in zip(targets, logits, strict=True)]
            terms.append(-torch.stack(shares).sum())
        return torch.stack(terms).mean()

    _agree(lambda vectors: proxies(vectors, _LABELS), slow, _made(7, 5))
    torch.autograd.backward(proxies(_made(7, 5), _LABELS))
    assert proxies.proxies.grad is not None and proxies.proxies.grad.abs().max() > 0


def test_smoothing_gives_every_class_its_share() -> None:
    labels = torch.tensor([2, 0])

    def slow(logits: torch.Tensor) -> torch.Tensor:
        logs = logits - torch.log(torch.exp(logits).sum(1, keepdim=True))
        targets = torch.full((2, 3), 0.3 / 3, dtype=torch.float64)
        targets[0, 2] += 0.7
        targets[1, 0] += 0.7
        return -(targets * logs).sum() / 2

    _agree(lambda logits: smoothed_cross_entropy(logits, labels, smoothing=0.3), slow, _made(2, 3))


def test_losses_are_in_full_precision_under_autocast() -> None:
    vectors = functional.normalize(_made(7, 64), dim=1)
    expected = supervised_contrastive(vectors, _LABELS, temperature=0.02)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = supervised_contrastive(vectors, _LABELS, temperature=0.02)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_a_small_temperature_does_not_overflow() -> None:
    loss = supervised_contrastive(_made(7, 5).requires_grad_(), _LABELS, temperature=1e-3)
    assert math.isfinite(loss.item())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: supervised_contrastive(_made(4, 3), torch.arange(4)), "no label occurs twice"),
        (lambda: supervised_contrastive(_made(4, 3), torch.zeros(3, dtype=torch.long)), "one label for each view"),
        (lambda: supervised_contrastive(_made(4, 3, 2), torch.zeros(4)), r"\[M, D\]"),
        (lambda: supervised_contrastive(_made(4, 3), torch.zeros(4), temperature=0.0), "temperature"),
        (lambda: masked_similarities(_made(2, 3, 4, 4), _made(2, 3, 4, 4), torch.ones(2, 2)), "mask"),
        (lambda: masked_similarities(_made(2, 3, 4, 4), _made(2, 3, 4, 5), torch.ones(4, 4)), "maps"),
        (lambda: in_batch_cross_entropy(_made(2, 3), _made(3, 3), 1.0), r"\[N, D\] both"),
        (lambda: smoothed_cross_entropy(_made(2, 3), torch.zeros(2).long(), smoothing=1.0), "below 1"),
        (lambda: LearnedScale(0.0), "start"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        call()


def _triplet_by_hand(
    queries: torch.Tensor, items: torch.Tensor, positive: list[list[int]], negative: list[list[int]], hardest: int
) -> torch.Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for query, own, others in zip(queries, positive, negative, strict=True):
        distances = [((query / query.norm() - item / item.norm()) ** 2).sum() for item in items]
        best = torch.stack([distances[i] for i in own]).amin()
        nearest = torch.stack([distances[i] for i in others]).sort().values[:hardest]
        total = total + sum(torch.clamp(best + 0.1 - d, min=0) for d in nearest) / len(nearest)
    return total / len(queries)


def _rows(chosen: list[list[int]], count: int) -> torch.Tensor:
    return torch.tensor([[i in row for i in range(count)] for row in chosen])


@pytest.mark.parametrize("hardest", [1, 2, 50])
def test_the_best_positive_triplet_and_its_gradient_are_those_of_the_formula(hardest: int) -> None:
    positive, negative = [[0, 1], [2], [3, 4]], [[2, 3, 4, 5], [0, 1], [5]]
    grads = []
    for by_hand in (False, True):
        queries, items = _made(3, 4, seed=8).requires_grad_(), _made(6, 4, seed=9).requires_grad_()
        if by_hand:
            loss = _triplet_by_hand(queries.double(), items.double(), positive, negative, hardest)
        else:
            own, others = _rows(positive, 6), _rows(negative, 6)
            loss = best_positive_triplet(queries, items, positive=own, negative=others, hardest=hardest)
        torch.autograd.backward(loss)
        assert float(loss.detach()) > 0.05
        grads.append((loss.detach().double(), queries.grad, items.grad))
    for found, expected in zip(*grads, strict=True):
        assert torch.allclose(found, expected, atol=1e-5)


def test_a_wrong_picture_in_a_weak_set_pulls_at_nothing() -> None:
    queries = torch.tensor([[1.0, 0.0]])
    items = torch.tensor([[1.0, 0.2], [-1.0, 0.1], [0.9, 0.3]], requires_grad=True)
    loss = best_positive_triplet(
        queries, items, positive=torch.tensor([[True, True, False]]), negative=torch.tensor([[False, False, True]])
    )
    torch.autograd.backward(loss)
    assert items.grad is not None
    assert items.grad[0].abs().sum() > 0 and items.grad[2].abs().sum() > 0
    assert not items.grad[1].any()


def test_a_triplet_with_room_costs_nothing_and_one_without_its_parts_is_refused() -> None:
    items = torch.eye(3)
    own, others = torch.eye(3, dtype=torch.bool), ~torch.eye(3, dtype=torch.bool)
    assert float(best_positive_triplet(items, items, positive=own, negative=others)) == 0
    for positive, negative in ((own & False, others), (own, others[:2])):
        with pytest.raises(InvalidInput, match="leaves a query without one"):
            best_positive_triplet(items, items, positive=positive, negative=negative)
    with pytest.raises(InvalidInput, match="hardest"):
        best_positive_triplet(items, items, positive=own, negative=others, hardest=0)
    with pytest.raises(InvalidInput, match="embeddings"):
        best_positive_triplet(items, items[:, :2], positive=own, negative=others)


def test_structural_dissimilarity_is_one_less_the_likeness_that_scikit_image_finds() -> None:
    from skimage.metrics import structural_similarity

    first, second = (torch.rand(2, 20, 16, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    found = float(structural_dissimilarity(first, second))
    # Where the window lies inside of the picture; variances are those of the window, not of a sample.
    wanted = [
        structural_similarity(a.numpy(), b.numpy(), win_size=7, data_range=1.0, use_sample_covariance=False, full=True)[
            1
        ][3:-3, 3:-3].mean()
        for a, b in zip(first, second, strict=True)
    ]
    assert found == pytest.approx(1 - sum(wanted) / 2, abs=1e-5)
    assert float(structural_dissimilarity(first, first)) == pytest.approx(0.0, abs=1e-6)


def test_pictures_of_another_shape_have_no_structural_dissimilarity() -> None:
    with pytest.raises(InvalidInput, match="two of"):
        structural_dissimilarity(torch.zeros(1, 9, 9), torch.zeros(1, 9, 8))
