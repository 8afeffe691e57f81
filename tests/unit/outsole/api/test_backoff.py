from __future__ import annotations

import pytest

from outsole.api.backoff import Attempts, BackoffSettings
from outsole.errors import InvalidInput, Overloaded, Unavailable


def test_the_waits_double_up_to_the_cap_and_are_never_without_chance() -> None:
    settings = BackoffSettings(retries=5, first_delay_s=1.0, longest_delay_s=4.0)
    attempts = Attempts(settings, timeout_s=1e6)
    waits = [attempts.wait_after(Overloaded("busy")) for _ in range(5)]
    for wait, ceiling in zip(waits, (1.0, 2.0, 4.0, 4.0, 4.0), strict=True):
        assert ceiling / 2 <= wait <= ceiling
    assert len(set(waits)) == len(waits)


def test_what_the_service_asks_for_is_the_shortest_wait() -> None:
    attempts = Attempts(BackoffSettings(first_delay_s=0.1), timeout_s=1e6)
    assert 7.0 <= attempts.wait_after(Unavailable("away", retry_after_s=7.0)) <= 7.1


def test_an_error_that_a_retry_does_not_help_is_raised_at_once() -> None:
    error = InvalidInput("bad")
    with pytest.raises(InvalidInput) as caught:
        Attempts(BackoffSettings(), timeout_s=1e6).wait_after(error)
    assert caught.value is error


def test_the_last_error_is_raised_when_no_retry_is_left() -> None:
    attempts = Attempts(BackoffSettings(retries=1), timeout_s=1e6)
    attempts.wait_after(Overloaded("first"))
    with pytest.raises(Overloaded, match="second"):
        attempts.wait_after(Overloaded("second"))


def test_a_wait_that_would_pass_the_deadline_is_not_begun() -> None:
    with pytest.raises(Unavailable):
        Attempts(BackoffSettings(), timeout_s=2.0).wait_after(Unavailable("away", retry_after_s=3.0))
