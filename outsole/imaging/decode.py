"""From untouched bytes to one grey image: the intake of every probe and every gallery item.

The bytes are hashed first and the header is judged before a pixel is decoded. Nothing that Pillow or OpenCV raise or
print leaves this module: bad bytes become ``InvalidInput``.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from outsole.errors import InvalidInput

ACCEPTED = "JPEG, PNG, TIFF (8 or 16 bit) or WebP"
MIN_SIDE_PX = 16
_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
_ORIENTATION_TAG = 0x0112
_TIFF_BITS_TAG = 258
_GRAY_MODES = ("1", "L", "LA", "La", "I;16")
_TIFF_PHOTOMETRIC_TAG = 262
_PILLOW_PIXEL_CEILING = 170_000_000
_PNG_DEPTH_BYTE = 24
_ORIENTATIONS = {
    2: "flipped left to right",
    3: "turned by 180 degrees",
    4: "flipped top to bottom",
    5: "transposed",
    6: "turned by 90 degrees clockwise",
    7: "transposed across the other diagonal",
    8: "turned by 90 degrees counter-clockwise",
}
# ``warnings.catch_warnings`` changes the state of the whole process, so only one thread may be inside at a time.
_HEADER_LOCK = threading.Lock()


@dataclass(frozen=True)
class DecodeLimits:
    """What a caller may send.

    Attributes:
        max_bytes: Largest file, bytes.
        max_pixels: Largest width x height, pixels; at most 170 million.
    """

    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 80_000_000

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise InvalidInput(f"max_bytes is {self.max_bytes}", field="max_bytes", remedy="at least 1")
        if not MIN_SIDE_PX**2 <= self.max_pixels <= _PILLOW_PIXEL_CEILING:
            raise InvalidInput(
                f"max_pixels is {self.max_pixels}",
                field="max_pixels",
                remedy=f"{MIN_SIDE_PX**2} to {_PILLOW_PIXEL_CEILING}",
            )


@dataclass(frozen=True)
class DecodedImage:
    """One image as it stands upright.

    Attributes:
        gray: uint8 [H, W], luma, 0 black .. 255 white.
        sha256: Hex digest of the untouched bytes.
        steps: What was done to the pixels, in order, in plain words.
        warnings: What a person should know, for example further pages that were left out.
        color: uint8 [H, W, 3], red first, as upright as ``gray``; None where it was not asked for or there is none.
    """

    gray: NDArray[np.uint8]
    sha256: str
    steps: tuple[str, ...]
    warnings: tuple[str, ...]
    color: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class _Header:
    """What the header says, before any pixel is decoded."""

    image: Image.Image
    format: str
    width_px: int
    height_px: int
    mode: str
    bits: int
    has_alpha: bool
    orientation: int
    more_frames: bool
    min_is_white: bool


def decode_image(
    data: bytes,
    *,
    field: str = "image",
    limits: DecodeLimits = DecodeLimits(),
    with_color: bool = False,
) -> DecodedImage:
    """Decode a JPEG, PNG, TIFF or WebP to grey, upright, 8 bit.

    Args:
        data: The file's bytes; they are never changed.
        field: Name of the request field, for errors.
        limits: Largest file and largest image, judged from the header.
        with_color: Keep the colours too; those of 8 bit a channel, deeper ones are read as grey.

    Returns:
        uint8 [H, W] with its hash and the list of steps. EXIF orientation is applied once; 16 bit is windowed by the
        0.5 and 99.5 percentiles; transparency is laid on white; the first frame of several is taken, with a warning.

    Raises:
        InvalidInput: Empty, too large, truncated or not an accepted image; a retry does not help.
    """
    digest = hashlib.sha256(data).hexdigest()
    _check_bytes(data, field, limits)
    header = _read_header(data, field, limits)
    header = _loaded(header, field)
    steps = [f"decoded {header.format}, {header.width_px} x {header.height_px} px, {header.bits} bit {header.mode}"]
    gray = _pixels(data, header, field, steps)
    return DecodedImage(
        gray=np.ascontiguousarray(gray),
        sha256=digest,
        steps=tuple(steps),
        warnings=_warnings_of(header),
        color=_color(header, field) if with_color else None,
    )


def _check_bytes(data: bytes, field: str, limits: DecodeLimits) -> None:
    if not data:
        raise InvalidInput("the image is empty (0 bytes)", field=field, remedy=f"send {ACCEPTED}")
    if len(data) > limits.max_bytes:
        raise InvalidInput(f"the image has {len(data)} bytes", field=field, remedy=f"at most {limits.max_bytes} bytes")


def _check_size(width_px: int, height_px: int, field: str, limits: DecodeLimits) -> None:
    size = f"the image is {width_px} x {height_px} px"
    if width_px * height_px > limits.max_pixels:
        raise InvalidInput(size, field=field, remedy=f"at most {limits.max_pixels} pixels")
    if min(width_px, height_px) < MIN_SIDE_PX:
        raise InvalidInput(size, field=field, remedy=f"at least {MIN_SIDE_PX} x {MIN_SIDE_PX} px")


@contextmanager
def _translated(field: str, limits: DecodeLimits | None = None) -> Iterator[None]:
    """Turn whatever the image libraries raise into InvalidInput; their own texts stay in the chained cause."""
    try:
        yield
    except InvalidInput:
        raise
    except Image.DecompressionBombError as error:
        ceiling = limits.max_pixels if limits else _PILLOW_PIXEL_CEILING
        raise InvalidInput("the image has too many pixels", field=field, remedy=f"at most {ceiling} pixels") from error
    except UnidentifiedImageError as error:
        raise InvalidInput(
            "the bytes are not an image of an accepted format", field=field, remedy=f"send {ACCEPTED}"
        ) from error
    except Exception as error:  # damaged files make the libraries raise almost anything, KeyError and struct.error too
        raise InvalidInput(
            "the image is truncated or damaged", field=field, remedy=f"send a whole {ACCEPTED}"
        ) from error


def _read_header(data: bytes, field: str, limits: DecodeLimits) -> _Header:
    with _translated(field, limits), _HEADER_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        _check_size(image.width, image.height, field, limits)
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        tags = getattr(image, "tag_v2", {})
        return _Header(
            image=image,
            format=kind,
            width_px=image.width,
            height_px=image.height,
            mode=image.mode,
            bits=_bits(data, kind, image),
            has_alpha=image.has_transparency_data,
            # Asking a PNG for its EXIF would decode it, and a TIFF forgets its orientation once it is decoded.
            orientation=1 if kind == "PNG" else _orientation(image),
            more_frames=_has_more_frames(data, kind, image),
            min_is_white=tags.get(_TIFF_PHOTOMETRIC_TAG) == 0,
        )


def _orientation(image: Image.Image) -> int:
    return int(image.getexif().get(_ORIENTATION_TAG, 1) or 1)


def _loaded(header: _Header, field: str) -> _Header:
    """Decode the pixels; Pillow does it even where OpenCV gives the values, because it notices a truncated file."""
    if header.bits not in (1, 2, 4, 8, 12, 16) or header.mode == "F":
        raise InvalidInput(f"the image has {header.bits} bits a channel", field=field, remedy="8 or 16 bit")
    with _translated(field):
        header.image.load()
    if header.format != "PNG":
        return header
    with _translated(field), _HEADER_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return replace(header, orientation=_orientation(header.image))


def _bits(data: bytes, kind: str, image: Image.Image) -> int:
    if kind == "PNG":
        return int(data[_PNG_DEPTH_BYTE])
    if kind == "TIFF":
        return int(max(image.tag_v2.get(_TIFF_BITS_TAG, (1,))))  # type: ignore[attr-defined]
    return 8


def _has_more_frames(data: bytes, kind: str, image: Image.Image) -> bool:
    if kind != "TIFF":
        return int(getattr(image, "n_frames", 1)) > 1
    # Counting a TIFF's pages walks all of them, which a hostile file makes endless; one step is enough. A second
    # handle is used because stepping back reads the first page again.
    try:
        Image.open(io.BytesIO(data), formats=("TIFF",)).seek(1)
    except EOFError:
        return False
    except Exception:  # the next page exists but is damaged: the first one still counts
        return True
    return True


def _warnings_of(header: _Header) -> tuple[str, ...]:
    if not header.more_frames:
        return ()
    noun = "page" if header.format == "TIFF" else "frame"
    return (f"the {header.format} has more than one {noun}; only the first was used",)


def _pixels(data: bytes, header: _Header, field: str, steps: list[str]) -> NDArray[np.uint8]:
    """Decode to uint8 [H, W]; every step taken is appended to ``steps``."""
    if header.bits > 8 and header.mode.startswith("I"):
        with _translated(field):
            return _deep_gray(header, field, steps)
    if header.bits > 8:
        return _deep_color(data, header, field, steps)
    with _translated(field):
        return _shallow(header, steps)


def _upright(header: _Header, steps: list[str]) -> Image.Image:
    """Apply the EXIF orientation exactly once: Pillow has already done so for a TIFF when it loaded it."""
    turned = header.image if header.format == "TIFF" else ImageOps.exif_transpose(header.image)
    _note_orientation(header, steps)
    return turned


def _note_orientation(header: _Header, steps: list[str]) -> None:
    if header.orientation in _ORIENTATIONS:
        steps.append(f"{_ORIENTATIONS[header.orientation]} as its EXIF orientation says")


def _shallow(header: _Header, steps: list[str]) -> NDArray[np.uint8]:
    image = _opaque(header, steps)
    if header.mode not in _GRAY_MODES:
        steps.append("colour turned to luma")
    return np.asarray(image.convert("L"), dtype=np.uint8)


def _color(header: _Header, field: str) -> NDArray[np.uint8] | None:
    if header.bits > 8 or header.mode in _GRAY_MODES:
        return None
    with _translated(field):
        return np.asarray(_opaque(header, []).convert("RGB"), dtype=np.uint8)


def _opaque(header: _Header, steps: list[str]) -> Image.Image:
    image = _upright(header, steps)
    if not header.has_alpha:
        return image
    rgba = image.convert("RGBA")
    steps.append("transparency laid on white")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, (255, 255, 255, 255)), rgba)


def _deep_gray(header: _Header, field: str, steps: list[str]) -> NDArray[np.uint8]:
    values = np.asarray(_upright(header, steps)).astype(np.int32)
    if values.ndim != 2 or values.min() < -32768 or values.max() > 65535:
        raise InvalidInput("the image holds values beyond 16 bit", field=field, remedy="8 or 16 bit")
    values -= min(int(values.min()), 0)
    if header.min_is_white:
        values = (1 << header.bits) - 1 - values
        steps.append("turned from white-is-zero")
    return _windowed(values.clip(0, 65535).astype(np.uint16), steps)


def _deep_color(data: bytes, header: _Header, field: str, steps: list[str]) -> NDArray[np.uint8]:
    """16-bit colour: Pillow drops the low byte, so OpenCV reads the pixels."""
    if header.mode not in ("RGB", "RGBA", "RGBX", "LA"):
        raise InvalidInput(
            f"16-bit {header.mode} images are not read", field=field, remedy="send 8 bit, 16-bit grey or 16-bit RGB"
        )
    with _translated(field):
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3:
        raise InvalidInput(
            "this 16-bit colour layout is not read", field=field, remedy="send 8 bit, 16-bit grey or 16-bit RGB"
        )
    luma = pixels[..., :3].astype(np.float32) @ np.array([0.114, 0.587, 0.299], np.float32)
    if header.has_alpha and pixels.shape[2] == 4:
        opacity = pixels[..., 3].astype(np.float32) / 65535.0
        luma = luma * opacity + 65535.0 * (1.0 - opacity)
        steps.append("transparency laid on white")
    steps.append("colour turned to luma")
    deep = np.rint(luma).astype(np.uint16)
    if header.format == "PNG":  # OpenCV turns a TIFF itself and leaves a PNG as it lies
        deep = _turned(deep, header.orientation)
    _note_orientation(header, steps)
    return _windowed(deep, steps)


def _turned(pixels: NDArray[np.uint16], orientation: int) -> NDArray[np.uint16]:
    """The EXIF orientation 1 .. 8 applied to [H, W]."""
    if orientation >= 5:
        pixels = pixels.T
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def _windowed(deep: NDArray[np.uint16], steps: list[str]) -> NDArray[np.uint8]:
    """Spread the 0.5 .. 99.5 percentile range of uint16 [H, W] over 0 .. 255."""
    counts = np.bincount(deep.ravel(), minlength=65536)
    below = np.cumsum(counts) / deep.size
    low, high = (int(np.searchsorted(below, share)) for share in (0.005, 0.995))
    if low == high:  # nearly one value: the rest of the range is all that there is to show
        low, high = int(deep.min()), int(deep.max())
    if low == high:
        steps.append("16 bit of one value taken to 8 bit")
        return (deep >> 8).astype(np.uint8)
    table = np.clip((np.arange(65536) - low) * (255.0 / (high - low)), 0, 255)
    steps.append(f"16 bit windowed from {low} .. {high} (0.5 to 99.5 percentile) to 8 bit")
    window: NDArray[np.uint8] = np.rint(table).astype(np.uint8)
    gray: NDArray[np.uint8] = window[deep]
    return gray
