"""The embedded Triton server: the real binary, on this machine only, with Outsole's onnxruntime backend."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from outsole.errors import NotFound, Unavailable
from outsole.free_ports import free_ports
from outsole.inference.triton_environment import TritonEnvironment, triton_environment

HOST = "127.0.0.1"
SELF_TEST = "self_test"
_BACKENDS = Path(__file__).parent / "backends"
_GUARD = Path(__file__).parent / "guard.py"
_POLL_S = 0.1


@dataclass(frozen=True)
class EmbeddedTritonSettings:
    """How the embedded server runs.

    Attributes:
        models: Models to load; empty loads every folder of the repository that has a ``config.pbtxt``.
        grpc_port, http_port, metrics_port: TCP ports on 127.0.0.1; 0 takes a free one.
        shared_memory_bytes: Shared memory a model's backend starts with, of which only what is used takes up memory.
            Enough for all requests in flight: it could grow, but the back end's process was seen to crash as it did.
        threads: Threads of one inference where a model's configuration does not say; 0 uses all cores.
        niced: Models that leave the processor to the others; those that work in bulk.
        stop_grace_s: Seconds to finish in before the server is killed.
        outlives_parent: Keep the server running when this process ends; otherwise it is stopped then.
    """

    models: tuple[str, ...] = ()
    grpc_port: int = 8601
    http_port: int = 8600
    metrics_port: int = 8602
    shared_memory_bytes: int = 128 * 2**20
    threads: int = 0
    niced: tuple[str, ...] = ()
    stop_grace_s: float = 5.0
    outlives_parent: bool = False


class EmbeddedTriton:
    """A Triton server started and stopped by Outsole; as a context manager it is ready inside the block.

    Args:
        repository: The model repository; it must hold ``self_test``.
        state_dir: Folder for the log and the assembled backends; made where missing.
        settings: Ports, models, memory.
        environment: Where the server is installed; None resolves the default one at ``start``.
        more: Further model repositories, of models that were adapted here; one that is no directory is left out.
    """

    def __init__(
        self,
        repository: Path,
        state_dir: Path,
        *,
        settings: EmbeddedTritonSettings | None = None,
        environment: TritonEnvironment | None = None,
        more: Sequence[Path] = (),
    ) -> None:
        self._settings = settings or EmbeddedTritonSettings()
        self._repositories = [path.absolute() for path in (repository, *more)]
        self._state_dir = state_dir.absolute()
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = (self._settings.grpc_port, self._settings.http_port, self._settings.metrics_port)

    @property
    def grpc_url(self) -> str:
        """``host:port`` of the gRPC endpoint, as TritonEncoder takes it."""
        return f"{HOST}:{self._ports[0]}"

    @property
    def http_url(self) -> str:
        """Root of the HTTP endpoint."""
        return f"http://{HOST}:{self._ports[1]}"

    @property
    def metrics_url(self) -> str:
        """Address of the Prometheus metrics."""
        return f"http://{HOST}:{self._ports[2]}/metrics"

    @property
    def pid(self) -> int | None:
        """Process id of the guard that runs the server (SIGTERM to it stops everything); None when not started."""
        return self._process.pid if self._process else None

    @property
    def log_path(self) -> Path:
        """The server's log, begun anew at each start."""
        return self._state_dir / "triton.log"

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and return at once; nothing happens where it runs already.

        Raises:
            MissingPart: The server is not installed or cannot run here.
            NotFound: A model, or the self-test, is not in the repository.
            Unavailable: A port is taken.
        """
        if self._process is not None and self._process.poll() is None:
            return
        environment = self._environment or triton_environment()
        # Looked at anew at each start: a model may have been adapted meanwhile.
        present = [path for path in self._repositories if path.is_dir()]
        models = _models(present or self._repositories[:1], self._settings.models)
        self._ports = _usable_ports((self._settings.grpc_port, self._settings.http_port, self._settings.metrics_port))
        backends = assemble_backends(environment, self._state_dir / "triton-backends")
        shm_prefix = f"outsole-{os.getpid()}-{self._ports[0]}-"
        command = self._guard_command(shm_prefix) + self._server_command(environment, backends, models, shm_prefix)
        own = {
            "OUTSOLE_ENCODER_THREADS": str(self._settings.threads),
            "OUTSOLE_NICED_MODELS": ",".join(self._settings.niced),
        }
        variables = {**os.environ, **environment.variables(), **own}
        with self.log_path.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal reaches Outsole alone, which then stops the server in order.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=variables, start_new_session=True
            )

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Block until all models are loaded and the self-test has answered rightly.

        Raises:
            Unavailable: The server ended, did not get ready in time, or answered the self-test wrongly; the message
                ends with the last lines of its log.
        """
        deadline = time.monotonic() + timeout_s
        client = triton.InferenceServerClient(self.grpc_url, channel_args=[("grpc.enable_http_proxy", 0)])
        try:
            while not _is_ready(client):
                if self._process is None or self._process.poll() is not None:
                    raise Unavailable(f"Triton ended while it started{self._log_tail()}")
                if time.monotonic() > deadline:
                    raise Unavailable(f"Triton was not ready within {timeout_s:.3g} s{self._log_tail()}")
                time.sleep(_POLL_S)
            self_test(client, timeout_s=max(1.0, deadline - time.monotonic()))
        finally:
            client.close()

    def is_alive(self) -> bool:
        """Whether the server's process runs; ready is more than that."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop the server and everything it started; stopping twice is allowed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self._settings.stop_grace_s + 3.0)
        except subprocess.TimeoutExpired:
            # The server dies with its guard.
            process.kill()
            process.wait()

    def _guard_command(self, shm_prefix: str) -> list[str]:
        parent = 0 if self._settings.outlives_parent else os.getpid()
        grace = str(self._settings.stop_grace_s)
        options = ["--parent", str(parent), "--grace-s", grace, "--shm-prefix", shm_prefix, "--"]
        return [sys.executable, "-I", "-S", str(_GUARD), *options]

    def _server_command(
        self, environment: TritonEnvironment, backends: Path, models: Sequence[str], shm_prefix: str
    ) -> list[str]:
        grpc_port, http_port, metrics_port = self._ports
        memory = f"shm-default-byte-size={self._settings.shared_memory_bytes}"
        return [
            str(environment.server),
            *(f"--model-repository={path}" for path in self._repositories if path.is_dir()),
            f"--backend-directory={backends}",
            "--model-control-mode=explicit",
            *(f"--load-model={model}" for model in models),
            f"--grpc-address={HOST}",
            f"--grpc-port={grpc_port}",
            f"--http-address={HOST}",
            f"--http-port={http_port}",
            f"--metrics-address={HOST}",
            f"--metrics-port={metrics_port}",
            "--grpc-http2-min-recv-ping-interval-without-data=10000",
            f"--exit-timeout-secs={max(1, int(self._settings.stop_grace_s))}",
            f"--backend-config=python,{memory}",
            f"--backend-config=onnxruntime,{memory}",
            f"--backend-config=python,shm-region-prefix-name={shm_prefix}",
            f"--backend-config=onnxruntime,shm-region-prefix-name={shm_prefix}",
        ]

    def _log_tail(self, lines: int = 15) -> str:
        with contextlib.suppress(OSError):
            tail = self.log_path.read_text(errors="replace").strip().splitlines()[-lines:]
            return "; its log ends:\n" + "\n".join(tail) if tail else ""
        return ""


def assemble_backends(environment: TritonEnvironment, target: Path) -> Path:
    """Make the backend directory: Triton's Python backend with its stub, and Outsole's onnxruntime backend on it.

    Files are replaced by renaming, so that a server that runs from the folder keeps its own.
    """
    sources = {f"python/{path.name}": path for path in environment.python_backend.iterdir() if path.is_file()}
    sources["python/triton_python_backend_stub"] = environment.stub
    sources["onnxruntime/model.py"] = _BACKENDS / "onnxruntime/model.py"
    for name, source in sources.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        fresh = target / f"{name}.{os.getpid()}.new"
        shutil.copyfile(source, fresh)
        fresh.chmod(0o755)
        fresh.replace(target / name)
    return target


def self_test(client: triton.InferenceServerClient, *, timeout_s: float) -> None:
    """Send a tensor with every byte value to the ``self_test`` model and compare the answer bit by bit.

    A broken data path, numpy 2 in the backend's environment for one, gives wrong numbers and no error at all.

    Raises:
        Unavailable: The answer is wrong or there is none.
    """
    first = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    image = np.concatenate([first, first[:, ::-1], first.transpose(0, 2, 1)])
    tensor = triton.InferInput("image", list(image.shape), "UINT8")
    tensor.set_data_from_numpy(image)
    try:
        answer = client.infer(SELF_TEST, [tensor], client_timeout=timeout_s)
    except InferenceServerException as error:
        raise Unavailable(f"Triton's self-test failed: {error.message()}") from error
    wanted = {"echo": image, "half": (image / 256).astype(np.float16)}
    wrong = [name for name, array in wanted.items() if not _identical(answer.as_numpy(name), array)]
    if wrong:
        raise Unavailable(
            f"Triton's self-test answered wrong numbers in {', '.join(wrong)}",
            remedy="its environment must have numpy below 2; make it again with `make env`",
        )


def stop_process(pid: int, *, grace_s: float = 10.0) -> bool:
    """Stop a server that another process started, by its guard's pid; whether it ended within the time."""
    deadline = time.monotonic() + grace_s
    try:
        os.kill(pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(_POLL_S)
    except ProcessLookupError:
        return True
    return False


def _identical(got: np.ndarray | None, wanted: np.ndarray) -> bool:
    return got is not None and got.dtype == wanted.dtype and np.array_equal(got, wanted)


def _is_ready(client: triton.InferenceServerClient) -> bool:
    try:
        return bool(client.is_server_ready(client_timeout=1.0))
    except InferenceServerException:
        return False


def _models(repositories: Sequence[Path], wanted: Sequence[str]) -> list[str]:
    """The models to load, the self-test among them; NotFound names the one that is not there."""
    present = {path.parent.name for repository in repositories for path in repository.glob("*/config.pbtxt")}
    models = sorted({*wanted, SELF_TEST} if wanted else {*present, SELF_TEST})
    missing = [model for model in models if model not in present]
    if missing:
        raise NotFound(f"the model repository {repositories[0]} lacks {', '.join(missing)}", field="model_repository")
    return models


def _usable_ports(ports: tuple[int, int, int]) -> tuple[int, int, int]:
    """The ports, with free ones in place of zeros; each is bound once here, since gRPC may share a taken one."""
    usable: list[int] = []
    spare = iter(free_ports(len(ports), host=HOST))
    with contextlib.ExitStack() as stack:
        for wanted in ports:
            port = wanted or next(spare)
            probe = stack.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise Unavailable(f"port {port} on {HOST} is taken", remedy="set another port, or 0") from error
            usable.append(probe.getsockname()[1])
    grpc_port, http_port, metrics_port = usable
    return grpc_port, http_port, metrics_port
