from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.training.tiny_system import TINY, tiny_system
from training.checkpoints import CHECKPOINT_FILE, load_checkpoint
from training.command import command
from training.system import Batch
from training.trainer import train

_ROOT = Path(__file__).parents[3]


def _start(*arguments: str, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "tests.unit.training.tiny_system", *arguments]
    return subprocess.Popen(
        program, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before
    )


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_the_command_trains_and_says_the_figures(tmp_path: Path) -> None:
    done = CliRunner().invoke(command(TINY), ["--preset", "smoke", "--output", str(tmp_path), "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert "accuracy" in done.stdout
    assert "6 steps" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_saves_and_ends_with_130(tmp_path: Path, number: signal.Signals) -> None:
    process = _start("--preset", "endless", "--output", str(tmp_path), "--device", "cpu")
    try:
        assert process.stderr is not None
        # The bar shows the loss once a step is done.
        seen = ""
        deadline = time.monotonic() + 60
        while "loss=" not in seen and time.monotonic() < deadline:
            seen += process.stderr.read(1)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    step = load_checkpoint(tmp_path / CHECKPOINT_FILE).step
    assert f"stopped after step {step} of" in _last_line(errors)


def test_a_full_disk_is_one_sentence_and_the_old_checkpoint_is_kept(tmp_path: Path) -> None:
    train(TINY, "smoke", folder=tmp_path, device="cpu", minutes=1e-9)
    before = (tmp_path / CHECKPOINT_FILE).read_bytes()

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    process = _start("--preset", "smoke", "--output", str(tmp_path), "--device", "cpu", before=no_room)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "the checkpoint of step 6" in _last_line(errors)
    assert "is kept; make room" in _last_line(errors)
    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--preset", "long"], 2, "'long' is not one of"),
        (["--preset", "smoke", "--variant", "pooled"], 2, "no variant 'pooled'"),
        (["--preset", "smoke", "--trunk-weights", "nowhere.pt"], 2, "takes no trunk weights"),
    ],
)
def test_bad_options_are_one_sentence(tmp_path: Path, arguments: list[str], status: int, words: str) -> None:
    done = CliRunner().invoke(command(TINY), [*arguments, "--output", str(tmp_path)])
    assert done.exit_code == status
    assert words in done.output
    assert "Traceback" not in done.output


def test_an_error_of_the_evaluation_is_no_stack_trace(tmp_path: Path) -> None:
    def gone(*_: object) -> dict[str, float]:
        raise FileNotFoundError(2, "No such file or directory", "probes")

    system = tiny_system(evaluate=gone)
    done = CliRunner().invoke(command(system), ["--preset", "smoke", "--output", str(tmp_path), "--device", "cpu"])
    assert done.exit_code == 1
    assert "probes" in done.output


def test_a_corrupt_checkpoint_ends_the_command_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT_FILE).write_bytes(b"?")
    done = CliRunner().invoke(command(TINY), ["--preset", "smoke", "--output", str(tmp_path), "--device", "cpu"])
    assert done.exit_code == 1
    assert "--fresh" in done.output


def test_a_variant_is_trained_under_its_own_name(tmp_path: Path) -> None:
    def only_spread(network: object, batch: Batch) -> object:
        return TINY.loss(network, batch)  # type: ignore[arg-type]

    variant = tiny_system(name="tiny:plain", loss=only_spread)
    system = tiny_system(variants={"plain": variant})
    arguments = ["--preset", "smoke", "--variant", "plain", "--output", str(tmp_path), "--device", "cpu"]
    assert CliRunner().invoke(command(system), arguments).exit_code == 0
    assert load_checkpoint(tmp_path / CHECKPOINT_FILE).settings["system"] == "tiny:plain"
