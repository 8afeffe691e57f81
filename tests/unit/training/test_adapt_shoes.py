"""The encoder of shoes goes on learning from a catalogue's own photographs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch

from outsole.answers import View
from outsole.errors import DataCorrupt, InvalidInput
from outsole.matching.shoe_system import DEFAULT_SHOE_ENCODER
from outsole.synthesis.shoe_pictures import retail_photograph
from outsole.synthesis.shoes import plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper
from tests.standins import write_shoe_encoder
from training.adapt import FEWEST_PICTURES, Adaptation, general_network, picture_files, said_of, system_of
from training.adaptable_shoes import figures_of, read_photographs
from training.own_photographs import KeptPhotographs, OwnShoeBatches, Photograph

GENERAL = Path("model_repository") / DEFAULT_SHOE_ENCODER
MODELS = plan_models(FEWEST_PICTURES, seed=9)


def _kept() -> KeptPhotographs:
    rgbs = (retail_photograph(draw_upper(design_of(model), View.SIDE), 1).rgb for model in MODELS)
    kept, refused = KeptPhotographs.cut(
        Photograph(rgb, View.SIDE, model.model_id, model.model_id) for rgb, model in zip(rgbs, MODELS, strict=True)
    )
    assert refused == []
    return kept


def test_the_network_begins_with_the_weights_of_the_model_folder() -> None:
    import onnxruntime

    network = general_network(GENERAL, DEFAULT_SHOE_ENCODER).eval()
    session = onnxruntime.InferenceSession(str(GENERAL / "1/model.onnx"), providers=["CPUExecutionProvider"])
    kept = _kept()
    crops = np.stack([kept.catalogue(row) for row in range(3)])
    (served,) = session.run(None, {"image": crops})
    with torch.no_grad():
        got = network(torch.from_numpy(crops)).numpy()
    assert np.all((served.astype(np.float32) * got).sum(1) > 0.999)


def test_a_folder_that_holds_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataCorrupt, match="has no weights"):
        general_network(write_shoe_encoder(tmp_path), DEFAULT_SHOE_ENCODER)


def test_too_few_photographs_are_refused() -> None:
    few = _kept().first(FEWEST_PICTURES - 1)
    with pytest.raises(InvalidInput, match="15 photographs to adapt to"):
        Adaptation("mine", few, GENERAL, "nothing", DEFAULT_SHOE_ENCODER)


def test_each_photograph_begins_with_a_proxy_where_the_general_network_sees_it() -> None:
    kept = _kept()
    system = system_of(Adaptation("mine", kept, GENERAL, "nothing", DEFAULT_SHOE_ENCODER))
    network = system.build().eval()
    proxies = network.get_submodule("proxies").get_parameter("proxies").detach()
    assert proxies.shape == (FEWEST_PICTURES, 256)
    with torch.no_grad():
        vectors = network(torch.from_numpy(np.stack([kept.catalogue(row) for row in range(4)])))
        assert torch.equal((vectors @ proxies.T).argmax(1), torch.arange(4))
        parts = system.loss(network, OwnShoeBatches(kept, steps=1, batch_items=4, seed=3)[0])
    assert float(parts["loss"]) == pytest.approx(float(parts["in_batch"] + parts["against_all"]), rel=1e-5)
    groups = system.rates(network, system.preset("cpu"))
    assert {id(p) for group in groups for p in group["params"]} == {
        id(p) for p in network.parameters() if p.requires_grad
    }


def test_degraded_views_are_searched_among_all_photographs() -> None:
    kept = _kept()
    few = kept.of_models(lambda name: name in {model.model_id for model in MODELS[:4]})
    network = general_network(GENERAL, DEFAULT_SHOE_ENCODER).eval()
    with torch.no_grad():
        figures = figures_of(network, kept, asked=few, seed=1)
    assert set(figures) == {"rank1", "rank5", "map"}
    assert figures["rank5"] >= 0.5 and figures["rank1"] in (0.0, 0.25, 0.5, 0.75, 1.0)


def test_a_directory_s_photographs_are_sides_of_a_model_each(tmp_path: Path) -> None:
    for number, model in enumerate(MODELS[:3]):
        rgb = retail_photograph(draw_upper(design_of(model), View.SIDE), 1).rgb
        cv2.imwrite(str(tmp_path / f"{number}.png"), rgb[..., ::-1])
    cv2.imwrite(str(tmp_path / "empty.png"), np.full((80, 120, 3), 250, np.uint8))
    kept, refused = read_photographs(picture_files(tmp_path, without=["1"]))
    assert kept.names == (("0", View.SIDE), ("2", View.SIDE))
    assert len(refused) == 1 and "empty.png" in refused[0]
    assert said_of(refused)[0] == "pictures left out: 1"
