"""A perceptual hash of a picture: 64 signs of its low frequencies, equal or nearly so for copies of one picture.

Flat lines at the frame are cut away first, the rest is squeezed to a small tall picture and transformed by a cosine
transform; a bit is the sign of one frequency. Signs do not change with brightness and contrast, and mirroring a picture
flips the signs of the odd horizontal frequencies and nothing else: the hash of the mirror image needs no picture.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from outsole.errors import InvalidInput

HASH_BITS = 64
NEAR_DISTANCE = 7
"""Copies of one picture differ in at most so many bits.

Measured on photographs (in brackets: inked impressions) of 400 made models. Changed copies within this distance:
JPEG at quality 60: 99.2 % (100 %). Half the size: 100 % (99.8 %). A white border of 3 %: 98.8 % (99.8 %), a black one
99.5 % (100 %), one that repeats the outermost pixels 82.8 % (99.8 %). 20 % brighter with burnt whites: 97.8 % (99.5 %),
30 % darker 100 % (100 %). White border, half the size, darker and JPEG all at once: 96.2 % (90.8 %). 3 % cut off at
every side, which is no promise: 72 % (93 %).
Other pictures within it: of another model 0.03 % (0.02 %). Of another shoe of the model, as it is or mirrored: 3.5 %
(14 %). Of the same sole from the same spot in another light 3.5 % (20 % with other ink), turned by 2 to 5 degrees
besides 0 % (2 %).
One bit more or less: 98.2 % or 93.8 % of the photographs with every change, 6.5 % or 2.5 % of those in another light.
"""

_WORK_PX = 256
_SHAPE = (64, 32)
# Lines at the frame with less than this part of the picture's contrast are background or border.
_FLAT_CONTRAST = 0.15
_LINE_END = 16
_TRIM_PASSES = 3
# The lowest frequencies are those of the outline, which all soles share.
_SKIPPED = 12
_NOTHING = 1e-3


def _frequencies() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Vertical and horizontal numbers of the frequencies [64], low ones first; a sole is twice as long as wide."""
    rows, columns = np.divmod(np.arange(1, _SHAPE[0] * _SHAPE[1] // 2), _SHAPE[1])
    order = np.lexsort((columns, rows, rows**2 + 4 * columns**2))[_SKIPPED : _SKIPPED + HASH_BITS]
    return rows[order], columns[order]


_ROWS, _COLUMNS = _frequencies()
_BIT = np.uint64(1) << np.arange(HASH_BITS, dtype=np.uint64)
_MIRROR = np.bitwise_or.reduce(_BIT[_COLUMNS % 2 == 1])


def picture_hash(gray: NDArray[np.uint8]) -> np.uint64:
    """Hash a picture.

    Args:
        gray: uint8 [H, W], upright.

    Returns:
        64 bits; 0 where the picture shows nothing, which is near to no picture.

    Raises:
        InvalidInput: Not a grey 8 bit picture of at least one pixel.
    """
    if gray.ndim != 2 or gray.dtype != np.uint8 or not gray.size:
        raise InvalidInput(f"the picture is {gray.dtype} {gray.shape}", remedy="uint8 [H, W], at least one pixel")
    small = cv2.resize(_without_frame(gray), _SHAPE[::-1], interpolation=cv2.INTER_AREA)
    waves = np.asarray(cv2.dct(small.astype(np.float32)))[_ROWS, _COLUMNS]
    return np.uint64(np.bitwise_or.reduce(_BIT[waves > _NOTHING], initial=np.uint64(0)))


def mirrored_hash(hashes: ArrayLike) -> NDArray[np.uint64]:
    """Hashes of the pictures flipped left to right.

    They differ by a bit or two from the hash of the flipped pixels, where the cut at the frame was rounded.

    Args:
        hashes: uint64 [...]; 0, which stands for no picture, stays 0.

    Returns:
        uint64 [...].
    """
    given = np.asarray(hashes, np.uint64)
    return np.asarray(np.where(given == 0, given, given ^ _MIRROR), np.uint64)


def hamming_distance(left: ArrayLike, right: ArrayLike) -> NDArray[np.uint8]:
    """Number of bits in which hashes differ, 0 .. 64.

    Args:
        left, right: uint64, of shapes that broadcast; ``a[:, None], b`` compares every pair.

    Returns:
        uint8 of the joint shape. A pair with a hash of 0 differs in all 64 bits: nothing is known of it.
    """
    a, b = np.asarray(left, np.uint64), np.asarray(right, np.uint64)
    differing = np.bitwise_count(a ^ b)
    return np.asarray(np.where((a == 0) | (b == 0), np.uint8(HASH_BITS), differing), np.uint8)


def hash_text(value: Any) -> str:
    """A hash as an edition's table holds it: 16 hex digits, empty for 0."""
    return f"{int(value):016x}" if int(value) else ""


def hash_from_text(text: str) -> np.uint64:
    """The hash that `hash_text` wrote.

    Raises:
        InvalidInput: Neither empty nor 16 hex digits.
    """
    if not text:
        return np.uint64(0)
    digits = text.lower()
    if len(digits) != HASH_BITS // 4 or set(digits) - set("0123456789abcdef"):
        raise InvalidInput(f"{text[:60]!r} is no picture hash", field="picture_hash", remedy="16 hex digits, or empty")
    return np.uint64(int(digits, 16))


def _without_frame(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture without flat lines at its four sides; the picture itself where all of it is flat."""
    height, width = gray.shape
    shrink = _WORK_PX / max(height, width)
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
    top, bottom, left, right = 0, size[1], 0, size[0]
    # More than once: a border may surround a background that is flat itself.
    for _ in range(_TRIM_PASSES):
        view = small[top:bottom, left:right]
        low, high = np.percentile(view, [1, 99])
        start, end = _busy(view, _FLAT_CONTRAST * (high - low))
        top, bottom = top + start, top + end
        start, end = _busy(small[top:bottom, left:right].T, _FLAT_CONTRAST * (high - low))
        left, right = left + start, left + end
    return gray[_part(top, bottom, size[1], height), _part(left, right, size[0], width)]


def _part(start: int, end: int, among: int, length_px: int) -> slice:
    """Lines ``start`` to ``end`` of the small picture as pixels of the large one, at least one."""
    first = min(round(start * length_px / among), length_px - 1)
    return slice(first, max(round(end * length_px / among), first + 1))


def _busy(lines: NDArray[np.uint8], tolerance: float) -> tuple[int, int]:
    """First and one past the last line of uint8 [L, P] that is not flat; their ends belong to the other two sides."""
    end = lines.shape[1] // _LINE_END
    middle = lines[:, end : lines.shape[1] - end].astype(np.int16)
    busy = np.flatnonzero(middle.max(axis=1) - middle.min(axis=1) > tolerance)
    return (int(busy[0]), int(busy[-1]) + 1) if len(busy) else (0, len(lines))
