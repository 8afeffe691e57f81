"""Embeddings are found beside the correlation encoder and take the very same canvases."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from outsole.encoders.network_spec import NetworkSpec
from outsole.encoders.spec import EncoderSpec
from outsole.errors import DataCorrupt
from outsole.imaging.canvas import place_item, place_probe
from outsole.inference.encoder import TensorShape
from outsole.matching.embedding import find_embeddings, item_inputs, probe_inputs, vectors_of_outputs
from outsole.matching.placements import placements
from tests.standins import DIMENSIONS, write_partial_print

pytest.importorskip("onnxruntime")
MODEL = Path(__file__).parents[4] / "model_repository" / "print_lite2_b6"


@pytest.fixture(scope="module")
def rules() -> EncoderSpec:
    return EncoderSpec.load(MODEL)


def test_every_embedding_of_every_repository_is_found_and_other_models_are_not(
    tmp_path: Path, rules: EncoderSpec
) -> None:
    write_partial_print(tmp_path / "one")
    write_partial_print(tmp_path / "two", "partial_print_shop", seed=1)
    (tmp_path / "two/notes").mkdir()
    (tmp_path / "two/broken").mkdir()
    (tmp_path / "two/broken/spec.json").write_text("{")
    mine = find_embeddings([tmp_path / "one", tmp_path / "two", tmp_path / "nowhere"], rules)
    assert list(mine) == ["partial_print", "partial_print_shop"]
    assert mine["partial_print"].hash != mine["partial_print_shop"].hash
    assert mine["partial_print_shop"].folder == tmp_path / "two/partial_print_shop"


def test_two_embeddings_of_one_name_and_one_for_another_canvas_are_refused(tmp_path: Path, rules: EncoderSpec) -> None:
    write_partial_print(tmp_path / "one")
    write_partial_print(tmp_path / "two")
    with pytest.raises(DataCorrupt, match="two model folders"):
        find_embeddings([tmp_path / "one", tmp_path / "two"], rules)
    folder = tmp_path / "two/partial_print"
    spec = NetworkSpec.load(folder)
    other = dataclasses.replace(spec, inputs=(TensorShape("image", "uint8", (640, 320)), spec.inputs[1]))
    other.dump(folder)
    with pytest.raises(DataCorrupt, match=r"image uint8 \[672, 352\] but has image uint8 \[640, 320\]"):
        find_embeddings([tmp_path / "two"], rules)
    values = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps({**values, "colour": "red"}))
    with pytest.raises(DataCorrupt, match="colour"):
        find_embeddings([tmp_path / "two"], rules)


def test_items_and_probes_are_given_with_the_cells_that_show_them(rules: EncoderSpec) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (500, 200), dtype=np.uint8)
    item = place_item(gray, rules)
    inputs = item_inputs(item.image[None], item.valid[None], rules)
    margin = rules.margin_px // rules.stride_px
    assert inputs["cells"].shape == (1, *rules.canvas_cells)
    assert inputs["cells"].sum() == item.valid.sum()
    np.testing.assert_array_equal(inputs["cells"][0, margin:-margin, margin:-margin], item.valid)
    placed = place_probe(gray, np.ones_like(gray, bool), rules, placements())
    asked = probe_inputs(placed.images, placed.cells)
    assert len(placed.images) == 9
    assert asked["image"].shape == (5, *placed.images.shape[1:])
    assert np.shares_memory(asked["image"], placed.images)
    np.testing.assert_array_equal(asked["cells"], placed.cells[[0, 2, 4, 6, 8]])


def test_two_inputs_go_through_the_encoder_in_batches_and_cells_matter(tmp_path: Path, rules: EncoderSpec) -> None:
    from outsole.inference.in_process import InProcessEncoder

    write_partial_print(tmp_path)
    embedding = find_embeddings([tmp_path], rules)["partial_print"]
    encoder = InProcessEncoder(embedding.folder, contract=embedding.contract(), max_batch=2)
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (5, 672, 352), dtype=np.uint8)
    cells = rng.random((5, 84, 44)) < 0.5
    whole = asyncio.run(encoder.encode({"image": images, "cells": cells.view(np.uint8)}, timeout_s=30))
    vectors = vectors_of_outputs(whole)
    assert vectors.shape == (5, DIMENSIONS)
    assert vectors.dtype == np.float16
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(np.float32), axis=1), 1, atol=2e-3)
    alone = asyncio.run(encoder.encode({"image": images[3:4], "cells": cells[3:4].view(np.uint8)}, timeout_s=30))
    np.testing.assert_allclose(alone["embedding"][0], vectors[3], atol=2e-3)
    hidden = images.copy()
    hidden[np.repeat(np.repeat(~cells, 8, 1), 8, 2)] = 0
    again = asyncio.run(encoder.encode({"image": hidden, "cells": cells.view(np.uint8)}, timeout_s=30))
    np.testing.assert_array_equal(again["embedding"], vectors)
