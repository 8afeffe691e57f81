"""Questions about wear inside one process, and as the wire asks them: a stand-in predicts, everything else is real."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import cv2
import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.api.convert_wear import wear_answer_from_wire
from outsole.api.errors import DETAILS_KEY, from_status
from outsole.api.generated.outsole.v1 import errors_pb2, wear_pb2
from outsole.errors import BudgetSpent, InvalidInput, NotFound
from outsole.giving_way import QueriesAtWork
from outsole.wear.model import Direction
from outsole.wear_answers import SIMULATION_NOTICE, WearAnswer
from services.evidence import EvidenceStore
from services.ingress import wear_parts
from services.parts import SearchParts
from services.queries import Probe, WearQuery
from services.settings import ServiceSettings
from services.telemetry import NullRecorder
from services.wear import simulate_wear
from services.wear_methods import WearMethods
from tests.wear_standins import TRAINED_ON, faded, write_wear_model

pytest.importorskip("onnxruntime")
INK, PAPER, HEIGHT, WIDTH = 40, 230, 300, 120
STAGES = {"receive", "decode", "lay", "predict", "report"}


def made_print(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """Bars of ink on paper, uint8 [H, W], with a margin."""
    gray = np.full((height, width), PAPER, np.uint8)
    for top in range(height // 10, height * 9 // 10, height // 10):
        gray[top : top + height // 20, width // 8 : -width // 8] = INK
    return gray


def png(gray: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".png", gray)
    assert done
    return data.tobytes()


def read(data: bytes) -> NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return np.asarray(found, np.uint8)


@dataclass
class Context:
    """Keeps the status of a call."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    error: Any = None

    def set_code(self, code: grpc.StatusCode) -> None:
        self.code = code

    def set_details(self, details: str) -> None: ...

    def set_trailing_metadata(self, trailing_metadata: list[tuple[str, str | bytes]]) -> None:
        self.error = from_status(errors_pb2.Status.FromString(cast(bytes, dict(trailing_metadata)[DETAILS_KEY])))


@dataclass
class Recorder(NullRecorder):
    """Keeps which stages were measured."""

    stages: set[str] = field(default_factory=set)

    def observe(self, name: str, value: float, labels: Any) -> None:
        if name == "outsole_stage_latency_ms":
            self.stages.add(labels["stage"])


class Host(WearMethods):
    """The methods without the deployment; what is not asked about wear is not there."""

    def __init__(self, home: Path) -> None:
        self.settings = ServiceSettings(home=home, model_repository=home / "none", encoder_backend="in_process")
        self.recorder = self.kept = Recorder()
        self.queries = QueriesAtWork(home / "queries")
        nothing: Any = None
        self._parts = SearchParts(
            system=nothing,
            encoder=nothing,
            catalogue=nothing,
            archives=nothing,
            candidates=nothing,
            reranking=nothing,
            evidence=EvidenceStore(home / "evidence", max_bytes=10**7),
            recorder=self.kept,
            wear=wear_parts(self.settings),
        )

    @property
    def parts(self) -> SearchParts:
        return self._parts

    def simulate(self, query: WearQuery) -> WearAnswer:
        return asyncio.run(simulate_wear(query, self._parts))

    def call(self, method: str, request: Any) -> tuple[WearAnswer, Context]:
        context = Context()
        message = asyncio.run(getattr(self, method)(request, context))
        return wear_answer_from_wire(message), context


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    home = tmp_path_factory.mktemp("home")
    for direction in Direction:
        write_wear_model(home / "encoders", direction)
    return Host(home)


def asked(image: bytes | None = None, weeks: tuple[int, ...] = (4, 0, 52)) -> wear_pb2.PredictWearRequest:
    return wear_pb2.PredictWearRequest(image=png(made_print()) if image is None else image, weeks=weeks)


def refused(host: Host, request: Any, method: str = "PredictWear") -> Any:
    """The error that a call is answered with, beside an empty answer."""
    answer, context = host.call(method, request)
    assert (answer.prints, context.code) == ((), grpc.StatusCode.INVALID_ARGUMENT)
    assert isinstance(context.error, InvalidInput)
    return context.error


