"""The general embedding goes on learning from a gallery's own impressions."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.synthesis.prints import clean_impression
from outsole.synthesis.treads import make_tread
from tests.standins import write_partial_print
from training.adapt import FEWEST_PICTURES, Adaptation, general_network, main, picture_files, system_of
from training.adaptable_prints import read_impressions
from training.partial_print import embedded
from training.print_views import KeptImpressions, ViewBatches

GENERAL, CRISP = Path("model_repository/partial_print"), Path("model_repository/crisp_lite")


def _impressions(count: int) -> list[NDArray[np.uint8]]:
    return [clean_impression(make_tread(seed), seed) for seed in range(count)]


def _folder(place: Path, count: int) -> Path:
    place.mkdir()
    for number, impression in enumerate(_impressions(count)):
        cv2.imwrite(str(place / f"{number:03d}.png"), impression)
    return place


def test_the_network_begins_with_the_weights_of_the_model_folder() -> None:
    import onnxruntime

    network = general_network(GENERAL).eval()
    session = onnxruntime.InferenceSession(str(GENERAL / "1/model.onnx"), providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).integers(0, 256, (2, 672, 352), dtype=np.uint8)
    cells = np.ones((2, 84, 44), np.uint8)
    (served,) = session.run(None, {"image": image, "cells": cells})
    with torch.no_grad():
        got = network(torch.from_numpy(image), torch.from_numpy(cells)).numpy()
    assert np.all((served.astype(np.float32) * got).sum(1) > 0.999)


def test_a_folder_that_holds_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataCorrupt, match="has no weights"):
        general_network(write_partial_print(tmp_path, "stranger"))


@pytest.mark.parametrize(
    ("name", "count", "said"),
    [("mine", FEWEST_PICTURES - 1, "15 clean impressions"), ("partial_print", FEWEST_PICTURES, "another name")],
)
def test_what_cannot_be_adapted_to_is_refused(name: str, count: int, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Adaptation(name, KeptImpressions([np.zeros((4, 4), np.uint8)] * count), GENERAL, "nothing")


def test_impressions_are_read_but_for_those_left_out(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "impressions", 3)
    files = picture_files(folder, without=["001"])
    assert [file.stem for file in files] == ["000", "002"]
    impressions, refused = read_impressions(files)
    assert (len(impressions), refused) == (2, [])
    with pytest.raises(NotFound):
        picture_files(tmp_path / "nowhere")


def test_an_impression_is_read_back_as_its_tread() -> None:
    source, made = KeptImpressions(_impressions(1)), make_tread(0)
    tread = source.tread(0)
    both, either = (tread.inside & made.inside).sum(), (tread.inside | made.inside).sum()
    assert both / either > 0.8
    assert np.corrcoef(tread.depth[made.inside], made.depth[made.inside])[0, 1] > 0.7


def test_a_step_s_batch_is_the_same_whenever_it_is_asked_for() -> None:
    batches = ViewBatches(KeptImpressions(_impressions(3)), steps=2, batch_items=4, seed=5)
    first, again, other = batches[1], batches[1], batches[0]
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["piece"], other["piece"])


def test_a_few_steps_write_an_embedding_that_ranks_its_own_impressions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, source = GENERAL.absolute(), _folder(tmp_path / "impressions", FEWEST_PICTURES)
    monkeypatch.chdir(tmp_path)
    made = main.main(
        [str(source), "--as", "mine", "--preset", "smoke", "--base", str(base), "--repository", "models"],
        standalone_mode=False,
    )
    assert made is None
    folder = tmp_path / "models/mine"
    assert {path.name for path in folder.iterdir()} == {"1", "card.md", "config.pbtxt", "spec.json"}
    assert "clean impressions" in (folder / "card.md").read_text()
    network = general_network(folder).eval()
    batch = ViewBatches(KeptImpressions(_impressions(8)), steps=1, batch_items=8, seed=3, in_order=True)[0]
    wholes = embedded(network, batch["whole"], batch["whole_cells"])
    assert torch.allclose(wholes.norm(dim=1), torch.ones(8), atol=1e-3)
    pieces = embedded(network, batch["piece"], batch["piece_cells"])
    assert int(((pieces @ wholes.T).argmax(1) == torch.arange(8)).sum()) >= 5


def test_a_spatial_embedding_learns_further_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _folder(tmp_path / "impressions", FEWEST_PICTURES)
    base = CRISP.absolute()
    monkeypatch.chdir(tmp_path)
    arguments = ["--system", "crisp_lite", "--preset", "smoke", "--base", str(base), "--repository", "models"]
    main.main([str(source), "--as", "mine", *arguments], standalone_mode=False)
    found = json.loads((tmp_path / "build/training/mine_smoke/result.json").read_text())["metrics"]
    assert found["recall_rank1"] > 3 / FEWEST_PICTURES
    assert found["recall_rank1_before"] > 3 / FEWEST_PICTURES
    before, after = (general_network(folder, "crisp_lite").state_dict() for folder in (base, tmp_path / "models/mine"))
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_each_side_of_each_impression_begins_with_a_proxy_where_the_general_network_sees_it() -> None:
    impressions = _impressions(FEWEST_PICTURES)
    system = system_of(Adaptation("mine", KeptImpressions(impressions), GENERAL, "nothing"))
    network = system.build().eval()
    proxies = network.get_submodule("proxies").get_parameter("proxies").detach()
    assert proxies.shape == (2 * FEWEST_PICTURES, 256)
    batch = ViewBatches(KeptImpressions(impressions), steps=1, batch_items=8, seed=3)[0]
    wholes = embedded(network, batch["whole"], batch["whole_cells"])
    assert torch.equal((wholes @ proxies.T).argmax(1), batch["labels"])
    with torch.no_grad():
        parts = system.loss(network, batch)
    assert float(parts["loss"]) == pytest.approx(float(parts["in_batch"] + parts["against_all"]), rel=1e-5)


def test_a_general_system_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="another name"):
        pictures = KeptImpressions(_impressions(1) * FEWEST_PICTURES)
        Adaptation("crisp_lite", pictures, CRISP, "nothing", "crisp_lite")
