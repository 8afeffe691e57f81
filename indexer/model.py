"""What turns pictures into the arrays of an edition: how they are prepared, and the encoders that describe them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Role
from outsole.gallery.layout import SOLES
from outsole.inference.encoder import all_or_none

if TYPE_CHECKING:
    from outsole.inference.encoder import Encoder, Inputs, Outputs


class PreparedImage(Protocol):
    """An image as the encoder takes it."""

    @property
    def image(self) -> NDArray[np.uint8]:
        """The canvas, uint8 [Hc, Wc], or a crop with its colours."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which cells of the encoder's map the image covers, bool [h, w]."""

    @property
    def width_px(self) -> int:
        """Width of the image as decoded, pixels."""

    @property
    def height_px(self) -> int:
        """Height of the image as decoded, pixels."""

    @property
    def thumbnail_png(self) -> bytes:
        """A small PNG of it."""

    @property
    def picture_hash(self) -> str:
        """Perceptual hash of it, 16 hex digits; empty where none was made."""


Prepare = Callable[[bytes, Role], PreparedImage]
"""Makes a canvas of a file's bytes and what the picture shows; OutsoleError rejects the file."""


@dataclass(frozen=True)
class IndexEmbedding:
    """A second encoder that describes the same canvases by one vector each.

    Attributes:
        name, hash: Of its specification.
        encoder: Encodes ``inputs``.
        inputs: Makes its inputs of canvases uint8 [N, Hc, Wc] and valid cells bool [N, h, w].
    """

    name: str
    hash: str
    encoder: Encoder
    inputs: Callable[[NDArray[np.uint8], NDArray[np.bool_]], Inputs]


@dataclass(frozen=True)
class IndexModel:
    """What turns image files into the arrays of an edition.

    Attributes:
        name, hash: Of the encoder's specification.
        encoder: Encodes canvases, uint8 [N, Hc, Wc].
        prepare: Makes canvases; called in threads.
        derive: Makes arrays of the edition, name -> [N, ...], of the outputs of both encoders, name -> [N, ...], and
            the valid cells, bool [N, h, w]; called in threads.
        settings: All else that shapes the arrays, the version of ``derive`` among it; written to the edition, and
            part of its id. Arrays are taken over only from editions with equal settings.
        embedding: The second encoder; None for an edition without.
        shows: What pictures in such a gallery show, in a word; a gallery keeps to it.
        roles: Pictures of which roles are indexed; images of a directory have the first.
        vectors: Arrays by which the pictures of one model are compared, the better ones first.
    """

    name: str
    hash: str
    encoder: Encoder
    prepare: Prepare
    derive: Callable[[dict[str, NDArray[Any]], NDArray[np.bool_]], dict[str, NDArray[Any]]]
    settings: Mapping[str, str] = field(default_factory=dict)
    embedding: IndexEmbedding | None = None
    shows: str = SOLES
    roles: tuple[Role, ...] = (Role.SOLE,)
    vectors: tuple[str, ...] = ("partial", "cooccurrence")

    @property
    def embeddings(self) -> dict[str, str]:
        """Hash by name of the second encoder; empty where there is none."""
        return {} if self.embedding is None else {self.embedding.name: self.embedding.hash}

    async def encode(self, images: NDArray[np.uint8], valid: NDArray[np.bool_], *, timeout_s: float) -> Outputs:
        """The outputs of both encoders on the same canvases, by name; errors as of ``Encoder.encode``."""
        calls = [self.encoder.encode(images, timeout_s=timeout_s)]
        if self.embedding is not None:
            inputs = self.embedding.inputs(images, valid)
            calls.append(self.embedding.encoder.encode(inputs, timeout_s=timeout_s))
        found = await all_or_none(calls)
        return {name: array for outputs in found for name, array in outputs.items()}


Opener = Callable[[], AbstractAsyncContextManager[IndexModel]]
"""Makes the model in whatever process it is needed; it travels there by pickle."""