@pytest.mark.parametrize("direction", Direction)
def test_predictions_come_in_the_order_of_the_weeks_in_the_frame_that_was_given(
    host: Host, direction: Direction
) -> None:
    gray = made_print()
    gray[: HEIGHT // 2] = np.where(gray[: HEIGHT // 2] == INK, (INK + PAPER) // 2, PAPER)
    answer = host.simulate(WearQuery(Probe(image=png(gray)), direction, (4, 0, 52)))
    assert [worn.weeks for worn in answer.prints] == [4, 0, 52]
    assert answer.backward is (direction is Direction.BACKWARD)
    half = (PAPER - (INK + PAPER) // 2) / (PAPER - INK)
    for worn in answer.prints:
        shown, unsure = read(worn.image_png), read(worn.unsure_png)
        assert shown.shape == unsure.shape == gray.shape
        assert (shown[5, 5], unsure[5, 5]) == (255, 0)
        for row, contact in ((HEIGHT // 10 + 5, half), (HEIGHT * 8 // 10 + 5, 1.0)):
            left = faded(contact, worn.weeks, direction)
            assert shown[row, WIDTH // 2] == pytest.approx(255 * (1 - left), abs=2)
        assert worn.mean_unsure == pytest.approx(unsure.mean() / 255)
    assert answer.prints[1].mean_unsure == 0 < answer.prints[0].mean_unsure < answer.prints[2].mean_unsure


def test_an_answer_says_that_it_is_a_simulation_by_which_model_and_what_was_done(host: Host) -> None:
    image = png(made_print())
    host.kept.stages.clear()
    answer, context = host.call("PredictWear", asked(image))
    spec = host.parts.wear.open(Direction.FORWARD).model.spec
    assert context.code is grpc.StatusCode.OK
    assert (answer.model, answer.model_hash, answer.trained_on) == ("wear_forward", spec.hash, TRAINED_ON)
    assert answer.simulation_notice == SIMULATION_NOTICE
    assert answer.probe_sha256 == hashlib.sha256(image).hexdigest()
    assert answer.settings == {"direction": "forward", "weeks": "4 0 52"}
    assert answer.steps[0].startswith("decoded PNG")
    assert answer.steps[-1] == "laid on the model's canvas of 256 x 640 px"
    assert set(answer.stage_ms) == host.kept.stages == STAGES
    back, _ = host.call("ReconstructOutsole", wear_pb2.ReconstructOutsoleRequest(image=image, weeks=[12]))
    assert (back.backward, back.model, back.prints[0].weeks) == (True, "wear_backward", 12)


def test_a_print_larger_than_the_canvas_comes_back_in_its_own_size(host: Host) -> None:
    answer, _ = host.call("PredictWear", asked(png(made_print(1000, 440)), (2,)))
    assert read(answer.prints[0].image_png).shape == (1000, 440)
    assert "reduced from 440 x 1000 px to 256 x 582 px" in answer.steps


def test_evidence_is_asked_about_by_its_digest(host: Host) -> None:
    image = png(made_print())
    with host.parts.evidence.begin() as upload:
        upload.write(image)
        digest = upload.finish().sha256
    by_digest, _ = host.call("PredictWear", wear_pb2.PredictWearRequest(evidence_sha256=digest, weeks=[26]))
    assert by_digest.prints == host.call("PredictWear", asked(image, (26,)))[0].prints
    missing = wear_pb2.PredictWearRequest(evidence_sha256="0" * 64, weeks=[26])
    assert host.call("PredictWear", missing)[1].code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("weeks", "where", "value"),
    [
        ((), "weeks", "0 weeks"),
        ((4, 53), "weeks[1]", "53"),
        ((7,), "weeks[0]", "7"),
        ((-2,), "weeks[0]", "-2"),
        ((4, 12, 4), "weeks[2]", "4 is asked for twice"),
        (tuple(range(0, 56, 2)), "weeks", "28 weeks"),
    ],
)
@pytest.mark.parametrize("kind", [wear_pb2.PredictWearRequest, wear_pb2.ReconstructOutsoleRequest])
def test_weeks_that_cannot_be_asked_for_are_refused_with_value_and_remedy(
    host: Host, weeks: tuple[int, ...], where: str, *, value: str, kind: Any
) -> None:
    method = kind.DESCRIPTOR.name.removesuffix("Request")
    error = refused(host, kind(image=png(made_print()), weeks=weeks), method)
    assert error.field == where
    assert value in str(error)
    assert "week" in error.remedy or "1 to 27" in error.remedy


def test_what_is_no_picture_or_is_not_there_is_refused(host: Host) -> None:
    assert refused(host, wear_pb2.PredictWearRequest(weeks=[4])).field == "image"
    assert refused(host, asked(b"no picture at all")).field == "image"
    assert refused(host, asked(png(made_print()[:12]))).field == "image"
    assert refused(host, wear_pb2.PredictWearRequest(evidence_sha256="abc", weeks=[4])).field == "evidence_sha256"
    late = asked()
    late.budget_ms = 0
    assert refused(host, late).field == "budget_ms"


def test_more_pixels_than_an_answer_can_hold_are_refused(host: Host) -> None:
    picture = np.full((2500, 1000), PAPER, np.uint8)
    picture[600:900, 200:800] = INK
    large = asked(png(picture), tuple(range(0, 40, 2)))
    error = refused(host, large)
    assert (error.field, "20 predictions of 1000 x 2500 px" in str(error)) == ("image", True)
    assert "fewer weeks" in error.remedy


def test_a_budget_that_runs_out_names_its_stage(host: Host) -> None:
    with pytest.raises(BudgetSpent, match="budget of 1 ms was spent in stage"):
        host.simulate(WearQuery(Probe(image=png(made_print())), Direction.FORWARD, tuple(range(0, 54, 2)), 1))


def test_a_model_that_is_missing_or_damaged_is_said_to_be_so(tmp_path: Path) -> None:
    bare = Host(tmp_path)
    assert not asyncio.run(bare.parts.wear_found())
    answer, context = bare.call("PredictWear", asked())
    assert (answer.prints, context.code) == ((), grpc.StatusCode.NOT_FOUND)
    assert isinstance(context.error, NotFound)
    assert "no model of wear that looks forward" in str(context.error)
    folder = write_wear_model(tmp_path / "encoders", Direction.BACKWARD)
    half = Host(tmp_path)
    assert asyncio.run(half.parts.wear_found())
    assert half.call("PredictWear", asked())[1].code is grpc.StatusCode.NOT_FOUND
    assert half.parts.wear.open(Direction.BACKWARD) is half.parts.wear.open(Direction.BACKWARD)
    (folder / "1/model.onnx").write_bytes(b"other weights")
    damaged = Host(tmp_path)
    assert not asyncio.run(damaged.parts.wear_found())
    assert damaged.call("PredictWear", asked())[1].code is grpc.StatusCode.DATA_LOSS
