"""Evidence is held whole, under its digest, or not at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from outsole.errors import DataCorrupt, InvalidInput, NotFound
from services.evidence import MAX_CHUNK_BYTES, EvidenceStore

DATA = bytes(range(256)) * 10
DIGEST = hashlib.sha256(DATA).hexdigest()


def stored(store: EvidenceStore, data: bytes = DATA, **said: str) -> str:
    with store.begin(**said) as upload:
        upload.write(data[:100])
        upload.write(data[100:])
        return upload.finish().sha256


def test_what_was_uploaded_is_read_back_by_its_digest(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    assert stored(store, file_name="heel.png", sha256=DIGEST) == DIGEST
    assert stored(store) == DIGEST
    assert store.read(DIGEST) == DATA
    lines = [json.loads(line) for line in (tmp_path / "uploads.jsonl").read_text().splitlines()]
    assert [line["file_name"] for line in lines] == ["heel.png", ""]
    assert {line["sha256"] for line in lines} == {DIGEST}


def test_a_file_name_is_never_used_as_a_path(tmp_path: Path) -> None:
    root = tmp_path / "held"
    stored(EvidenceStore(root), file_name="../../escape.png")
    assert not list(tmp_path.rglob("escape*"))


def test_an_upload_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path, max_bytes=1000)
    with pytest.raises(InvalidInput, match="sha256"):
        stored(store, DATA[:500], sha256="0" * 64)
    with pytest.raises(InvalidInput, match="1,000"):
        stored(store)
    with pytest.raises(InvalidInput, match="empty"), store.begin() as upload:
        upload.finish()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("chunk", [b"", b"x" * (MAX_CHUNK_BYTES + 1)], ids=["empty", "over 1 MiB"])
def test_chunks_of_the_wrong_size_are_refused(tmp_path: Path, chunk: bytes) -> None:
    with pytest.raises(InvalidInput, match="chunk"), EvidenceStore(tmp_path).begin() as upload:
        upload.write(chunk)


@pytest.mark.parametrize("digest", ["", "abc", "../../etc/passwd", "G" * 64, "A" * 64])
def test_what_is_no_digest_is_refused(tmp_path: Path, digest: str) -> None:
    with pytest.raises(InvalidInput, match="digest"):
        EvidenceStore(tmp_path).read(digest)


def test_unknown_and_damaged_evidence_is_told_apart(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    with pytest.raises(NotFound):
        store.read("0" * 64)
    stored(store)
    (tmp_path / DIGEST[:2] / DIGEST).write_bytes(b"changed")
    with pytest.raises(DataCorrupt):
        store.read(DIGEST)
