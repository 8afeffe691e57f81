"""Made galleries: the same seed makes the same items, and relatives are as alike as they were measured to be."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.synthesis.made_editions import Bases, Differences, GalleryShape, MadeItems, plan_items, shifted

CELLS, CHANNELS, DIMENSIONS = (20, 10), 4, 16
BASES = 6


def smooth_maps(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Standardised maps whose neighbouring cells are alike, as an encoder's are."""
    maps = rng.normal(size=(count, *CELLS, CHANNELS))
    maps += np.roll(maps, 1, 1) + np.roll(maps, 1, 2)
    maps -= maps.mean((1, 2), keepdims=True)
    return np.asarray(maps / maps.std((1, 2), keepdims=True), np.float32)


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def pairs(noise: float, seed: int) -> Differences:
    rng = np.random.default_rng(seed)
    maps, vectors = smooth_maps(rng, 5), unit(rng.normal(size=(5, DIMENSIONS)))
    other = maps + noise * smooth_maps(rng, 5)
    return Differences.between((maps, vectors), (other, unit(vectors + 0.2 * noise * rng.normal(size=vectors.shape))))


def candidate_vectors(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    return unit(maps.reshape(len(maps), -1))


def made(shape: GalleryShape, *, noise: float = 0.3) -> MadeItems:
    rng = np.random.default_rng(1)
    maps = smooth_maps(rng, 2 * BASES).reshape(BASES, 2, *CELLS, CHANNELS).astype(np.float16)
    partial = unit(rng.normal(size=(BASES, 2, DIMENSIONS))).astype(np.float16)
    return MadeItems(
        shape, Bases(maps, partial), models=pairs(noise, 2), pictures=pairs(noise / 3, 3), vectors=candidate_vectors
    )


SHAPE = GalleryShape(items=300, models=130, models_per_tread=10, seed=4)


def test_the_same_seed_makes_the_same_items_in_any_pieces() -> None:
    whole = made(SHAPE).arrays(0, 60)
    parts = [made(SHAPE).arrays(start, start + 20) for start in (0, 20, 40)]
    for name, array in whole.items():
        np.testing.assert_array_equal(array, np.concatenate([part[name] for part in parts]))


def test_another_seed_makes_other_items() -> None:
    other = GalleryShape(items=300, models=130, models_per_tread=10, seed=5)
    assert not np.array_equal(made(SHAPE).arrays(50, 60)["maps"], made(other).arrays(50, 60)["maps"])


def test_a_gallery_has_the_items_models_and_treads_that_were_asked_for() -> None:
    plan = plan_items(SHAPE, BASES)
    assert len(plan.models) == 300
    assert len(set(plan.models.tolist())) == 130
    assert len(set(plan.treads.tolist())) == 13
    assert all(len(set(plan.treads[plan.models == model].tolist())) == 1 for model in range(130))


def test_a_model_with_several_pictures_shows_its_sides_in_turns() -> None:
    plan = plan_items(SHAPE, BASES)
    for model in range(130):
        lefts = int(plan.lefts[plan.models == model].sum())
        assert abs(2 * lefts - int((plan.models == model).sum())) <= 1


def test_encoded_items_come_first_and_are_the_bases_themselves() -> None:
    items = made(SHAPE)
    count = int(items.plan.encoded.sum())
    assert 0 < count <= 2 * BASES
    assert items.plan.encoded[:count].all()
    found = items.arrays(0, count)
    again = np.array(
        [
            items._bases.maps[tread, int(left)]
            for tread, left in zip(items.plan.treads[:count], items.plan.lefts[:count], strict=True)
        ]
    )
    np.testing.assert_array_equal(found["maps"], again)


def test_items_are_standardised_and_their_vectors_have_unit_length() -> None:
    found = made(SHAPE).arrays(100, 140)
    maps = found["maps"].astype(np.float32)
    shown = np.any(maps != 0, -1)
    for one, seen in zip(maps, shown, strict=True):
        np.testing.assert_allclose(one[seen].std(0), 1, atol=0.01)
    for name in ("cooccurrence", "partial"):
        np.testing.assert_allclose(np.linalg.norm(found[name].astype(np.float32), axis=1), 1, atol=2e-3)


def test_pictures_of_one_tread_are_more_alike_than_those_of_two() -> None:
    items = made(SHAPE)
    vectors = items.arrays(0, 300)["partial"].astype(np.float32)
    alike = vectors @ vectors.T
    side = items.plan.treads * 2 + items.plan.lefts
    same = (side[:, None] == side[None]) & ~np.eye(300, dtype=bool)
    assert np.median(alike[same]) > np.percentile(alike[~same & ~np.eye(300, dtype=bool)], 95)


def test_larger_measured_differences_make_items_less_alike() -> None:
    def likeness(noise: float) -> float:
        items = made(SHAPE, noise=noise)
        vectors = items.arrays(0, 300)["partial"].astype(np.float32)
        side = items.plan.treads * 2 + items.plan.lefts
        return float((vectors @ vectors.T)[side[:, None] == side[None]].mean())

    assert likeness(0.1) > likeness(1.0)


def test_a_difference_is_measured_where_the_maps_lie_best() -> None:
    maps = smooth_maps(np.random.default_rng(7), 1)
    vectors = unit(np.ones((1, DIMENSIONS)))
    found = Differences.between((maps, vectors), (shifted(maps, 2, -1), vectors))
    assert found.cosines[0] == pytest.approx(1, abs=1e-3)
    assert np.abs(found.maps).max() < 0.01


@pytest.mark.parametrize(("items", "models"), [(10, 11), (10, 0)])
def test_a_gallery_that_cannot_be_is_invalid(items: int, models: int) -> None:
    with pytest.raises(InvalidInput):
        GalleryShape(items=items, models=models)


def test_one_tread_alone_cannot_make_a_gallery() -> None:
    bases = Bases(np.ones((1, 2, *CELLS, CHANNELS)), np.ones((1, 2, DIMENSIONS)))
    with pytest.raises(InvalidInput):
        MadeItems(SHAPE, bases, models=pairs(0.3, 2), pictures=pairs(0.1, 3), vectors=candidate_vectors)
