"""What an indexing may read: directories, hosts and buckets, how much of each file, and how long it may take.

A feed is written by others. What it names is opened or contacted only where the operator has listed it; everything
else is refused before a byte of it is read.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from indexer.addresses import CONTROLS, WEB_SCHEMES, checked_host_pattern, is_host_in, scheme_of, web_address
from outsole.errors import InvalidInput, MissingPart

_ADDRESS_LIMIT_CHARACTERS = 2048
_BUCKET = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]+(/[^?#]*)?")
# What fsspec would open without asking anybody.
_NO_BUCKETS = frozenset({*WEB_SCHEMES, "file", "local"})
# Extras of this project by the scheme that they bring.
_EXTRAS = {"s3": "s3", "s3a": "s3"}


@dataclass(frozen=True)
class Access:
    """Where pictures may come from.

    Attributes:
        roots: Directories that local files may lie in, links followed; empty for the source's own directory.
        hosts: Hosts that may be asked by http or https, any port: exact names, or ``*.name`` for all below a name.
        buckets: Beginnings of addresses that fsspec may open, for example ``s3://shoes`` or ``s3://shoes/2024``.
        max_bytes: Of one file.
        timeout_s: Seconds for one attempt, from the first packet to the last (looking up a host's name has the limits
            of the system); no wait between two attempts is longer.
        attempts: How often a host that is busy or away is asked.
        backoff_s: Seconds before the second attempt; doubled for every further one.

    Raises:
        InvalidInput: A value cannot be used.
    """

    roots: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    max_bytes: int = 64 << 20
    timeout_s: float = 30.0
    attempts: int = 4
    backoff_s: float = 0.5

    def __post_init__(self) -> None:
        for host in self.hosts:
            checked_host_pattern(host)
        for bucket in self.buckets:
            if not _BUCKET.fullmatch(bucket) or scheme_of(bucket) in _NO_BUCKETS:
                raise InvalidInput(f"{bucket[:200]!r} is no bucket", field="buckets", remedy="for example s3://shoes")
        for name in ("max_bytes", "timeout_s", "attempts"):
            if not getattr(self, name) > 0:
                raise InvalidInput(f"{getattr(self, name)} is not above 0", field=name)
        if self.backoff_s < 0:
            raise InvalidInput(f"{self.backoff_s} is below 0", field="backoff_s")

    def at(self, base: Path) -> Access:
        """The same with absolute roots, ``base`` where there is none; it holds wherever the process goes."""
        return dataclasses.replace(self, roots=tuple(Path(os.path.abspath(root)) for root in self.roots or (base,)))

    def check(self, location: str, base: Path) -> str:
        """Check a path or an address without reading it, see `Checker`."""
        checker = Checker(self, base)
        return checker.url(location) if scheme_of(location) else checker.path(location)


def is_local(location: str) -> bool:
    """Whether a checked location is a file of this machine; all others are addresses."""
    return not scheme_of(location)


class Checker:
    """Checks locations of one reading without reading them; each folder is looked up once.

    Args:
        access: What may be read; without roots that is ``base``.
        base: The directory that paths are relative to.
    """

    def __init__(self, access: Access, base: Path) -> None:
        self._access = access
        self._base = os.fspath(base)
        self._roots = [os.path.realpath(root) for root in access.at(base).roots]
        self._folders: dict[str, tuple[str, bool]] = {}
        self._schemes: set[str] = set()

    def path(self, text: str, *, field: str = "path") -> str:
        """The absolute path of a local file, links followed.

        Raises:
            InvalidInput: It leads out of the roots, is missing, no regular file or too large.
        """
        shown = repr(text[:200])
        if field == "path" and scheme_of(text):
            raise InvalidInput(f"{shown} is an address", field=field, remedy="addresses go into the column 'url'")
        if not _can_be_written(text):
            raise InvalidInput(f"{shown} cannot be a path", field=field)
        try:
            file, facts = self._found(text)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InvalidInput(f"there is no file {shown}", field=field) from error
        except OSError as error:
            raise InvalidInput(f"{shown} cannot be a path: {_reason(error)}", field=field) from error
        if facts is None:
            remedy = "copy the file there, or allow its directory as a root"
            raise InvalidInput(f"{shown} leads out of the allowed directories", field=field, remedy=remedy)
        self._check_facts(shown, facts, field)
        return file

    def _found(self, text: str) -> tuple[str, os.stat_result | None]:
        """The real file and what it is; None where that is nobody's business."""
        folder, name = os.path.split(text)
        if name not in ("", ".", ".."):
            real, is_inside = self._folder(folder)
            file = os.path.join(real, name)
            # One look for nearly every row; a link has to be followed before it is judged.
            if is_inside and not stat.S_ISLNK((facts := os.lstat(file)).st_mode):
                return file, facts
        file = os.path.realpath(os.path.join(self._base, text))
        return (file, os.lstat(file)) if self._is_inside(file) else (file, None)

    def _folder(self, folder: str) -> tuple[str, bool]:
        found = self._folders.get(folder)
        if found is None:
            real = os.path.realpath(os.path.join(self._base, folder))
            found = self._folders[folder] = real, self._is_inside(real)
        return found

    def _is_inside(self, real: str) -> bool:
        return any(real == root or real.startswith(root.rstrip("/") + "/") for root in self._roots)

    def _check_facts(self, shown: str, facts: os.stat_result, field: str) -> None:
        if stat.S_ISLNK(facts.st_mode):
            raise InvalidInput(f"{shown} is a link that leads in a circle", field=field)
        if stat.S_ISDIR(facts.st_mode):
            raise InvalidInput(f"{shown} is a directory, no file", field=field)
        if not stat.S_ISREG(facts.st_mode):
            raise InvalidInput(f"{shown} is no regular file", field=field)
        if facts.st_size > self._access.max_bytes:
            raise too_large(shown, self._access, field=field)

    def url(self, text: str) -> str:
        """An address as it was given, or the absolute path of a ``file://`` address.

        Raises:
            InvalidInput: It is no address, or its host or bucket is not allowed.
            MissingPart: A package that opens such buckets is not installed.
        """
        shown = repr(text[:200])
        scheme = scheme_of(text)
        if not scheme or len(text) > _ADDRESS_LIMIT_CHARACTERS or not _can_be_written(text):
            remedy = f"scheme://host/path of at most {_ADDRESS_LIMIT_CHARACTERS} characters"
            raise InvalidInput(f"{shown} is no address", field="url", remedy=remedy)
        if scheme == "file":
            return self.path(_path_in(text), field="url")
        if scheme in WEB_SCHEMES:
            check_host(text, self._access)
        elif not _is_in_bucket(text, self._access.buckets):
            raise InvalidInput(f"{shown} is in no allowed bucket", field="url", remedy=_allowed(self._access.buckets))
        elif scheme not in self._schemes:
            _check_installed(scheme)
            self._schemes.add(scheme)
        return text


