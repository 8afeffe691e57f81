"""Programs that are killed at random moments and begun again, and whether what they wrote is the same for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from outsole.errors import OutsoleError, Unavailable
from outsole.gallery.editions import Edition
from outsole.gallery.layout import MANIFEST, file_sha256

_ROOT = Path(__file__).resolve().parents[1]
# Longer than any benchmark takes; only what hangs gets there.
_LONGEST_S = 6 * 3600.0
# Ray gives up where a machine with much to do does not start it within half a minute.
_MOST_UNSTRUCK = 3

Start = Callable[[], subprocess.Popen[bytes]]
Strike = Callable[[subprocess.Popen[bytes]], None]
"""Does something bad to a program, or to what it works with; the program need not end of it."""


def started(module: str, arguments: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start a module of this project as a program.

    Args:
        module: Its name.
        arguments: What it is called with.
        log: File to which what it prints is appended; its folder is made where missing.
    """
    search = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
    log.parent.mkdir(parents=True, exist_ok=True)
    # A session of its own, so that a kill reaches what the program starts too.
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=out,
            stderr=out,
            env={**os.environ, "PYTHONPATH": search},
            start_new_session=True,
        )


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens in the block, the program does not outlast it."""
    try:
        yield
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and all it started at once; nothing is told."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_whole(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a program.

    Raises:
        Unavailable: It did not end well, or not at all.
    """
    with ended(process):
        _wait(process)
    if process.returncode:
        raise _ended_badly(process)


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_LONGEST_S)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"a program did not end within {_LONGEST_S:,.0f} s") from error


def _ended_badly(process: subprocess.Popen[bytes]) -> Unavailable:
    return Unavailable(f"a program ended with {process.returncode}", remedy="see its log in the work directory")


@dataclass(frozen=True)
class Strikes:
    """When a program is struck.

    Attributes:
        count: How often.
        seed: Of the moments.
        whole_s: How long the program takes when nobody disturbs it, seconds.
        starting_s: How much of that passes before it is at work.
    """

    count: int
    seed: int
    whole_s: float
    starting_s: float = 1.0


def struck_again_and_again(start: Start, strikes: Strikes, strike: Strike) -> int:
    """Strike a program at random moments until that was done often enough, then let it end.

    It is begun again whenever it has ended. ``strike`` is called while it runs.

    Returns:
        How often it ended with an error of its own, after a strike that left it alive or because it could not start.

    Raises:
        Unavailable: It ended with an error again and again though nobody had struck it, or not at all.
    """
    rng = np.random.default_rng([0x4111, strikes.seed])
    # Starting takes its own time at each turn; what is left of the run is shared out among the strikes.
    starting_s = min(strikes.starting_s, strikes.whole_s / 2)
    working_s = 2 * (strikes.whole_s - starting_s) / strikes.count
    struck, errors, unstruck, sooner = 0, 0, 0, 1.0
    with tqdm(total=strikes.count, desc="kills", unit="kill") as bar:
        while True:
            process, before = start(), struck
            with ended(process):
                wait_s = rng.uniform(starting_s, starting_s + working_s)
                while struck < strikes.count and not _ends_within(process, sooner * wait_s):
                    strike(process)
                    struck += 1
                    bar.update(1)
                    wait_s = rng.uniform(0.0, working_s)
                _wait(process)
            if process.returncode == 0 and struck == strikes.count:
                return errors
            has_failed = process.returncode > 0
            errors, unstruck = errors + has_failed, unstruck + 1 if has_failed and struck == before else 0
            if unstruck == _MOST_UNSTRUCK:
                raise _ended_badly(process)
            # Where it ended well little is left to do: it has to be struck sooner to be struck at all.
            sooner /= 2 if process.returncode == 0 else 1


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.poll() is not None


def same_edition(first: Path, second: Path, gallery: str) -> bool:
    """Whether the editions in force below two roots have the same id and the same bytes in every file.

    The manifest alone says besides when it was made.
    """
    try:
        one, other = Edition.open(first, gallery), Edition.open(second, gallery)
    except OutsoleError:
        return False
    names = {path.name for path in one.folder.iterdir()} - {MANIFEST}
    if one.id != other.id or names != {path.name for path in other.folder.iterdir()} - {MANIFEST}:
        return False
    return all(file_sha256(one.folder / name) == file_sha256(other.folder / name) for name in sorted(names))
