"""One request for one picture by http or https, with a deadline and no step to a host that is not allowed."""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import socket
import ssl
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

from indexer.access import Access, check_host, too_large
from indexer.addresses import WEB_SCHEMES, WebAddress, scheme_of, web_address
from outsole.errors import InvalidInput, Unavailable

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_BLOCK_BYTES = 1 << 16
# Bodies come as they are: what a host would unpack to is not bounded by what it sends.
_HEADERS = {"User-Agent": "outsole", "Accept": "image/*, */*;q=0.1", "Accept-Encoding": "identity"}


class WebReader:
    """Reads pictures from allowed hosts; safe to use from several threads.

    No proxy is asked, whatever the environment says: only allowed hosts are contacted.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    def read(self, url: str) -> bytes:
        """The body that an address answers with, redirects followed.

        Raises:
            InvalidInput: The address, or one that it redirects to, is not allowed; the host has no such picture or
                refuses it, it is too large, or the host's certificate is not its own.
            Unavailable: The host is busy, away or too slow; ``retry_after_s`` as it says.
        """
        deadline = time.monotonic() + self._access.timeout_s
        shown = repr(url[:200])
        try:
            return self._follow(url, deadline)
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message or error.reason
            raise InvalidInput(f"the certificate of {shown} is not valid: {reason}", field="url") from error
        except TimeoutError as error:
            limit = f"{self._access.timeout_s:g} s"
            raise Unavailable(f"{shown} did not answer within {limit}", field="url") from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{shown} cannot be read: {error or type(error).__name__}", field="url") from error

    def _follow(self, url: str, deadline: float) -> bytes:
        for _ in range(_MOST_REDIRECTS + 1):
            check_host(url, self._access)
            found = self._ask(url, deadline)
            if isinstance(found, bytes):
                return found
            url = found
        raise InvalidInput(f"{url[:200]!r} is the end of {_MOST_REDIRECTS} redirects, and redirects again", field="url")

    def _ask(self, url: str, deadline: float) -> bytes | str:
        """The body, or the address that the answer points to."""
        address = web_address(url)
        with contextlib.closing(self._connection(address, deadline)) as connection:
            connection.request("GET", address.target, headers=_HEADERS)
            with connection.getresponse() as response:
                if response.status in _REDIRECTS:
                    return _target(url, response)
                _check_status(url, response)
                return self._body(url, response)

    def _connection(self, address: WebAddress, deadline: float) -> http.client.HTTPConnection:
        left = _left(deadline)
        if address.scheme == "https":
            connection: Any = http.client.HTTPSConnection(
                address.host, address.port, timeout=left, context=self._certificates
            )
        else:
            connection = http.client.HTTPConnection(address.host, address.port, timeout=left)
        connection.response_class = functools.partial(_timed_response, deadline)
        found: http.client.HTTPConnection = connection
        return found

    @functools.cached_property
    def _certificates(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def _body(self, url: str, response: http.client.HTTPResponse) -> bytes:
        shown = f"the picture at {url[:200]!r}"
        if response.getheader("Content-Encoding", "identity").lower() not in ("", "identity"):
            raise InvalidInput(f"{shown} comes compressed", field="url", remedy="serve it as it is")
        if (response.length or 0) > self._access.max_bytes:
            raise too_large(shown, self._access, field="url")
        body = bytearray()
        while block := response.read1(_BLOCK_BYTES):
            body += block
            if len(body) > self._access.max_bytes:
                raise too_large(shown, self._access, field="url")
        if response.length:
            raise http.client.IncompleteRead(bytes(body[:0]), response.length)
        return bytes(body)


def _target(url: str, response: http.client.HTTPResponse) -> str:
    place = response.getheader("Location", "")
    try:
        target = urljoin(url, place)
    except ValueError as error:
        raise InvalidInput(f"{url[:200]!r} redirects to no address", field="url") from error
    if not place or scheme_of(target) not in WEB_SCHEMES:
        raise InvalidInput(f"{url[:200]!r} redirects to {place[:200]!r}", field="url", remedy="http or https")
    return target


def _check_status(url: str, response: http.client.HTTPResponse) -> None:
    status = response.status
    if status == HTTPStatus.OK:
        return
    said = f"{url[:200]!r} answers {status} {response.reason[:100]}".rstrip()
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wait = response.getheader("Retry-After", "")
        seconds = float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 7 else None
        raise Unavailable(said, field="url", retry_after_s=seconds)
    raise InvalidInput(said, field="url")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left


def _timed_response(deadline: float, sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
    found: Any = _TimedSocket(sock, deadline)
    return http.client.HTTPResponse(found, *args, **kwargs)


class _TimedSocket:
    """A socket as a response reads it: a host that sends byte by byte is not waited for longer than a silent one."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        """What comes in, as ``socket.makefile`` has it."""
        return io.BufferedReader(_TimedBytes(self._sock, self._deadline))


class _TimedBytes(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
