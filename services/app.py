"""The composition root: settings in, one Ray Serve application out; and the process that runs it.

``python -m services.app`` runs the stack's Ray part in the foreground until SIGTERM or SIGINT.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve.config import HTTPOptions, gRPCOptions
from ray.serve.schema import ApplicationStatus

from outsole.errors import Unavailable
from outsole.local_ray import local_ray
from outsole.matching.print_system import PrintSystem
from outsole.matching.shoe_system import SHOE, find_shoe_encoders
from outsole.stopping import until_told
from services import loopback
from services.indexing import IndexOwner
from services.ingress import Ingress
from services.reranker import Reranker
from services.settings import ServiceSettings
from services.vector_store import VectorStoreOwner

APPLICATION = "outsole"
SERVICERS = ("services.edge.add_services_to_server",)
_MIB = 2**20
_STARTS_WITHIN_S = 120.0
_POLL_S = 0.1
_ROOT = str(Path(__file__).resolve().parents[1])
# Every process of Ray inherits these when Ray starts.
RAY_ENVIRONMENT = {
    "RAY_SERVE_GRPC_MAX_MESSAGE_SIZE": str(64 * _MIB),
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray's workers are background jobs by default; here they answer callers, beside a Triton that is not.
    "RAY_worker_niceness": "0",
    # Replicas leave their event loop to threads wherever they compute, so Ray's own second loop and its hand-overs
    # would only cost time.
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0",
    # Arrays of some MiB come and go with every search: giving their pages back each time costs a quarter of the
    # reranker's time.
    "MALLOC_MMAP_THRESHOLD_": str(32 * _MIB),
    "MALLOC_TRIM_THRESHOLD_": str(512 * _MIB),
    # Ray's many threads allocate little; an arena for each of them would keep what they freed.
    "MALLOC_ARENA_MAX": "2",
}
_log = logging.getLogger(__name__)


def build(settings: ServiceSettings | Mapping[str, object]) -> serve.Application:
    """The application; ``services.app:build`` in a Serve configuration, where ``args`` go before the environment.

    Raises:
        InvalidInput: A setting that is not known or cannot be used.
        NotFound, DataCorrupt: An encoder's folder is not what it should be.
    """
    if not isinstance(settings, ServiceSettings):
        settings = ServiceSettings.from_environment(overrides=settings)
    system = PrintSystem.load(settings.model_dir, more=[settings.encoders_dir])
    shoes = find_shoe_encoders((settings.model_dir.parent, settings.encoders_dir)).values()
    spec, hashes = system.spec, (system.spec.hash, *(shoe.spec.hash for shoe in shoes))
    # A Lite directory has one owner, so this deployment never has a second replica.
    store = _deployment(VectorStoreOwner, replicas=1, ongoing=16, queued=64).bind(
        settings.milvus, settings.editions_dir, hashes, (*system.candidate_fields, SHOE)
    )
    # Little may wait here: what waits long would only run out of its budget, and the client backs off by itself.
    reranker = _deployment(Reranker, replicas=settings.reranker_replicas, ongoing=8, queued=32).bind(
        settings.editions_dir, spec, settings.rerank_cache_mib, settings.rerank_threads
    )
    # Watchers of the health service hold a place for as long as they watch.
    ingress = _deployment(Ingress, replicas=settings.ingress_replicas, ongoing=96, queued=128)
    # Operations are processes of their own, so that one owner has them all.
    indexing = _deployment(IndexOwner, replicas=1, ongoing=16, queued=64).bind(settings)
    return ingress.bind(settings, store, reranker, indexing)


def _deployment(kind: type, *, replicas: int, ongoing: int, queued: int) -> serve.Deployment:
    decorate = serve.deployment(
        name=kind.__name__,
        num_replicas=replicas,
        max_ongoing_requests=ongoing,
        max_queued_requests=queued,
        graceful_shutdown_wait_loop_s=0.2,
        graceful_shutdown_timeout_s=5.0,
        ray_actor_options={"num_cpus": 0},
    )
    made: serve.Deployment = decorate(kind)
    return made


@contextmanager
def running(settings: ServiceSettings, stop: threading.Event) -> Iterator[None]:
    """Run Ray and the application for as long as the block lasts; then everything is stopped again.

    Args:
        settings: Of the services.
        stop: Ends the wait for the application when it is set: the block is entered then, and should end.

    Raises:
        Unavailable: The application does not start.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    # Ray's sockets lie below its directory, and their paths may have 107 bytes: the state directory can be too deep.
    ray_dir = Path(tempfile.mkdtemp(prefix="outsole-ray-"))
    try:
        with local_ray(**_ray_options(settings, ray_dir)):
            try:
                _start_application(settings, stop)
                yield
            finally:
                _stop_application()
    finally:
        shutil.rmtree(ray_dir, ignore_errors=True)


def run(settings: ServiceSettings, stop: threading.Event) -> None:
    """Run until ``stop`` is set."""
    with running(settings, stop):
        _log.info("gRPC on 127.0.0.1:%d, metrics on port %d", settings.grpc_port, settings.metrics_port)
        stop.wait()


def _ray_options(settings: ServiceSettings, ray_dir: Path) -> dict[str, Any]:
    for key, value in RAY_ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    # Ray calls the hook before a worker takes over this process's search path.
    search = [_ROOT, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(search))
    return {
        "address": "local",
        # As many idle workers are started beforehand; the replicas ask for none of it.
        "num_cpus": 1,
        "num_gpus": 0,
        "object_store_memory": settings.object_store_mib * _MIB,
        "namespace": APPLICATION,
        "runtime_env": {"worker_process_setup_hook": loopback.HOOK},
        "_node_ip_address": "127.0.0.1",
        "_temp_dir": str(ray_dir),
        "_metrics_export_port": settings.metrics_port,
    }


def _start_application(settings: ServiceSettings, stop: threading.Event) -> None:
    """Start it and wait until it runs, or until it need not any more."""
    serve.start(
        http_options=HTTPOptions(host="127.0.0.1", port=settings.http_port),
        grpc_options=gRPCOptions(
            port=settings.grpc_port, grpc_servicer_functions=list(SERVICERS), enable_reflection=False
        ),
    )
    target = serve.RunTarget(build(settings), name=APPLICATION, route_prefix="/")
    serve.run_many([target], wait_for_applications_running=False)
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while (found := serve.status().applications[APPLICATION]).status != ApplicationStatus.RUNNING:
        if found.status == ApplicationStatus.DEPLOY_FAILED:
            raise Unavailable(f"the services do not start: {found.message}")
        if time.monotonic() > deadline:
            raise Unavailable(f"the services did not start within {_STARTS_WITHIN_S:g} s: {found.message}")
        if stop.wait(_POLL_S):
            return


def _stop_application() -> None:
    try:
        # Replicas end in order, and Milvus Lite is closed; the rest of Ray goes with its processes.
        serve.delete(APPLICATION)
    except Exception:
        # Whatever state it is in, the processes have to go.
        _log.exception("Ray Serve did not stop in order")


def main() -> None:
    """Run with the settings of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    until_told(partial(run, ServiceSettings.from_environment()))


if __name__ == "__main__":
    main()
