"""The whole pipeline against its parts run bare, and its memory over a video of hours."""

from __future__ import annotations

import asyncio
import os
import time
from fractions import Fraction
from pathlib import Path

import av
import click
import numpy as np

from benchmarks.memory import tree_memory
from benchmarks.reporting import InputValue, text_table
from benchmarks.video_parts.looking import BATCH_FRAMES, EVERY_S, Eyes, Spent, batch_of, cut_out, look_at, steps_of
from outsole.imaging.shoe_crops import CROP_PX
from outsole.video.opening import open_source
from outsole.video.tracking import Tracker

Metrics = dict[str, float]
# Memory of the first tenth is that of a process that warms up.
_WARM_SHARE = 0.1
_SAMPLES = 200


async def measure_pipeline(video: Path, eyes: Eyes, *, every_s: float | None = EVERY_S) -> Metrics:
    """Throughput of everything on a video against decoding, detectors and encoder run bare, one after another.

    Args:
        video: A file.
        eyes: What finds and describes shoes.
        every_s: How often the video is looked at, seconds; None for every frame.

    Returns:
        ``pipeline_ratio`` (1 is as fast as bare), frames a second of both, and milliseconds a frame of each stage.
    """
    await _warm(video, eyes, every_s)
    bare, frames = await _bare(video, eyes, every_s)
    spent, started = Spent(), time.perf_counter()
    await look_at(video, eyes, every_s=every_s, spent=spent)
    wall_s = time.perf_counter() - started
    names = list(dict.fromkeys([*bare.seconds, *spent.seconds]))
    each: list[tuple[InputValue, ...]] = [
        (name, 1e3 * bare.seconds[name] / frames, 1e3 * spent.seconds[name] / frames) for name in names
    ]
    click.echo(text_table(("ms a frame", "bare", "pipeline"), each))
    bare_s = sum(bare.seconds.values())
    return {
        "pipeline_ratio": bare_s / wall_s,
        "pipeline_fps": frames / wall_s,
        "bare_fps": frames / bare_s,
        **{f"{name}_ms": 1e3 * spent.seconds[name] / frames for name in names},
    }


async def _bare(video: Path, eyes: Eyes, every_s: float | None) -> tuple[Spent, int]:
    """Seconds of decoding, detectors and encoder alone, and the frames of the video."""
    spent, frames = Spent(), 0
    with open_source(video).frames(every_s=every_s) as reading:
        while batch := batch_of(reading, spent):
            frames += len(batch)
            with spent.on("find"):
                found = await eyes.find(batch)
            # What lies between the parts is the pipeline's, and not counted here.
            crops = [crop for crop in cut_out(batch, found) if crop is not None]
            if crops:
                with spent.on("encode"):
                    await asyncio.to_thread(eyes.encode, np.stack(crops))
    return spent, frames


async def _warm(video: Path, eyes: Eyes, every_s: float | None) -> None:
    with open_source(video).frames(every_s=every_s) as reading:
        batch = batch_of(reading, Spent())
    await eyes.find(batch)
    await asyncio.to_thread(eyes.encode, np.zeros((BATCH_FRAMES, *CROP_PX, 3), np.uint8))


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


async def measure_memory(video: Path, eyes: Eyes, *, every_s: float) -> Metrics:
    """How much this process grows while it looks at a long video.

    Args:
        video: The long file.
        eyes: What finds and describes shoes.
        every_s: How often it is looked at, seconds.

    Returns:
        ``rss_growth_pct``: largest memory of the last half above the largest of the half before it, the warm-up left
        out; and both in MiB.
    """
    total = max(1, int((open_source(video).probe().duration_s or 1.0) / every_s))
    samples, frames, next_at = list[float](), 0, 0.0
    async for step in steps_of(video, eyes, Tracker("long"), every_s=every_s):
        frames += step.frames
        if frames >= next_at:
            samples.append(tree_memory(os.getpid()).rss_mib)
            next_at += total / _SAMPLES
    return growth(samples) | {"rss_frames": float(frames)}


def growth(samples_mib: list[float]) -> Metrics:
    """Growth of memory over samples in the order of time; see ``measure_memory``."""
    settled = samples_mib[int(_WARM_SHARE * len(samples_mib)) :]
    half = max(1, len(settled) // 2)
    before, after = max(settled[:half]), max(settled[half:] or settled)
    return {"rss_growth_pct": 100 * (after / before - 1), "rss_early_mib": before, "rss_late_mib": after}
