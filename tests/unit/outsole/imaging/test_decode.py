"""Intake of images: formats, limits, orientation, depth, damage."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from outsole.errors import InvalidInput
from outsole.imaging.decode import DecodedImage, DecodeLimits, decode_image


def scene(height: int = 48, width: int = 32) -> NDArray[np.uint8]:
    """A smooth picture without any symmetry."""
    y, x = np.mgrid[:height, :width]
    return np.asarray(40 + 2 * y + 3 * x, np.uint8)


def packed(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of an image in a format."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_orientation(image: Image.Image, kind: str, orientation: int) -> bytes:
    """The bytes of an image whose EXIF asks for a turn."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return packed(image, kind, exif=exif.tobytes() if kind != "TIFF" else exif)


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """What EXIF means by an orientation, written out."""
    return {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.T,
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].T,
        8: np.rot90(pixels, 1),
    }[orientation]


def deep_color_bytes(extension: str, pixels: NDArray[np.uint16]) -> bytes:
    return bytes(cv2.imencode(extension, pixels)[1].tobytes())


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_come_back_exactly_with_the_hash_of_their_bytes(kind: str, options: dict[str, object]) -> None:
    data = packed(Image.fromarray(scene()), kind, **options)
    decoded = decode_image(data)
    assert np.array_equal(decoded.gray, scene())
    assert decoded.sha256 == hashlib.sha256(data).hexdigest()
    assert decoded.warnings == ()
    assert kind in decoded.steps[0]


