"""From a picture's bytes to a canvas: impressions as they are, photographs through the depth predictor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from indexer.preparing import Preparer, command
from outsole.encoders.spec import EncoderSpec
from outsole.errors import InvalidInput
from outsole.imaging.picture_hash import hash_from_text
from outsole.synthesis.photographs import clean_print, photograph
from outsole.synthesis.shoes import make_instance, plan_models

MODELS = Path(__file__).resolve().parents[3] / "model_repository/print_lite2_b6"


@pytest.fixture(scope="module")
def rules() -> EncoderSpec:
    return EncoderSpec.load(MODELS)


def png(picture: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1].tobytes())


def test_an_impression_is_laid_on_the_canvas_as_it_is(rules: EncoderSpec) -> None:
    tread = make_instance(plan_models(1, seed=3)[0], 0)
    impression = clean_print(tread.depth)
    prepared = Preparer(rules)(png(impression))
    assert (prepared.height_px, prepared.width_px) == impression.shape
    assert prepared.image.shape == (rules.canvas_height_px, rules.canvas_width_px)
    assert hash_from_text(prepared.picture_hash) != 0


def test_a_photograph_goes_through_the_predictor_upright(rules: EncoderSpec) -> None:
    seen = []

    def contact(picture: NDArray[np.uint8]) -> NDArray[np.floating]:
        seen.append(picture.shape)
        return np.ones(picture.shape[:2], np.float32)

    tread = make_instance(plan_models(1, seed=3)[0], 0)
    shots = (photograph(tread, seed).rgb for seed in range(20))
    shown = next(shot for shot in shots if np.ptp(shot.reshape(-1, 3).astype(int), axis=1).mean() > 40)
    prepared = Preparer(rules, contact)(png(shown[..., ::-1]))
    assert seen == [(384, 192, 3)]
    assert prepared.height_px > 586
    with pytest.raises(InvalidInput, match="no depth predictor"):
        Preparer(rules)(png(shown[..., ::-1]))


def test_an_impression_is_worn_before_it_is_laid_down_and_keeps_its_size_and_hash(rules: EncoderSpec) -> None:
    impression = clean_print(make_instance(plan_models(1, seed=3)[0], 0).depth)
    plain = Preparer(rules)(png(impression))
    worn = Preparer(rules, worn=lambda gray: cv2.erode(gray, np.ones((9, 9), np.uint8)).astype(np.uint8))(
        png(impression)
    )
    assert (worn.width_px, worn.height_px, worn.picture_hash) == (plain.width_px, plain.height_px, plain.picture_hash)
    assert not np.array_equal(worn.image, plain.image)
    assert worn.thumbnail_png != plain.thumbnail_png


def test_the_command_writes_canvases_and_names_what_it_refuses(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(png(clean_print(make_instance(plan_models(1, seed=3)[0], 0).depth)))
    bad.write_bytes(b"no picture")
    found = CliRunner().invoke(command, [str(good), str(bad), "--out", str(tmp_path / "out"), "--models", str(MODELS)])
    assert found.exit_code == 1
    assert "1 canvases" in found.output
    assert "bad.png" in found.output
    assert (tmp_path / "out/good.png").is_file()
