"""Tokens of pages: each names its list and where the page begins, so that one of another list is refused."""

from __future__ import annotations

import base64
import binascii

from outsole.errors import InvalidInput


def token_of(scope: str, start: int) -> str:
    """The token of the page of a list that begins at a place; a scope may begin with ``EDITION/``."""
    return base64.urlsafe_b64encode(f"{scope}:{start}".encode()).decode("ascii")


def start_of(token: str, scope: str) -> int:
    """Where a page begins; 0 for no token. Raises ``InvalidInput`` for a token of another list."""
    if not token:
        return 0
    found, start = _parsed(token)
    if found != scope or start < 0:
        raise _foreign_token()
    return start


def edition_of(token: str) -> str:
    """The edition that a token keeps to; empty for no token. Raises ``InvalidInput`` for one that cannot be read."""
    return _parsed(token)[0].partition("/")[0] if token else ""


def _parsed(token: str) -> tuple[str, int]:
    try:
        scope, _, start = base64.b64decode(token, altchars=b"-_", validate=True).decode("ascii").rpartition(":")
        return scope, int(start)
    except (binascii.Error, ValueError) as error:
        raise _foreign_token() from error


def _foreign_token() -> InvalidInput:
    return InvalidInput(
        "the page token is not of this list", field="page.page_token", remedy="start again without a token"
    )
