"""The frames of a made camera, each with the truth about every shoe in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, Point, View
from outsole.synthesis.gait import Gait
from outsole.synthesis.scene_figures import Figure, FigurePainter
from outsole.synthesis.scene_rooms import Occluder, draw_room
from outsole.synthesis.scene_shoes import SeenShoe
from outsole.synthesis.scenes import Camera, Scene, Walk, Walker
from outsole.video.records import Frame

_Field = NDArray[np.float32]
_NOISE_ROOM = 64


@dataclass(frozen=True)
class ShoeTruth:
    """A shoe in a frame, as it truly is; one is given for every shoe that is not wholly beyond the picture's edge.

    Attributes:
        frame, time_s: Of the frame, see `outsole.video.records.Frame`.
        walk_id, walker_id, model_id: Whose it is, on which walk.
        foot: ``left`` or ``right``.
        view: From where it is seen.
        box: Around the shoe, also around what is hidden of it; pixels, may reach beyond the picture.
        toe, heel: (x, y) of both ends of the sole, pixels. Seen from the front or the back both are the middle of the
            line on which it stands, as in `outsole.synthesis.uppers.Upper`.
        length_px: From toe to heel in a side view, the box's height otherwise.
        visible: How much of it is in the picture and not behind somebody or something, 0 .. 1; the wearer's own
            trouser leg does not count.
        is_standing: Whether the whole sole is on the floor; then toe and heel stay where they are.
        person: Box of the wearer, hidden parts included.
    """

    frame: int
    time_s: float
    walk_id: str
    walker_id: str
    model_id: str
    foot: str
    view: View
    box: Box
    toe: Point
    heel: Point
    length_px: float
    visible: float
    is_standing: bool
    person: Box


def frames_of(scene: Scene, camera_id: str) -> Iterator[tuple[Frame, tuple[ShoeTruth, ...]]]:
    """Draw what a camera sees, frame by frame.

    Args:
        scene: From `outsole.synthesis.scenes.plan_scene`.
        camera_id: One of its cameras.

    Yields:
        The frame, uint8 [H, W, 3], and the truth about its shoes, by walk, then foot. The same scene gives the same.

    Raises:
        NotFound: There is no such camera.
    """
    camera = scene.camera(camera_id)
    stage = _Stage(camera, scene.walks_at(camera_id))
    return (stage.frame(number) for number in range(camera.frames))


class _Stage:
    """A camera with everybody who will walk past it."""

    def __init__(self, camera: Camera, walks: tuple[tuple[Walk, Walker], ...]) -> None:
        self._camera = camera
        self._walks = walks
        self._painters: dict[str, FigurePainter] = {}
        self._room = draw_room(camera)
        rng = np.random.default_rng([0x1167, camera.seed, camera.number])
        height, width = camera.size_px
        grain = rng.standard_normal((height + _NOISE_ROOM, width + _NOISE_ROOM, 3), dtype=np.float32)
        self._grain = grain * np.float32(camera.noise)
        tint = (float(rng.uniform(0.78, 1.05)) * (1 + rng.normal(0, 0.04, 3))).astype(np.float32)
        self._swing, self._period_s = float(rng.uniform(0.03, 0.12)), float(rng.uniform(40, 160))
        self._phase = float(rng.uniform(0, 2 * np.pi))
        across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * np.float32(rng.uniform(-0.15, 0.15))
        self._lamp = np.ascontiguousarray(np.broadcast_to(tint * (1 + across), (height, width, 3)))
        self._lit_room = self._room.rgb * self._lamp

    def frame(self, number: int) -> tuple[Frame, tuple[ShoeTruth, ...]]:
        time_s = number / self._camera.frame_rate
        picture = self._lit_room.copy()
        figures = self._figures(time_s)
        for _, figure, _ in figures:
            _shade_floor(picture, self._camera, figure)
        layers: list[Figure | Occluder] = (
            [*(figure for _, figure, _ in figures), *self._room.occluders] if figures else []
        )
        # The farthest first: what is painted later hides what was painted before.
        layers.sort(key=lambda layer: -layer.z)
        hidden = _Hidden(figures)
        for layer in layers:
            self._paint(picture, layer)
            hidden.behind(layer)
        truth = tuple(
            _truth(number, time_s, (walk, walker, figure), shoe, hidden.visible(shoe))
            for walk, figure, walker in figures
            for shoe in sorted(figure.shoes, key=lambda shoe: shoe.foot)
        )
        return Frame(number, time_s, self._exposed(picture, number, time_s)), truth

    def _figures(self, time_s: float) -> list[tuple[Walk, Figure, Walker]]:
        found = []
        for walk, walker in self._walks:
            if walk.start_s <= time_s <= walk.end_s:
                if walk.walk_id not in self._painters:
                    self._painters[walk.walk_id] = FigurePainter(self._camera, Gait(walk, walker), walker)
                figure = self._painters[walk.walk_id].paint(time_s)
                if figure is not None:
                    found.append((walk, figure, walker))
            else:
                self._painters.pop(walk.walk_id, None)
        return found

    def _paint(self, picture: _Field, layer: Figure | Occluder) -> None:
        rows, columns = layer.cover.shape
        place = slice(layer.top, layer.top + rows), slice(layer.left, layer.left + columns)
        rest = 1 - layer.cover
        kept = cv2.multiply(picture[place], cv2.merge([rest, rest, rest]))
        picture[place] = cv2.add(kept, cv2.multiply(np.ascontiguousarray(layer.rgb), self._lamp[place]))

    def _exposed(self, picture: _Field, number: int, time_s: float) -> NDArray[np.uint8]:
        """Light that changes slowly, and the sensor's noise."""
        level = 1 + self._swing * np.sin(2 * np.pi * time_s / self._period_s + self._phase)
        rng = np.random.default_rng([0x6E01, self._camera.seed, self._camera.number, number])
        top, left = rng.integers(0, _NOISE_ROOM, 2).tolist()
        height, width = self._camera.size_px
        grain = self._grain[top : top + height, left : left + width]
        return np.asarray(cv2.addWeighted(picture, float(level), grain, 1.0, 0.0, dtype=cv2.CV_8U), np.uint8)


