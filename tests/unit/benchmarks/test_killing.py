"""Programs that are struck at random moments: which are begun again, and when somebody is told."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.killing import Strikes, kill, run_whole, started, struck_again_and_again
from outsole.errors import Unavailable

# Works for a while, and tells so when it has ended by itself.
_WORK = "import sys, time; time.sleep(float(sys.argv[2])); open(sys.argv[1], 'a').write('done\\n')"


def work(path: Path, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _WORK, str(path), str(seconds)], start_new_session=True)


def test_a_program_is_struck_as_often_as_is_asked_for_and_ends_once_more(tmp_path: Path) -> None:
    starts: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        starts.append(work(tmp_path / "done", 0.6))
        return starts[-1]

    errors = struck_again_and_again(start, Strikes(3, seed=2, whole_s=0.6, starting_s=0.1), kill)
    assert errors == 0
    assert sum(process.returncode == -9 for process in starts) == 3
    assert starts[-1].returncode == 0


def test_a_strike_that_leaves_it_alive_does_not_begin_it_again(tmp_path: Path) -> None:
    struck: list[float] = []
    strikes = Strikes(2, seed=0, whole_s=0.5, starting_s=0.1)
    struck_again_and_again(lambda: work(tmp_path / "done", 2.0), strikes, lambda _: struck.append(time.monotonic()))
    assert len(struck) == 2
    assert (tmp_path / "done").read_text() == "done\n"


def test_an_error_after_a_strike_is_counted_and_errors_without_any_are_told(tmp_path: Path) -> None:
    marks = tmp_path / "struck"
    marks.write_bytes(b"")
    # Fails where it was struck, and begins without a scar.
    hurt = "import sys, time; time.sleep(1.5); n = len(open(sys.argv[1], 'rb').read()); open(sys.argv[1], 'w').close()"

    def start(program: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", program, str(marks)], start_new_session=True)

    def strike(_: subprocess.Popen[bytes]) -> None:
        marks.write_bytes(marks.read_bytes() + b"x")

    strikes = Strikes(2, seed=0, whole_s=0.2, starting_s=0.0)
    assert struck_again_and_again(lambda: start(f"{hurt}; sys.exit(n > 0)"), strikes, strike) == 1
    with pytest.raises(Unavailable, match="ended with 3"):
        struck_again_and_again(lambda: start("import sys; sys.exit(3)"), Strikes(1, seed=0, whole_s=600.0), strike)


def test_a_program_that_fails_is_told_with_what_it_said_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "program.log"
    with pytest.raises(Unavailable, match="see its log"):
        run_whole(started("benchmarks.no_such_program", [], log=log))
    assert "no_such_program" in log.read_text()
