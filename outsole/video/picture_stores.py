"""Where the pictures of a sequence lie: a folder, a zip or a tar. Nothing is ever unpacked to a path.

Names are only looked up in what the store lists, so a name that leads elsewhere (``../``) leads nowhere, and links are
no pictures. Each file is read up to a limit, whatever size the archive claims for it.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, cast

from outsole.errors import InvalidInput, NotFound
from outsole.video.sources import Identity, identify_file

Read = Callable[[str], bytes]
_TORN = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)
_UNPACKERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


@dataclass(frozen=True)
class StoreLimits:
    """What a folder or archive may hold.

    Attributes:
        max_files: Files in it.
        max_file_bytes: Largest single file, unpacked; a larger one cannot be read and costs itself.
        max_total_bytes: All files together, unpacked, as the archive claims.
    """

    max_files: int = 2_000_000
    max_file_bytes: int = 64 * 1024 * 1024
    max_total_bytes: int = 2 * 1024**4


class PictureStore(Protocol):
    """Files by name."""

    def names(self) -> list[str]:
        """All regular files, with forward slashes."""

    @property
    def damage(self) -> str:
        """What is wrong with it as a whole, one sentence; empty where it is sound."""

    def opened(self) -> AbstractContextManager[Read]:
        """A context in which a listed file can be read; reading raises InvalidInput for what cannot be."""

    def identity(self) -> Identity:
        """Name and hash of the original."""


class Folder:
    """A folder and the folders in it.

    Raises:
        InvalidInput: More files than may be.
    """

    def __init__(self, path: Path, limits: StoreLimits = StoreLimits()) -> None:
        self._path = path
        self._limits = limits
        self._names = sorted(_listed(path, limits))
        self.damage = ""

    def names(self) -> list[str]:
        """See ``PictureStore``."""
        return self._names

    @contextmanager
    def opened(self) -> Iterator[Read]:
        """See ``PictureStore``."""
        yield self._read

    def identity(self) -> Identity:
        """The hash is that of the lines ``<sha256>  <name>``, sorted by name, as ``sha256sum`` prints them."""
        digest = hashlib.sha256()
        size = 0
        for name in self._names:
            file = identify_file(self._path / name)
            digest.update(f"{file.sha256}  {name}\n".encode())
            size += file.size_bytes or 0
        return Identity(self._path.resolve().name, digest.hexdigest(), size)

    def _read(self, name: str) -> bytes:
        with _translated(name), (self._path / name).open("rb") as file:
            return _bounded(file, self._limits)


class Zip:
    """A zip archive.

    Raises:
        InvalidInput: Damaged, or more than may be.
    """

    def __init__(self, path: Path, limits: StoreLimits = StoreLimits()) -> None:
        self._path = path
        self._limits = limits
        with _translated(path.name), zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not info.is_dir() and not _is_link(info)]
        _check_total(len(files), sum(info.file_size for info in files), limits)
        self._names = sorted({info.filename for info in files})
        self.damage = ""

    def names(self) -> list[str]:
        """See ``PictureStore``."""
        return self._names

    @contextmanager
    def opened(self) -> Iterator[Read]:
        """See ``PictureStore``."""
        with zipfile.ZipFile(self._path) as archive:
            yield lambda name: self._read(archive, name)

    def identity(self) -> Identity:
        """Of the archive itself."""
        return identify_file(self._path)

    def _read(self, archive: zipfile.ZipFile, name: str) -> bytes:
        with _translated(name), archive.open(name) as file:
            return _bounded(file, self._limits)


class Tar:
    """A tar archive, plain or packed by gzip, bzip2 or xz.

    A packed one can only be read forwards: pictures that lie in it in the order of their times are read in one go, and
    each step back begins again.

    Raises:
        InvalidInput: Damaged from its beginning, or more than may be.
    """

    def __init__(self, path: Path, limits: StoreLimits = StoreLimits()) -> None:
        self._path = path
        self._limits = limits
        self.damage = ""
        self._members = self._listed()

    def names(self) -> list[str]:
        """See ``PictureStore``."""
        return sorted(self._members)

    @contextmanager
    def opened(self) -> Iterator[Read]:
        """See ``PictureStore``."""
        with self._opened() as archive:
            yield lambda name: self._read(archive, name)

    def identity(self) -> Identity:
        """Of the archive itself."""
        return identify_file(self._path)

    def _listed(self) -> dict[str, tarfile.TarInfo]:
        members: dict[str, tarfile.TarInfo] = {}
        with _translated(self._path.name), self._opened() as archive:
            try:
                for member in self._judged(archive):
                    if member.isreg() and not member.issparse():
                        members[member.name] = member
                archive.fileobj.seek(archive.offset)
                is_whole = len(archive.fileobj.read(tarfile.BLOCKSIZE)) == tarfile.BLOCKSIZE
            except _TORN:
                if not members:
                    raise
                is_whole = False
            if not is_whole:  # a tar ends with an empty block, even where it was cut between two files
                self.damage = f"the archive breaks off after {len(members)} files"
        return members

    def _judged(self, archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
        """One by one, each before the next is looked for behind it."""
        total = 0
        for count, member in enumerate(archive, start=1):
            total += member.size
            _check_total(count, total, self._limits)
            yield member

    @contextmanager
    def _opened(self) -> Iterator[tarfile.TarFile]:
        with self._path.open("rb") as file:
            head = file.read(6)
        unpack = next((how for magic, how in _UNPACKERS.items() if head.startswith(magic)), open)
        with unpack(self._path, "rb") as plain:
            bounded = cast(IO[bytes], _Bounded(plain, self._limits.max_file_bytes))
            with tarfile.open(fileobj=bounded, mode="r:") as archive:
                yield archive

    def _read(self, archive: tarfile.TarFile, name: str) -> bytes:
        with _translated(name):
            member = self._members[name]
            file = archive.extractfile(member)
            return b"" if file is None else _bounded(file, self._limits)


class _Bounded:
    """A file that refuses to read more at once than a file may have: headers of a tar can claim any length."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self._most = most + 1

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self._most:
            raise InvalidInput(f"a header claims {size} bytes", field="archive", remedy=f"at most {self._most - 1}")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """What the archive libraries raise, as InvalidInput."""
    try:
        yield
    except KeyError as error:
        raise InvalidInput(f"{name} is not there", field="path", remedy="a file that is listed") from error
    except _TORN as error:
        raise InvalidInput(
            f"{name} cannot be read: damaged, encrypted or cut short", field="path", remedy="a whole one"
        ) from error


