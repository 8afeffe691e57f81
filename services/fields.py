"""Which request field an error names, where one request holds another or calls a gallery by another name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from outsole.errors import OutsoleError


@contextmanager
def naming(field: str, of: str = "gallery") -> Iterator[None]:
    """Let errors about a gallery name the request field that holds its name, in place of the field ``of``."""
    try:
        yield
    except OutsoleError as error:
        if error.field == of:
            error.field = field
        raise


@contextmanager
def within(message: str) -> Iterator[None]:
    """Let errors name the fields of a request inside another by their dotted path."""
    try:
        yield
    except OutsoleError as error:
        if error.field:
            error.field = f"{message}.{error.field}"
        raise
