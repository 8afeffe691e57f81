"""The print system: one object that knows how prints' images, maps, candidates and embeddings are made.

The correlation encoder is always there; partial-print embeddings are there as far as the repositories hold any.
Training, indexer, services and benchmarks all go through it, so there is one preprocessing and one comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Placement
from outsole.encoders.network_spec import NetworkSpec
from outsole.encoders.spec import EncoderSpec
from outsole.gallery.editions import Edition
from outsole.gallery.store import Candidates
from outsole.imaging.canvas import PlacedProbe, PreparedItem, encode_png, item_on_canvas, place_item, place_probe
from outsole.imaging.decode import decode_image
from outsole.matching.candidates import CandidateBasis, in_turns
from outsole.matching.embedding import (
    EVERY_EMBEDDED_PLACEMENT,
    PARTIAL,
    PrintEmbedding,
    find_embeddings,
    item_inputs,
    probe_inputs,
    vectors_of_outputs,
)
from outsole.matching.features import ProbeFeatures, probe_features, standardised
from outsole.matching.fusion import COOCCURRENCE, EMBEDDING, vector_similarity
from outsole.matching.rerank import ItemScores

# Part of an edition's settings: another number means that the arrays are made in another way.
_ARRAYS_VERSION = "1"
# Makes impressions of retailers' photographs.
DEPTH_PREDICTOR = "depth_unet"
# Neighbouring rotations have nearly the same candidates; every second one is asked for.
_EVERY_PLACEMENT = 2
# Parts of the score that vectors make, with the edition's arrays of one vector an item; candidates are found by them.
_VECTOR_ARRAYS: Mapping[str, str] = {COOCCURRENCE: COOCCURRENCE, EMBEDDING: PARTIAL}


class PrintSystem:
    """How prints are laid out, described and compared.

    Args:
        spec: The correlation encoder.
        basis: Its candidate embedding.
        embeddings: Partial-print embeddings that may go beside it, by name.
        predictor: Hash of the network that makes impressions of photographs; empty where there is none.
    """

    # Arrays that the vector store searches; an edition without an embedding has the first alone.
    candidate_fields: ClassVar[tuple[str, ...]] = tuple(_VECTOR_ARRAYS.values())

    def __init__(
        self,
        spec: EncoderSpec,
        basis: CandidateBasis,
        embeddings: Mapping[str, PrintEmbedding] | None = None,
        *,
        predictor: str = "",
    ) -> None:
        self.spec = spec
        self._predictor = predictor
        self.embeddings = dict(embeddings or {})
        self._basis = basis

    @classmethod
    def load(cls, model_dir: Path, *, more: Iterable[Path] = ()) -> PrintSystem:
        """The print system of a correlation encoder's folder and of every embedding beside it.

        Args:
            model_dir: Folder of the correlation encoder in its repository.
            more: Further model repositories, of embeddings that were adapted here.

        Raises:
            NotFound, DataCorrupt: As of ``EncoderSpec.load``, ``CandidateBasis.load`` and ``find_embeddings``.
        """
        spec = EncoderSpec.load(model_dir)
        predictor = model_dir.parent / DEPTH_PREDICTOR
        return cls(
            spec,
            CandidateBasis.load(model_dir),
            find_embeddings((model_dir.parent, *more), spec),
            predictor=NetworkSpec.load(predictor).hash if predictor.is_dir() else "",
        )

    @property
    def index_settings(self) -> dict[str, str]:
        """What besides the encoder shapes an edition's arrays."""
        predictor = {"depth_predictor": self._predictor} if self._predictor else {}
        return {"arrays_version": _ARRAYS_VERSION, "candidate_basis": self._basis.sha256, **predictor}

    def prepare_item(self, data: bytes) -> PreparedItem:
        """Decode an item's file and lay it on the canvas; OutsoleError where it cannot be used."""
        return place_item(decode_image(data).gray, self.spec)

    def derive(self, outputs: dict[str, NDArray[Any]], valid: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        """An edition's arrays from encoder outputs.

        Args:
            outputs: The correlation encoder's, [N, C, H, W] under the specification's output name, and an embedding's
                where there is one, ``embedding`` [N, D].
            valid: Cells of the items, bool [N, h, w].

        Returns:
            ``maps`` float16 [N, h, w, C], standardised; ``cooccurrence`` float32 [N, D], unit length; with an
            embedding also ``partial`` float16 [N, D], unit length.
        """
        margin = self.spec.margin_px // self.spec.stride_px
        inner = outputs[self.spec.output][:, :, margin:-margin, margin:-margin]
        maps = standardised(inner, valid)
        arrays: dict[str, NDArray[Any]] = {"maps": maps.astype(np.float16), COOCCURRENCE: self._basis.vectors(maps)}
        if EMBEDDING in outputs:
            arrays[PARTIAL] = vectors_of_outputs(outputs)
        return arrays

    def embedding_item_inputs(
        self, images: NDArray[np.uint8], valid: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.uint8]]:
        """What an embedding takes of items; see ``outsole.matching.embedding.item_inputs``."""
        return item_inputs(images, valid, self.spec)

    def embedding_probe_inputs(self, placed: PlacedProbe) -> dict[str, NDArray[np.uint8]]:
        """What an embedding takes of a probe; see ``outsole.matching.embedding.probe_inputs``."""
        return probe_inputs(placed.images, placed.cells)

    def probe_embedding(self, outputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float16]:
        """A probe's vectors float16 [Q, D] from an embedding's outputs."""
        return vectors_of_outputs(outputs)

    def place_probe(
        self, gray: NDArray[np.uint8], mask: NDArray[np.bool_], placements: Sequence[Placement]
    ) -> PlacedProbe:
        """Lay a probe on a canvas for each placement; see ``outsole.imaging.canvas.place_probe``."""
        return place_probe(gray, mask, self.spec, placements)

    def probe_features(
        self,
        outputs: dict[str, NDArray[Any]],
        placed: PlacedProbe,
        *,
        embedding: NDArray[np.float16] | None = None,
    ) -> ProbeFeatures:
        """A probe's features from encoder outputs [P, C, H, W]; its embedding, where given, goes into the score too."""
        features = probe_features(outputs[self.spec.output], placed.cells, placed.placements)
        vectors = {COOCCURRENCE: self._basis.vectors(features.maps[::_EVERY_PLACEMENT].astype(np.float32))}
        if embedding is not None:
            vectors[EMBEDDING] = embedding.astype(np.float32)
        return replace(features, vectors=vectors)

    def candidate_queries(self, probe: ProbeFeatures | NDArray[np.float16]) -> dict[str, NDArray[np.float32]]:
        """Queries by field name, float32 [Q, D].

        Args:
            probe: Features, or the embedding's vectors where they alone are asked for.
        """
        vectors = probe.vectors if isinstance(probe, ProbeFeatures) else {EMBEDDING: probe.astype(np.float32)}
        return {
            _VECTOR_ARRAYS[part]: self._basis.queries(of_probe) if part == COOCCURRENCE else of_probe
            for part, of_probe in vectors.items()
        }

    @staticmethod
    def edition_vectors(edition: Edition) -> dict[str, NDArray[Any]]:
        """The vectors of an edition's items, [N, D] by part of the score."""
        there = edition.array_names
        return {part: edition.array(name) for part, name in _VECTOR_ARRAYS.items() if name in there}

    def embedding_scores(
        self, queries: NDArray[np.float16], vectors: NDArray[Any], rows: NDArray[np.int64], *, deadline: float
    ) -> ItemScores:
        """Scores by the embedding alone: nothing is laid over anything, so that a rotation is all a placement has.

        Args:
            queries: The probe's, float16 [Q, D].
            vectors: The edition's, float16 [N, D].
            rows: int64 [n], which items.
            deadline: ``time.monotonic()`` value by which the answer is needed.

        Raises:
            BudgetSpent: The deadline came first.
        """
        if not len(rows):
            return ItemScores.none()
        scores, best = vector_similarity(queries, vectors, rows, end=deadline)
        nowhere = np.zeros(len(rows), np.float32)
        return ItemScores(rows, scores, best * EVERY_EMBEDDED_PLACEMENT, nowhere, nowhere, {EMBEDDING: scores})

    def merge_candidates(self, found: Mapping[str, Candidates], limit: int) -> NDArray[np.int64]:
        """The rows that come first under any query of any field, int64 [<= limit].

        The fields take turns: what one ranks high is in, whatever the other thinks of it. They fail on different
        prints, so that together they miss far less than each alone.
        """
        return in_turns([found[field].best()[0] for field in sorted(found)], limit)

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