def _bounded(file: IO[bytes], limits: StoreLimits) -> bytes:
    data = file.read(limits.max_file_bytes + 1)
    if len(data) > limits.max_file_bytes:
        raise InvalidInput("the file is too large", field="path", remedy=f"at most {limits.max_file_bytes} bytes")
    return data


def _check_total(files: int, total_bytes: int, limits: StoreLimits) -> None:
    if files > limits.max_files:
        raise InvalidInput(f"there are {files} files or more", field="path", remedy=f"at most {limits.max_files}")
    if total_bytes > limits.max_total_bytes:
        raise InvalidInput(
            f"there are {total_bytes} bytes or more", field="path", remedy=f"at most {limits.max_total_bytes} bytes"
        )


def _is_link(info: zipfile.ZipInfo) -> bool:
    return (info.external_attr >> 16) & 0o170000 == 0o120000


def _listed(path: Path, limits: StoreLimits) -> list[str]:
    if not path.is_dir():
        raise NotFound(f"there is no folder {path}", field="path", remedy="a folder that exists")
    names: list[str] = []
    for file in path.rglob("*"):  # does not follow links to folders
        if file.is_file() and not file.is_symlink():
            names.append(file.relative_to(path).as_posix())
            _check_total(len(names), 0, limits)
    return names
