"""The errors of Outsole: one small tree, each class with its gRPC status and whether a retry helps.

``outsole.api.errors`` translates them to ``google.rpc.Status`` and back; nothing here knows gRPC.
Only the standard library is imported, so that the client can use the same classes.
"""

from __future__ import annotations

from typing import ClassVar


class OutsoleError(Exception):
    """Something that a caller or an operator can act on.

    Args:
        message: One sentence that says what was found, with the value.
        field: Dotted path of the request field or setting at fault; empty where none is.
        remedy: What to do about it; empty where nothing helps.
        retry_after_s: Seconds after which a retry may succeed; None where a retry does not help.
    """

    code: ClassVar[str] = "INTERNAL"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        remedy: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.remedy = remedy
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        head = f"{self.field}: {self.message}" if self.field else self.message
        return f"{head} ({self.remedy})" if self.remedy else head


class InvalidInput(OutsoleError):
    """The caller's input cannot be used; ``field`` names it and ``remedy`` the limit."""

    code = "INVALID_ARGUMENT"


class NotFound(OutsoleError):
    """A gallery, edition, item or file that was named does not exist."""

    code = "NOT_FOUND"


class PreconditionFailed(OutsoleError):
    """The state does not allow it, for example an edition made by another encoder."""

    code = "FAILED_PRECONDITION"


class DataCorrupt(OutsoleError):
    """Bytes on disk do not have the hash that their manifest gives."""

    code = "DATA_LOSS"


class BudgetSpent(OutsoleError):
    """The caller's time budget ran out before an answer was complete."""

    code = "DEADLINE_EXCEEDED"


class Unavailable(OutsoleError):
    """A part (Triton, Milvus, the service itself) is away for the moment."""

    code = "UNAVAILABLE"
    retryable = True


class Overloaded(OutsoleError):
    """Too much work is queued; back off and try again."""

    code = "RESOURCE_EXHAUSTED"
    retryable = True


class NotOffered(OutsoleError):
    """The method or option is part of the contract but not built in this release."""

    code = "UNIMPLEMENTED"


class MissingPart(OutsoleError):
    """A program or package that this command needs is not on this machine."""

    code = "FAILED_PRECONDITION"
