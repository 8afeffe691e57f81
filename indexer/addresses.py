"""Web addresses as a feed has them, and the hosts that they may name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from outsole.errors import InvalidInput

WEB_SCHEMES = ("http", "https")
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_KEPT = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class WebAddress:
    """A web address in parts that can be sent.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Lower case ASCII, or an IP address.
        port: The one named, or that of the scheme.
        target: Path and query, percent-encoded.
    """

    scheme: str
    host: str
    port: int
    target: str


def scheme_of(location: str) -> str:
    """The scheme of an address in lower case; empty for a path."""
    found = _SCHEME.match(location)
    return found[1].lower() if found and location.startswith("//", found.end()) else ""


def web_address(url: str) -> WebAddress:
    """Take a web address apart.

    Raises:
        InvalidInput: It is none, or carries a user's name.
    """
    shown = repr(url[:200])
    try:
        parts = urlsplit(url)
        host, port = _plain_host(parts.hostname or ""), parts.port
    except ValueError as error:
        raise InvalidInput(f"{shown} is no web address", field="url") from error
    # What one program takes for the host another takes for the user: neither is guessed at.
    if parts.scheme not in WEB_SCHEMES or "\\" in url or CONTROLS.search(url) or "@" in parts.netloc:
        remedy = "http or https, a host and a path, no user"
        raise InvalidInput(f"{shown} is no web address", field="url", remedy=remedy)
    query = f"?{quote(parts.query, safe=_KEPT + '?')}" if parts.query else ""
    default = 443 if parts.scheme == "https" else 80
    return WebAddress(parts.scheme, host, port or default, quote(parts.path or "/", safe=_KEPT) + query)


def checked_host_pattern(text: str) -> str:
    """Return ``text`` if it is a host, or ``*.`` and a host.

    Raises:
        InvalidInput: It is neither.
    """
    try:
        host = _plain_host(text.removeprefix("*."))
        # Numbers have nothing below them: "*.0.0.1" would allow a good part of the world.
        if text.startswith("*.") and (":" in host or host.rpartition(".")[2].isdigit()):
            raise ValueError(f"{host!r} is no name")
    except ValueError as error:
        remedy = "a host's name, or *. and a name for all below it"
        raise InvalidInput(f"{text[:200]!r} is no host", field="hosts", remedy=remedy) from error
    return text


def is_host_in(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is one of those allowed; ``*.name`` allows what is below a name, not the name itself."""
    return any(
        host.endswith("." + _plain_host(pattern[2:])) if pattern.startswith("*.") else host == _plain_host(pattern)
        for pattern in patterns
    )


def _plain_host(text: str) -> str:
    """A host as it is asked for; ValueError where it is none."""
    if ":" in text:
        return str(ipaddress.IPv6Address(text))
    host = (text if text.isascii() else text.encode("idna").decode("ascii")).lower().removesuffix(".")
    if not _HOST.fullmatch(host) or ".." in host:
        raise ValueError(f"{host!r} is no host")
    return host
