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

    Ray and gRPC leave threads of their own. Once, in CI, the end of the interpreter was aborted after the summary; why
    is not known, and it was not seen again. So an abort at this process's own end goes unseen; the ends of programs
    are looked at from outside of them.
    """
    for session in _sessions:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(session.exitstatus))
