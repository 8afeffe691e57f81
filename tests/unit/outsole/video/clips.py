"""Small clips, written by PyAV for the tests of sources."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE_PX = (96, 64)
RATE = 25


def pictures(count: int, size_px: tuple[int, int] = SIZE_PX) -> list[NDArray[np.uint8]]:
    """Noise that moves up by a pixel a frame, uint8 [H, W, 3] each."""
    width_px, height_px = size_px
    noise = np.random.default_rng(0).integers(0, 255, (height_px + count, width_px, 3)).astype(np.uint8)
    return [np.ascontiguousarray(noise[number : number + height_px]) for number in range(count)]


def write_clip(
    path: Path,
    *,
    count: int = 40,
    codec: str = "libx264",
    size_px: tuple[int, int] = SIZE_PX,
    stamps: Sequence[int] | None = None,
    **options: Any,
) -> Path:
    """A clip of ``count`` pictures, a key frame every ten, two pictures reordered in between unless told otherwise.

    Args:
        stamps: Presentation timestamps in hundredths of a second; None is 25 frames a second.
        options: ``reordered`` pictures, ``format`` of the container, its ``container`` options, ``metadata``.
    """
    with av.open(str(path), "w", format=options.get("format"), options=options.get("container", {})) as container:
        container.metadata.update(options.get("metadata", {}))
        stream: Any = container.add_stream(codec, rate=RATE)
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = 10
        stream.codec_context.max_b_frames = options.get("reordered", 2)
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 100)
        for number, picture in enumerate(pictures(count, size_px)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number if stamps is None else stamps[number]
            frame.time_base = Fraction(1, RATE if stamps is None else 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def changed(path: Path, change: Callable[[bytearray], bytes | bytearray]) -> Path:
    """The file with its bytes changed."""
    path.write_bytes(change(bytearray(path.read_bytes())))
    return path


def payload(path: Path, number: int) -> tuple[int, int]:
    """Where a packet lies in the file, by its place in the order of decoding: offset and length."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
        data = bytes(packets[number])
    return path.read_bytes().index(data), len(data)


def png(level: int, size_px: tuple[int, int] = (24, 20)) -> bytes:
    """The bytes of a picture of one red, whose level tells it from others."""
    buffer = io.BytesIO()
    Image.new("RGB", size_px, (level, 0, 9)).save(buffer, "PNG")
    return buffer.getvalue()
