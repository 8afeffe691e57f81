"""Wear over gRPC, through Ray Serve and Triton: predictions both ways, and a clear answer to what cannot be asked."""

from __future__ import annotations

import cv2
import grpc
import numpy as np
import pytest

from outsole.api import Client
from outsole.api.generated.outsole.v1 import wear_pb2, wear_pb2_grpc
from outsole.errors import InvalidInput
from outsole.wear.model import Direction, find_wear_models
from outsole.wear_answers import SIMULATION_NOTICE
from tests.end_to_end.stack import PROJECT, Stack


def read(png: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return np.asarray(found)


@pytest.mark.parametrize("direction", Direction)
def test_a_print_is_taken_on_and_back_in_time(client: Client, stack: Stack, direction: Direction) -> None:
    image = (stack.made.directory / "references/00001.png").read_bytes()
    ask = client.predict_wear if direction is Direction.FORWARD else client.reconstruct_outsole
    answer = ask(image, weeks=(52, 4))
    model = find_wear_models((PROJECT / "model_repository", stack.settings.encoders_dir))[direction]
    assert [worn.weeks for worn in answer.prints] == [52, 4]
    assert (answer.model_hash, answer.trained_on) == (model.hash, model.spec.trained_on)
    assert answer.simulation_notice == SIMULATION_NOTICE
    assert answer.backward is (direction is Direction.BACKWARD)
    assert set(answer.stage_ms) == {"receive", "decode", "lay", "predict", "report"}
    for worn in answer.prints:
        assert read(worn.image_png).shape == read(worn.unsure_png).shape == read(image).shape[:2]
        assert 0 <= worn.mean_unsure <= 1
    assert answer.prints[0].image_png != answer.prints[1].image_png
    evidence = client.upload_evidence(stack.made.directory / "references/00001.png")
    assert ask(evidence, weeks=(52, 4)).prints == answer.prints


def test_weeks_and_pictures_that_cannot_be_asked_about_are_refused(client: Client, stack: Stack) -> None:
    for weeks, field in (((), "weeks"), ((7,), "weeks[0]"), ((4, 53), "weeks[1]"), ((-2,), "weeks[0]")):
        with pytest.raises(InvalidInput) as caught:
            client.predict_wear(stack.probe(), weeks=weeks)
        assert (caught.value.field, bool(caught.value.remedy)) == (field, True)
    with pytest.raises(InvalidInput, match="asked for twice"):
        client.reconstruct_outsole(stack.probe(), weeks=(4, 4))
    with pytest.raises(InvalidInput, match="not an image"):
        client.predict_wear(b"no image at all", weeks=(4,))
    colours = np.random.default_rng(0).integers(0, 256, (90, 80, 3), np.uint8)
    for picture, told in (
        (colours, "photograph in colours"),
        (np.full((90, 80), 9, np.uint8), "too dark"),
        (np.full((90, 40), 250, np.uint8), "too small"),
        (np.full((90, 80), 200, np.uint8), "nothing stands out"),
    ):
        with pytest.raises(InvalidInput, match=told) as caught:
            client.predict_wear(cv2.imencode(".png", picture)[1].tobytes(), weeks=(4,))
        assert (caught.value.field, bool(caught.value.remedy)) == ("image", True)
    with grpc.insecure_channel(stack.target) as channel:
        stub = wear_pb2_grpc.WearServiceStub(channel)  # type: ignore[no-untyped-call]
        with pytest.raises(grpc.RpcError) as refused:
            stub.PredictWear(wear_pb2.PredictWearRequest(weeks=[4]), timeout=10)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "Traceback" not in refused.value.details()
