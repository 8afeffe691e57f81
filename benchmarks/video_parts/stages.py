"""The whole pipeline against its parts run bare, and its memory over a video of hours."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import click
import numpy as np
from tqdm import tqdm

from benchmarks.killing import ended
from benchmarks.memory import tree_memory
from benchmarks.reporting import InputValue, text_table
from benchmarks.video_parts.index_program import CAMERA, Indexing
from benchmarks.video_parts.looking import ENCODE_TIMEOUT_S, Eyes
from indexer.video.coverage import coverage_of, read_source_rows
from indexer.video.index_videos import VideoIndexReport, VideoOptions, index_videos
from indexer.video.model import VideoModel
from outsole.errors import Unavailable
from outsole.gallery.editions import Edition
from outsole.inference.encoder import Encoder, Inputs, Outputs
from outsole.video.networks import MODELS
from outsole.video.opening import open_source

Metrics = dict[str, float]
_ROUNDS = 2
_ARCHIVE = "measured"
DECODE = "decode"
# Memory of the first tenth is that of a process that warms up.
_WARM_SHARE = 0.1
_SAMPLE_EVERY_S = 1.0


class Recorded:
    """A network that remembers what it was asked, until it is told to forget.

    Args:
        network: Answers.
    """

    def __init__(self, network: Encoder) -> None:
        self._network = network
        self._asked: list[Inputs] | None = []

    def forgotten(self) -> list[Inputs]:
        """What it was asked so far, in that order; it remembers nothing from now on."""
        asked, self._asked = self._asked, None
        return asked or []

    async def encode(self, images: Inputs, *, timeout_s: float) -> Outputs:
        """See `outsole.inference.encoder.Encoder.encode`."""
        if self._asked is not None:
            self._asked.append(images)
        return await self._network.encode(images, timeout_s=timeout_s)

    async def is_ready(self) -> bool:
        """Whether the network answers."""
        return await self._network.is_ready()

    async def close(self) -> None:
        """Close the network."""
        await self._network.close()


async def measure_pipeline(video: Path, eyes: Eyes) -> Metrics:
    """Throughput of indexing a video against its decoding and its networks run bare, one after another.

    Bare, the file is decoded and nothing else is done; then each network gets the very inputs that the pipeline gave
    it, as many requests at once. The pipeline's time is that of all of it, from the hash of the file to the edition in
    force. Both are measured in turns, and the best of each counts.

    Args:
        video: A file.
        eyes: What finds and describes shoes.

    Returns:
        ``pipeline_ratio`` (1 is as fast as bare), frames a second of both, and milliseconds a frame of each stage.
    """
    networks: dict[str, Recorded] = {}

    def around(name: str, network: Encoder) -> Encoder:
        networks[name] = Recorded(network)
        return networks[name]

    async with eyes.opened(around) as model:
        # What the first run asks is what is asked bare; it warms everything up besides.
        await _indexed(video, model, eyes)
        asked = {name: network.forgotten() for name, network in networks.items()}
        bare, reports = list[dict[str, float]](), list[VideoIndexReport]()
        for _ in range(_ROUNDS):
            bare.append({DECODE: await asyncio.to_thread(_decoded, video, eyes)})
            for name, inputs in asked.items():
                bare[-1][name] = await _asked_bare(networks[name], inputs, eyes.settings.requests_in_flight)
            reports.append(await _indexed(video, model, eyes))
    return pipeline_metrics(
        min(bare, key=lambda each: sum(each.values())), min(reports, key=lambda report: report.seconds)
    )


def pipeline_metrics(bare_s: Mapping[str, float], report: VideoIndexReport) -> Metrics:
    """The metrics of ``measure_pipeline``, which are also printed as a table.

    Args:
        bare_s: Seconds that decoding and each network took alone, by name.
        report: Of the whole pipeline on the same video.
    """
    frames = report.coverage.decoded
    found = sum(bare_s[name] for name in MODELS)
    encoded = sum(value for name, value in bare_s.items() if name not in (DECODE, *MODELS))
    bare = {DECODE: bare_s[DECODE], "find": found, "encode": encoded}
    ms = {stage: 1e3 * seconds / frames for stage, seconds in report.stage_seconds.items()}
    rows: list[tuple[InputValue, ...]] = [
        (stage, f"{1e3 * bare[stage] / frames:.2f}" if stage in bare else "", f"{busy:.2f}")
        for stage, busy in ms.items()
    ]
    rows += [(f"  {name}", f"{1e3 * bare_s[name] / frames:.2f}", "") for name in MODELS]
    total = sum(bare_s.values())
    rows.append(("all, by the clock", f"{1e3 * total / frames:.2f}", f"{1e3 * report.seconds / frames:.2f}"))
    click.echo(text_table(("ms a frame (stages of the pipeline work at the same time)", "bare", "pipeline"), rows))
    return {
        "pipeline_ratio": total / report.seconds,
        "pipeline_fps": frames / report.seconds,
        "bare_fps": frames / total,
        **{f"{stage}_ms": busy for stage, busy in ms.items()},
        **{f"bare_{name}_ms": 1e3 * seconds / frames for name, seconds in bare_s.items()},
    }


async def _indexed(video: Path, model: VideoModel, eyes: Eyes) -> VideoIndexReport:
    options = VideoOptions(settings=eyes.settings)
    with tempfile.TemporaryDirectory(prefix="outsole-pipeline-") as root:
        return await index_videos([video], _ARCHIVE, root=Path(root), model=model, camera=CAMERA, options=options)


def _decoded(video: Path, eyes: Eyes) -> float:
    """Seconds that decoding alone takes."""
    source = open_source(video)
    started_at = time.perf_counter()
    with source.frames(every_s=eyes.every_s) as reading:
        for _ in reading:
            pass
    return time.perf_counter() - started_at


async def _asked_bare(network: Recorded, asked: Sequence[Inputs], in_flight: int) -> float:
    """Seconds that a network takes for inputs, so many requests at once."""
    slots = asyncio.Semaphore(in_flight)

    async def one(inputs: Inputs) -> None:
        async with slots:
            await network.encode(inputs, timeout_s=ENCODE_TIMEOUT_S)

    started_at = time.perf_counter()
    await asyncio.gather(*map(one, asked))
    return time.perf_counter() - started_at


def looped(video: Path, target: Path, *, seconds: float) -> int:
    """Write a video over and over into one file without drawing or encoding anything again.

    Args:
        video: The file to repeat.
        target: The file to write.
        seconds: How long the result is at least, by its timestamps.

    Returns:
        How often it was repeated.
    """
    with av.open(str(video)) as source, av.open(str(target), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        base = stream.time_base or Fraction(1, 1000)
        packets = [
            (bytes(packet), packet.pts or 0, packet.dts or 0, packet.duration or 0, packet.is_keyframe)
            for packet in source.demux(stream)
            if packet.size
        ]
        length = max(pts + duration for _, pts, _, duration, _ in packets)
        repeats = int(np.ceil(seconds / float(length * base)))
        for turn in range(repeats):
            for data, pts, dts, duration, is_key in packets:
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = copy, base, is_key
                packet.pts, packet.dts, packet.duration = pts + turn * length, dts + turn * length, duration
                out.mux(packet)
    return repeats


def measure_memory(video: Path, eyes: Eyes, folder: Path) -> Metrics:
    """How much a process grows that indexes a long video, from its first frame to the edition in force.

    Args:
        video: The long file.
        eyes: What finds and describes shoes.
        folder: For the archive and the log; removed where it is there.

    Returns:
        ``rss_growth_pct``: largest memory of the last half above the largest of the half before it, the warm-up left
        out; and both in MiB.

    Raises:
        Unavailable: The process did not end well.
    """
    shutil.rmtree(folder, ignore_errors=True)
    samples = list[float]()
    process = Indexing(folder / "archives", _ARCHIVE, video, eyes).started(folder / "memory.log")
    with ended(process), tqdm(desc="memory", unit="sample") as bar:
        while process.poll() is None:
            samples.append(tree_memory(process.pid).rss_mib)
            bar.set_postfix(mib=f"{samples[-1]:.0f}")
            bar.update(1)
            time.sleep(_SAMPLE_EVERY_S)
    if process.returncode:
        raise Unavailable(f"the indexing ended with {process.returncode}", remedy=f"see {folder / 'memory.log'}")
    frames = coverage_of(read_source_rows(Edition.open(folder / "archives", _ARCHIVE))).decoded
    # The last sample may be of a process that is ending.
    return growth([sample for sample in samples if sample > 0]) | {"rss_frames": float(frames)}


def growth(samples_mib: list[float]) -> Metrics:
    """Growth of memory over samples in the order of time; see ``measure_memory``."""
    settled = samples_mib[int(_WARM_SHARE * len(samples_mib)) :]
    half = max(1, len(settled) // 2)
    before, after = max(settled[:half]), max(settled[half:] or settled)
    return {"rss_growth_pct": 100 * (after / before - 1), "rss_early_mib": before, "rss_late_mib": after}
