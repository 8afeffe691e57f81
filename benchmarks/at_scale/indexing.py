"""Indexing at scale: how near its rate comes to the encoders', how memory grows, and what being killed costs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.at_scale.made_gallery import check_room
from benchmarks.killing import Strikes, kill, run_whole, same_edition, started, struck_again_and_again
from indexer.compose import chosen_embedding, encoder_of, print_model
from indexer.encoded import WorkFolder
from indexer.index_pictures import IndexEmbedding, IndexSettings
from outsole.commands.index import index_source
from outsole.errors import DataCorrupt, NotFound
from outsole.gallery.editions import Edition
from outsole.matching.print_system import PrintSystem
from outsole.synthesis.galleries import make_print_gallery
from services.settings import ServiceSettings

_ITEM_BYTES = 272 << 10
_ROUNDS = 3
_GALLERY = "ingest"


def write_pictures(folder: Path, count: int) -> Path:
    """Small pictures that are all different; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0x1D1E)
    for number in tqdm(range(count), desc="write pictures", unit="picture"):
        pixels = rng.integers(0, 256, (24, 12), dtype=np.uint8)
        path = folder / f"{number:07d}.png"
        if not path.is_file():
            path.write_bytes(cv2.imencode(".png", cv2.resize(pixels, (96, 192)))[1].tobytes())
    return folder


def index_throughput(work: Path, home: Path, triton_url: str, *, pictures: int) -> dict[str, float]:
    """Rates of the bare encoders and of indexing the same pictures, in turns, best of three each."""
    made = make_print_gallery(work / "throughput", models=pictures, probes=0, seed=23)
    source = made.directory / "references"
    bare, indexed = [], []
    for turn in range(_ROUNDS):
        bare.append(asyncio.run(bare_rate(source, triton_url)))
        gallery = f"throughput-{turn}"
        report = index_source(source, gallery, home=home, triton_url=triton_url)
        indexed.append(report.encoded / report.seconds)
        shutil.rmtree(home / "editions" / gallery)
    return {
        "index_throughput_ratio": max(indexed) / max(bare),
        "index_images_per_s": max(indexed),
        "bare_encoder_images_per_s": max(bare),
    }


async def bare_rate(source: Path, triton_url: str) -> float:
    """Pictures a second of both encoders at Triton with an index's batches, on canvases that are prepared already."""
    model_dir = ServiceSettings.from_environment().model_dir
    system, settings = PrintSystem.load(model_dir), IndexSettings()
    chosen = chosen_embedding(system, "")
    if chosen is None:
        raise NotFound("the model repository has no partial-print embedding")
    files = sorted(source.iterdir())
    prepared = [system.prepare_item(path.read_bytes()) for path in files[: settings.batch_items]]
    images, valid = np.stack([item.image for item in prepared]), np.stack([item.valid for item in prepared])
    async with contextlib.AsyncExitStack() as closing:
        encoder = encoder_of(system.spec.contract(), model_dir, triton_url=triton_url)
        closing.push_async_callback(encoder.close)
        second = encoder_of(chosen.contract(), chosen.folder, triton_url=triton_url)
        closing.push_async_callback(second.close)
        part = IndexEmbedding(chosen.name, chosen.hash, second, system.embedding_item_inputs)
        model = print_model(system, encoder)
        model = type(model)(**{**vars(model), "embedding": part})
        slots = asyncio.Semaphore(settings.requests_in_flight)

        async def one() -> None:
            async with slots:
                await model.encode(images, valid, timeout_s=settings.encode_timeout_s)

        await one()
        batches = -(-len(files) // settings.batch_items)
        begun = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(batches)))
        return batches * len(images) / (time.perf_counter() - begun)


def rss_growth(work: Path, *, small: int, large: int) -> dict[str, float]:
    """Peak memory of indexing many pictures against few, with an encoder that answers at once."""
    check_room(work, 2 * large * _ITEM_BYTES)
    peaks = {}
    for count in (small, large):
        source = write_pictures(work / f"pictures-{count}", count)
        root = work / f"rss-{count}"
        run_whole(_ingest(source, root))
        peaks[count] = float(_log_of(root).read_text().split()[-1])
        shutil.rmtree(root)
        shutil.rmtree(source)
    growth = (peaks[large] / peaks[small] - 1) * 100
    return {
        "rss_growth_pct": growth,
        f"index_peak_{small}_mib": peaks[small],
        f"index_peak_{large}_mib": peaks[large],
        "index_rss_items_small": float(small),
        "index_rss_items_large": float(large),
    }


def _ingest(source: Path, root: Path, *, log: Path | None = None) -> subprocess.Popen[bytes]:
    arguments = [str(source), str(root), _GALLERY, *(["--log", str(log)] if log else [])]
    root.mkdir(parents=True, exist_ok=True)
    return started("benchmarks.at_scale.ingest_program", arguments, log=_log_of(root))


def _log_of(root: Path) -> Path:
    return root.parent / "ingest.log"


@dataclass(frozen=True)
class KillReport:
    """What became of an indexing that was killed again and again.

    Attributes:
        kills: SIGKILLs that met it while it ran.
        identical: Whether its edition is, byte for byte, that of an undisturbed run.
        encoded_again: Pictures that were encoded again though they were kept; 0 is right.
        lost: Pictures that were in flight when a kill came, all kills together.
        most_lost: Of one kill.
    """

    kills: int
    identical: bool
    encoded_again: int
    lost: int
    most_lost: int

    def metrics(self) -> dict[str, float]:
        """Metrics; no kill counts as survived where something was not as it should be."""
        sound = self.identical and not self.encoded_again
        return {
            "kills_survived": float(self.kills if sound else 0),
            "kills": float(self.kills),
            "kills_identical": float(self.identical),
            "kills_encoded_again": float(self.encoded_again),
            "kills_lost_in_flight": float(self.lost),
            "kills_most_lost_at_once": float(self.most_lost),
        }


def survive_kills(work: Path, *, pictures: int, kills: int = 20, seed: int = 0) -> KillReport:
    """Index undisturbed, then again while it is killed at random moments, and compare."""
    check_room(work, 4 * pictures * _ITEM_BYTES)
    source = write_pictures(work / f"pictures-{pictures}", pictures)
    calm, rough, log = work / "calm", work / "rough", work / "encoded.log"
    for folder in (calm, rough):
        shutil.rmtree(folder, ignore_errors=True)
    log.unlink(missing_ok=True)
    begun = time.monotonic()
    run_whole(_ingest(source, calm))
    strikes = Strikes(kills, seed, time.monotonic() - begun)
    lost: list[int] = []

    def killed(process: subprocess.Popen[bytes]) -> None:
        kill(process)
        lost.append(max(0, _lines(log) - kept_pictures(rough) - sum(lost)))

    struck_again_and_again(lambda: _ingest(source, rough, log=log), strikes, killed)
    found = KillReport(
        kills=kills,
        identical=same_edition(calm, rough, _GALLERY),
        encoded_again=max(0, _lines(log) - pictures - sum(lost)),
        lost=sum(lost),
        most_lost=max(lost, default=0),
    )
    for folder in (calm, rough, source):
        shutil.rmtree(folder)
    return found


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def kept_pictures(root: Path) -> int:
    """Different pictures whose arrays are on disk: in the work folder, or in the edition in force."""
    hashes: set[str] = set()
    for folder in (root / _GALLERY / "work").glob("*"):
        hashes |= WorkFolder(folder).known().keys()
    with contextlib.suppress(NotFound, DataCorrupt):
        hashes |= set(Edition.open(root, _GALLERY).items["sha256"].to_pylist())
    return len(hashes)
