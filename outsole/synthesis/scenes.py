"""Made scenes: which cameras there are, who walks past which of them, when, where and in which shoes.

The world has metres: x to the right of a camera, y upwards from the floor, z away from the camera. A camera looks
level, its lens shifted, so that what stands upright in the room stands upright in the picture; the size of things at
a floor point follows from the point's row alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, NotFound
from outsole.synthesis.shoes import ShoeModel
from outsole.synthesis.surveillance import BACKGROUNDS

MAX_CAMERAS = 1000
WALK_KINDS = ("across", "towards", "away")
# The shortest shoe that a walker wears; a camera is placed so that it is as long as asked.
SHORTEST_SHOE_M = 0.25
_SIZES = ((54, (432, 768)), (66, (540, 960)), (1000, (720, 1280)))
_FOCAL_WIDTHS = 1.3
_KIND_CHANCES = (0.46, 0.27, 0.27)
_COMPANIONS = 0.3
_MARGIN_M = 0.7
_BESIDE_CAMERA_Z_M = 1.3
_PAUSE_S = 4.0


@dataclass(frozen=True)
class SceneSettings:
    """What a scene has.

    Attributes:
        walks_per_camera: How often somebody walks past a camera, at least 1.
        seconds: Length of each camera's video, at least 8.
        frame_rate: Frames a second, 1 .. 60.
        size_px: (H, W) of every camera, both even; by the size of its shoes where None (432 x 768, 540 x 960 or
            720 x 1280), so that persons stay in the picture.
        shoe_px: How long the shortest shoe is on a camera's far lane, in pixels: of the first and of the last camera;
            long shoes on near lanes are up to 1.45 times as long.
        revisits: How many of the walks are by somebody whom an earlier camera saw, 0 .. 1.
        start: When the first camera starts; in UTC.
    """

    walks_per_camera: int = 10
    seconds: float = 60.0
    frame_rate: int = 15
    size_px: tuple[int, int] | None = None
    shoe_px: tuple[int, int] = (48, 84)
    revisits: float = 0.5
    start: datetime = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)

    def __post_init__(self) -> None:
        limits = (("walks_per_camera", 1, 10_000), ("seconds", 8, 86_400), ("frame_rate", 1, 60), ("revisits", 0, 1))
        for name, low, high in limits:
            if not low <= getattr(self, name) <= high:
                raise InvalidInput(f"{name} is {getattr(self, name)}", field=name, remedy=f"{low} to {high}")
        if not 24 <= self.shoe_px[0] <= self.shoe_px[1] <= 200:
            raise InvalidInput(f"shoe_px is {self.shoe_px}", field="shoe_px", remedy="two sizes, 24 to 200, rising")
        if self.size_px and (min(self.size_px) < 64 or any(side % 2 for side in self.size_px)):
            raise InvalidInput(f"size_px is {self.size_px}", field="size_px", remedy="even sides, at least 64")
        if self.start.tzinfo is None:
            raise InvalidInput("start has no time zone", field="start", remedy="a time in UTC")


@dataclass(frozen=True)
class Camera:
    """A camera and its room.

    Attributes:
        camera_id: ``cam01`` and so on.
        number: From 0.
        start: Time of its first frame, whole seconds, UTC.
        seconds, frame_rate, size_px: See ``SceneSettings``.
        horizon_px: Row of the horizon; it may lie above the picture.
        height_m: Of the lens above the floor.
        focal_px: Focal length.
        far_m: Distance of the far lane.
        floor: One of `outsole.synthesis.surveillance.BACKGROUNDS`.
        exposure_s: How long the shutter is open.
        noise: Deviation of the sensor's noise, grey levels 0 .. 255.
        quality: H.264's constant rate factor; higher is worse.
        seed: Draws room, clutter, light and noise.
    """

    camera_id: str
    number: int
    start: datetime
    seconds: float
    frame_rate: int
    size_px: tuple[int, int]
    horizon_px: float
    height_m: float
    focal_px: float
    far_m: float
    floor: str
    exposure_s: float
    noise: float
    quality: int
    seed: int

    @property
    def frames(self) -> int:
        """How many frames its video has."""
        return round(self.seconds * self.frame_rate)

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where points of the world are seen.

        Args:
            points: float64 [..., 3], metres; z above 0.

        Returns:
            float64 [..., 2], (x, y) in pixels.
        """
        scale = self.focal_px / points[..., 2]
        across = self.size_px[1] / 2 + scale * points[..., 0]
        return np.stack([across, self.horizon_px + scale * (self.height_m - points[..., 1])], axis=-1)

    def floor_row(self, z: float) -> float:
        """Row at which the floor is seen at a distance."""
        return self.horizon_px + self.focal_px * self.height_m / z

    def half_width_m(self, z: float) -> float:
        """How far to either side the picture reaches at a distance."""
        return z * self.size_px[1] / 2 / self.focal_px


