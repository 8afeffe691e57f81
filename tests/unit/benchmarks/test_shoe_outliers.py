"""Outliers measured: rules on vectors whose outliers are known, and the record of an encoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

from benchmarks.shoe_systems.outliers import KINDS, find_encoder, main, outlier_record, records_of, table
from benchmarks.shoe_systems.rules import RULES, best_margin
from indexer.outliers import find_outliers
from outsole.errors import InvalidInput, NotFound
from outsole.imaging.shoe_crops import CROP_PX
from training.shoe_encoders import imagenet_encoder
from training.shoe_sets import WRONG, PlantedSets, planted_sets

Vectors = NDArray[np.float32]


def _sets(kinds: list[str], models: list[int]) -> PlantedSets:
    return PlantedSets(np.zeros((len(kinds), *CROP_PX, 3), np.uint8), np.array(models), tuple(kinds))


def _clear_case() -> tuple[Vectors, PlantedSets]:
    """Two tight sets of five, one wrong picture in each, opposite to its set."""
    rng = np.random.default_rng(0)
    centres = np.eye(8, dtype=np.float32)[[0, 1]].repeat(5, axis=0)
    vectors = centres + 0.05 * rng.normal(size=centres.shape)
    vectors[[2, 7]] = np.eye(8)[[5, 6]]
    kinds = ["", "", "box", "", "", "", "", "pair", "", ""]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32), _sets(kinds, [3] * 5 + [9] * 5)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_finds_what_is_plainly_wrong_and_nothing_else(rule: str) -> None:
    vectors, sets = _clear_case()
    (record,) = records_of(vectors, sets, rules=(rule,))
    assert (record.recall, record.false_rate) == (1.0, 0.0) and record.reaches_target
    assert record.recall_of == {"box": 1.0, "pair": 1.0}
    assert (record.pictures, record.planted) == (10, 2)


def test_the_rule_as_it_stands_is_the_indexers() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(60, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codes = rng.integers(0, 9, 60)
    scores = np.nan_to_num(RULES["margin"](vectors, codes), nan=-1.0)
    assert np.array_equal(scores > 0, find_outliers(vectors, codes).is_outlier)


@pytest.mark.parametrize("rule", RULES)
def test_sets_below_three_are_not_judged(rule: str) -> None:
    assert np.isnan(RULES[rule](np.eye(4, dtype=np.float32), np.array([0, 0, 1, 1]))).all()


def test_what_is_missed_and_what_is_taken_wrongly_are_counted_apart() -> None:
    vectors, sets = _clear_case()
    vectors[2], vectors[8] = vectors[1], vectors[2]
    (record,) = records_of(vectors, sets, rules=("margin",))
    assert record.recall == 0.5 and record.false_rate == pytest.approx(1 / 8)
    assert record.recall_of == {"box": 0.0, "pair": 1.0}
    assert not record.reaches_target
    metrics = record.metrics()
    assert (metrics["outlier_recall"], metrics["outlier_recall_box"]) == (0.5, 0.0)


def test_the_best_limit_lets_so_many_through_and_no_more() -> None:
    scores = np.array([0.5, 0.4, 0.3, 0.2, 0.1, np.nan], np.float32)
    planted = np.array([True, False, True, False, False, True])
    for allowed, limit, found in ((0.0, 0.4, 0.5), (0.34, 0.2, 1.0)):
        assert np.allclose(best_margin(scores, planted, false_rate=allowed), (limit, found))


def test_every_kind_of_wrong_picture_has_its_column() -> None:
    assert KINDS == WRONG


def test_an_encoder_is_asked_for_every_crop_and_its_vectors_need_no_length() -> None:
    vectors, sets = _clear_case()
    seen: list[int] = []

    def encode(crops: NDArray[np.uint8]) -> Vectors:
        seen.append(len(crops))
        return 7 * vectors

    assert outlier_record(encode, sets).recall == 1.0
    assert seen == [10]


def test_nothing_planted_and_unknown_rules_are_refused() -> None:
    vectors, sets = _clear_case()
    with pytest.raises(InvalidInput, match="0 of 10 are planted"):
        records_of(vectors, _sets([""] * 10, [0] * 10), rules=("margin",))
    with pytest.raises(InvalidInput, match="one of margin"):
        records_of(vectors, sets, rules=("guess",))


def test_an_untrained_trunk_finds_most_in_real_pictures() -> None:
    sets = planted_sets(6, sizes=(5, 6), wrong_share=0.15, seed=1)
    record = outlier_record(imagenet_encoder(), sets)
    assert record.recall >= 0.7 and record.false_rate <= 0.1
    text = table({"imagenet": [record]})
    assert "imagenet" in text and "margin" in text


def test_the_command_prints_a_table_and_writes_the_record(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    done = CliRunner().invoke(main, ["--models", "3", "--wrong-share", "0.3", "--json", str(path)])
    assert done.exit_code == 0, done.output
    record = json.loads(path.read_text())
    assert record["inputs"]["encoder"] == "imagenet" and record["inputs"]["models"] == 3
    assert 0 <= record["metrics"]["outlier_recall"] <= 1


def test_a_folder_without_a_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"neither checkpoint\.pt"):
        find_encoder(str(tmp_path))
