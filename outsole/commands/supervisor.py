"""The process behind a stack: runs Triton and the services, and starts Triton again when it dies.

    python -m outsole.commands.supervisor --home DIR --parent PID --ports JSON

``--parent 0`` lets the stack outlive whoever started it. SIGTERM or SIGINT stops it in order.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from outsole.commands.stack import READY, STATE_FILE, StackState
from outsole.encoders.spec_file import SPEC_FILE
from outsole.errors import MissingPart, OutsoleError, Unavailable
from outsole.inference.embedded_server import EmbeddedTriton, EmbeddedTritonSettings
from outsole.inference.triton_environment import triton_environment
from outsole.settings import StackSettings
from outsole.stopping import until_told
from outsole.video.networks import MODELS
from outsole.wear.model import KIND as WEAR_KIND
from services.settings import ServiceSettings

_POLL_S = 0.3
_RESTART_WAIT_S = 2.0
_ANSWER_TIMEOUT_S = 60.0
# Kinds of model, see ``outsole.encoders.network_spec``: those that are only compared with others, and those that are
# loaded when somebody needs them.
_COMPARED_KINDS = ("spatial_embedding", "picture_embedding")
_LATER_KINDS = ("object_detector", "shoe_key_points", "body_landmarks", WEAR_KIND)
log = logging.getLogger("outsole.stack")


class _Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The stack was told to end before it was ready."""


class Supervisor:
    """One stack from start to end.

    Args:
        settings: Home directory and ports.
        parent: Process whose end ends the stack; 0 for none.
        stop: Ends the stack when it is set, also while it starts.
    """

    def __init__(self, settings: StackSettings, *, parent: int, stop: threading.Event) -> None:
        self._settings = settings
        self._parent = parent
        self._stop = stop
        self._triton: EmbeddedTriton | None = None
        self._reason = ""
        self._state = StackState(os.getpid(), "starting", "triton", "", 0, 0, time.time(), settings.ports())

    def run(self) -> None:
        """Start everything, watch it, and return when it should end; everything is stopped then."""
        with contextlib.suppress(_Stopped), contextlib.ExitStack() as cleanup:
            cleanup.callback((self._settings.home / STATE_FILE).unlink, missing_ok=True)
            self._say("starting Triton")
            self._find_triton()
            services = self._service_settings()
            if self._triton is not None:
                cleanup.callback(self._triton.stop)
                # The services start while it loads its models.
                self._start_triton(self._triton, services)
            self._say("starting Ray Serve", triton_pid=self._triton_pid())
            # Imported here: it takes seconds, in which Triton loads its models.
            from services import app

            cleanup.enter_context(app.running(services, self._stop))
            if self._triton is not None:
                self._say("waiting for Triton's self-test")
                self._triton.wait_ready(_ANSWER_TIMEOUT_S)
            self._say("waiting for the services")
            wait_for_answer(self._settings.target, timeout_s=_ANSWER_TIMEOUT_S)
            self._say(READY)
            self._watch()

    def _say(self, phase: str, *, triton_pid: int | None = None) -> None:
        pid = self._state.triton_pid if triton_pid is None else triton_pid
        self._state = dataclasses.replace(self._state, phase=phase, triton_pid=pid)
        self._state.write(self._settings.home)
        log.info("%s", phase)
        if self._should_end():
            raise _Stopped

    def _should_end(self) -> bool:
        return self._stop.is_set() or self._parent not in (0, os.getppid())

    def _find_triton(self) -> None:
        try:
            environment = triton_environment()
        except MissingPart as error:
            log.warning("Triton is not used: %s; ONNX Runtime in the process takes its place", error)
            self._state = dataclasses.replace(self._state, encoder_backend="in_process", reason=str(error))
            return
        settings, services = self._settings, self._service_settings()
        repositories = (services.model_repository, services.encoders_dir)
        self._triton = EmbeddedTriton(
            services.model_repository,
            settings.home / "triton",
            settings=EmbeddedTritonSettings(
                models=asked_models(repositories),
                niced=tuple(MODELS),
                grpc_port=settings.triton_grpc_port,
                http_port=settings.triton_http_port,
                metrics_port=settings.triton_metrics_port,
            ),
            environment=environment,
            more=[services.encoders_dir],
        )

    def _service_settings(self) -> ServiceSettings:
        settings = self._settings
        return ServiceSettings.from_environment(
            overrides={
                "home": settings.home,
                "encoder_backend": self._state.encoder_backend,
                "triton_url": settings.triton_url,
                "grpc_port": settings.grpc_port,
                "http_port": settings.http_port,
                "metrics_port": settings.metrics_port,
            }
        )

    def _start_triton(self, triton: EmbeddedTriton, services: ServiceSettings) -> None:
        (self._settings.home / "triton").mkdir(parents=True, exist_ok=True)
        triton.start()
        log.info("Triton starts with the models of %s", services.model_repository)

    def _triton_pid(self) -> int:
        return (self._triton.pid or 0) if self._triton is not None else 0

    def _watch(self) -> None:
        """Return when the stack should end; start Triton again whenever it is gone."""
        again_at = 0.0
        while not self._should_end():
            self._stop.wait(_POLL_S)
            triton = self._triton
            if triton is None or triton.is_alive() or time.monotonic() < again_at:
                continue
            again_at = time.monotonic() + _RESTART_WAIT_S
            log.warning("Triton is gone; it is started again")
            try:
                triton.stop()
                triton.start()
            except OutsoleError as error:
                log.warning("Triton does not start: %s", error)
                continue
            restarts = self._state.triton_restarts + 1
            self._state = dataclasses.replace(self._state, triton_restarts=restarts)
            self._say(READY, triton_pid=self._triton_pid())


def asked_models(repositories: Sequence[Path]) -> tuple[str, ...]:
    """The models that a stack asks from its start on, by name: every other one would only take memory.

    Args:
        repositories: Model repositories; one that is no directory holds none.
    """
    folders = (path.parent for repository in repositories for path in repository.glob("*/config.pbtxt"))
    return tuple(sorted({folder.name for folder in folders if _kind(folder) not in (*_COMPARED_KINDS, *_LATER_KINDS)}))


def _kind(folder: Path) -> str:
    """The kind that a model's specification names; empty where it names none."""
    try:
        found = json.loads((folder / SPEC_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Whoever asks the model says what is wrong with it.
        return ""
    return str(found.get("kind", "")) if isinstance(found, dict) else ""


def wait_for_answer(target: str, *, timeout_s: float) -> None:
    """Block until the gRPC service answers a list of galleries.

    Raises:
        Unavailable: It does not within ``timeout_s`` seconds.
    """
    from outsole.api import Client

    deadline = time.monotonic() + timeout_s
    with Client(target, timeout_s=5.0, retries=0) as client:
        while True:
            try:
                client.list_galleries()
            except OutsoleError as error:
                if time.monotonic() > deadline:
                    raise Unavailable(f"the services do not answer: {error}") from error
                time.sleep(_POLL_S)
            else:
                return


def main(arguments: list[str]) -> int:
    """Run a stack; returns the exit status."""
    parser = argparse.ArgumentParser(prog="outsole.commands.supervisor")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--ports", type=json.loads, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s", force=True)

    settings = StackSettings(options.home, **options.ports)
    try:
        until_told(lambda stop: Supervisor(settings, parent=options.parent, stop=stop).run())
    except OutsoleError as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
