"""Translates the error tree of Outsole to ``google.rpc.Status`` and back.

The details are packed under the type URLs of google.rpc, from our own wire-compatible messages (``errors.proto``): the
client then needs grpcio and protobuf alone, and the google messages, where another package loads them, do not collide
with ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from outsole import errors
from outsole.api.generated.outsole.v1 import errors_pb2

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "outsole"
TYPE_URL = "type.googleapis.com/google.rpc."

# gRPC refuses trailing metadata above 8 KiB, and the text travels up to three times, up to three bytes a byte.
MAX_TEXT_BYTES = 600

_INTERNAL_MESSAGE = "internal error; the service's log has the cause"
_SIZE_REFUSAL = re.compile(r"message larger than max", re.IGNORECASE)
_M = TypeVar("_M", bound=Message)


@dataclass(frozen=True)
class WireError:
    """An error as it is sent.

    Attributes:
        code: The gRPC status code.
        message: The text for ``set_details``.
        trailing: Trailing metadata that holds the serialised google.rpc.Status.
    """

    code: grpc.StatusCode
    message: str
    trailing: tuple[tuple[str, bytes], ...]


def error_classes() -> dict[str, type[errors.OutsoleError]]:
    """Every class of the tree by its reason on the wire, e.g. ``INVALID_INPUT``; the base class is ``INTERNAL``."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return {_reason(kind): kind for kind in kinds if issubclass(kind, errors.OutsoleError)}


def to_wire(error: BaseException) -> WireError:
    """Translates an error for the wire.

    Args:
        error: An ``OutsoleError``, or anything else: that becomes INTERNAL with a fixed text, so that nothing of the
            program's inside reaches a caller. Log it before.

    Returns:
        Code, text and trailing metadata to set on the call.
    """
    # Ray hands an error of another deployment on in a wrapper that is of both classes, and whose text is a stack trace.
    cause = getattr(error, "cause", None)
    found = cause if isinstance(cause, errors.OutsoleError) else error
    known = found if isinstance(found, errors.OutsoleError) else errors.OutsoleError(_INTERNAL_MESSAGE)
    code = grpc.StatusCode[known.code]
    message = _trim(str(known))
    status = errors_pb2.Status(code=code.value[0], message=message)
    status.details.extend(_packed(detail) for detail in _details(known))
    return WireError(code, message, ((DETAILS_KEY, status.SerializeToString()),))


def to_status(error: BaseException) -> errors_pb2.Status:
    """The error as a ``Status`` message, for errors inside of answers (operations)."""
    status = errors_pb2.Status()
    status.ParseFromString(to_wire(error).trailing[0][1])
    return status


def from_rpc_error(error: grpc.RpcError) -> errors.OutsoleError:
    """Translates an error of grpc or grpc.aio that a call raised.

    Returns:
        An error of the tree; the class that the service raised where it said so, else the one of the status code,
        else ``OutsoleError`` itself with the code's name in the message. Raise it ``from`` the grpc error.
    """
    # grpc.RpcError itself has no methods; both kinds of call errors have these three.
    code: grpc.StatusCode = getattr(error, "code", lambda: None)() or grpc.StatusCode.UNKNOWN
    text: str = getattr(error, "details", lambda: None)() or ""
    metadata = getattr(error, "trailing_metadata", lambda: None)() or ()
    for key, value in metadata:
        if key == DETAILS_KEY:
            try:
                return from_status(errors_pb2.Status.FromString(value))
            except DecodeError:
                break  # someone else's details: the code and the text still say enough
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _SIZE_REFUSAL.search(text):
        # gRPC gives an oversized message the code of an overload, and no retry will ever help it.
        return errors.InvalidInput(text, remedy="send less in one message")
    return _from_code(code, text)


def from_status(status: errors_pb2.Status) -> errors.OutsoleError:
    """The error of the tree that a ``Status`` message describes."""
    info = _unpacked(status, errors_pb2.ErrorInfo)
    if info is None or info.domain != DOMAIN or info.reason not in error_classes():
        return _with_retry(_from_code(_code_of(status.code), status.message), status)
    kind = error_classes()[info.reason]
    field, remedy = info.metadata.get("field", ""), info.metadata.get("remedy", "")
    return _with_retry(kind(info.metadata.get("message", status.message), field=field, remedy=remedy), status)


def _details(error: errors.OutsoleError) -> Iterator[Message]:
    # A subclass of another module travels as the class of the tree that it is.
    kind = next(kind for kind in type(error).__mro__ if kind in error_classes().values())
    info = errors_pb2.ErrorInfo(reason=_reason(kind), domain=DOMAIN)
    for key in ("message", "field", "remedy"):
        if value := getattr(error, key):
            info.metadata[key] = _trim(value)
    yield info
    if isinstance(error, errors.InvalidInput):
        description = _trim(f"{error.message} ({error.remedy})" if error.remedy else error.message)
        violation = errors_pb2.BadRequest.FieldViolation(field=error.field, description=description)
        yield errors_pb2.BadRequest(field_violations=[violation])
    if isinstance(error, errors.NotFound):
        yield errors_pb2.ResourceInfo(resource_type=error.field, description=_trim(error.message))
    if error.retry_after_s is not None:
        delay = Duration()
        delay.FromNanoseconds(round(max(error.retry_after_s, 0.0) * 1e9))
        yield errors_pb2.RetryInfo(retry_delay=delay)


def _from_code(code: grpc.StatusCode, text: str) -> errors.OutsoleError:
    for reason, kind in error_classes().items():
        # MISSING_PART shares its code with the precondition, which is the one that a server means.
        if kind.code == code.name and reason not in ("INTERNAL", "MISSING_PART"):
            return kind(text or code.name)
    return errors.OutsoleError(f"{code.name}: {text}" if text else code.name)


def _with_retry(error: errors.OutsoleError, status: errors_pb2.Status) -> errors.OutsoleError:
    retry = _unpacked(status, errors_pb2.RetryInfo)
    if retry is not None:
        error.retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    return error


def _packed(detail: Message) -> AnyMessage:
    return AnyMessage(type_url=TYPE_URL + detail.DESCRIPTOR.name, value=detail.SerializeToString())


def _unpacked(status: errors_pb2.Status, kind: type[_M]) -> _M | None:
    for detail in status.details:
        if detail.type_url == TYPE_URL + kind.DESCRIPTOR.name:
            found: _M = kind()
            found.ParseFromString(detail.value)
            return found
    return None


def _code_of(number: int) -> grpc.StatusCode:
    return next((code for code in grpc.StatusCode if code.value[0] == number), grpc.StatusCode.UNKNOWN)


def _reason(kind: type) -> str:
    if kind is errors.OutsoleError:
        return "INTERNAL"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).upper()


def _trim(text: str) -> str:
    encoded = text.encode("utf-8", errors="replace")
    if len(encoded) <= MAX_TEXT_BYTES:
        return encoded.decode("utf-8")
    return encoded[:MAX_TEXT_BYTES].decode("utf-8", errors="ignore") + " ..."
