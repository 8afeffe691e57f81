from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from ray.exceptions import RayTaskError

from outsole import errors
from outsole.api.errors import DETAILS_KEY, error_classes, from_rpc_error, from_status, to_status, to_wire

CLASSES = list(error_classes().values())


class Refusal(grpc.RpcError):
    """What a failed call looks like."""

    def __init__(self, code: grpc.StatusCode, text: str = "", trailing: tuple[tuple[str, bytes], ...] = ()) -> None:
        super().__init__()
        self._parts = code, text, trailing

    def code(self) -> grpc.StatusCode:
        return self._parts[0]

    def details(self) -> str:
        return self._parts[1]

    def trailing_metadata(self) -> Any:
        return self._parts[2]


def over_the_wire(error: BaseException) -> errors.OutsoleError:
    wire = to_wire(error)
    return from_rpc_error(Refusal(wire.code, wire.message, (("other", b"x"), *wire.trailing)))


def google_details(error: BaseException) -> dict[str, Any]:
    """The details as a client with the google messages reads them."""
    status = status_pb2.Status.FromString(to_wire(error).trailing[0][1])
    found: dict[str, Any] = {}
    for detail in status.details:
        kind = getattr(error_details_pb2, detail.type_url.rpartition(".")[2])
        found[kind.__name__] = kind()
        assert detail.Unpack(found[kind.__name__])
    return found


def test_the_map_holds_every_class_of_the_tree() -> None:
    declared = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    assert set(CLASSES) == {kind for kind in declared if issubclass(kind, errors.OutsoleError)}


@pytest.mark.parametrize("kind", CLASSES)
def test_a_class_has_a_grpc_status_and_comes_back_as_itself(kind: type[errors.OutsoleError]) -> None:
    sent = kind("what was found", field="mask_polygon.points[3]", remedy="the limit", retry_after_s=1.25)
    received = over_the_wire(sent)
    assert to_wire(sent).code is grpc.StatusCode[kind.code]
    assert type(received) is kind
    assert vars(received) == vars(sent)


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_without_extras_comes_back_without_extras(kind: type[errors.OutsoleError]) -> None:
    assert vars(over_the_wire(kind("plain"))) == vars(kind("plain"))


def test_a_google_client_reads_the_field_at_fault() -> None:
    found = google_details(errors.InvalidInput("0 models", field="k", remedy="1 to 1,000"))
    (violation,) = found["BadRequest"].field_violations
    assert (violation.field, violation.description) == ("k", "0 models (1 to 1,000)")
    assert found["ErrorInfo"].reason == "INVALID_INPUT"
    assert found["ErrorInfo"].domain == "outsole"


def test_a_google_client_reads_when_to_retry_and_what_was_not_found() -> None:
    assert google_details(errors.Unavailable("away", retry_after_s=2.5))["RetryInfo"].retry_delay.ToSeconds() == 2
    assert google_details(errors.NotFound("no gallery x", field="gallery"))["ResourceInfo"].resource_type == "gallery"


def test_a_status_of_a_google_service_is_read() -> None:
    status = status_pb2.Status(code=8, message="busy")
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(300)
    status.details.add().Pack(retry)
    refusal = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", ((DETAILS_KEY, status.SerializeToString()),))
    received = from_rpc_error(refusal)
    assert isinstance(received, errors.Overloaded)
    assert received.retry_after_s == pytest.approx(0.3)


def test_a_foreign_exception_says_nothing_of_the_inside() -> None:
    wire = to_wire(KeyError("/secret/path"))
    assert wire.code is grpc.StatusCode.INTERNAL
    assert b"secret" not in wire.trailing[0][1]
    assert "secret" not in wire.message


def test_an_error_of_another_ray_deployment_travels_as_itself_without_its_stack_trace() -> None:
    sent = errors.InvalidInput("0 models", field="k", remedy="1 to 1,000")
    wrapped = RayTaskError("rerank", "Traceback: secret", sent).as_instanceof_cause()  # type: ignore[no-untyped-call]
    assert isinstance(wrapped, errors.InvalidInput)
    assert to_wire(wrapped) == to_wire(sent)


def test_a_subclass_of_another_module_travels_as_the_class_that_it_is() -> None:
    class Fuller(errors.Overloaded):
        pass

    assert type(over_the_wire(Fuller("busy"))) is errors.Overloaded


@pytest.mark.parametrize("code", grpc.StatusCode)
def test_every_status_code_without_details_becomes_an_error_of_the_tree(code: grpc.StatusCode) -> None:
    received = from_rpc_error(Refusal(code, "some text"))
    assert "some text" in received.message
    assert received.code in (code.name, "INTERNAL")
    assert received.retryable == (code.name in ("UNAVAILABLE", "RESOURCE_EXHAUSTED"))


def test_details_that_are_not_a_status_leave_the_code_and_the_text() -> None:
    received = from_rpc_error(Refusal(grpc.StatusCode.NOT_FOUND, "no such", ((DETAILS_KEY, b"\xff\xff"),)))
    assert isinstance(received, errors.NotFound)
    assert received.message == "no such"


def test_a_message_that_grpc_refuses_for_its_size_is_never_tried_again() -> None:
    text = "SERVER: Received message larger than max (5 vs. 4)"
    received = from_rpc_error(Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, text))
    assert isinstance(received, errors.InvalidInput)


def test_an_error_as_long_as_a_book_fits_into_trailing_metadata() -> None:
    wire = to_wire(errors.InvalidInput("ü" * 100_000, field="image", remedy="x" * 100_000))
    assert len(wire.trailing[0][1]) * 4 / 3 + 3 * len(wire.message.encode()) < 8_192


def test_a_status_inside_of_an_answer_comes_back_as_the_error() -> None:
    received = from_status(to_status(errors.DataCorrupt("item 7", remedy="index it again")))
    assert isinstance(received, errors.DataCorrupt)
    assert received.remedy == "index it again"