@dataclass(frozen=True)
class Walker:
    """Somebody in made shoes.

    Attributes:
        walker_id: ``w001`` and so on.
        model: The model of both shoes.
        stature_m: From the floor to the top of the head.
        shoe_m: Length of a shoe.
        step_m: From one foot's heel strike to the other's.
        speed: Metres a second.
        seed: Draws clothes, hair and skin.
    """

    walker_id: str
    model: ShoeModel
    stature_m: float
    shoe_m: float
    step_m: float
    speed: float
    seed: int


@dataclass(frozen=True)
class Walk:
    """One walk past one camera.

    Attributes:
        walk_id: ``cam01-003`` and so on; in the order of time.
        camera_id, walker_id, model_id: Who, where, in what.
        kind: ``across`` (side views), ``towards`` (from the side, then towards the camera: side, then front views) or
            ``away`` (from beside the camera, then off to a side: back, then side views).
        start_s, end_s: When the body starts and ends its way, seconds after the camera's first frame; both ends lie
            out of sight.
        path: Corners (x, z) of the way, metres.
    """

    walk_id: str
    camera_id: str
    walker_id: str
    model_id: str
    kind: str
    start_s: float
    end_s: float
    path: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Scene:
    """A planned scene: everything but the pixels.

    Attributes:
        seed: What it was planned with.
        cameras, walkers, walks: See there; walks are in the order of cameras, then of time.
    """

    seed: int
    cameras: tuple[Camera, ...]
    walkers: tuple[Walker, ...]
    walks: tuple[Walk, ...]

    def camera(self, camera_id: str) -> Camera:
        """The camera of that name.

        Raises:
            NotFound: There is none.
        """
        for camera in self.cameras:
            if camera.camera_id == camera_id:
                return camera
        raise NotFound(f"there is no camera {camera_id}", field="camera_id", remedy="one of the scene's cameras")

    def walks_at(self, camera_id: str) -> tuple[tuple[Walk, Walker], ...]:
        """Walks past a camera with their walkers, in the order of time."""
        walkers = {walker.walker_id: walker for walker in self.walkers}
        return tuple((walk, walkers[walk.walker_id]) for walk in self.walks if walk.camera_id == camera_id)


def plan_scene(
    models: Sequence[ShoeModel], *, cameras: int = 10, seed: int = 0, settings: SceneSettings | None = None
) -> Scene:
    """Decide who walks where and when.

    Walkers whom one camera saw come past others later, at their own speed and in the same shoes. About a third of the
    walks have company: somebody else crosses at the same time on the other lane, so that shoes hide each other.

    Args:
        models: What walkers may wear, from `outsole.synthesis.shoes.plan_models`; worn in a drawn order, each once
            before any a second time.
        cameras: How many, 1 .. 1,000.
        seed: At least 0; the same numbers give the same scene.
        settings: The defaults of ``SceneSettings`` where None.

    Raises:
        InvalidInput: No models, or a number out of range.
    """
    settings = settings or SceneSettings()
    if not models:
        raise InvalidInput("there are no models", field="models", remedy="at least one")
    if not 1 <= cameras <= MAX_CAMERAS:
        raise InvalidInput(f"cameras is {cameras}", field="cameras", remedy=f"1 to {MAX_CAMERAS}")
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}", field="seed", remedy="0 or more")
    placed = tuple(_camera(number, cameras, seed, settings) for number in range(cameras))
    rng = np.random.default_rng([0x5CE7, seed])
    slots = sorted(
        (camera.start + timedelta(seconds=start), camera.number, start)
        for camera in placed
        for start in _start_times(rng, settings)
    )
    cast = _Cast(rng, models, seed, settings.revisits)
    walks = []
    lanes = [0] * cameras
    for time, number, start in slots:
        lanes[number] += 1
        walker = cast.next(time.timestamp(), number)
        walk = _walk(rng, placed[number], walker, start, lanes[number])
        cast.seen(walker, time.timestamp() + walk.end_s - walk.start_s, number)
        walks.append(walk)
    ordered = sorted(walks, key=lambda walk: (walk.camera_id, walk.start_s))
    return Scene(seed, placed, tuple(cast.walkers), tuple(ordered))


