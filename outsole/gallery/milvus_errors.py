"""What Milvus and its client raise, as errors of Outsole; nothing else of this project knows theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from pymilvus.exceptions import (
    CollectionNotExistException,
    ConnectError,
    ConnectionConfigException,
    ConnectionNotExistException,
    ErrorCode,
    MilvusException,
    MilvusUnavailableException,
)

from outsole.errors import BudgetSpent, NotFound, OutsoleError, Overloaded, Unavailable

_RETRY_AFTER_S = 1.0
_AWAY = (ConnectError, ConnectionConfigException, ConnectionNotExistException, MilvusUnavailableException)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Run a block that calls Milvus; ``doing`` says what for, as in "Milvus was asked to <doing>".

    Raises:
        NotFound: The collection does not exist.
        BudgetSpent: The call's time ran out while Milvus was working.
        Overloaded: Milvus limits the rate.
        Unavailable: Milvus cannot be reached or was closed.
        OutsoleError: Anything else that Milvus refuses.
    """
    try:
        yield
    except MilvusException as error:
        raise _from_milvus(error, doing) from error
    except grpc.RpcError as error:
        raise _from_status(error.code(), str(error.details()), doing) from error
    except grpc.FutureTimeoutError as error:
        raise _away(doing, "no connection") from error
    except ValueError as error:
        # grpc says so when another thread has closed the channel.
        if "closed channel" not in str(error):
            raise
        raise _away(doing, "the connection was closed") from error


def _from_milvus(error: MilvusException, doing: str) -> OutsoleError:
    text = error.message or type(error).__name__
    if isinstance(error.code, grpc.StatusCode):
        return _from_status(error.code, text, doing)
    # The client gives up connecting with a code that servers use for other things, so its words decide.
    if isinstance(error, _AWAY) or text.startswith("Fail connecting"):
        return _away(doing, text)
    if isinstance(error, CollectionNotExistException) or error.code == ErrorCode.COLLECTION_NOT_FOUND:
        return NotFound(f"Milvus does not hold what it was asked to {doing}: {_short(text)}")
    if error.code == ErrorCode.RATE_LIMIT:
        return Overloaded(f"Milvus was asked to {doing}: {_short(text)}", retry_after_s=_RETRY_AFTER_S)
    for status in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE):
        if status.name in text:
            return _from_status(status, text, doing)
    return OutsoleError(f"Milvus was asked to {doing} and refused: {_short(text)}")


def _from_status(status: grpc.StatusCode, text: str, doing: str) -> OutsoleError:
    if status is grpc.StatusCode.DEADLINE_EXCEEDED:
        return BudgetSpent(f"Milvus was asked to {doing} and did not answer in time", field="time_budget_ms")
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Overloaded(f"Milvus was asked to {doing}: {_short(text)}", retry_after_s=_RETRY_AFTER_S)
    if status in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return _away(doing, text)
    return OutsoleError(f"Milvus was asked to {doing} and answered {status.name}: {_short(text)}")


def _away(doing: str, text: str) -> Unavailable:
    return Unavailable(f"Milvus is away; it was asked to {doing}: {_short(text)}", retry_after_s=_RETRY_AFTER_S)


def _short(text: str) -> str:
    return " ".join(text.split())[:200]
