"""What is said about long work; standard library only, like the answers."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from outsole.errors import OutsoleError

INGEST, VIDEO_SEARCH = "ingest", "video_search"
SHOWN_ITEM_ERRORS = 1_000


class WorkState(enum.Enum):
    """Where a piece of long work stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self in (WorkState.SUCCEEDED, WorkState.FAILED, WorkState.CANCELLED)


@dataclass(frozen=True)
class WorkProgress:
    """How far it is.

    Attributes:
        done, total: Units finished, failed ones included, and in all; 0 while it is not known.
        unit: What a unit is, e.g. ``images``.
        stage: Name of the stage at work.
        units_per_second: Over the last minute of the stage; 0 while it is not known.
        seconds_left: At that rate; 0 while it is not known.
    """

    done: int = 0
    total: int = 0
    unit: str = "images"
    stage: str = ""
    units_per_second: float = 0.0
    seconds_left: float = 0.0


@dataclass(frozen=True)
class ItemFailure:
    """One unit that could not be done: its name, and why."""

    item: str
    reason: str


@dataclass(frozen=True)
class OperationInfo:
    """A piece of long work.

    Attributes:
        operation_id: Its id.
        kind: What it does: ``INGEST`` or ``VIDEO_SEARCH``.
        gallery: The gallery that it writes to; empty where it writes to none.
        source: What it was started with, as the caller named it.
        state: Where it stands.
        progress: How far it is.
        created, finished: UTC times, ISO 8601; empty where it has not ended.
        result: Name of what it made; empty until SUCCEEDED.
        error: The error of the whole; None but in state FAILED.
        item_error_count: Units that failed in all.
        item_errors: The first 1,000 of them, in order.
    """

    operation_id: str
    kind: str
    gallery: str
    source: str
    state: WorkState
    created: str
    progress: WorkProgress = WorkProgress()
    finished: str = ""
    result: str = ""
    error: OutsoleError | None = None
    item_error_count: int = 0
    item_errors: tuple[ItemFailure, ...] = field(default=(), hash=False)
