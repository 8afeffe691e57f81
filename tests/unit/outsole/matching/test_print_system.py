"""The whole domain side of a search, in process: a scene print finds the tread that left it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from outsole.gallery.store import Candidates
from outsole.imaging.canvas import encode_png
from outsole.imaging.decode import decode_image
from outsole.matching.placements import placements
from outsole.matching.print_system import PrintSystem
from outsole.matching.rerank import PlacementReranker
from outsole.synthesis.prints import clean_impression, scene_print
from outsole.synthesis.treads import make_tread
from tests.unit.outsole.matching.test_rerank import Maps

pytest.importorskip("onnxruntime")
MODEL = Path(__file__).parents[4] / "model_repository" / "print_lite2_b6"
ITEMS = 12


def test_scene_prints_find_the_treads_that_left_them_by_candidates_and_by_correlation() -> None:
    from outsole.inference.in_process import InProcessEncoder

    system = PrintSystem.load(MODEL)
    encoder = InProcessEncoder(MODEL, contract=system.spec.contract())
    treads = [make_tread(seed) for seed in range(ITEMS)]
    items = [system.prepare_item(encode_png(clean_impression(tread, 1))) for tread in treads]
    outputs = asyncio.run(encoder.encode(np.stack([item.image for item in items]), timeout_s=60))
    arrays = system.derive(outputs, np.stack([item.valid for item in items]))
    vectors = {"cooccurrence": arrays["cooccurrence"]}
    reranker = PlacementReranker(Maps(arrays["maps"]), system.spec, vectors=vectors)
    ranks, listed = [], []
    for wanted in range(4):
        scene = scene_print(treads[wanted], seed=wanted)
        placed = system.place_probe(scene.gray, scene.mask, placements())
        features = system.probe_features(asyncio.run(encoder.encode(placed.images, timeout_s=60)), placed)
        scores = reranker.score(features, None, deadline=float("inf")).scores
        ranks.append(int((scores > scores[wanted]).sum()) + 1)
        queries = system.candidate_queries(features)["cooccurrence"]
        inner = queries @ arrays["cooccurrence"].T
        rows = np.argsort(-inner, axis=1).astype(np.int64)
        found = Candidates(rows, np.take_along_axis(inner, rows, 1).astype(np.float32))
        listed.append(wanted in system.merge_candidates({"cooccurrence": found}, 6))
    assert ranks == [1, 1, 1, 1]
    assert sum(listed) >= 3


def test_candidates_are_merged_by_their_best_score_without_padding_and_without_repetition() -> None:
    found = Candidates(np.array([[4, 2, -1], [2, 9, 7]]), np.array([[0.5, 0.4, -np.inf], [0.9, 0.5, 0.1]], np.float32))
    assert PrintSystem.load(MODEL).merge_candidates({"cooccurrence": found}, 3).tolist() == [2, 4, 9]


def test_the_fields_take_turns_in_the_candidates() -> None:
    first = Candidates(np.array([[8, 1, 3]]), np.array([[0.9, 0.8, 0.7]], np.float32))
    second = Candidates(np.array([[5, 8, 6]]), np.array([[0.2, 0.1, 0.05]], np.float32))
    merged = PrintSystem.load(MODEL).merge_candidates({"partial": second, "cooccurrence": first}, 5)
    assert merged.tolist() == [8, 5, 1, 3, 6]


def test_pictures_show_the_item_at_the_place_where_the_probe_lies_on_it() -> None:
    system = PrintSystem.load(MODEL)
    item = np.full((586, 220), 255, np.uint8)
    item[293 - 10 : 293 + 10, 110 - 10 : 110 + 10] = 0
    prepared = system.prepare_item(encode_png(item))
    placed = system.place_probe(item, np.ones_like(item, bool), placements(step_deg=16))
    _, picture = system.pictures(placed, 1, (40.0, -24.0), prepared.thumbnail_png, item_size_px=(586, 220))
    shown = decode_image(picture).gray
    middle = np.argwhere(shown < 64).mean(0)
    np.testing.assert_allclose(middle, (672 / 2 - 40, 352 / 2 + 24), atol=2)
