from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from outsole.errors import BudgetSpent, InvalidInput, NotFound, PreconditionFailed, Unavailable
from outsole.inference.encoder import ModelContract, TensorShape
from outsole.inference.in_process import InProcessEncoder, newest_model

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'outsole[embedded]'")
MODEL = Path(__file__).parents[4] / "model_repository/self_test"


def test_any_number_of_images_is_encoded_in_order() -> None:
    images = np.random.default_rng(0).integers(0, 256, (11, 16, 16), dtype=np.uint8)
    outputs = asyncio.run(InProcessEncoder(MODEL, max_batch=4).encode(images, timeout_s=10.0))
    assert np.array_equal(outputs["echo"], images)
    assert outputs["half"].dtype == np.float16
    assert np.array_equal(outputs["half"], images / 256)


def test_no_images_are_answered_with_no_rows() -> None:
    outputs = asyncio.run(InProcessEncoder(MODEL).encode(np.zeros((0, 16, 16), np.uint8), timeout_s=1.0))
    assert outputs["half"].shape == (0, 16, 16)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(InvalidInput):
        asyncio.run(InProcessEncoder(MODEL).encode(np.zeros((1, 8, 8), np.uint8), timeout_s=1.0))


def test_a_model_that_does_not_fit_the_contract_is_refused_when_it_is_opened() -> None:
    contract = ModelContract("self_test", TensorShape("image", "uint8", (32, 32)), ())
    with pytest.raises(PreconditionFailed):
        InProcessEncoder(MODEL, contract=contract)


def test_a_spent_budget_is_an_error_and_the_encoder_works_on() -> None:
    encoder = InProcessEncoder(MODEL)
    images = np.zeros((1, 16, 16), np.uint8)
    with pytest.raises(BudgetSpent):
        asyncio.run(encoder.encode(images, timeout_s=0.0))
    assert len(asyncio.run(encoder.encode(images, timeout_s=10.0))["echo"]) == 1


def test_a_closed_encoder_is_not_ready() -> None:
    async def scenario() -> None:
        encoder = InProcessEncoder(MODEL)
        assert await encoder.is_ready()
        await encoder.close()
        assert not await encoder.is_ready()
        with pytest.raises(Unavailable):
            await encoder.encode(np.zeros((1, 16, 16), np.uint8), timeout_s=1.0)

    asyncio.run(scenario())


def test_the_highest_version_is_used_by_number_and_not_by_letter(tmp_path: Path) -> None:
    for version in ("2", "10", "draft"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "model.onnx").touch()
    assert newest_model(tmp_path).parent.name == "10"


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=tmp_path.name):
        newest_model(tmp_path)
