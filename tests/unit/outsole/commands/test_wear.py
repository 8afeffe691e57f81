"""``outsole wear``: lines, strip and page of what the service answers; and the demo's section about wear."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import grpc
import numpy as np
import pytest

from outsole import cli
from outsole.api import Client, convert_wear
from outsole.api.errors import to_wire
from outsole.api.generated.outsole.v1 import wear_pb2, wear_pb2_grpc
from outsole.commands.demo import worn_reference
from outsole.errors import NotFound
from outsole.evaluation.collections import Collection, LabelledProbe
from tests.unit.outsole.api.made_wear import WEAR


class _Service(wear_pb2_grpc.WearServiceServicer):
    """Answers from constants, or has no model."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.has_model = True

    def PredictWear(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(request)
        if self.has_model:
            return convert_wear.prediction_to_wire(WEAR)
        failure = to_wire(NotFound("there is no model"))
        context.set_code(failure.code)
        context.set_details(failure.message)
        context.set_trailing_metadata(failure.trailing)
        return wear_pb2.PredictWearResponse()

    def ReconstructOutsole(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(request)
        return convert_wear.reconstruction_to_wire(dataclasses.replace(WEAR, backward=True))


@pytest.fixture
def service() -> _Service:
    return _Service()


@pytest.fixture
def target(service: _Service) -> Iterator[str]:
    """Address of a gRPC server in this process."""
    server = grpc.server(ThreadPoolExecutor(2))
    wear_pb2_grpc.add_WearServiceServicer_to_server(service, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait(5)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "references/00001.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), np.full((300, 120), 90, np.uint8))
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.run([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_lines_strip_and_page_say_what_was_simulated(
    service: _Service, target: str, *, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strip, page = picture.parent / "out/strip.png", picture.parent / "out/page.html"
    text = said(capsys, "wear", picture, "--weeks", "12,52", "--out", strip, "--report", page, "--target", target)
    assert list(service.asked[0].weeks) == [12, 52]
    assert service.asked[0].image == picture.read_bytes()
    lines = text.splitlines()
    assert [line.split() for line in lines if "weeks" in line] == [
        ["after", "12", "weeks", f"{WEAR.prints[0].mean_unsure:.3f}"],
        ["after", "52", "weeks", f"{WEAR.prints[1].mean_unsure:.3f}"],
    ]
    assert WEAR.simulation_notice in lines
    assert f"trained on {WEAR.trained_on}" in text
    assert f"note: {WEAR.warnings[0]}" in lines
    assert lines[-2:] == [f"see {strip}", f"see {page}"]
    drawn = cv2.imread(str(strip))
    assert drawn is not None and drawn.shape[1] > 600
    assert "The same print after some weeks" in page.read_text()


def test_wear_is_taken_off_when_asked_and_told_as_json(
    service: _Service, target: str, *, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(said(capsys, "wear", picture, "--backward", "--json", "--target", target))
    assert isinstance(service.asked[0], wear_pb2.ReconstructOutsoleRequest)
    assert list(service.asked[0].weeks) == [4, 12, 26, 52]
    assert (told["backward"], told["simulation_notice"]) == (True, WEAR.simulation_notice)
    assert told["prints"][1] == {"weeks": 52, "mean_unsure": WEAR.prints[1].mean_unsure}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--weeks", "4,5"), "weeks[1]: 5 is asked for"),
        (("--weeks", "4,x"), "'4,x' is not a list of weeks"),
        (("--weeks", "4,4"), "asked for twice"),
    ],
)
def test_weeks_that_make_no_sense_are_refused_before_anything_is_asked(
    arguments: tuple[str, ...], says: str, *, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["wear", str(picture), *arguments, "--target", "127.0.0.1:1"]) == 2
    assert says in capsys.readouterr().err


def test_a_service_without_a_model_is_one_sentence_and_leaves_the_demo_without_a_section(
    service: _Service, target: str, *, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    collection = Collection(picture.parent, (LabelledProbe("1", picture, "00001"),), 1)
    with Client(target, timeout_s=10.0) as client:
        found = worn_reference(client, collection)
        assert found is not None
        assert (found.name, found.notice, found.model_hash) == (
            "reference 00001",
            WEAR.simulation_notice,
            WEAR.model_hash,
        )
        assert found.strip_png.startswith(b"\x89PNG")
        service.has_model = False
        assert worn_reference(client, collection) is None
    assert list(service.asked[0].weeks) == [12, 26, 52]
    assert cli.run(["wear", str(picture), "--target", target]) == 2
    assert "there is no model" in capsys.readouterr().err
    assert cli.run(["wear", str(picture.with_name("missing.png")), "--target", target]) == 2
    assert "missing.png" in capsys.readouterr().err
