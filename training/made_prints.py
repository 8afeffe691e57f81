"""Made shoes as training batches and as a benchmark: what every print system that learns from made treads shares.

An item is one shoe of a model. It is seen twice: as a degraded print (the query's view) and as what a database would
hold (the database's view, a depth map unless an ablation says otherwise). Both are planes of CriSp's picture
(``outsole.encoders.crisp``): prints in plane 0, the database's kinds in the planes behind it, absent planes zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.imaging.crisp_pictures import DEPTH_PLANE, PICTURE_PX, PRINT_PLANE
from outsole.synthesis import shoes
from outsole.synthesis.crisp_degradation import CrispDegradation, degrade
from outsole.synthesis.noise import step as smooth_step
from outsole.synthesis.shoes import ShoeModel, make_instance, plan_models
from outsole.synthesis.treads import Tread
from training.samplers import PairSampler
from training.system import Batch
from training.weathering import weathered

Picture = NDArray[np.uint8]
PLANES = {"depth": 2, "print": 2, "rgb": 4, "all": 5}
LEARNED_SEED, UNSEEN_SEED = shoes.LEARNED_SEED, shoes.UNSEEN_SEED
_WHITE = 255


@dataclass(frozen=True)
class MadePlan:
    """Which shoes are learned from, and how they are shown.

    Attributes:
        models: Models learned from.
        instances: Shoes of each model, at least 2.
        database: What the database holds of a shoe: ``depth``, its clean ``print``, an ``rgb`` photograph, or ``all``.
        degradation: Of the query's view in training.
        weathered: Whether that view is made worse by plain noise too (``training.weathering``).
    """

    models: int = 1600
    instances: int = 2
    database: str = "depth"
    degradation: CrispDegradation = CrispDegradation()
    weathered: bool = False

    def __post_init__(self) -> None:
        if self.database not in PLANES:
            raise InvalidInput(f"is {self.database!r}", field="database", remedy=f"one of {', '.join(PLANES)}")

    @property
    def planes(self) -> int:
        """Planes of a picture."""
        return PLANES[self.database]


class MadeShoes:
    """The shoes of a plan of models, each made when it is first asked for and kept as uint8.

    All shoes of one family are laid on the same side, as one lays a print on a database by hand: left soles are mirror
    images of right ones, and a spatial embedding does not see through a mirror.

    Args:
        count: Models.
        seed: Of the plan.
    """

    def __init__(self, count: int, *, seed: int) -> None:
        self.models = plan_models(count, seed=seed)
        self._depths: dict[tuple[int, int], Picture] = {}
        self._photographs: dict[tuple[int, int], Picture] = {}

    @cached_property
    def treads(self) -> NDArray[np.int64]:
        """Number of the tread of each model, int64 [models]; equal numbers are relevant to each other."""
        keys = np.array([(model.family, model.variant) for model in self.models])
        return np.asarray(np.unique(keys, axis=0, return_inverse=True)[1], np.int64).reshape(-1)

    @cached_property
    def _family_heads(self) -> dict[int, int]:
        heads: dict[int, int] = {}
        for index, model in enumerate(self.models):
            heads.setdefault(model.family, index)
        return heads

    def depth(self, model: int, instance: int) -> Picture:
        """Depth map uint8 [384, 192] of one shoe: 0 outside the sole, 255 touching."""
        key = (model, instance)
        if key not in self._depths:
            made = _depth_of(self.models[model], instance)
            head = self._family_heads[self.models[model].family]
            if key != (head, 0):
                made = _on_the_side_of(made, self.depth(head, 0))
            self._depths[key] = made
        return self._depths[key]

    def photograph(self, model: int, instance: int) -> Picture:
        """Sole photograph uint8 [3, 384, 192] of the same shoe on the same side, red first."""
        from outsole.synthesis.photographs import photograph

        key = (model, instance)
        if key not in self._photographs:
            depth = self.depth(model, instance).astype(np.float32) / np.float32(_WHITE)
            sole = Tread(depth=depth, inside=depth > 0, shape="", families=("", "", ""))
            rgb = photograph(sole, 1000 * model + instance).rgb
            self._photographs[key] = np.ascontiguousarray(rgb.transpose(2, 0, 1))
        return self._photographs[key]


@dataclass(frozen=True)
class MadeProbes:
    """A benchmark on models that no training saw.

    Attributes:
        gallery: uint8 [models, P, 384, 192], one database picture a model.
        probes: uint8 [Q, P, 384, 192], degraded prints of other shoes of the same models, placed.
        masks: bool [Q, 384, 192], what each probe shows.
        relevant: bool [Q, models], models of the probe's tread.
    """

    gallery: Picture
    probes: Picture
    masks: NDArray[np.bool_]
    relevant: NDArray[np.bool_]


class MadePairs:
    """Batches of degraded prints and database pictures by step (``training.system.StepDataset``).

    Batches hold ``query`` and ``database`` uint8 [N, P, 384, 192], ``labels`` int64 [N] (treads), ``visible`` bool
    [N, 384, 192] (what each query shows) and ``mask`` bool [384, 192] (the random rectangle of the batch).

    Args:
        plan: The shoes and their views.
        steps: How many batches there are.
        batch_items: N, even: N / 2 models x 2 instances.
        seed: Of all that is random.
    """

    def __init__(self, plan: MadePlan, *, steps: int, batch_items: int, seed: int) -> None:
        self.plan = plan
        self._steps = steps
        self._seed = seed
        self._shoes = MadeShoes(plan.models, seed=LEARNED_SEED)
        self._sampler = PairSampler(plan.models, batch_items, seed=seed, instances=[plan.instances] * plan.models)

    def __len__(self) -> int:
        """Steps that there are batches for."""
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng([0xC417, self._seed, step])
        draw = self._sampler(step)
        models, instances = np.repeat(draw.models, 2).tolist(), draw.instances.reshape(-1).tolist()
        shoes = list(zip(models, instances, strict=True))
        flipped = _families_flipped(rng, [self._shoes.models[model].family for model in models])
        database = np.stack([database_picture(self._shoes, *shoe, kind=self.plan.database) for shoe in shoes])
        depths = [self._shoes.depth(*shoe) for shoe in shoes]
        first_seed = (self._seed << 40) + (step << 12)
        queries, visible = query_pictures(
            depths, first_seed, degradation=self.plan.degradation, planes=self.plan.planes
        )
        if self.plan.weathered:
            queries[:, PRINT_PLANE] = np.stack([weathered(query, rng) for query in queries[:, PRINT_PLANE]])
        for pictures in (queries, database, visible):
            pictures[flipped] = pictures[flipped][..., ::-1]
        return {
            "query": torch.from_numpy(queries),
            "database": torch.from_numpy(database),
            "labels": torch.from_numpy(self._shoes.treads[models]),
            "visible": torch.from_numpy(visible),
            "mask": torch.from_numpy(random_rectangle(rng)),
        }


def unseen_probes(
    models: int, *, probes: int, database: str = "depth", degradation: CrispDegradation | None = None
) -> MadeProbes:
    """Make the benchmark: models of a plan of their own, degradations of the held-out half.

    Args:
        models: Models in the gallery.
        probes: At most ``models``; the probes are of the first models of the plan.
        database: As in ``MadePlan``.
        degradation: Everything at its defaults, held out, where None.
    """
    shoes = MadeShoes(models, seed=UNSEEN_SEED)
    plan = degradation or CrispDegradation(held_out=True)
    asked = range(min(probes, models))
    gallery = np.stack([database_picture(shoes, model, 0, kind=database) for model in range(models)])
    queries, masks = query_pictures([shoes.depth(m, 1) for m in asked], 1, degradation=plan, planes=PLANES[database])
    relevant = shoes.treads[: len(asked), None] == shoes.treads[None]
    return MadeProbes(gallery=gallery, probes=queries, masks=masks, relevant=relevant)


def query_pictures(
    depths: Sequence[Picture], seed: int, *, degradation: CrispDegradation, planes: int
) -> tuple[Picture, NDArray[np.bool_]]:
    """Degraded prints of depth maps, with what each shows.

    Returns:
        uint8 [N, planes, 384, 192] with the print in plane 0, and bool [N, 384, 192].
    """
    contacts = [contact_of(depth, seed + row) for row, depth in enumerate(depths)]
    pictures = np.zeros((len(depths), planes, *PICTURE_PX), np.uint8)
    visible = np.zeros((len(depths), *PICTURE_PX), np.bool_)
    for row, (depth, contact) in enumerate(zip(depths, contacts, strict=True)):
        others = [contacts[(row + 1) % len(contacts)], contacts[(row + len(contacts) // 2) % len(contacts)]]
        made = degrade(contact, depth > 0, seed + row, plan=degradation, others=others)
        # Zero everywhere is how an absent plane is told from a picture.
        pictures[row, PRINT_PLANE], visible[row] = np.maximum(made.gray, 1), made.mask
    return pictures, visible


def database_picture(shoes: MadeShoes, model: int, instance: int, *, kind: str) -> Picture:
    """What a database holds of one shoe, uint8 [P, 384, 192]; see ``MadePlan.database``."""
    depth = shoes.depth(model, instance)
    picture = np.zeros((PLANES[kind], *PICTURE_PX), np.uint8)
    if kind in ("depth", "all"):
        picture[DEPTH_PLANE] = depth
    if kind in ("print", "all"):
        contact = contact_of(depth, 1000 * model + instance)
        picture[PRINT_PLANE] = np.maximum(_WHITE - np.rint(contact * np.float32(_WHITE)), 1).astype(np.uint8)
    if kind in ("rgb", "all"):
        picture[-3:] = shoes.photograph(model, instance)
    return picture


def contact_of(depth: Picture, seed: int) -> NDArray[np.float32]:
    """Clean print of a depth map uint8 [H, W]: contact float32 [H, W], 0 .. 1, where the relief passes a threshold."""
    threshold = np.random.default_rng([0xC0A7, seed]).uniform(0.58, 0.68)
    relief = depth.astype(np.float32) / np.float32(_WHITE) - np.float32(threshold)
    return np.where(depth > 0, smooth_step(relief, 0.35), np.float32(0))


def random_rectangle(rng: np.random.Generator) -> NDArray[np.bool_]:
    """A query mask for a batch: a rectangle of a third to all of the height and half to all of the width."""
    height, width = PICTURE_PX
    rows, columns = int(rng.uniform(0.33, 1.0) * height), int(rng.uniform(0.5, 1.0) * width)
    top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    mask = np.zeros(PICTURE_PX, np.bool_)
    mask[top : top + rows, left : left + columns] = True
    return mask


def _depth_of(model: ShoeModel, instance: int) -> Picture:
    made = make_instance(model, instance, height_px=PICTURE_PX[0]).depth
    depth: Picture = np.rint(made * np.float32(_WHITE)).astype(np.uint8)
    return depth


def _on_the_side_of(depth: Picture, reference: Picture) -> Picture:
    """The depth map or its mirror image, whichever is more like the reference."""
    small = (PICTURE_PX[1] // 4, PICTURE_PX[0] // 4)
    ours, theirs = (cv2.resize(d, small, interpolation=cv2.INTER_AREA).astype(np.float32) for d in (depth, reference))
    centred = theirs - theirs.mean()
    straight, mirrored = float((ours * centred).sum()), float((ours[:, ::-1] * centred).sum())
    return depth if straight >= mirrored else np.ascontiguousarray(depth[:, ::-1])


def _families_flipped(rng: np.random.Generator, families: Sequence[int]) -> NDArray[np.bool_]:
    """Which items of a batch are mirrored, bool [N]: whole families together, half of them."""
    _, number = np.unique(np.asarray(families), return_inverse=True)
    return np.asarray(rng.random(int(number.max()) + 1) < 0.5)[number.reshape(-1)]
