"""A search in bulk in its own process: files that cannot be used stop nothing as long as there are archives."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from indexer.video.search_job import VideoSearchOrder
from outsole.errors import InvalidInput
from outsole.operation_folder import OperationFolder, now
from outsole.operations import VIDEO_SEARCH, OperationInfo, WorkState
from outsole.video.search_result import read_result
from tests.unit.services.made_archives import made_vectors, write_archive, write_shoes

PROJECT = Path(__file__).resolve().parents[4]
LIMIT_S = 120.0
pytest.importorskip("onnxruntime")


def done(home: Path, **options: object) -> OperationFolder:
    """The folder of a search that has ended; it names a file that is no video."""
    (home / "broken.mp4").write_bytes(b"no video")
    place = {
        "model_dir": str(PROJECT / "model_repository/print_lite2_b6"),
        "encoders_dir": str(home / "encoders"),
        "editions_dir": str(home / "editions"),
        "triton_url": "",
    }
    shoes = write_shoes(home / "editions", ["a", "b"], made_vectors(2))
    order = VideoSearchOrder(
        "shoes",
        shoes.id,
        ["b", "gone"],
        place,
        files=[str(home / "broken.mp4")],
        files_archive="new",
        camera={"camera": "door", "start": ""},
        gives_way_at=str(home / "queries"),
        **options,  # type: ignore[arg-type]
    )
    info = OperationInfo("abc-1", VIDEO_SEARCH, "new", "broken.mp4", WorkState.RUNNING, now())
    folder = OperationFolder.create(home / "operations", info, asdict(order))
    command = [sys.executable, "-m", "indexer.operation", str(folder.path)]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(PROJECT)}, timeout=LIMIT_S, check=False)
    return folder


def test_archives_are_searched_although_no_file_can_be_used(tmp_path: Path) -> None:
    edition = write_archive(tmp_path / "editions", "site")
    folder = done(tmp_path, archives={"site": edition.id})
    info = folder.info(with_items=True)
    assert (info.state, info.result, info.item_error_count) == (WorkState.SUCCEEDED, "", 1)
    assert info.item_errors[0].item == str(tmp_path / "broken.mp4")
    facts, found = read_result(folder.path)
    assert (facts.archives, facts.editions, facts.totals, facts.pictures) == (("site",), (edition.id,), (5,), (1, 0))
    assert found.models.tolist() == [0] * 5
    assert any("1 files could not be used" in warning for warning in facts.warnings)
    assert any("1 of 2 models have no picture" in warning for warning in facts.warnings)


def test_without_archives_there_is_nothing_to_search(tmp_path: Path) -> None:
    folder = done(tmp_path)
    info = folder.info()
    assert (info.state, info.item_error_count) == (WorkState.FAILED, 1)
    assert isinstance(info.error, InvalidInput)
