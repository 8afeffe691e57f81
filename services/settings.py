"""Settings of the services. The environment is read here, once, and nowhere else in this package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from outsole.errors import InvalidInput

PREFIX = "OUTSOLE_"
# Keys with our prefix that other parts read for themselves.
_FOREIGN = frozenset(
    {
        "OUTSOLE_TRITON_ENV",
        "OUTSOLE_ENCODER_THREADS",
        "OUTSOLE_NICED_MODELS",
        "OUTSOLE_BACKEND_SITE_PACKAGES",
        "OUTSOLE_MILVUS_PYTHON",
    }
)
_BACKENDS = ("triton", "in_process")
_PORTS = ("grpc_port", "http_port", "metrics_port")


@dataclass(frozen=True)
class ServiceSettings:
    """How the services run; each is read from ``OUTSOLE_`` and its name in capitals.

    Attributes:
        home: State directory: galleries, evidence, Milvus Lite.
        model_repository: Triton's model repository; the encoder's ``spec.json`` is read from it.
        encoder: Name of the print encoder in the repository.
        encoder_backend: ``triton``, or ``in_process`` for ONNX Runtime inside the ingress.
        triton_url: ``host:port`` of Triton's gRPC endpoint.
        milvus_uri: A directory ending in ``.db``, ``http://host:port``, or ``exact:`` for a scan of the arrays; empty
            for ``milvus.db`` in ``home``.
        grpc_port: TCP port of the public gRPC service.
        http_port: TCP port of Ray Serve's HTTP proxy, which nothing uses but Ray's own health check.
        metrics_port: TCP port where Ray exports Prometheus metrics.
        ingress_replicas: Processes that receive requests.
        reranker_replicas: Processes that compare closely.
        rerank_threads: Threads of one reranker; 0 for all cores.
        rerank_cache_mib: Memory for prepared maps in one reranker and edition, MiB.
        searches_in_encoder: Searches of one ingress that wait for the encoder at once.
        frame_streams: Streams of frames (SearchFrames) of one ingress at once.
        frames_in_flight: Frames of a stream that are taken while they are not answered yet.
        stream_wait_s: How long a stream of frames waits for its client, to send a frame or to read an answer, seconds.
        default_budget_ms: Time limit of a request that does not say one, milliseconds, 1 .. 600,000.
        rotation_limit_deg: Rotations from minus this to this are tried by default, degrees.
        rotation_step_deg: Step between them, degrees.
        evidence_max_bytes: Largest evidence held.
        max_pixels: Largest probe, pixels.
        object_store_mib: Memory that Ray shares between processes, MiB.
        probe_interval_s: Age at which a finding about Triton, Milvus or the editions is looked up again, seconds.
        ingest_roots: Directories, absolute and separated by ``:``, from which StartIngest may read; empty for none.
        ingest_hosts: Hosts, separated by commas, from which pictures of an ingest may be fetched; empty for none.
    """

    home: Path = field(default_factory=lambda: Path.home() / ".outsole")
    model_repository: Path = Path(__file__).resolve().parents[1] / "model_repository"
    encoder: str = "print_lite2_b6"
    encoder_backend: str = "triton"
    triton_url: str = "127.0.0.1:8601"
    milvus_uri: str = ""
    grpc_port: int = 8500
    http_port: int = 8604
    metrics_port: int = 8603
    ingress_replicas: int = 1
    reranker_replicas: int = 1
    rerank_threads: int = 0
    rerank_cache_mib: int = 1024
    searches_in_encoder: int = 4
    frame_streams: int = 2
    frames_in_flight: int = 16
    stream_wait_s: float = 60.0
    default_budget_ms: int = 30_000
    rotation_limit_deg: float = 16.0
    rotation_step_deg: float = 4.0
    evidence_max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 80_000_000
    object_store_mib: int = 256
    probe_interval_s: float = 1.0
    ingest_roots: str = ""
    ingest_hosts: str = ""

    def __post_init__(self) -> None:
        if self.encoder_backend not in _BACKENDS:
            raise _refused("encoder_backend", self.encoder_backend, " or ".join(_BACKENDS))
        for name in _PORTS:
            if not 1 <= getattr(self, name) <= 65_535:
                raise _refused(name, getattr(self, name), "1 to 65,535")
        if not 1 <= self.default_budget_ms <= 600_000:
            raise _refused("default_budget_ms", self.default_budget_ms, "1 to 600,000")
        if not all(root.is_absolute() for root in self.ingest_dirs):
            raise _refused("ingest_roots", self.ingest_roots, f"absolute paths separated by {os.pathsep}")
        for entry in fields(self):
            value = getattr(self, entry.name)
            positive = isinstance(value, (int, float)) and entry.name != "rerank_threads"
            if positive and value <= 0:
                raise _refused(entry.name, value, "above 0")

    @property
    def editions_dir(self) -> Path:
        """Root of the galleries' editions."""
        return self.home / "editions"

    @property
    def evidence_dir(self) -> Path:
        """Where uploads are held."""
        return self.home / "evidence"

    @property
    def model_dir(self) -> Path:
        """Folder of the print encoder."""
        return self.model_repository / self.encoder

    @property
    def ingest_host_names(self) -> tuple[str, ...]:
        """Hosts from which an ingest may fetch pictures."""
        return tuple(host.strip() for host in self.ingest_hosts.split(",") if host.strip())

    @property
    def ingest_dirs(self) -> tuple[Path, ...]:
        """Directories from which an ingest may read."""
        return tuple(Path(text) for text in self.ingest_roots.split(os.pathsep) if text)

    @property
    def operations_dir(self) -> Path:
        """Where long work is written down."""
        return self.home / "operations"

    @property
    def queries_file(self) -> Path:
        """Where queries that a person waits for show that they are at work, see `outsole.giving_way`."""
        return self.home / "operations" / ".queries"

    @property
    def encoders_dir(self) -> Path:
        """A second model repository, of embeddings that were adapted here; it need not exist."""
        return self.home / "encoders"

    @property
    def milvus(self) -> str:
        """The address for `outsole.gallery.backends.open_store`."""
        return self.milvus_uri or str(self.home / "milvus.db")

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, *, overrides: Mapping[str, object] | None = None
    ) -> ServiceSettings:
        """Settings of this process.

        Args:
            environ: The environment; the process's own where None.
            overrides: Values by field name that go before the environment; numbers may be text.

        Raises:
            InvalidInput: An ``OUTSOLE_`` key or an override that is not known, or a value that cannot be used.
        """
        found = os.environ if environ is None else environ
        given: dict[str, object] = {
            key.removeprefix(PREFIX).lower(): value
            for key, value in found.items()
            if key.startswith(PREFIX) and key not in _FOREIGN
        }
        given.update(overrides or {})
        known = {entry.name: entry.type for entry in fields(cls)}
        for name in sorted(given.keys() - known.keys()):
            raise InvalidInput(
                f"there is no setting {PREFIX}{name.upper()}", field=name, remedy=f"one of {', '.join(sorted(known))}"
            )
        return cls(**{name: _read(name, str(known[name]), value) for name, value in given.items()})  # type: ignore[arg-type]


def _read(name: str, kind: str, value: object) -> object:
    text = str(value)
    try:
        if kind == "Path":
            return Path(text).expanduser().absolute()
        return {"int": int, "float": float, "str": str}[kind](text)
    except ValueError as error:
        raise _refused(name, text, f"a value of type {kind}") from error


def _refused(name: str, value: object, remedy: str) -> InvalidInput:
    return InvalidInput(f"{PREFIX}{name.upper()} is {value!r}", field=name, remedy=remedy)
