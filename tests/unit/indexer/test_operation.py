"""An ingest in its own process, with the real encoder: it says how far it is, stops when told, and goes on later."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from indexer.operation import IngestOrder
from outsole.errors import InvalidInput
from outsole.gallery.editions import Edition
from outsole.gallery.layout import current_edition
from outsole.operation_folder import OperationFolder, now
from outsole.operations import INGEST, OperationInfo, WorkState
from outsole.synthesis.galleries import MadeGallery, make_print_gallery

PROJECT = Path(__file__).resolve().parents[3]
LIMIT_S = 120.0
# So many that they are not all encoded before it can be told to stop.
MODELS = 120
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeGallery:
    return make_print_gallery(tmp_path_factory.mktemp("source"), models=MODELS, probes=0, seed=5)


@pytest.fixture
def source(made: MadeGallery, tmp_path: Path) -> Path:
    """Three references and a file that is no picture."""
    folder = tmp_path / "feed"
    folder.mkdir()
    for number in (1, 2, 3):
        shutil.copy(made.directory / f"references/{number:05d}.png", folder)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def accepted(tmp_path: Path, source: Path, **options: object) -> OperationFolder:
    place = {
        "model_dir": str(PROJECT / "model_repository/print_lite2_b6"),
        "encoders_dir": str(tmp_path / "encoders"),
        "editions_dir": str(tmp_path / "editions"),
        "triton_url": "",
    }
    order = IngestOrder("soles", str(source), place, **{"embedding": "none", **options})  # type: ignore[arg-type]
    info = OperationInfo("abc-1", INGEST, "soles", str(source), WorkState.RUNNING, now())
    return OperationFolder.create(tmp_path / "operations", info, asdict(order))


def started(folder: OperationFolder) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.Popen([sys.executable, "-m", "indexer.operation", str(folder.path)], env=environment)


def until(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + LIMIT_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def test_an_ingest_makes_an_edition_and_names_what_it_could_not_use(tmp_path: Path, source: Path) -> None:
    folder = accepted(tmp_path, source)
    assert started(folder).wait(LIMIT_S) == 0
    info = folder.info(with_items=True)
    assert (info.state, info.result) == (WorkState.SUCCEEDED, current_edition(tmp_path / "editions", "soles"))
    assert (info.progress.done, info.progress.total, info.item_error_count) == (4, 4, 1)
    assert info.item_errors[0].item == "broken"
    assert info.finished > info.created


def test_a_dry_run_writes_nothing(tmp_path: Path, source: Path) -> None:
    (source / "manifest.csv").write_text("id,path\na,00001.png\nb,missing.png\n")
    folder = accepted(tmp_path, source / "manifest.csv", dry_run=True)
    assert started(folder).wait(LIMIT_S) == 0
    info = folder.info(with_items=True)
    assert (info.state, info.result, info.progress.total) == (WorkState.SUCCEEDED, "", 2)
    assert "missing.png" in info.item_errors[0].reason
    assert not (tmp_path / "editions").exists()


def test_the_offers_say_the_feed(tmp_path: Path, source: Path) -> None:
    folder = accepted(tmp_path, source, feed="nightly")
    assert started(folder).wait(LIMIT_S) == 0
    assert set(Edition.open(tmp_path / "editions", "soles").offers["feed"].to_pylist()) == {"nightly"}


@pytest.mark.parametrize(("options", "kind"), [({"embedding": "unknown"}, InvalidInput)])
def test_what_cannot_be_done_fails_with_its_error(
    tmp_path: Path, source: Path, options: dict[str, object], kind: type[Exception]
) -> None:
    folder = accepted(tmp_path, source, **options)
    assert started(folder).wait(LIMIT_S) == 1
    info = folder.info()
    assert info.state is WorkState.FAILED
    assert isinstance(info.error, kind)


@pytest.mark.parametrize(
    ("wish", "state"),
    [
        (None, WorkState.RUNNING),
        (OperationFolder.ask_to_stop, WorkState.CANCELLED),
        (OperationFolder.ask_to_pause, WorkState.PAUSED),
    ],
)
def test_one_that_is_stopped_keeps_what_it_encoded_and_goes_on(
    tmp_path: Path, made: MadeGallery, wish: Callable[[OperationFolder], None] | None, state: WorkState
) -> None:
    folder = accepted(tmp_path, made.manifest)
    process = started(folder)
    assert until(lambda: folder.info().progress.done)
    if wish is not None:
        wish(folder)
    process.terminate()
    assert process.wait(LIMIT_S) == 0
    # Where nobody wanted it cancelled it is to go on.
    assert folder.info().state is state
    assert list((tmp_path / "editions/soles/work").rglob("*.npz"))
    assert started(folder).wait(LIMIT_S) == 0
    assert folder.info().state is WorkState.SUCCEEDED
    assert folder.info().progress.done == MODELS


def test_a_process_whose_service_is_gone_ends_by_itself(tmp_path: Path, made: MadeGallery) -> None:
    folder = accepted(tmp_path, made.manifest)
    command = [sys.executable, "-m", "indexer.operation", str(folder.path)]
    starter = f"import subprocess; subprocess.Popen({command!r})\nimport time; time.sleep(4)"
    subprocess.run([sys.executable, "-c", starter], env={**os.environ, "PYTHONPATH": str(PROJECT)}, check=True)

    def is_free() -> bool:
        with folder.working() as free:
            return free

    assert until(is_free)
    assert folder.info().state in (WorkState.RUNNING, WorkState.SUCCEEDED)
