"""The source that a path leads to."""

from __future__ import annotations

import tarfile
from pathlib import Path

from outsole.errors import NotFound
from outsole.video.frame_folders import FrameFolder
from outsole.video.picture_stores import Folder, PictureStore, StoreLimits, Tar, Zip
from outsole.video.sources import FrameSource
from outsole.video.video_files import VideoFile

_LIMITS = StoreLimits()
_ZIP_HEADS = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz")


def open_source(
    path: Path, *, sidecar: bytes | None = None, rate: float | None = None, limits: StoreLimits = _LIMITS
) -> FrameSource:
    """A folder or archive of pictures, or else a video file.

    Args:
        path: What the caller named; a zip is known by its first bytes, a tar by them or by its suffix.
        sidecar: Table of times for pictures, where it does not lie beside them.
        rate: Frames a second, for pictures without a table and videos without timestamps.
        limits: For folders and archives.

    Raises:
        NotFound: There is nothing there, or it may not be read.
        InvalidInput, MissingPart: It cannot be used, see ``VideoFile`` and ``FrameFolder``.
    """
    store = _store(path, limits)
    return VideoFile(path, rate=rate) if store is None else FrameFolder(store, sidecar=sidecar, rate=rate)


def _store(path: Path, limits: StoreLimits) -> PictureStore | None:
    if path.is_dir():
        return Folder(path, limits)
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise NotFound(f"{path} cannot be read", field="path", remedy="a file that exists and may be read") from error
    if head.startswith(_ZIP_HEADS):
        return Zip(path, limits)
    is_tar = head[257:262] == tarfile.POSIX_MAGIC[:5] or path.name.lower().endswith(_TAR_SUFFIXES)
    return Tar(path, limits) if is_tar and head else None
