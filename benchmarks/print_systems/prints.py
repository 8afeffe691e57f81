"""A labelled collection of real prints in memory: references and probes as the print system lays them out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.print_systems.models import OnnxModel
from outsole.answers import Placement
from outsole.encoders.spec import EncoderSpec
from outsole.errors import InvalidInput
from outsole.evaluation.collections import REFERENCES, Collection, read_collection
from outsole.imaging.canvas import PlacedProbe, place_item, place_probe
from outsole.imaging.decode import decode_image
from outsole.imaging.masks import automatic_mask
from outsole.matching.features import standardised
from outsole.matching.placements import placements

NINE = placements()
_MIB = 2**20


@dataclass(frozen=True)
class Probe:
    """A probe as decoded.

    Attributes:
        gray: uint8 [H, W].
        mask: bool [H, W], found by itself.
    """

    gray: NDArray[np.uint8]
    mask: NDArray[np.bool_]


class LabelledPrints:
    """References and probes of a collection, and the correlation encoder that rules their canvas.

    Args:
        data: A directory in the layout of FID-300.
        encoder_dir: Folder of the correlation encoder.
        probes: At most so many, taken evenly; None takes all.
    """

    def __init__(self, data: Path, encoder_dir: Path, *, probes: int | None = None) -> None:
        self.collection: Collection = read_collection(data).first(probes)
        self.rules = EncoderSpec.load(encoder_dir)
        self._encoder_dir = encoder_dir
        self._references = sorted(
            path for path in (data / REFERENCES).iterdir() if path.suffix.lower() in (".png", ".jpg")
        )
        self.ids = tuple(path.stem for path in self._references)

    @property
    def size(self) -> int:
        """References."""
        return len(self.ids)

    @property
    def asked(self) -> int:
        """Probes."""
        return len(self.collection.probes)

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """Row of each probe's reference, int64 [Q].

        Raises:
            InvalidInput: A label names a reference that is not there.
        """
        rows = {name: row for row, name in enumerate(self.ids)}
        unknown = [probe.item_id for probe in self.collection.probes if probe.item_id not in rows]
        if unknown:
            raise InvalidInput(f"reference {unknown[0]} of the label table is not there", field="data")
        return np.array([rows[probe.item_id] for probe in self.collection.probes], np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """What the data are: names of references and probes, and the canvas's rules."""
        names = [*self.ids, *(f"{p.name}>{p.item_id}" for p in self.collection.probes), self.rules.hash]
        return hashlib.sha256("\n".join(names).encode()).hexdigest()

    @cached_property
    def canvases(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """References on the canvas, uint8 [N, Hc, Wc], and their valid cells, bool [N, h, w]."""
        rules = self.rules
        images = np.empty((self.size, rules.canvas_height_px, rules.canvas_width_px), np.uint8)
        valid = np.empty((self.size, *rules.item_cells), np.bool_)
        for row, path in enumerate(tqdm(self._references, desc="references", unit="image")):
            prepared = place_item(decode_image(path.read_bytes()).gray, rules)
            images[row], valid[row] = prepared.image, prepared.valid
        return images, valid

    @cached_property
    def probes(self) -> tuple[Probe, ...]:
        """The probes as decoded."""
        grays = [decode_image(probe.path.read_bytes()).gray for probe in self.collection.probes]
        return tuple(Probe(gray, automatic_mask(gray)) for gray in grays)

    def placed(self, index: int, tried: Sequence[Placement] = NINE) -> PlacedProbe:
        """A probe on a canvas for each placement."""
        probe = self.probes[index]
        return place_probe(probe.gray, probe.mask, self.rules, tried)

    @cached_property
    def encoder(self) -> OnnxModel:
        """The correlation encoder on one core."""
        return OnnxModel(self._encoder_dir)

    def encoded(self, images: NDArray[np.uint8], *, label: str = "") -> NDArray[np.float16]:
        """Raw maps float16 [n, C, H, W] of canvases."""
        return np.asarray(self.encoder({"image": images}, label=label)[self.rules.output], np.float16)

    @cached_property
    def maps(self) -> NDArray[np.float16]:
        """Standardised maps of the references, float16 [N, h, w, C]: an edition's array."""
        images, valid = self.canvases
        margin = self.rules.margin_px // self.rules.stride_px
        maps = np.empty((self.size, *self.rules.item_cells, self.rules.channels), np.float16)
        for start in tqdm(range(0, self.size, 16), desc="maps of references", unit="batch"):
            part = np.s_[start : start + 16]
            raw = self.encoded(images[part])[:, :, margin:-margin, margin:-margin]
            maps[part] = standardised(raw, valid[part])
        return maps

    def array(self, name: str) -> NDArray[np.float16]:
        """What ``outsole.matching.rerank.MapSource`` asks for."""
        return self.maps
