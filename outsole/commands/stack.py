"""A whole stack on this machine, run by one supervisor process: start it, wait for it, stop it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from outsole.errors import InvalidInput, Unavailable
from outsole.settings import StackSettings

STATE_FILE = "stack.json"
LOG_FILE = "stack.log"
READY = "ready"
START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 30.0
_POLL_S = 0.1


@dataclass(frozen=True)
class StackState:
    """What the supervisor says about its stack in ``stack.json``.

    Attributes:
        pid: Of the supervisor; SIGTERM to it stops everything.
        phase: What it is doing, ``ready`` when the stack can be used.
        encoder_backend: ``triton``, or ``in_process`` where the server cannot run.
        reason: Why Triton is not used; empty where it is.
        triton_pid: Of Triton's guard; 0 without Triton.
        triton_restarts: How often Triton had to be started again.
        started: Unix time.
        ports: Port by the names of ``StackSettings``.
    """

    pid: int
    phase: str
    encoder_backend: str
    reason: str
    triton_pid: int
    triton_restarts: int
    started: float
    ports: dict[str, int]

    def settings(self, home: Path) -> StackSettings:
        """The settings that the stack was started with."""
        return StackSettings(home, **self.ports)

    def write(self, home: Path) -> None:
        """Put the state where ``read_state`` finds it; a reader sees the old file or the new one."""
        draft = home / f".{STATE_FILE}.{os.getpid()}"
        draft.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n", encoding="utf-8")
        draft.replace(home / STATE_FILE)


def read_state(home: Path) -> StackState | None:
    """The state of the stack that runs in a home directory; None where none does."""
    try:
        state = StackState(**json.loads((home / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return state if is_supervisor(state.pid) else None


def is_supervisor(pid: int) -> bool:
    """Whether a process is a supervisor: the number of one that was killed may belong to another program by now."""
    try:
        os.kill(pid, 0)
        command = Path(f"/proc/{pid}/cmdline")
        return not Path("/proc/self/cmdline").exists() or b"outsole.commands.supervisor" in command.read_bytes()
    except OSError:
        return False


class LocalStack:
    """Triton, Ray Serve and Milvus Lite on this machine; as a context manager it is ready inside the block.

        with LocalStack(StackSettings(home).on_free_ports()) as stack:
            client = Client(stack.target)

    Args:
        settings: Home directory and ports.
        detached: Keep it running when this process ends; otherwise it is stopped then, however this process ends.
        variables: ``OUTSOLE_`` variables on top of this process's environment.
        report: Told each phase of the start.
    """

    def __init__(
        self,
        settings: StackSettings,
        *,
        detached: bool = False,
        variables: Mapping[str, str] | None = None,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings
        self._detached = detached
        self._variables = dict(variables or {})
        self._report = report or (lambda phase: None)
        self._process: subprocess.Popen[bytes] | None = None
        self.startup_s = 0.0
        self._begun = 0.0

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def target(self) -> str:
        """``host:port`` of the gRPC service, as ``outsole.api.Client`` takes it."""
        return self.settings.target

    @property
    def log_path(self) -> Path:
        """The log of the supervisor and the services."""
        return self.settings.home / LOG_FILE

    @property
    def pid(self) -> int:
        """Process id of the supervisor. Raises ``Unavailable`` where it does not run."""
        if self._process is None:
            raise Unavailable("the stack does not run")
        return self._process.pid

    @property
    def state(self) -> StackState | None:
        """What the supervisor says now; None before it says anything."""
        return read_state(self.settings.home)

    def start(self) -> None:
        """Start the supervisor and return at once.

        Raises:
            InvalidInput: A stack runs in this home already.
        """
        home = self.settings.home
        home.mkdir(parents=True, exist_ok=True)
        if (running := read_state(home)) is not None:
            raise InvalidInput(
                f"a stack runs here already (process {running.pid})", field="home", remedy="outsole down"
            )
        (home / STATE_FILE).unlink(missing_ok=True)
        command = [sys.executable, "-m", "outsole.commands.supervisor", "--home", str(home.absolute())]
        command += ["--parent", "0" if self._detached else str(os.getpid())]
        command += ["--ports", json.dumps(self.settings.ports())]
        self._begun = time.monotonic()
        with self.log_path.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal reaches the caller alone, which then stops it in order.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._variables},
                start_new_session=True,
            )

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Block until the stack answers.

        Raises:
            Unavailable: It ended, or was not ready in time; the message names its log.
        """
        deadline = time.monotonic() + timeout_s
        told = ""
        while True:
            if self._process is None or self._process.poll() is not None:
                raise Unavailable(f"the stack ended while it started: {self._last_words()}", remedy=self._see_log())
            state = self.state
            if state is not None and state.phase != told:
                told = state.phase
                self._report(told)
            if told == READY:
                self.startup_s = time.monotonic() - self._begun
                return
            if time.monotonic() > deadline:
                raise Unavailable(f"the stack was not ready within {timeout_s:g} s", remedy=self._see_log())
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop the stack and everything it started; stopping twice is allowed."""
        process, self._process = self._process, None
        if process is None:
            return
        self._report("stopping the stack")
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            # Triton's guard and Ray's processes end when they see that the supervisor is gone.
            process.kill()
            process.wait()

    def _see_log(self) -> str:
        return f"see {self.log_path}"

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.log_path.read_text(errors="replace").strip().splitlines()
            return lines[-1][:300] if lines else "it said nothing"
        return "it said nothing"


def stop_running(home: Path) -> bool:
    """Stop the stack of a home directory, whoever started it; whether there was one.

    Raises:
        Unavailable: It does not end.
    """
    state = read_state(home)
    if state is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(state.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while is_supervisor(state.pid) and not _is_zombie(state.pid):
        if time.monotonic() > deadline:
            raise Unavailable(f"process {state.pid} does not end", remedy=f"see {home / LOG_FILE}")
        time.sleep(_POLL_S)
    (home / STATE_FILE).unlink(missing_ok=True)
    return True


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits for its parent to notice."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False