def check_host(url: str, access: Access) -> None:
    """Check that a web address may be asked.

    Raises:
        InvalidInput: It is no address, or its host is not allowed.
    """
    host = web_address(url).host
    if not is_host_in(host, access.hosts):
        raise InvalidInput(f"the host {host[:200]!r} is not allowed", field="url", remedy=_allowed(access.hosts))


def too_large(shown: str, access: Access, *, field: str) -> InvalidInput:
    """The error for a file above the limit; ``shown`` names it."""
    return InvalidInput(f"{shown} is too large", field=field, remedy=f"at most {access.max_bytes:,} bytes")


def _allowed(names: tuple[str, ...]) -> str:
    more = ", ..." if len(names) > 5 else ""
    return f"allowed: {', '.join(names[:5])}{more}" if names else "none is allowed so far"


def _can_be_written(text: str) -> bool:
    """Whether a location can be kept in a table: names of files need not be text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not CONTROLS.search(text)


def _reason(error: OSError) -> str:
    return "its links lead in a circle" if error.errno == errno.ELOOP else error.strerror or str(error)


def _path_in(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InvalidInput(f"{url[:200]!r} is no address", field="url") from error
    if parts.netloc not in ("", "localhost") or not parts.path or parts.query or parts.fragment:
        raise InvalidInput(f"{url[:200]!r} names no file of this machine", field="url", remedy="file:///path")
    return unquote(parts.path)


def _is_in_bucket(url: str, buckets: tuple[str, ...]) -> bool:
    # "::" chains file systems, and a dotted step may lead out of a bucket again.
    key = url.partition("://")[2]
    if "::" in url or any(step in (".", "..") for step in unquote(key).replace("\\", "/").split("/")):
        return False
    return any(url.startswith(bucket.rstrip("/") + "/") for bucket in buckets)


def _check_installed(scheme: str) -> None:
    import fsspec

    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        remedy = f"pip install 'outsole[{extra}]'" if extra else str(error)
        raise MissingPart(f"a package that opens {scheme}:// is not installed", field="url", remedy=remedy) from error
    except ValueError as error:
        raise InvalidInput(f"nothing opens {scheme}://", field="url") from error