class _Hidden:
    """How much of each shoe is left while layers are painted over it."""

    def __init__(self, figures: list[tuple[Walk, Figure, Walker]]) -> None:
        self._left = {id(shoe): (shoe.cover.copy(), figure) for _, figure, _ in figures for shoe in figure.shoes}
        self._painted: set[int] = set()

    def behind(self, layer: Figure | Occluder) -> None:
        """Everything painted so far is behind this layer."""
        for cover, figure in self._left.values():
            if id(figure) in self._painted:
                _cut(cover, (figure.left, figure.top), layer)
        self._painted.add(id(layer))

    def visible(self, shoe: SeenShoe) -> float:
        return float(min(self._left[id(shoe)][0].sum() / shoe.whole_px, 1.0))


def _cut(cover: _Field, corner: tuple[int, int], layer: Figure | Occluder) -> None:
    """Take away what a layer hides of a patch at a corner (left, top)."""
    left, top = max(corner[0], layer.left), max(corner[1], layer.top)
    right = min(corner[0] + cover.shape[1], layer.left + layer.cover.shape[1])
    bottom = min(corner[1] + cover.shape[0], layer.top + layer.cover.shape[0])
    if left < right and top < bottom:
        own = cover[top - corner[1] : bottom - corner[1], left - corner[0] : right - corner[0]]
        own *= 1 - layer.cover[top - layer.top : bottom - layer.top, left - layer.left : right - layer.left]


def _spot() -> _Field:
    across = np.linspace(-1, 1, 48, dtype=np.float32) ** 2
    return np.asarray(np.clip(1 - (across[:, None] + across[None]), 0, 1) ** 2, np.float32)


_SPOT = _spot()


def _shade_floor(picture: _Field, camera: Camera, figure: Figure) -> None:
    """The shadow under a walker, and a closer one under each shoe."""
    metre = camera.focal_px / figure.z
    flat = camera.height_m / figure.z
    for shoe in figure.shoes:
        middle = (shoe.box[0] + shoe.box[2]) / 2, max(shoe.toe[1], shoe.heel[1])
        length = max(shoe.box[2] - shoe.box[0], 0.2 * metre)
        _darken(picture, middle, (1.3 * length, 0.45 * metre * flat), 0.55 if shoe.is_standing else 0.3)
    row = camera.floor_row(figure.z)
    centre = (figure.box[0] + figure.box[2]) / 2
    _darken(picture, (centre, row), (1.1 * metre, 0.8 * metre * flat), 0.35)


def _darken(picture: _Field, middle: Point, size: tuple[float, float], strength: float) -> None:
    width, height = max(int(size[0]), 2), max(int(size[1]), 2)
    left, top = round(middle[0] - width / 2), round(middle[1] - height / 2)
    spot = cv2.resize(_SPOT, (width, height), interpolation=cv2.INTER_LINEAR)
    shown = spot[max(-top, 0) : picture.shape[0] - top, max(-left, 0) : picture.shape[1] - left]
    if shown.size and top < picture.shape[0] and left < picture.shape[1]:
        area = picture[max(top, 0) : max(top, 0) + shown.shape[0], max(left, 0) : max(left, 0) + shown.shape[1]]
        area *= (1 - np.float32(strength) * shown)[..., None]


def _truth(number: int, time_s: float, who: tuple[Walk, Walker, Figure], shoe: SeenShoe, visible: float) -> ShoeTruth:
    walk, walker, figure = who
    is_side = shoe.view is View.SIDE
    length = float(np.hypot(*np.subtract(shoe.toe, shoe.heel))) if is_side else shoe.box[3] - shoe.box[1]
    return ShoeTruth(
        frame=number,
        time_s=time_s,
        walk_id=walk.walk_id,
        walker_id=walker.walker_id,
        model_id=walk.model_id,
        foot=shoe.foot,
        view=shoe.view,
        box=shoe.box,
        toe=shoe.toe,
        heel=shoe.heel,
        length_px=length,
        visible=visible,
        is_standing=shoe.is_standing,
        person=figure.box,
    )
