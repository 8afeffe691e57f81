"""The made maps have the structure that is claimed, and the benchmark's table and record say what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.masked_search import VISIBLE_PCT, main
from benchmarks.stores.indexes import STORES, indexes_of, milvus_server
from benchmarks.stores.made_maps import CELLS, CHANNELS, MadeMaps
from outsole.errors import MissingPart


def test_maps_are_those_of_the_seed_whatever_the_batch() -> None:
    whole = MadeMaps(50, seed=3).maps(0, 50)
    assert whole.dtype == np.float16
    assert whole.shape == (50, CELLS, CHANNELS)
    np.testing.assert_array_equal(MadeMaps(50, seed=3).maps(17, 19), whole[17:19])
    assert not np.array_equal(MadeMaps(50, seed=4).maps(17, 19), whole[17:19])
    np.testing.assert_allclose(np.linalg.norm(whole.astype(np.float32), axis=2), 1, atol=2e-3)


def test_a_family_is_closer_than_strangers_and_strangers_have_the_place_in_common() -> None:
    maps = MadeMaps(200).maps(0, 200).reshape(200, -1).astype(np.float32) / np.sqrt(CELLS)
    cosines = maps @ maps.T
    family = np.arange(200) // 20
    same = (family[:, None] == family) & ~np.eye(200, dtype=bool)
    assert cosines[same].min() > np.quantile(cosines[family[:, None] != family], 0.95)
    assert 0.2 < cosines[family[:, None] != family].mean() < cosines[same].mean() < 0.95


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_probe_shows_its_share_of_cells_in_one_place(share: float) -> None:
    probes = MadeMaps(100).probes(8, share).reshape(8, CELLS, CHANNELS)
    lengths = np.linalg.norm(probes, axis=2)
    assert ((lengths > 0).sum(axis=1) == round(share * CELLS)).all()
    np.testing.assert_allclose(lengths[lengths > 0], 1, atol=1e-5)
    np.testing.assert_array_equal(probes, MadeMaps(100).probes(8, share).reshape(probes.shape))


def test_a_probe_that_shows_more_shows_the_same_and_more() -> None:
    less, more = (MadeMaps(100).probes(8, share).reshape(8, CELLS, CHANNELS) for share in (0.25, 0.75))
    shown = np.linalg.norm(less, axis=2) > 0
    np.testing.assert_array_equal(less[shown], more[shown])


@pytest.mark.parametrize("items", [100, 5_000, 57_000])
def test_a_product_quantiser_is_cut_along_the_cells(items: int) -> None:
    for store in STORES:
        for index in indexes_of(store, items):
            assert index.build.get("m", CELLS) == CELLS
            # faiss wants 39 points for each centre that it learns.
            assert index.build.get("nlist", 1) * 39 <= max(items, 39)
            assert index.search.get("nprobe", 1) <= index.build.get("nlist", 1)


def test_a_server_without_an_interpreter_is_a_missing_part(tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="nowhere"), milvus_server(tmp_path / "nowhere", tmp_path):
        pass


def test_the_record_has_recall_latency_and_build_time_of_each_index(tmp_path: Path) -> None:
    record = tmp_path / "r.json"
    arguments = ["--store", "exact", "--store", "lite", "--index", "scan", "--index", "FLAT"]
    done = CliRunner().invoke(main, [*arguments, "--items", "120", "--probes", "3", "--json", str(record)])
    assert done.exit_code == 0, done.output
    metrics = json.loads(record.read_text(encoding="utf-8"))["metrics"]
    for name in ("exact_scan", "lite_flat"):
        assert [metrics[f"{name}_recall100_{share}pct"] for share in VISIBLE_PCT] == [1.0] * len(VISIBLE_PCT)
        assert metrics[f"{name}_p50_ms"] > 0
        assert metrics[f"{name}_build_s"] > 0
    assert "10 %" in done.output
