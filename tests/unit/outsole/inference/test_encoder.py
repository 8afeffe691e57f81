from __future__ import annotations

import numpy as np
import pytest

from outsole.errors import InvalidInput, PreconditionFailed
from outsole.inference.encoder import ModelContract, TensorShape, batch_slices, joined

CONTRACT = ModelContract(
    "print_encoder", TensorShape("image", "uint8", (32, 16)), (TensorShape("cells", "float16", (8, 4, 2)),)
)

TWO_INPUTS = ModelContract(
    "print_encoder", CONTRACT.image, CONTRACT.outputs, others=(TensorShape("shown", "uint8", (4, 2)),)
)


@pytest.mark.parametrize(("count", "largest"), [(0, 16), (1, 16), (16, 16), (17, 16), (100, 7)])
def test_batches_cover_every_image_once_in_order_and_none_is_too_large(count: int, largest: int) -> None:
    slices = batch_slices(count, largest)
    assert [i for s in slices for i in range(s.start, s.stop)] == list(range(count))
    sizes = [s.stop - s.start for s in slices]
    assert all(0 < size <= largest for size in sizes)
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_a_model_with_more_outputs_than_expected_fits_the_contract() -> None:
    CONTRACT.check(
        ModelContract("print_encoder", CONTRACT.image, (*CONTRACT.outputs, TensorShape("more", "float32", (4,))))
    )


def test_an_open_dimension_fits_any_size() -> None:
    CONTRACT.check(
        ModelContract("print_encoder", TensorShape("image", "uint8", (-1, -1)), CONTRACT.outputs),
    )


@pytest.mark.parametrize(
    "found",
    [
        ModelContract("print_encoder", TensorShape("image", "uint8", (32, 32)), CONTRACT.outputs),
        ModelContract("print_encoder", TensorShape("image", "float32", (32, 16)), CONTRACT.outputs),
        ModelContract("print_encoder", CONTRACT.image, (TensorShape("cells", "float32", (8, 4, 2)),)),
        ModelContract("print_encoder", CONTRACT.image, (TensorShape("other", "float16", (8, 4, 2)),)),
    ],
)
def test_another_model_under_the_same_name_is_refused(found: ModelContract) -> None:
    with pytest.raises(PreconditionFailed, match="print_encoder"):
        CONTRACT.check(found)


@pytest.mark.parametrize("shape", [(32, 16), (1, 32, 15), (1, 1, 32, 16)])
def test_images_of_another_shape_are_refused_with_both_shapes_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"\[32, 16\]") as caught:
        CONTRACT.named(np.zeros(shape, np.uint8))
    assert caught.value.field == "images"


def test_images_of_another_dtype_are_refused() -> None:
    with pytest.raises(InvalidInput, match="float64"):
        CONTRACT.named(np.zeros((1, 32, 16)))  # type: ignore[arg-type]


def test_images_alone_become_the_one_input_without_a_copy() -> None:
    images = np.zeros((2, 32, 16), np.uint8)
    assert CONTRACT.named(images)["image"] is images


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"image": (2, 32, 16)}, "takes image, shown but was given image"),
        ({"image": (2, 32, 16), "shown": (2, 4, 2), "more": (2, 1)}, "was given image, shown, more"),
        ({"image": (2, 32, 16), "shown": (2, 4, 3)}, r"shown uint8 \[4, 3\]"),
        ({"image": (2, 32, 16), "shown": (3, 4, 2)}, r"\[2, 3\] rows"),
    ],
)
def test_several_inputs_are_refused_where_one_is_missing_too_many_or_of_another_size(
    given: dict[str, tuple[int, ...]], problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        TWO_INPUTS.named({name: np.zeros(shape, np.uint8) for name, shape in given.items()})


def test_a_model_that_wants_an_input_that_nobody_sends_is_refused() -> None:
    with pytest.raises(PreconditionFailed, match="also wants the input shown"):
        CONTRACT.check(TWO_INPUTS)
    with pytest.raises(PreconditionFailed, match="shown"):
        TWO_INPUTS.check(CONTRACT)
    TWO_INPUTS.check(TWO_INPUTS)


def test_no_images_give_outputs_of_the_right_shape_and_dtype() -> None:
    cells = CONTRACT.empty_outputs()["cells"]
    assert cells.shape == (0, 8, 4, 2)
    assert cells.dtype == np.float16


def test_joining_keeps_the_order_of_batches_and_hands_a_single_one_on() -> None:
    one, two = {"a": np.array([1, 2])}, {"a": np.array([3])}
    assert joined([one, two])["a"].tolist() == [1, 2, 3]
    assert joined([one])["a"] is one["a"]
