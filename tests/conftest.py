"""What holds for all tests."""

from __future__ import annotations

import os
import sys

import pytest

# Before any test imports gRPC, for its sake.
import outsole  # noqa: F401

_sessions: list[pytest.Session] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    """Keep the session, whose exit status is known in the end."""
    _sessions.append(session)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End this process at once, with the status of its tests, when all is done and told.

    Ray and gRPC leave threads of their own, and beside them the end of an interpreter was aborted once in some fifteen
    runs, after every test. Nothing is tested by it: what programs leave behind is looked at from outside of them.
    """
    for session in _sessions:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(session.exitstatus))
