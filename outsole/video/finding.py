"""Finding shoes in frames: persons, what is on their feet, which way it points, and how much it can tell.

The order was found on real clips: small shoes are lost in a whole frame, and feet of chairs look like shoes. So
persons are found first, footwear is looked for around their legs, and only what is on a foot is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from outsole.errors import BudgetSpent
from outsole.inference.encoder import Encoder, Outputs, all_or_none
from outsole.video.boxes import Boxes, Windows, is_cut, sift, squares, tiles, windows_of
from outsole.video.grading import GradeSettings
from outsole.video.key_points import feet, likelier, looks, mirrored, sure_of_feet
from outsole.video.networks import BODY_PX, DETECTOR_PX, FOOTWEAR, KEY_POINTS_PX, PERSON, ShoeNetworks
from outsole.video.records import Frame, Sighting
from outsole.video.sightings import PointedShoes, sightings_of
from outsole.video.wearing import Footwear, Persons, WearingSettings, Worn, worn

# A square around a shoe, a square around a person. The key points' own is 1.5; in a larger one those of small shoes lie
# as far apart as toe and heel do.
_SHOE_SQUARE, _BODY_SQUARE = 1.8, 1.25


@dataclass(frozen=True)
class FoundShoes:
    """What one frame shows.

    Attributes:
        frame: Its number.
        time_s: When it is shown, see ``Frame``.
        persons: How many people were found; 0 where nobody looked for them.
        sightings: Shoes from left to right, those too small to search among them.
    """

    frame: int
    time_s: float
    persons: int
    sightings: tuple[Sighting, ...]

    @property
    def too_small(self) -> int:
        """How many of the shoes are not worth a search."""
        return sum(not sighting.grade.is_large_enough for sighting in self.sightings)


class ShoeFinder(Protocol):
    """Finds shoes in frames."""

    async def find(self, frames: Sequence[Frame], *, timeout_s: float) -> list[FoundShoes]:
        """Find the shoes of some frames; their networks get them as few batches.

        Args:
            frames: Any number of frames, which may differ in size.
            timeout_s: Seconds for the whole call.

        Returns:
            One record a frame, in their order.

        Raises:
            BudgetSpent: ``timeout_s`` ran out.
            Unavailable, Overloaded: A network is away or its queue is full; may be retried.
            PreconditionFailed: Another network is served than expected.
        """
        ...


@dataclass(frozen=True)
class FinderSettings:
    """How shoes are found.

    Attributes:
        person_score: Least score of a person.
        shoe_score: Least score of footwear in a leg window.
        point_score: Least score of the key points' network, the better of both ways in which it sees a shoe.
        body_score: Least score of the pose's network; below it a person counts as having no pose.
        overlap: Largest intersection over union of two boxes of a kind.
        cover: Largest part of a box within another of its kind.
        window_width, window_height: Of the leg window, parts of the person's height.
        window_below: How much of the window's height lies below the person's box.
        tile_px: Side of the tiles in which persons are looked for in frames that are much larger than one.
        tile_share: How much of a tile neighbours share at least; who fits into that is looked for in tiles alone.
        side_within: Most degrees between a side view's sole and the picture's plane.
        wearing: When a shoe is on a foot.
        grading: What is worth a search.
    """

    person_score: float = 0.3
    shoe_score: float = 0.25
    point_score: float = 0.3
    body_score: float = 0.5
    overlap: float = 0.5
    cover: float = 0.75
    window_width: float = 0.7
    window_height: float = 0.5
    window_below: float = 0.2
    tile_px: int = 720
    tile_share: float = 0.3
    side_within: float = 45.0
    wearing: WearingSettings = field(default_factory=WearingSettings)
    grading: GradeSettings = field(default_factory=GradeSettings)


class DetectedShoes:
    """Finds shoes with the detectors; see ``ShoeFinder``.

    Args:
        networks: Through Triton or in this process.
        settings: How.
    """

    def __init__(self, networks: ShoeNetworks, settings: FinderSettings | None = None) -> None:
        self._networks = networks
        self._settings = settings or FinderSettings()

    async def find(self, frames: Sequence[Frame], *, timeout_s: float) -> list[FoundShoes]:
        """Find the shoes of some frames; see ``ShoeFinder.find``."""
        if not frames:
            return []
        deadline = asyncio.get_running_loop().time() + timeout_s
        pictures = [frame.rgb for frame in frames]
        places, boxes = await self._persons(pictures, deadline)
        persons, footwear = await self._bodies_and_footwear(pictures, places, boxes, deadline)
        on_feet = worn(footwear, persons, self._settings.wearing)
        shoes = await self._key_points(pictures, footwear, on_feet, deadline)
        return await asyncio.to_thread(self._records, frames, persons, shoes)

    async def _persons(self, pictures: Sequence[NDArray[np.uint8]], deadline: float) -> tuple[NDArray[np.intp], Boxes]:
        """Frame and box of every person."""
        looks = await asyncio.to_thread(self._looks, pictures)
        answer = await _ask(self._networks.detector, looks.images, deadline)
        scores = _floats(answer, "scores")[:, :, PERSON]
        window, row = np.nonzero(scores >= self._settings.person_score)
        boxes = looks.to_frame(_floats(answer, "boxes")[window, row], window)
        frames = looks.frames[window]
        inside = np.flatnonzero(self._best_seen(looks, window, boxes))
        kept = inside[self._sift(boxes[inside], scores[window, row][inside], frames[inside])]
        return frames[kept], boxes[kept]

    def _best_seen(self, looks: Windows, window: NDArray[np.intp], boxes: Boxes) -> NDArray[np.bool_]:
        """Whether each person is in a window that shows it well: not cut, and not small where tiles show it larger."""
        settings, count = self._settings, np.bincount(looks.frames)
        # The whole frame comes first, and every place of a person this size or smaller is in a tile.
        first = np.cumsum(count) - count
        is_whole = window == first[looks.frames[window]]
        small = (boxes[:, 2:] - boxes[:, :2]).max(-1, initial=0) <= settings.tile_share * settings.tile_px
        cut = is_cut(boxes, looks.boxes[window], looks.boxes[first][looks.frames[window]])
        return np.asarray(~cut & ~(is_whole & small & (count[looks.frames[window]] > 1)))

    def _looks(self, pictures: Sequence[NDArray[np.uint8]]) -> Windows:
        settings = self._settings
        each = [
            tiles(picture.shape[1], picture.shape[0], side_px=settings.tile_px, share=settings.tile_share)
            for picture in pictures
        ]
        frames = np.repeat(np.arange(len(each)), [len(boxes) for boxes in each])
        return windows_of(pictures, frames, np.concatenate(each), side_px=DETECTOR_PX)

    async def _bodies_and_footwear(
        self, pictures: Sequence[NDArray[np.uint8]], frames: NDArray[np.intp], boxes: Boxes, deadline: float
    ) -> tuple[Persons, Footwear]:
        around = squares(boxes, scale=_BODY_SQUARE)
        bodies = await asyncio.to_thread(windows_of, pictures, frames, around, side_px=BODY_PX)
        legs = await asyncio.to_thread(windows_of, pictures, frames, self._leg_windows(boxes), side_px=DETECTOR_PX)
        pose, seen = await all_or_none(
            [
                _ask(self._networks.body, bodies.images, deadline),
                _ask(self._networks.detector, legs.images, deadline),
            ]
        )
        return self._posed(bodies, boxes, pose), self._footwear(legs, seen)

    def _leg_windows(self, boxes: Boxes) -> Boxes:
        settings = self._settings
        height = boxes[:, 3] - boxes[:, 1]
        # Someone who strides may be wider than a window of somebody who stands.
        half = np.maximum(settings.window_width * height, boxes[:, 2] - boxes[:, 0] + 0.1 * height) / 2
        middle = (boxes[:, 0] + boxes[:, 2]) / 2
        bottom = boxes[:, 3] + settings.window_below * settings.window_height * height
        return np.stack([middle - half, bottom - settings.window_height * height, middle + half, bottom], 1)

    def _posed(self, bodies: Windows, boxes: Boxes, answer: Outputs) -> Persons:
        landmarks = _floats(answer, "landmarks")
        places = bodies.to_frame(landmarks[:, :, :2])
        has_pose = _floats(answer, "score") >= self._settings.body_score
        return Persons(bodies.frames, boxes, feet(places), sure_of_feet(landmarks) * has_pose, looks(places) * has_pose)

    def _footwear(self, legs: Windows, answer: Outputs) -> Footwear:
        scores = _floats(answer, "scores")[:, :, FOOTWEAR].max(-1)
        window, row = np.nonzero(scores >= self._settings.shoe_score)
        boxes, found = (
            legs.to_frame(_floats(answer, "boxes")[window, row], window),
            scores[window, row].astype(np.float64),
        )
        frames = legs.frames[window]
        kept = self._sift(boxes, found, frames)
        return Footwear(frames[kept], boxes[kept], found[kept])

    async def _key_points(
        self, pictures: Sequence[NDArray[np.uint8]], footwear: Footwear, on_feet: Worn, deadline: float
    ) -> PointedShoes:
        """The shoes that are on feet, with their key points; what the network does not take for a shoe is left out."""
        boxes, frames = footwear.boxes[on_feet.shoes], footwear.frames[on_feet.shoes]
        around = squares(boxes, scale=_SHOE_SQUARE)
        windows = await asyncio.to_thread(windows_of, pictures, frames, around, side_px=KEY_POINTS_PX)
        # Each shoe twice, the second time mirrored: what the network does not know one way it often knows the other.
        images = np.concatenate([windows.images, windows.images[:, :, ::-1]])
        answer = await _ask(self._networks.key_points, images, deadline)
        given, other = np.split(_floats(answer, "points"), 2)
        ways = np.stack([windows.to_frame(given), windows.to_frame(mirrored(other))])
        scores = _floats(answer, "score")[:, 0].reshape(2, -1)
        points = likelier(ways, scores, boxes)
        sure = np.flatnonzero(scores.max(0) >= self._settings.point_score)
        return PointedShoes(
            frames=frames[sure],
            boxes=boxes[sure],
            scores=footwear.scores[on_feet.shoes[sure]],
            points=points[sure],
            persons=on_feet.persons[sure],
            sides=on_feet.sides[sure],
            posed=on_feet.posed[sure],
        )

    def _records(self, frames: Sequence[Frame], persons: Persons, shoes: PointedShoes) -> list[FoundShoes]:
        settings = self._settings
        return [
            FoundShoes(
                frame.number,
                frame.time_s,
                int((persons.frames == place).sum()),
                sightings_of(frame, place, shoes, persons, side_within=settings.side_within, grading=settings.grading),
            )
            for place, frame in enumerate(frames)
        ]

    def _sift(self, boxes: Boxes, scores: NDArray[np.floating], frames: NDArray[np.intp]) -> NDArray[np.intp]:
        return sift(boxes, scores, frames, overlap=self._settings.overlap, cover=self._settings.cover)


async def _ask(network: Encoder, images: NDArray[np.uint8], deadline: float) -> Outputs:
    left = deadline - asyncio.get_running_loop().time()
    if left <= 0:
        raise BudgetSpent("finding shoes did not finish in time", field="timeout_s")
    return await network.encode(images, timeout_s=left)


def _floats(answer: Outputs, name: str) -> NDArray[np.float32]:
    return np.asarray(answer[name], np.float32)
