"""Work in bulk gives way to queries that a person waits for; both sides meet at one file of the home directory.

A service holds a lock on the file while a query is at work and touches it at both ends; work in bulk looks at lock and
time before each piece. The system lets go of a lock when its holder ends, in whatever way, so that nothing is held up
by a service that was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_POLL_S = 0.05


class QueriesAtWork:
    """Queries of one process; it belongs to one event loop.

    Args:
        path: The file that is shared; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a")
        self._count = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """One query is at work while the block lasts."""
        os.utime(self._file.fileno())
        if not self._count:
            # Somebody may look at this very moment; the time that was just written tells as much.
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            os.utime(self._file.fileno())
            if not self._count:
                fcntl.flock(self._file, fcntl.LOCK_UN)


@dataclass(frozen=True)
class GivingWay:
    """Holds work in bulk back while queries are at work, and a little longer: one is rarely alone.

    Attributes:
        path: The file that is shared; where it is missing nobody is given way to.
        quiet_s: Seconds that no query was at work before a piece of work may begin.
        longest_s: Seconds after which a piece of work begins in any case, so that it ends one day.
    """

    path: Path
    quiet_s: float = 1.0
    longest_s: float = 30.0

    async def __call__(self) -> None:
        """Wait until a piece of work may begin."""
        until = time.monotonic() + self.longest_s
        while self._is_busy() and time.monotonic() < until:
            await asyncio.sleep(_POLL_S)

    def _is_busy(self) -> bool:
        try:
            with self.path.open("r+") as file:
                # A clock that was set back must not hold anything up.
                if 0 <= time.time() - os.fstat(file.fileno()).st_mtime < self.quiet_s:
                    return True
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False