def test_a_jpeg_comes_back_nearly_exactly() -> None:
    decoded = decode_image(packed(Image.fromarray(scene()), "JPEG", quality=95))
    assert np.abs(decoded.gray.astype(int) - scene()).max() <= 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied_exactly_once(kind: str, orientation: int) -> None:
    decoded = decode_image(with_orientation(Image.fromarray(scene()), kind, orientation))
    expected = upright(scene(), orientation)
    assert decoded.gray.shape == expected.shape
    assert np.abs(decoded.gray.astype(int) - expected).max() <= 8
    assert any("EXIF" in step for step in decoded.steps) == (orientation != 1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", [".png", ".tiff"])
def test_16_bit_colour_is_turned_exactly_once_too(extension: str, orientation: int) -> None:
    pixels = np.repeat(scene().astype(np.uint16)[..., None] * 200, 3, axis=2)
    data = deep_color_bytes(extension, pixels)
    data = exif_into_png(data, orientation) if extension == ".png" else orientation_into_tiff(data, orientation)
    decoded = decode_image(data)
    expected = upright(scene(), orientation).astype(float)
    assert decoded.gray.shape == expected.shape
    assert np.corrcoef(decoded.gray.ravel(), expected.ravel())[0, 1] > 0.99


def exif_into_png(data: bytes, orientation: int) -> bytes:
    """A PNG with an eXIf chunk after its header."""
    body = b"eXIf" + b"MM\x00*\x00\x00\x00\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    return data[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]


def orientation_into_tiff(data: bytes, orientation: int) -> bytes:
    """A little-endian TIFF whose single directory is written anew at its end, with an orientation."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    entries = [data[start + 2 + 12 * i : start + 14 + 12 * i] for i in range(count)]
    entries = [entry for entry in entries if struct.unpack_from("<H", entry)[0] != 0x0112]
    entries.append(struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    pad = b"\x00" * (len(data) % 2)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + b"\x00" * 4
    return data[:4] + struct.pack("<I", len(data) + len(pad)) + data[8:] + pad + directory


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_windowed_and_not_cut(kind: str) -> None:
    deep = (scene().astype(np.uint16) - 40) + 1000  # everything within one high byte: cutting would leave a flat image
    decoded = decode_image(packed(Image.fromarray(deep), kind))
    assert decoded.gray.min() == 0
    assert decoded.gray.max() == 255
    assert np.corrcoef(decoded.gray.ravel(), deep.ravel())[0, 1] > 0.99
    assert any("0.5 to 99.5 percentile" in step for step in decoded.steps)


@pytest.mark.parametrize("extension", [".png", ".tiff"])
def test_16_bit_colour_is_windowed_and_not_cut(extension: str) -> None:
    pixels = np.repeat(scene().astype(np.uint16)[..., None] + 1000, 3, axis=2)
    decoded = decode_image(deep_color_bytes(extension, pixels))
    assert len(np.unique(decoded.gray)) > 100


def test_a_16_bit_image_of_one_value_does_not_divide_by_zero() -> None:
    assert decode_image(packed(Image.fromarray(np.full((20, 20), 51200, np.uint16)), "PNG")).gray.max() == 200


@pytest.mark.parametrize("mode", ["RGB", "P", "CMYK", "1", "LA", "RGBA"])
def test_every_ordinary_mode_becomes_grey(mode: str) -> None:
    image = Image.fromarray(scene()).convert("RGBA" if mode == "RGBA" else "L").convert(mode)
    gray = decode_image(packed(image, "TIFF")).gray
    assert gray.shape == (48, 32)
    assert gray.dtype == np.uint8


def test_transparency_is_laid_on_white_and_said() -> None:
    rgba = np.dstack([np.zeros((20, 20, 3), np.uint8), np.tile(np.array([0, 255], np.uint8), (20, 10))])
    decoded = decode_image(packed(Image.fromarray(rgba), "PNG"))
    assert np.unique(decoded.gray).tolist() == [0, 255]
    assert decoded.gray[0, 0] == 255
    assert "transparency laid on white" in decoded.steps


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "PNG"])
def test_only_the_first_of_several_frames_is_used_with_a_warning(kind: str) -> None:
    pages = [Image.fromarray(scene()), Image.fromarray(255 - scene())]
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = decode_image(packed(pages[0], kind, save_all=True, append_images=pages[1:], **options))
    assert np.array_equal(decoded.gray, scene())
    assert "only the first" in decoded.warnings[0]


def refusal(data: bytes, limits: DecodeLimits | None = None) -> InvalidInput:
    """The refusal of these bytes, with no warning on the way."""
    warnings.simplefilter("error")  # pytest restores the filters after each test
    with pytest.raises(InvalidInput) as caught:
        decode_image(data, field="query.image", limits=limits or DecodeLimits())
    assert caught.value.field == "query.image"
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"no image at all" * 99, b"\x89PNG\r\n\x1a\n", b"II*\x00", b"\xff\xd8\xff"]
)
def test_bytes_that_are_no_image_are_refused_naming_the_accepted_formats(data: bytes) -> None:
    assert "JPEG, PNG, TIFF" in refusal(data).remedy


@pytest.mark.parametrize("kind", ["GIF", "BMP", "PPM"])
def test_other_formats_are_refused(kind: str) -> None:
    refusal(packed(Image.fromarray(scene()), kind))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_truncated_images_are_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    data = packed(Image.fromarray(noise), kind)
    refusal(data[: int(len(data) * share)])


def test_a_truncated_16_bit_colour_png_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (64, 64, 3), np.uint16)
    data = deep_color_bytes(".png", noise)
    refusal(data[: len(data) // 2])


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_from_its_header(side: int) -> None:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    body = b"IDAT" + zlib.compress(b"\x00" * 1000)
    data = header + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    assert "80000000 pixels" in refusal(data).remedy


def test_too_many_bytes_and_too_small_an_image_are_refused_with_the_limit() -> None:
    data = packed(Image.fromarray(scene()), "PNG")
    assert "at most 50 bytes" in refusal(data, DecodeLimits(max_bytes=50)).remedy
    assert "16 x 16" in refusal(packed(Image.fromarray(scene(15, 40)), "PNG")).remedy


def test_flipped_bytes_never_raise_anything_but_a_refusal() -> None:
    rng = np.random.default_rng(5)
    kinds = [packed(Image.fromarray(scene()), kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP")]
    kinds += [deep_color_bytes(".tiff", np.repeat(scene().astype(np.uint16)[..., None], 3, axis=2))]
    for data in kinds * 40:
        broken = np.frombuffer(data, np.uint8).copy()
        broken[rng.integers(0, len(broken), 4)] = rng.integers(0, 256, 4)
        try:
            assert isinstance(decode_image(broken.tobytes()), DecodedImage)
        except InvalidInput:
            continue


def test_limits_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match="max_pixels"):
        DecodeLimits(max_pixels=0)