def _camera(number: int, count: int, seed: int, settings: SceneSettings) -> Camera:
    rng = np.random.default_rng([0xCA37, seed, number])
    low, high = settings.shoe_px
    shoe_px = low * (high / low) ** (number / max(count - 1, 1))
    size = settings.size_px or next(size for limit, size in _SIZES if shoe_px <= limit)
    focal = _FOCAL_WIDTHS * size[1]
    scale = shoe_px / SHORTEST_SHOE_M
    height = float(rng.uniform(1.3, 1.6))
    far_row = size[0] * float(rng.uniform(0.77, 0.80))
    start = settings.start + timedelta(seconds=int(rng.integers(0, 20)) if number else 0)
    return Camera(
        camera_id=f"cam{number + 1:02d}",
        number=number,
        start=start.astimezone(UTC).replace(microsecond=0),
        seconds=settings.seconds,
        frame_rate=settings.frame_rate,
        size_px=size,
        horizon_px=far_row - height * scale,
        height_m=height,
        focal_px=focal,
        far_m=focal / scale,
        floor=BACKGROUNDS[(number + seed) % len(BACKGROUNDS)],
        exposure_s=float(rng.choice([1 / 30, 1 / 50, 1 / 60, 1 / 100])),
        noise=float(rng.uniform(1.0, 4.0)),
        quality=int(rng.integers(23, 30)),
        seed=seed,
    )


def _start_times(rng: np.random.Generator, settings: SceneSettings) -> list[float]:
    """When walks start: spread over the video, some of them shortly after the one before."""
    room = settings.seconds - 7.0
    even = (np.arange(settings.walks_per_camera) + rng.uniform(0, 0.8, settings.walks_per_camera)) * (
        room / settings.walks_per_camera
    )
    joins = rng.random(settings.walks_per_camera) < _COMPANIONS
    starts = even.tolist()
    for place in range(1, len(starts)):
        # Company of company would be a crowd.
        if joins[place] and not joins[place - 1]:
            starts[place] = starts[place - 1] + float(rng.uniform(0.2, 1.2))
    return [round(start, 3) for start in starts]


class _Cast:
    """Who comes next: somebody new, or somebody whom another camera saw."""

    def __init__(self, rng: np.random.Generator, models: Sequence[ShoeModel], seed: int, revisits: float) -> None:
        self._rng = rng
        self._models = [models[place] for place in rng.permutation(len(models)).tolist()]
        self._seed = seed
        self._revisits = revisits
        self._last: dict[str, tuple[float, set[int]]] = {}
        self.walkers: list[Walker] = []

    def next(self, time_s: float, camera: int) -> Walker:
        free = [
            walker
            for walker in self.walkers
            if self._last[walker.walker_id][0] + _PAUSE_S <= time_s and camera not in self._last[walker.walker_id][1]
        ]
        if free and self._rng.random() < self._revisits:
            return free[int(self._rng.integers(len(free)))]
        walker = _walker(len(self.walkers), self._models[len(self.walkers) % len(self._models)], self._seed)
        self.walkers.append(walker)
        return walker

    def seen(self, walker: Walker, until_s: float, camera: int) -> None:
        cameras = self._last.get(walker.walker_id, (0.0, set()))[1]
        self._last[walker.walker_id] = (until_s, cameras | {camera})


def _walker(number: int, model: ShoeModel, seed: int) -> Walker:
    rng = np.random.default_rng([0x3A1C, seed, number])
    stature, shoe = {"men": (1.78, 0.285), "women": (1.66, 0.26), "children": (1.52, SHORTEST_SHOE_M)}[model.wearer]
    stature += float(rng.uniform(-0.07, 0.07))
    return Walker(
        walker_id=f"w{number + 1:03d}",
        model=model,
        stature_m=stature,
        shoe_m=shoe + float(rng.uniform(0.0, 0.02)),
        step_m=stature * float(rng.uniform(0.35, 0.41)),
        speed=float(rng.uniform(1.0, 1.4)),
        seed=int(rng.integers(1 << 31)),
    )


def _walk(rng: np.random.Generator, camera: Camera, walker: Walker, start_s: float, turn: int) -> Walk:
    kind = str(rng.choice(WALK_KINDS, p=_KIND_CHANCES))
    # Lanes take turns, so that those who meet do not walk through each other.
    z = camera.far_m / float(rng.uniform(1.0, 1.04) if turn % 2 else rng.uniform(1.12, 1.2))
    side = 1.0 if rng.random() < 0.5 else -1.0
    edge = side * (camera.half_width_m(z) + _MARGIN_M)
    near = _BESIDE_CAMERA_Z_M
    beside = (camera.half_width_m(near) + _MARGIN_M) * (1.0 if rng.random() < 0.5 else -1.0)
    corner = (float(rng.uniform(-0.35, 0.35)) * camera.half_width_m(z), z)
    paths = {
        "across": ((-edge, z), (edge, z + float(rng.uniform(-0.15, 0.15)))),
        "towards": ((edge, z), corner, (beside, near)),
        "away": ((beside, near), corner, (edge, z)),
    }
    path = paths[kind]
    length = float(np.hypot(*np.diff(np.asarray(path), axis=0).T).sum())
    return Walk(
        walk_id=f"{camera.camera_id}-{turn:03d}",
        camera_id=camera.camera_id,
        walker_id=walker.walker_id,
        model_id=walker.model.model_id,
        kind=kind,
        start_s=start_s,
        end_s=round(start_s + length / walker.speed, 3),
        path=path,
    )
