"""Uploads, held under the sha256 of their bytes; the bytes are never changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from outsole.api.records import EvidenceRef
from outsole.errors import DataCorrupt, InvalidInput, NotFound

MAX_CHUNK_BYTES = 1024 * 1024
MAX_FILE_NAME = 255
_DIGEST = re.compile(r"[0-9a-f]{64}")


class EvidenceStore:
    """Files below one directory: ``<2 digits>/<sha256>``, and an audit line for each upload in ``uploads.jsonl``.

    Args:
        root: The directory; made where missing.
        max_bytes: Largest upload.
    """

    def __init__(self, root: Path, *, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._root = root
        self._max_bytes = max_bytes

    def begin(self, *, file_name: str = "", sha256: str = "") -> EvidenceUpload:
        """Start an upload; use it in a ``with`` statement.

        Args:
            file_name: The file's name where it came from; kept for the audit alone.
            sha256: Digest that the bytes should have; empty where unknown.

        Raises:
            InvalidInput: A file name that is too long or a digest that is none.
        """
        if len(file_name) > MAX_FILE_NAME:
            raise InvalidInput(
                f"{len(file_name)} characters", field="metadata.file_name", remedy=f"at most {MAX_FILE_NAME}"
            )
        if sha256:
            checked_digest(sha256, field="metadata.sha256")
        self._root.mkdir(parents=True, exist_ok=True)
        return EvidenceUpload(self._root, file_name=file_name, expected=sha256, max_bytes=self._max_bytes)

    def read(self, sha256: str, *, field: str = "evidence_sha256") -> bytes:
        """The bytes held under a digest.

        Raises:
            InvalidInput: It is no digest.
            NotFound: Nothing is held under it.
            DataCorrupt: What is held no longer has that digest.
        """
        path = _place(self._root, checked_digest(sha256, field=field))
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"no evidence {sha256} is held", field=field, remedy="upload it first") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DataCorrupt(f"evidence {sha256} does not have that digest any more", field=field)
        return data


class EvidenceUpload:
    """One upload under way: a temporary file that is renamed when it is whole, and removed otherwise."""

    def __init__(self, root: Path, *, file_name: str, expected: str, max_bytes: int) -> None:
        self._root = root
        self._file_name = file_name
        self._expected = expected
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._size = 0
        self._path = root / f".upload-{uuid.uuid4().hex}"
        self._file: IO[bytes] = self._path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            InvalidInput: The chunk is empty or above 1 MiB, or the whole grows too large.
        """
        if not 1 <= len(chunk) <= MAX_CHUNK_BYTES:
            raise InvalidInput(f"{len(chunk):,} bytes", field="chunk", remedy=f"1 to {MAX_CHUNK_BYTES:,} bytes")
        self._size += len(chunk)
        if self._size > self._max_bytes:
            raise InvalidInput(
                f"more than {self._max_bytes:,} bytes", field="chunk", remedy=f"at most {self._max_bytes:,} in all"
            )
        self._digest.update(chunk)
        self._file.write(chunk)

    def finish(self) -> EvidenceRef:
        """Put the whole in its place; the same bytes twice are one file.

        Raises:
            InvalidInput: No bytes came, or they have another digest than was said.
        """
        digest = self._digest.hexdigest()
        if not self._size:
            raise InvalidInput("the upload is empty", field="chunk", remedy="at least 1 byte")
        if self._expected and digest != self._expected:
            raise InvalidInput(f"the bytes have sha256 {digest}", field="metadata.sha256", remedy="send it again")
        self._file.flush()
        os.fsync(self._file.fileno())
        target = _place(self._root, digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self._path, target)
        self._note(digest)
        return EvidenceRef(sha256=digest, size_bytes=self._size)

    def _note(self, digest: str) -> None:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "sha256": digest,
            "size_bytes": self._size,
            "file_name": self._file_name,
        }
        # One short write in append mode: lines of several processes do not mix.
        with (self._root / "uploads.jsonl").open("a", encoding="utf-8") as audit:
            audit.write(json.dumps(line) + "\n")


def checked_digest(text: str, *, field: str) -> str:
    """Return ``text`` if it is a sha256 in lower-case hex; ``InvalidInput`` otherwise."""
    if not _DIGEST.fullmatch(text):
        raise InvalidInput(f"{text[:80]!r} is no digest", field=field, remedy="64 hexadecimal digits, lower case")
    return text


def _place(root: Path, digest: str) -> Path:
    return root / digest[:2] / digest
