"""The few treads of a made gallery that are really encoded, and how much pictures of one tread were found to differ."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from indexer.compose import chosen_embedding, encoder_of, print_model
from outsole.errors import NotFound
from outsole.imaging.decode import decode_image
from outsole.imaging.masks import automatic_mask
from outsole.inference.encoder import Encoder, all_or_none
from outsole.matching.embedding import PrintEmbedding
from outsole.matching.features import ProbeFeatures
from outsole.matching.print_system import PrintSystem
from outsole.synthesis.made_editions import Bases, Differences
from outsole.synthesis.prints import clean_impression
from outsole.synthesis.shoes import ShoeModel, make_instance, plan_models
from outsole.synthesis.treads import Tread
from services.parts import SearchDefaults
from services.print_search import placements_of
from services.queries import PrintQuery
from services.settings import ServiceSettings

_CHUNK = 32
_BATCH = 8
_ENCODE_TIMEOUT_S = 300.0
_SPARE_MODELS = 3
_PLAN_SEED = 51_000
Picture = NDArray[np.uint8]


class Encoders:
    """Both encoders of the print system, in this process, and what they make of items and probes.

    Args:
        settings: Where the models are.
        threads: Threads of an inference; 0 for one a core.

    Raises:
        NotFound: The repository holds no partial-print embedding.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.system = PrintSystem.load(settings.model_dir)
        found = chosen_embedding(self.system, "")
        if found is None:
            raise NotFound("the model repository has no partial-print embedding", remedy="use the shipped one")
        self.embedding: PrintEmbedding = found
        self._first: Encoder = encoder_of(self.system.spec.contract(), settings.model_dir, triton_url="")
        self._second: Encoder = encoder_of(found.contract(), found.folder, triton_url="")
        self.index_model = print_model(self.system, self._first)

    def item_arrays(self, pictures: list[Picture]) -> dict[str, NDArray[Any]]:
        """An edition's arrays of sole pictures uint8 [H, W], name -> [N, ...]."""
        prepared = [self.system.prepare_item(_png(picture)) for picture in pictures]
        valid = np.stack([item.valid for item in prepared])
        images = np.stack([item.image for item in prepared])
        outputs = asyncio.run(self._encode(images, self.system.embedding_item_inputs(images, valid)))
        return self.system.derive(outputs, valid)

    def probe(self, data: bytes) -> ProbeFeatures:
        """Features of a print as the service makes them with its defaults."""
        gray = decode_image(data).gray
        placements = placements_of(PrintQuery.placements, SearchDefaults())
        placed = self.system.place_probe(gray, automatic_mask(gray), placements)
        outputs = asyncio.run(self._encode(placed.images, self.system.embedding_probe_inputs(placed)))
        return self.system.probe_features(outputs, placed, embedding=self.system.probe_embedding(outputs))

    async def _encode(self, images: Any, inputs: Any) -> dict[str, NDArray[Any]]:
        calls = [encoder.encode(x, timeout_s=_ENCODE_TIMEOUT_S) for encoder, x in self._pairs(images, inputs)]
        return {name: array for outputs in await all_or_none(calls) for name, array in outputs.items()}

    def _pairs(self, images: Any, inputs: Any) -> list[tuple[Encoder, Any]]:
        return [(self._first, images), (self._second, inputs)]


def _png(picture: Picture) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1].tobytes())


def base_models(count: int, seed: int) -> list[ShoeModel]:
    """So many shoe models that share no tread."""
    plan = plan_models(_SPARE_MODELS * count + 10, seed=_PLAN_SEED + seed)
    alone = {(model.family, model.variant): model for model in reversed(plan)}
    return list(alone.values())[:count]


def base_tread(model: ShoeModel, *, left: bool) -> Tread:
    """The tread of a model as its base item shows it."""
    tread = make_instance(model, 0)
    return mirrored(tread) if left else tread


def mirrored(tread: Tread) -> Tread:
    """The other shoe."""
    depth, inside = np.ascontiguousarray(tread.depth[:, ::-1]), np.ascontiguousarray(tread.inside[:, ::-1])
    return replace(tread, depth=depth, inside=inside)


@dataclass(frozen=True)
class Encoded:
    """What a made gallery is made from.

    Attributes:
        bases: Encoded treads.
        models, pictures: How shoes whose models share a tread differ, and how pictures of a model do.
    """

    bases: Bases
    models: Differences
    pictures: Differences


def encode_bases(folder: Path, encoders: Encoders, *, bases: int, pairs: int, seed: int) -> Encoded:
    """Encode treads, left and right, and pairs of pictures of a tread; what lies in ``folder`` is not done again."""
    models = base_models(bases + pairs, seed)

    def base(number: int) -> Picture:
        return clean_impression(base_tread(models[number // 2], left=bool(number % 2)), number)

    def pair(number: int) -> Picture:
        model, which = models[bases + number // 3], number % 3
        tread = make_instance(model, 0)
        if which == 1:
            tread = _same_side(make_instance(model, 1), tread)
        return clean_impression(tread, 7_000_000 + number)

    maps, partial = encoded_pictures(folder / "bases", encoders, 2 * bases, base)
    other_maps, other_partial = encoded_pictures(folder / "pairs", encoders, 3 * pairs, pair)
    thirds = [(other_maps[which::3], other_partial[which::3]) for which in range(3)]
    shape = (bases, 2)
    return Encoded(
        Bases(maps.reshape(*shape, *maps.shape[1:]), partial.reshape(*shape, -1)),
        models=Differences.between(thirds[0], thirds[1]),
        pictures=Differences.between(thirds[0], thirds[2]),
    )


def _same_side(tread: Tread, like: Tread) -> Tread:
    other = mirrored(tread)
    alike = [float(np.corrcoef(each.depth.ravel(), like.depth.ravel())[0, 1]) for each in (tread, other)]
    return tread if alike[0] >= alike[1] else other


def encoded_pictures(
    folder: Path, encoders: Encoders, count: int, picture: Callable[[int], Picture]
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Maps [N, h, w, C] and partial vectors [N, D] of N pictures, kept in ``folder`` in pieces as they are made."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    with tqdm(total=count, desc=f"encode {folder.name}", unit="picture") as bar:
        for start in range(0, count, _CHUNK):
            numbers = range(start, min(start + _CHUNK, count))
            path = folder / f"{start:06d}-{numbers.stop:06d}.npz"
            if not path.is_file():
                _encode_piece(path, encoders, [picture(number) for number in numbers])
            with np.load(path) as stored:
                parts.append((stored["maps"], stored["partial"]))
            bar.update(len(numbers))
    return np.concatenate([maps for maps, _ in parts]), np.concatenate([partial for _, partial in parts])


def _encode_piece(path: Path, encoders: Encoders, pictures: list[Picture]) -> None:
    made = [encoders.item_arrays(pictures[at : at + _BATCH]) for at in range(0, len(pictures), _BATCH)]
    draft = path.with_suffix(".draft.npz")
    maps, partial = (np.concatenate([part[name] for part in made]) for name in ("maps", "partial"))
    np.savez(draft, maps=maps, partial=partial)
    draft.replace(path)
