"""The wear models that are shipped, on shoes that they have not seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from outsole.evaluation.wear_scores import gains, likeness, unchanged
from outsole.inference.in_process import InProcessEncoder
from outsole.synthesis.wear_pairs import unseen_pairs
from outsole.wear.canvas import CANVAS_PX
from outsole.wear.model import PRINT, UNSURE, Direction, find_wear_models

_REPOSITORY = Path(__file__).resolve().parents[3] / "model_repository"
_LARGEST_BYTES = 20_000_000


@pytest.mark.parametrize("direction", Direction)
def test_a_shipped_model_beats_the_print_unchanged_and_knows_where_it_is_wrong(direction: Direction) -> None:
    model = find_wear_models([_REPOSITORY])[direction]
    pairs = unseen_pairs(direction, 10)
    images, weeks = (np.stack([getattr(pair, name) for pair in pairs]) for name in ("image", "weeks"))
    encoder = InProcessEncoder(model.folder, contract=model.contract())
    inputs = {"image": images, "weeks": weeks.astype(np.uint8)[:, None]}
    outputs = asyncio.run(encoder.encode(inputs, timeout_s=60))
    assert outputs[PRINT].shape == outputs[UNSURE].shape == (10, *CANVAS_PX)
    contact, unsure = (outputs[name].astype(np.float32) for name in (PRINT, UNSURE))
    by_pair = {id(pair): contact[row] for row, pair in enumerate(pairs)}
    gained = gains(likeness(pairs, lambda pair: by_pair[id(pair)]), [likeness(pairs, unchanged)])
    assert gained[0] > 0.05 and gained[1] > 2.0
    errors = np.abs(contact - np.stack([pair.target for pair in pairs]) / 255)
    assert np.corrcoef(errors.ravel(), unsure.ravel())[0, 1] > 0.4


def test_weights_are_small_enough_to_be_shipped() -> None:
    for model in find_wear_models([_REPOSITORY]).values():
        assert (model.folder / "1/model.onnx").stat().st_size < _LARGEST_BYTES
