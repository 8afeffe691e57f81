"""How often and how long after a failed call the next one follows."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from outsole.errors import OutsoleError

_RANDOM = random.Random()


@dataclass(frozen=True)
class BackoffSettings:
    """Settings of the back-off.

    Attributes:
        retries: Tries after the first; 0 for none.
        first_delay_s: Longest wait before the first retry, seconds; it doubles with each.
        longest_delay_s: Cap of the doubling, seconds. A service's RetryInfo may ask for more.
    """

    retries: int = 4
    first_delay_s: float = 0.2
    longest_delay_s: float = 5.0


@dataclass
class Attempts:
    """The tries of one call under one deadline.

    Attributes:
        settings: The back-off in force.
        timeout_s: Time for all tries and the waits between them, seconds.
    """

    settings: BackoffSettings
    timeout_s: float
    _failures: int = 0
    _started: float = field(default_factory=time.monotonic)

    @property
    def remaining_s(self) -> float:
        """Seconds until the deadline, at least 1 ms: gRPC reports a spent deadline itself."""
        return max(self.timeout_s - (time.monotonic() - self._started), 1e-3)

    def wait_after(self, error: OutsoleError) -> float:
        """Seconds to wait before the next try.

        Raises:
            OutsoleError: ``error`` itself, where a retry does not help, none is left, or the wait would pass the
                deadline.
        """
        if not error.retryable or self._failures >= self.settings.retries:
            raise error
        ceiling = min(self.settings.first_delay_s * 2.0**self._failures, self.settings.longest_delay_s)
        self._failures += 1
        # Half fixed, half random: clients that failed together come back apart, and none at once. What the service asks
        # for is a floor, so the random part goes on top of it.
        wait = max(ceiling / 2, error.retry_after_s or 0.0) + _RANDOM.uniform(0.0, ceiling / 2)
        if wait >= self.remaining_s:
            raise error
        return wait
