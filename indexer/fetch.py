"""The stage ``fetch``: the bytes of one picture, from this machine, a web host or a bucket, as far as access goes."""

from __future__ import annotations

import errno
import os
import queue
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

from indexer.access import Access, is_local, too_large
from indexer.addresses import WEB_SCHEMES, scheme_of
from indexer.web import WebReader
from outsole.errors import InvalidInput, OutsoleError, Unavailable

_ROOT = Path("/")
# What is wrong with the file itself; all else is the machine's trouble and may pass.
_LASTING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENXIO})


class Fetcher:
    """Fetches pictures; safe to use from several threads.

    Args:
        access: What may be read; without roots no local file is. `indexer.manifest.Source.access` has them.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._web = WebReader(access)

    def fetch(self, location: str) -> bytes:
        """The untouched bytes of a picture.

        Args:
            location: As `indexer.manifest.Entry.location`: an absolute path or an address. It is checked again: since
                it was listed, a link may have come to lead elsewhere.

        Raises:
            InvalidInput: It is not allowed, is gone or refused, no regular file or too large; ``field`` is ``path`` or
                ``url``. Asking again does not help.
            Unavailable: It could not be read for the moment, after all attempts.
            MissingPart: A package that opens such buckets is not installed.
        """
        if is_local(location):
            return self._file(location)
        if scheme_of(location) in WEB_SCHEMES:
            return self._patiently(lambda: self._web.read(location))
        checked = self._access.check(location, _ROOT)
        if is_local(checked):
            return self._file(checked)
        return self._patiently(lambda: self._object(location))

    def _file(self, location: str) -> bytes:
        shown = repr(location[:200])
        # Without roots the source's own directory is meant, and here is no source.
        if not self._access.roots:
            raise InvalidInput(f"{shown} is a local file, and no directory is allowed", field="path")
        file = self._access.check(location, _ROOT)
        try:
            # Whatever has taken the file's place since: a link is not followed, a pipe not waited for.
            handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(handle, "rb") as opened:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise InvalidInput(f"{shown} is no regular file", field="path")
                data = opened.read(self._access.max_bytes + 1)
        except OSError as error:
            message = f"{shown} cannot be read: {error.strerror}"
            raise (InvalidInput if error.errno in _LASTING else Unavailable)(message, field="path") from error
        return self._bounded(data, shown, field="path")

    def _object(self, location: str) -> bytes:
        return self._bounded(_within(self._access.timeout_s, lambda: self._open(location)), repr(location[:200]))

    def _open(self, location: str) -> bytes:
        import fsspec

        shown = repr(location[:200])
        try:
            system, path = fsspec.url_to_fs(location)
            with system.open(path, "rb") as opened:
                data: bytes = opened.read(self._access.max_bytes + 1)
                return data
        except (FileNotFoundError, IsADirectoryError) as error:
            raise InvalidInput(f"there is no file {shown}", field="url") from error
        except PermissionError as error:
            raise InvalidInput(f"{shown} may not be read: {error}", field="url") from error
        # Every back end of fsspec has errors of its own.
        except Exception as error:
            raise Unavailable(f"{shown} cannot be read: {error}", field="url") from error

    def _bounded(self, data: bytes, shown: str, *, field: str = "url") -> bytes:
        if len(data) > self._access.max_bytes:
            raise too_large(shown, self._access, field=field)
        return data

    def _patiently(self, read: Callable[[], bytes]) -> bytes:
        """Read, and again after longer and longer waits while the other side is busy or away."""
        wait_s = self._access.backoff_s
        for attempt in range(1, self._access.attempts + 1):
            try:
                return read()
            except Unavailable as error:
                asked_s = max(wait_s, error.retry_after_s or 0.0)
                if attempt == self._access.attempts or asked_s > self._access.timeout_s:
                    message = f"{error.message} (attempts: {attempt})"
                    raise Unavailable(message, field="url", retry_after_s=error.retry_after_s) from error
            time.sleep(asked_s)
            wait_s *= 2
        raise AssertionError("every attempt returns or raises")


def _within(timeout_s: float, read: Callable[[], bytes]) -> bytes:
    """What ``read`` returns, if it does in time; what comes later is dropped."""
    answers: queue.SimpleQueue[bytes | OutsoleError] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put(read())
        except OutsoleError as error:
            answers.put(error)

    # Not every back end can be told a deadline, so it is left behind; as a daemon it does not hold up the end.
    threading.Thread(target=answer, name="fetch-object", daemon=True).start()
    try:
        found = answers.get(timeout=timeout_s)
    except queue.Empty as error:
        raise Unavailable(f"the bucket did not answer within {timeout_s:g} s", field="url") from error
    if isinstance(found, OutsoleError):
        raise found
    return found
