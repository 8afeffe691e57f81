"""The parts of the table of print systems against slow or known answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks.print_systems.correlation import half_scale, half_scale_window
from benchmarks.print_systems.depth import correlations
from benchmarks.print_systems.embedding import WEIGHTS, cross_validated, shortlisted
from benchmarks.print_systems.held_out import held_out_references
from benchmarks.print_systems.kept import Kept
from benchmarks.print_systems.models import Shelf, read_json
from benchmarks.print_systems.pictures import (
    best_shift,
    item_spectra,
    made_figures,
    made_row,
    published_cells,
)
from benchmarks.print_systems.rows import Row, markdown_table, plain_table, search_figures, true_ranks
from outsole.encoders.crisp import visible_cells
from outsole.encoders.spec import EncoderSpec
from outsole.errors import DataCorrupt
from outsole.imaging.crisp_pictures import covered_cells

MODEL = Path(__file__).parents[3] / "model_repository" / "print_lite2_b6"


def test_ranks_of_the_references_are_those_of_a_plain_sort_with_equal_scores_in_order() -> None:
    scores = np.round(np.random.default_rng(1).random((20, 30)), 1)
    truth = np.random.default_rng(2).integers(0, 30, 20)
    expected = [
        1 + sorted(range(30), key=lambda row, line=line: (-line[row], row)).index(own)  # type: ignore[misc]
        for line, own in zip(scores.tolist(), truth.tolist(), strict=True)
    ]
    assert true_ranks(scores, truth).tolist() == expected


def test_a_reference_outside_the_shortlist_is_missed_at_every_rank() -> None:
    scores = np.array([[0.9, 0.1, 0.5], [0.9, 0.1, 0.5]], np.float32)
    kept = shortlisted(scores, np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]], np.float32), 2)
    assert np.isneginf(kept).sum(1).tolist() == [1, 1]
    figures = search_figures(kept, np.array([0, 0]))
    assert (figures["rank1"], figures["recall400"]) == (50.0, 0.5)


def test_the_weight_of_a_half_is_chosen_on_the_other_half_alone() -> None:
    rng = np.random.default_rng(3)
    truth = np.repeat(np.arange(20), 2)
    # In the scales of the two scores as they are served: correlations differ less than cosines do.
    correlation = rng.normal(0, 0.02, (40, 60)).astype(np.float32)
    embedding = rng.normal(0, 0.1, (40, 60)).astype(np.float32)
    embedding[np.arange(40), truth] += 0.9
    found = cross_validated(correlation, embedding, truth)
    assert search_figures(found.scores, truth)["rank1"] > 90
    spoiled = embedding.copy()
    first = truth % 2 == 0
    spoiled[first] = -spoiled[first]
    changed = cross_validated(correlation, spoiled, truth)
    # The first half is measured with the weight of the second, whose scores are as before.
    assert changed.weights[0] == found.weights[0]
    assert changed.weights[1] == WEIGHTS[0] < found.weights[1]


def test_the_best_shift_is_that_of_a_plain_search() -> None:
    rng = np.random.default_rng(4)
    items, probes = (rng.normal(size=(count, 3, 6, 4)).astype(np.float32) for count in (5, 2))
    expected = np.full(5, -np.inf)
    for down in range(-5, 6):
        for right in range(-3, 4):
            laid = np.zeros((5, 3, 18, 12), np.float32)
            laid[:, :, 6:12, 4:8] = items
            window = laid[:, :, 6 + down : 12 + down, 4 + right : 8 + right]
            expected = np.maximum(expected, np.einsum("nchw,pchw->np", window, probes).max(1))
    np.testing.assert_allclose(best_shift(item_spectra(items), probes), expected, rtol=1e-4)


def test_a_cell_counts_when_half_of_it_is_visible_and_one_always_does() -> None:
    masks = np.zeros((2, 64, 64), bool)
    masks[0, :48, :32] = True
    masks[1, 33:36, 33:36] = True
    shown = covered_cells(masks, 32)
    assert shown[0].tolist() == [[1, 0], [1, 0]]
    assert shown[1].tolist() == [[0, 0], [0, 1]]


def test_the_published_rule_is_the_one_that_the_encoder_trains_with() -> None:
    masks = np.zeros((3, 384, 192), bool)
    masks[0, 60:150, 40:90] = True
    masks[1, 383, 191] = True
    expected = visible_cells(torch.from_numpy(masks), (12, 6)).numpy()
    np.testing.assert_array_equal(published_cells(masks, (12, 6)), expected)


def test_a_canvas_at_half_scale_lies_where_its_window_of_cells_says() -> None:
    rules = EncoderSpec.load(MODEL)
    canvas = np.full((672, 352), 128, np.uint8)
    margin = rules.margin_px
    canvas[margin:-margin, margin:-margin] = 200
    rows, columns = half_scale_window(rules)
    cells = half_scale(canvas).reshape(84, 8, 44, 8).mean((1, 3))
    assert cells[rows, columns].shape == (38, 18)
    assert (cells[rows, columns] == 200).all()
    assert (cells == 200).sum() == 38 * 18


def test_correlations_are_numpy_s_inside_the_sole() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(1, 255, (3, 20, 10)).astype(np.uint8)
    truth[:, :5] = 0
    predicted = (truth + rng.normal(0, 40, truth.shape)).astype(np.float32)
    predicted[:, :5] = 1e3
    expected = [np.corrcoef(p[5:].ravel(), t[5:].ravel())[0, 1] for p, t in zip(predicted, truth, strict=True)]
    np.testing.assert_allclose(correlations(predicted, truth), expected, atol=1e-6)


def test_only_visible_cells_count_on_made_data() -> None:
    rng = np.random.default_rng(6)
    gallery = rng.normal(size=(150, 4, 3, 2)).astype(np.float32)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    probes = gallery[:20].copy()
    probes[:, :, 1:] = -50 * gallery[:20, :, 1:]
    shown = np.zeros((20, 3, 2), np.float32)
    shown[:, 0] = 1
    relevant = np.eye(20, 150, dtype=bool)
    assert made_figures(probes, gallery, relevant, shown=shown) == {"hit100": 1.0, "map100": 1.0}
    assert made_figures(probes, gallery, relevant)["map100"] < 0.1


class _Names:
    ids = tuple(f"{number:05d}" for number in range(200))
    truth: NDArray[np.int64] = np.array([3, 3, 7, 100])


def test_a_tenth_is_held_out_and_what_probes_show_comes_first() -> None:
    names = held_out_references(_Names())
    assert len(names) == 20
    assert {"00003", "00007", "00100"} <= names
    assert names == held_out_references(_Names())


def test_scores_of_probes_that_are_kept_are_not_asked_again(tmp_path: Path) -> None:
    asked: list[int] = []

    def one(index: int) -> NDArray[np.float32]:
        asked.append(index)
        if len(asked) == 8:
            raise KeyboardInterrupt
        return np.full(4, index, np.float32)

    kept = Kept(tmp_path / "literature", "data")
    with pytest.raises(KeyboardInterrupt):
        kept.scores("a system", "hash", (10, 4), one)
    table = kept.scores("a system", "hash", (10, 4), one)
    np.testing.assert_array_equal(table[:, 0], np.arange(10))
    assert asked == [*range(8), *range(5, 10)]
    assert kept.scores("a system", "hash", (10, 4), one).shape == (10, 4)
    assert len(asked) == 13
    kept.scores("a system", "other weights", (10, 4), one)
    assert len(asked) == 23


def test_a_kept_row_comes_back_as_it_was_and_a_spoiled_one_is_made_again(tmp_path: Path) -> None:
    rows: Iterator[Row] = iter([Row("one", "p", {"rank1": 50.0}), Row("two", "p"), Row("three", "p")])
    kept = Kept(tmp_path, "data")
    first = kept.row("name", "hash", lambda: next(rows))
    assert kept.row("name", "hash", lambda: next(rows)) == first
    next(tmp_path.glob("*.json")).write_text("{")
    assert kept.row("name", "hash", lambda: next(rows)).system == "two"
    assert Kept(tmp_path, "other data").row("name", "hash", lambda: next(rows)).system == "three"


def test_a_run_gives_the_row_its_figures_preset_and_size(tmp_path: Path) -> None:
    folder = tmp_path / "crisp_lite_pooled_cpu"
    folder.mkdir()
    (folder / "result.json").write_text(
        '{"metrics": {"hit100": 0.9, "map100": 0.4}, "preset": "cpu", "steps": 10, "seconds": 120, "device": "cpu",'
        ' "complete": false, "parameters": 1000, "settings": {"evaluate_items": 2000}}'
    )
    row = made_row("pooled", "crisp_lite:pooled", Shelf(tmp_path / "none", tmp_path), Kept(None))
    assert (row.figures["hit100"], row.parameters) == (0.9, 1000)
    assert "stopped after 10 steps" in row.note
    assert "2000 models" in row.protocol
    (folder / "result.json").write_text("[]")
    with pytest.raises(DataCorrupt, match=r"result\.json"):
        read_json(folder / "result.json")


def test_both_tables_show_a_figure_a_missing_one_and_the_note() -> None:
    rows = [Row("a|b", "p", {"hit100": 0.5, "rank1": 71.25}, "data", 3_200_000, 4.56, "note")]
    line = markdown_table(rows).splitlines()[2]
    assert line.startswith("| a/b | p | 0.500 | - | 71.2 | - |")
    assert line.endswith("| data | 3.20 M | 4.6 | note |")
    assert "0.500" in plain_table(rows)
