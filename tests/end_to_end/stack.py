"""Starts real stacks for the end-to-end tests, and stops them: Triton, Ray Serve, Milvus Lite, on free ports."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from indexer.compose import index_into, print_model
from indexer.index_pictures import index_pictures
from outsole.api import Client
from outsole.commands.index import index_source, place_of
from outsole.commands.supervisor import asked_models
from outsole.free_ports import free_ports
from outsole.gallery.layout import SHOES
from outsole.inference.embedded_server import EmbeddedTriton, EmbeddedTritonSettings
from outsole.inference.triton_client import TritonEncoder
from outsole.inference.triton_environment import TritonEnvironment
from outsole.matching.print_system import PrintSystem
from outsole.matching.shoe_system import DEFAULT_SHOE_ENCODER
from outsole.synthesis.galleries import MadeGallery, make_print_gallery
from outsole.synthesis.shoe_galleries import MadeShoes, make_shoe_gallery
from outsole.video.networks import MODELS as MODELS_OF_VIDEO
from services.settings import ServiceSettings

PROJECT = Path(__file__).resolve().parents[2]
GALLERY = "soles"
FOREIGN_GALLERY = "foreign"
FUSED_GALLERY = "fused"
SHOE_GALLERY = "uppers"
STAND_IN = "partial_print_stand_in"
MODELS = 24
SHOE_MODELS = 12
START_LIMIT_S = 90.0


@dataclass(frozen=True)
class Stack:
    """A running stack.

    Attributes:
        settings: Of its services.
        triton: Its server.
        made: What its gallery was made from.
        shoes: What `SHOE_GALLERY` was made from.
        edition: The edition of `GALLERY`.
        log: What the services print.
        started_s: Seconds from the start of the services to healthy.
    """

    settings: ServiceSettings
    triton: EmbeddedTriton
    made: MadeGallery
    shoes: MadeShoes
    edition: str
    log: Path
    started_s: float

    @property
    def target(self) -> str:
        """``host:port`` of the gRPC service."""
        return f"127.0.0.1:{self.settings.grpc_port}"

    def client(self, *, retries: int = 0, timeout_s: float = 30.0) -> Client:
        """A client that says what happens instead of trying again."""
        return Client(self.target, retries=retries, timeout_s=timeout_s)

    def probe(self, number: int = 1) -> bytes:
        """Bytes of a made crime-scene print."""
        return (self.made.directory / f"tracks_cropped/{number:05d}.jpg").read_bytes()

    def truth(self, number: int = 1) -> str:
        """The item that a probe shows."""
        rows = dict(line.split(",") for line in self.made.label_table.read_text().split())
        return f"{int(rows[str(number)] if str(number) in rows else rows[f'{number:05d}']):05d}"


def wait_until(condition: Callable[[], bool], seconds: float, *, every_s: float = 0.2) -> bool:
    """Whether the condition came true within the time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(every_s)
    return found


@contextmanager
def triton_server(
    state: Path, environment: TritonEnvironment, *, more: Sequence[Path] = ()
) -> Iterator[EmbeddedTriton]:
    """A Triton server with the encoders of prints and shoes, and with what a stack loads of further repositories."""
    grpc_port, http_port, metrics_port = free_ports(3, host="127.0.0.1")
    settings = EmbeddedTritonSettings(
        models=(
            ServiceSettings().encoder,
            DEFAULT_SHOE_ENCODER,
            *asked_models(more),
        ),
        niced=tuple(MODELS_OF_VIDEO),
        grpc_port=grpc_port,
        http_port=http_port,
        metrics_port=metrics_port,
    )
    repository = PROJECT / "model_repository"
    with EmbeddedTriton(repository, state, settings=settings, environment=environment, more=more) as server:
        yield server


@contextmanager
def running_stack(home: Path, triton: EmbeddedTriton, *, milvus_uri: str = "") -> Iterator[Stack]:
    """Index a made gallery, start the services in a process of their own, and stop them afterwards.

    Where the home has the stand-in embedding, the gallery is also there as `FUSED_GALLERY`, indexed with it.
    """
    grpc_port, http_port, metrics_port = free_ports(3, host="127.0.0.1")
    settings = ServiceSettings(
        home=home,
        triton_url=triton.grpc_url,
        milvus_uri=milvus_uri,
        grpc_port=grpc_port,
        http_port=http_port,
        metrics_port=metrics_port,
        object_store_mib=128,
        stream_wait_s=2.0,
        ingest_roots=str(home / "source"),
    )
    made = make_print_gallery(home / "source", models=MODELS, probes=4, seed=11)
    edition = index(settings, made, GALLERY)
    index(settings, made, FOREIGN_GALLERY, encoder_hash="f" * 64)
    if (settings.encoders_dir / STAND_IN).is_dir():
        index_source(made.manifest, FUSED_GALLERY, home=home, triton_url=triton.grpc_url, embedding=STAND_IN)
    shoes = make_shoe_gallery(home / "catalogue", models=SHOE_MODELS, seed=7)
    place = place_of(home, triton_url=triton.grpc_url)
    asyncio.run(index_into(shoes.shoes, SHOE_GALLERY, place=place, shows=SHOES))
    log = home / "services.log"
    started = time.monotonic()
    with service_process(settings, log), Client(f"127.0.0.1:{grpc_port}", retries=0, timeout_s=5.0) as client:
        if not wait_until(lambda: is_healthy(client), START_LIMIT_S):
            raise RuntimeError(f"the stack did not get healthy:\n{log.read_text()[-4000:]}")
        yield Stack(settings, triton, made, shoes, edition, log, time.monotonic() - started)


@contextmanager
def service_process(settings: ServiceSettings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``python -m services.app``, stopped by SIGTERM."""
    given = {f"OUTSOLE_{entry.name.upper()}": str(getattr(settings, entry.name)) for entry in fields(settings)}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("OUTSOLE_", "RAY_"))}
    command = [sys.executable, "-m", "services.app"]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=PROJECT, env={**inherited, **given}, stdout=out, stderr=out) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30.0)
            except subprocess.TimeoutExpired:
                process.kill()


def index(settings: ServiceSettings, made: MadeGallery, gallery: str, *, encoder_hash: str = "") -> str:
    """Index the made gallery through the running Triton; another hash pretends that another encoder did it."""
    system = PrintSystem.load(settings.model_dir)
    spec = system.spec

    async def work() -> str:
        encoder = TritonEncoder(settings.triton_url, spec.name, contract=spec.contract())
        model = print_model(system, encoder)
        model = dataclasses.replace(model, hash=encoder_hash or model.hash)
        report = await index_pictures(made.manifest, gallery, root=settings.editions_dir, model=model)
        await encoder.close()
        return report.edition

    return asyncio.run(work())


def is_healthy(client: Client, service: str = "") -> bool:
    """What health says; False where nothing answers."""
    try:
        return client.health(service)
    except Exception:
        return False
