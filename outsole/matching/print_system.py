"""The print system: one object that knows how a print encoder's images, maps and candidates are made.

Training, indexer, services and benchmarks all go through it, so there is one preprocessing and one comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Placement
from outsole.encoders.spec import EncoderSpec
from outsole.gallery.store import Candidates
from outsole.imaging.canvas import PlacedProbe, PreparedItem, encode_png, item_on_canvas, place_item, place_probe
from outsole.imaging.decode import decode_image
from outsole.matching.candidates import CandidateBasis
from outsole.matching.features import ProbeFeatures, probe_features, standardised

# Part of an edition's settings: another number means that the arrays are made in another way.
_ARRAYS_VERSION = "1"
# Neighbouring rotations have nearly the same candidates; every second one is asked for.
_EVERY_PLACEMENT = 2


class PrintSystem:
    """How prints are laid out, described and compared with one encoder.

    Args:
        spec: The encoder.
        basis: Its candidate embedding.
    """

    candidate_fields: ClassVar[tuple[str, ...]] = ("cooccurrence",)

    def __init__(self, spec: EncoderSpec, basis: CandidateBasis) -> None:
        self.spec = spec
        self._basis = basis

    @classmethod
    def load(cls, model_dir: Path) -> PrintSystem:
        """The print system of a model folder; errors as of ``EncoderSpec.load`` and ``CandidateBasis.load``."""
        return cls(EncoderSpec.load(model_dir), CandidateBasis.load(model_dir))

    @property
    def index_settings(self) -> dict[str, str]:
        """What besides the encoder shapes an edition's arrays."""
        return {"arrays_version": _ARRAYS_VERSION, "candidate_basis": self._basis.sha256}

    def prepare_item(self, data: bytes) -> PreparedItem:
        """Decode an item's file and lay it on the canvas; OutsoleError where it cannot be used."""
        return place_item(decode_image(data).gray, self.spec)

    def derive(self, outputs: dict[str, NDArray[Any]], valid: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        """An edition's arrays from encoder outputs.

        Args:
            outputs: The encoder's, [N, C, H, W] under the specification's output name.
            valid: Cells of the items, bool [N, h, w].

        Returns:
            ``maps`` float16 [N, h, w, C], standardised; ``cooccurrence`` float32 [N, D], unit length.
        """
        margin = self.spec.margin_px // self.spec.stride_px
        inner = outputs[self.spec.output][:, :, margin:-margin, margin:-margin]
        maps = standardised(inner, valid)
        return {"maps": maps.astype(np.float16), self.candidate_fields[0]: self._basis.vectors(maps)}

    def place_probe(
        self, gray: NDArray[np.uint8], mask: NDArray[np.bool_], placements: Sequence[Placement]
    ) -> PlacedProbe:
        """Lay a probe on a canvas for each placement; see ``outsole.imaging.canvas.place_probe``."""
        return place_probe(gray, mask, self.spec, placements)

    def probe_features(self, outputs: dict[str, NDArray[Any]], placed: PlacedProbe) -> ProbeFeatures:
        """A probe's features from encoder outputs [P, C, H, W]."""
        return probe_features(outputs[self.spec.output], placed.cells, placed.placements)

    def candidate_queries(self, features: ProbeFeatures) -> dict[str, NDArray[np.float32]]:
        """Queries by field name, float32 [Q, D]."""
        asked = features.maps[::_EVERY_PLACEMENT].astype(np.float32)
        return {self.candidate_fields[0]: self._basis.vectors(asked)}

    def merge_candidates(self, found: dict[str, Candidates], limit: int) -> NDArray[np.int64]:
        """The rows with the best score under any query, int64 [<= limit], best first, ties by row."""
        answers = found[self.candidate_fields[0]]
        rows, scores = answers.rows.ravel(), answers.scores.ravel()
        rows, scores = rows[rows >= 0], scores[rows >= 0]
        order = np.lexsort((rows, -scores.astype(np.float64)))
        _, first = np.unique(rows[order], return_index=True)
        return np.asarray(rows[order[np.sort(first)[:limit]]], np.int64)

    def pictures(
        self,
        placed: PlacedProbe,
        placement: int,
        shift_px: tuple[float, float],
        thumbnail_png: bytes,
        *,
        item_size_px: tuple[int, int],
    ) -> tuple[bytes, bytes]:
        """Probe and item as they were laid over each other, PNG bytes of two canvases.

        Args:
            placed: The probe.
            placement: Index of its placement.
            shift_px: (down, right) of the probe against the item.
            thumbnail_png: The item's.
            item_size_px: (H, W) of the item's image as it was indexed.
        """
        thumbnail = cv2.imdecode(np.frombuffer(thumbnail_png, np.uint8), cv2.IMREAD_GRAYSCALE)
        item = item_on_canvas(np.asarray(thumbnail, np.uint8), self.spec, item_size_px=item_size_px, shift_px=shift_px)
        return encode_png(placed.images[placement]), encode_png(item)
