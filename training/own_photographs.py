"""A catalogue's own photographs of shoes, and what a surveillance camera would leave of each.

The shoe is cut out of its light ground and becomes a drawn one, so that everything that is done to made shoes is done
to it: a floor, a turn, trousers, light, motion, few pixels, compression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from outsole.answers import Point, View
from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import shoe_crop
from outsole.imaging.shoe_photographs import ShoeCut, cut_out
from outsole.synthesis.shoe_pictures import ShoePicture, surveillance_crop
from outsole.synthesis.uppers import Upper
from training.made_shoes import any_camera, marked_crop, view_shares
from training.system import Batch

# How wide a shoe is against its length, for fronts and backs.
_BREADTH = 0.37
_LEAST_BOX_PX = 1.0


@dataclass(frozen=True)
class Photograph:
    """A shop's photograph of one shoe.

    Attributes:
        rgb: uint8 [H, W, 3], red first.
        view: From where it is seen.
        model: What it shows; photographs of the same model from the same side are not told apart.
        name: Of the picture, for errors.
    """

    rgb: NDArray[np.uint8]
    view: View
    model: str
    name: str


class KeptPhotographs:
    """The photographs of a catalogue whose shoe could be cut out (``training.own_pictures.OwnPictures``).

    Args:
        photographs: Each with what was cut out of it.
    """

    def __init__(self, photographs: Sequence[tuple[Photograph, ShoeCut]]) -> None:
        self._kept = photographs
        self.names = tuple((photograph.model, photograph.view) for photograph, _ in photographs)
        """N times a model and from where it is seen."""
        codes = {name: code for code, name in enumerate(dict.fromkeys(self.names))}
        self.labels = np.array([codes[name] for name in self.names], np.int64)
        """int64 [N]: equal for photographs of one model from one side; 0 .. K - 1."""

    @classmethod
    def cut(cls, photographs: Iterable[Photograph]) -> tuple[KeptPhotographs, list[str]]:
        """Cut the shoes out; returns the photographs that can be used, and of each other one why it cannot."""
        kept, refused = [], []
        for photograph in photographs:
            try:
                kept.append((photograph, cut_out(photograph.rgb, photograph.view, field=photograph.name)))
            except InvalidInput as error:
                refused.append(str(error))
        return cls(kept), refused

    def __len__(self) -> int:
        """Number of photographs."""
        return len(self._kept)

    def first(self, count: int) -> KeptPhotographs:
        """See ``OwnPictures``: sides where there are any, as it is by them that shoes are told apart."""
        sides = [pair for pair in self._kept if pair[0].view is View.SIDE]
        return KeptPhotographs((sides or self._kept)[:count])

    def of_models(self, wanted: Callable[[str], bool]) -> KeptPhotographs:
        """Those of the models that are wanted."""
        return KeptPhotographs([pair for pair in self._kept if wanted(pair[0].model)])

    def parts(self) -> Iterator[bytes]:
        """See ``OwnPictures``."""
        for photograph, _ in self._kept:
            yield f"{photograph.model}\n{photograph.view.value}\n{photograph.rgb.shape}\n".encode()
            yield photograph.rgb.tobytes()

    @property
    def models(self) -> tuple[str, ...]:
        """The different models, in order of their names."""
        return tuple(sorted({photograph.model for photograph, _ in self._kept}))

    @property
    def chances(self) -> NDArray[np.float64]:
        """How often each photograph is learned from, float64 [N], sum 1: views in the shares that passers-by have."""
        views = [photograph.view for photograph, _ in self._kept]
        weights = np.array([view_shares()[view] / views.count(view) for view in views])
        return np.asarray(weights / weights.sum(), np.float64)

    def catalogue(self, row: int, seed: int | None = None) -> NDArray[np.uint8]:
        """A photograph's crop uint8 [112, 224, 3] as an index has it; with a seed, its marks a little off."""
        photograph, cut = self._kept[row]
        place, view = cut.place, photograph.view
        if seed is None:
            return shoe_crop(photograph.rgb, view=view, toe=place.toe, heel=place.heel, box=place.box)
        return marked_crop(ShoePicture(photograph.rgb, place.toe, place.heel, place.box, view), seed)

    def seen(self, row: int, seed: int) -> NDArray[np.uint8]:
        """What a camera would leave of a photograph's shoe, as a crop uint8 [112, 224, 3]."""
        photograph, cut = self._kept[row]
        return marked_crop(surveillance_crop(upper_of(photograph, cut), seed, any_camera(seed)), seed)


def upper_of(photograph: Photograph, cut: ShoeCut) -> Upper:
    """A photograph's shoe as a drawn one, its heel on the left."""
    box = np.asarray(cut.place.box)
    left, top = np.maximum(np.floor(box[:2]), 0).astype(int).tolist()
    right, bottom = np.maximum(np.ceil(box[2:]), (left + _LEAST_BOX_PX, top + _LEAST_BOX_PX)).astype(int).tolist()
    window = np.s_[top:bottom, left:right]
    inside = np.asarray(cut.covered[window] / 255, np.float32)
    rgb = np.rint(photograph.rgb[window] * inside[..., None]).astype(np.uint8)
    height, width = inside.shape
    toe, heel = ((x - left, y - top) for x, y in (cut.place.toe, cut.place.heel))
    if photograph.view is not View.SIDE:
        middle = ((width - 1) / 2, height - 1.0)
        return Upper(rgb, inside, middle, middle, photograph.view, round(width / _BREADTH))
    if toe[0] < heel[0]:
        rgb, inside = np.ascontiguousarray(rgb[:, ::-1]), np.ascontiguousarray(inside[:, ::-1])
        toe, heel = _mirrored(toe, width), _mirrored(heel, width)
    return Upper(rgb, inside, toe, heel, View.SIDE, max(1, round(toe[0] - heel[0])))


def _mirrored(point: Point, width: int) -> Point:
    return width - 1 - point[0], point[1]


class OwnShoeBatches:
    """Batches of photographs and of what a camera would leave of them (``training.system.StepDataset``).

    Batches hold ``image`` uint8 [N, 112, 224, 3] and ``labels`` int64 [N]: N / 2 photographs, then a degraded view of
    each; see ``KeptPhotographs.labels``.

    Args:
        source: The photographs, at least one.
        steps: How many batches there are.
        batch_items: N, even.
        seed: Of all that is random.
    """

    def __init__(self, source: KeptPhotographs, *, steps: int, batch_items: int, seed: int) -> None:
        if not len(source):
            raise InvalidInput("there is no photograph to learn from", field="source")
        self._source, self._steps, self._items, self._seed = source, steps, batch_items, seed

    def __len__(self) -> int:
        """Steps that there are batches for."""
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng, source, pairs = np.random.default_rng([0x0A5E, self._seed, step]), self._source, self._items // 2
        rows = rng.choice(len(source), size=pairs, replace=pairs > len(source), p=source.chances)
        seeds = rng.integers(1 << 40, size=(2, pairs))
        images = [
            make(row, seed)
            for make, of_maker in zip((source.catalogue, source.seen), seeds.tolist(), strict=True)
            for row, seed in zip(rows.tolist(), of_maker, strict=True)
        ]
        labels = torch.from_numpy(source.labels[rows])
        return {"image": torch.from_numpy(np.stack(images)), "labels": labels.repeat(2)}
