"""Sightings of made walkers: two feet in turn, misses, jitter, false detections, things that stand, and the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, View
from outsole.video.records import Grade, Sighting

D = 256
LARGE_ENOUGH_PX = 40.0
_STEP_S = 0.55
_FRAME_PX = (1280.0, 720.0)
_LIKENESS_OF_ALL = 0.4


@dataclass(frozen=True)
class MadeWalker:
    """One walk through the picture, in a straight line.

    Attributes:
        look: Vector of its shoes, see `made_looks`.
        start_s, end_s: When it is in the picture.
        place: (x, y) of the ground below the body at the start, pixels.
        velocity: Pixels/s.
        length_px: Of a shoe.
        view: From where its shoes are seen.
        stands: (from, until), seconds after the start, in which it stands still.
        growth: Share by which it grows in a second, as one does who comes nearer.
    """

    look: NDArray[np.float64]
    start_s: float
    end_s: float
    place: tuple[float, float]
    velocity: tuple[float, float]
    length_px: float = 60.0
    view: View = View.SIDE
    stands: tuple[float, float] = (0.0, 0.0)
    growth: float = 0.0

    def walked_s(self, time_s: float) -> float:
        """Seconds that it walked by then, standing left out."""
        since = time_s - self.start_s
        return since - float(np.clip(since - self.stands[0], 0, self.stands[1] - self.stands[0]))

    def length_at(self, time_s: float) -> float:
        return self.length_px * math.exp(self.growth * self.walked_s(time_s))

    def body(self, time_s: float) -> NDArray[np.float64]:
        return np.array(self.place) + np.array(self.velocity) * self.walked_s(time_s)

    def person(self, time_s: float) -> Box:
        (x, y), length = self.body(time_s), self.length_at(time_s)
        return (x - 1.1 * length, y - 5.8 * length, x + 1.1 * length, y)

    def feet(self, time_s: float) -> list[Box]:
        """Boxes of both feet: while one stands, the other swings at twice the speed."""
        boxes = []
        length, stride = self.length_at(time_s), 2 * _STEP_S * np.array(self.velocity)
        for foot in (0, 1):
            phase = (self.walked_s(time_s) / (2 * _STEP_S) + foot / 2) % 1
            x, y = self.body(time_s) + stride * (0.25 - phase if phase < 0.5 else phase - 0.75)
            if self.view is not View.SIDE:
                x += (foot - 0.5) * 0.6 * length
            width, height = (length, 0.45 * length) if self.view is View.SIDE else (0.45 * length, 0.5 * length)
            y += 0.1 * length * foot
            boxes.append((x - width / 2, y - height, x + width / 2, y))
        return boxes


@dataclass(frozen=True)
class MadeScene:
    """What is in front of a camera, and how well it is seen.

    Attributes:
        walkers: Who walks past.
        things: Boxes that a detector takes for shoes, always at the same place.
        missed: Share of shoes that the detector misses.
        missed_for_s: How long it misses a walker at a time; 0 where every shoe in every frame has its own luck.
        false: False detections for each shoe that is there.
        jitter: Standard deviation of the edges of boxes, shares of the shoe's length.
        with_persons: Share of sightings that come with the person's box.
        likeness: Cosine of two vectors of one shoe, about.
        rate: Frames a second.
        seed: Of chance.
    """

    walkers: tuple[MadeWalker, ...]
    things: tuple[Box, ...] = ()
    missed: float = 0.0
    missed_for_s: float = 0.0
    false: float = 0.0
    jitter: float = 0.03
    with_persons: float = 0.0
    likeness: float = 0.7
    rate: float = 12.5
    seed: int = 0


@dataclass
class MadeSightings:
    """Sightings in the order of time, and what is true of them.

    Attributes:
        sightings: What a detector would say.
        vectors: float32 [N, D].
        worn_by: int64 [N]: walker of each sighting, -1 of false ones, -2 - n of thing n.
        true_walks, true_frames, true_boxes: Every shoe that is in the picture and not hidden, seen or missed.
    """

    sightings: list[Sighting] = field(default_factory=list)
    vectors: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, D), np.float32))
    worn_by: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    true_walks: list[int] = field(default_factory=list)
    true_frames: list[int] = field(default_factory=list)
    true_boxes: list[Box] = field(default_factory=list)


def made_looks(count: int, *, seed: int = 0) -> NDArray[np.float64]:
    """float64 [count, D] of unit length; cosines between them about 0.4, as encoders after a ReLU give."""
    chance = np.random.default_rng(seed)
    common = _unit(chance.standard_normal(D))
    own = _unit(chance.standard_normal((count, D)))
    return _unit(np.sqrt(_LIKENESS_OF_ALL) * common + np.sqrt(1 - _LIKENESS_OF_ALL) * own)


def made_sightings(scene: MadeScene) -> MadeSightings:
    """Look at a scene with a detector that is no better than the scene says."""
    chance = np.random.default_rng(scene.seed)
    made = MadeSightings()
    vectors: list[NDArray[np.float64]] = []
    worn_by: list[int] = []
    strange = made_looks(32 + len(scene.things), seed=scene.seed + 1000)
    for frame in range(int(max(walker.end_s for walker in scene.walkers) * scene.rate) + 1):
        time_s = frame / scene.rate
        seen: list[tuple[int, Box, Box | None, View, NDArray[np.float64]]] = []
        for index, walker in enumerate(scene.walkers):
            for box in _visible_feet(scene.walkers, index, time_s):
                made.true_walks.append(index)
                made.true_frames.append(frame)
                made.true_boxes.append(box)
                person = walker.person(time_s) if chance.random() < scene.with_persons else None
                if (_luck(scene, index, time_s) if scene.missed_for_s else chance.random()) >= scene.missed:
                    seen.append((index, box, person, walker.view, walker.look))
                if chance.random() < scene.false:
                    x, y = chance.random(2) * _FRAME_PX
                    look = strange[chance.integers(32)]
                    seen.append((-1, (x, y, x + walker.length_px, y + 27), None, View.SIDE, look))
        for number, box in enumerate(scene.things):
            if chance.random() >= scene.missed:
                seen.append((-2 - number, box, None, View.SIDE, strange[32 + number]))
        for wearer, box, person, view, look in (seen[index] for index in chance.permutation(len(seen))):
            made.sightings.append(_sighting(frame, time_s, box, person, view=view, chance=chance, jitter=scene.jitter))
            noise = _unit(chance.standard_normal(D))
            vectors.append(_unit(np.sqrt(scene.likeness) * look + np.sqrt(1 - scene.likeness) * noise))
            worn_by.append(wearer)
    made.vectors = np.array(vectors, np.float32).reshape(-1, D)
    made.worn_by = np.array(worn_by, np.int64)
    return made


def busy_scene(walkers: int, *, seed: int) -> MadeScene:
    """Walkers who cross the picture at random times, both ways, near and far; some come nearer instead."""
    chance = np.random.default_rng(seed)
    looks = made_looks(walkers, seed=seed)
    made = []
    for look in looks:
        length = chance.uniform(48, 90)
        start, speed = chance.uniform(0, 4 * walkers), chance.uniform(3.8, 5.2) * length
        if chance.random() < 0.3:
            view, x = (View.FRONT, View.BACK)[int(chance.integers(2))], chance.uniform(200, 1080)
            path = ((x, 420.0), (0.1 * speed, 0.25 * speed), 0.12)
            end = start + 5
        else:
            view, way = View.SIDE, int(chance.choice([-1, 1]))
            path = ((0.0 if way > 0 else _FRAME_PX[0], chance.uniform(450, 690)), (way * speed, 0.0), 0.0)
            end = start + _FRAME_PX[0] / speed
        made.append(MadeWalker(look, start, end, path[0], path[1], length, view, growth=path[2]))
    return MadeScene(tuple(made), seed=seed)


def _luck(scene: MadeScene, walker: int, time_s: float) -> float:
    return float(np.random.default_rng([scene.seed, walker, int(time_s / scene.missed_for_s)]).random())


def _visible_feet(walkers: tuple[MadeWalker, ...], index: int, time_s: float) -> list[Box]:
    """Feet of a walker that neither the other foot nor a person in front hides."""
    walker = walkers[index]
    if not walker.start_s <= time_s <= walker.end_s:
        return []
    ground, near = walker.body(time_s)[1], sorted(walker.feet(time_s), key=lambda box: -box[3])
    hidden = abs(near[0][0] - near[1][0]) < 0.5 * (near[0][2] - near[0][0])
    feet = near[:1] if hidden else near
    for other in walkers:
        if other is walker or not other.start_s <= time_s <= other.end_s or other.body(time_s)[1] <= ground:
            continue
        left, top, right, bottom = other.person(time_s)
        third = (right - left) / 3
        feet = [
            box for box in feet if not (left + third < (box[0] + box[2]) / 2 < right - third and top < box[3] < bottom)
        ]
    return [box for box in feet if box[0] >= 0 and box[2] <= _FRAME_PX[0]]


def _sighting(
    frame: int,
    time_s: float,
    box: Box,
    person: Box | None,
    *,
    view: View,
    chance: np.random.Generator,
    jitter: float,
) -> Sighting:
    length = max(box[2] - box[0], box[3] - box[1])
    left, top, right, bottom = (float(edge) for edge in np.array(box) + jitter * length * chance.standard_normal(4))
    body = None
    if person is not None:
        moved = np.array(person) + 2 * jitter * length * chance.standard_normal(4)
        body = (float(moved[0]), float(moved[1]), float(moved[2]), float(moved[3]))
    grade = Grade(length, 0.5, 1.0, float(chance.uniform(0.2, 0.9)), length >= LARGE_ENOUGH_PX or view is not View.SIDE)
    return Sighting(
        frame=frame,
        time_s=time_s,
        box=(left, top, right, bottom),
        toe=(right, bottom),
        heel=(left, bottom),
        view=view,
        score=float(chance.uniform(0.3, 0.99)),
        person=body,
        grade=grade,
    )


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
