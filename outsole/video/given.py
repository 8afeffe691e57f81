"""Shoes that somebody marked by hand: no detector is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outsole.answers import Box, Point, View
from outsole.errors import InvalidInput
from outsole.video.finding import FoundShoes
from outsole.video.grading import GradeSettings, grade
from outsole.video.records import Frame, Sighting
from outsole.video.sightings import TOE_HEEL

# Of a sole's length: how far a low shoe's box reaches above the sole, below it, and beyond both ends.
_ABOVE, _BELOW, _BEYOND = 0.5, 0.1, 0.08


@dataclass(frozen=True)
class GivenShoe:
    """A shoe in a frame as a person marked it: a box, or toe and heel, or both.

    Attributes:
        frame: Number of the frame.
        box: Around the shoe; None makes one from toe and heel, of the height of a low shoe.
        toe, heel: Both ends of the sole, pixels; both or none. Without them the sole of a side view is taken to be the
            lower edge of its box, the toe to the right, and the sighting has the doubt ``toe_heel``.
        view: From where the shoe is seen.

    Raises:
        InvalidInput: Neither box nor points, one point alone, an empty box, or both points in one place.
    """

    frame: int
    box: Box | None = None
    toe: Point | None = None
    heel: Point | None = None
    view: View = View.SIDE

    def __post_init__(self) -> None:
        if (self.toe is None) != (self.heel is None):
            raise InvalidInput("toe and heel go together", field="toe", remedy="give both, or neither and a box")
        if self.box is None and self.toe is None:
            raise InvalidInput("a shoe has neither box nor points", field="box", remedy="give a box, or toe and heel")
        if self.box is not None and not (self.box[2] > self.box[0] and self.box[3] > self.box[1]):
            raise InvalidInput(f"the box is {self.box}", field="box", remedy="left, top, right, bottom in pixels")
        if self.toe is not None and self.toe == self.heel:
            raise InvalidInput(f"toe and heel are both {self.toe}", field="toe", remedy="mark both ends of the sole")


class GivenShoes:
    """Hands out shoes that were marked; see ``outsole.video.finding.ShoeFinder``.

    Args:
        shoes: Of any frames, in any order.
        grading: What is large enough.
    """

    def __init__(self, shoes: Sequence[GivenShoe], grading: GradeSettings | None = None) -> None:
        self._grading = grading or GradeSettings()
        self._shoes: dict[int, list[GivenShoe]] = defaultdict(list)
        for shoe in shoes:
            self._shoes[shoe.frame].append(shoe)

    async def find(self, frames: Sequence[Frame], *, timeout_s: float) -> list[FoundShoes]:
        """The marked shoes of some frames; see ``ShoeFinder.find``. Nobody looks for people, and it takes no time."""
        del timeout_s
        return [FoundShoes(frame.number, frame.time_s, 0, self._sightings(frame)) for frame in frames]

    def _sightings(self, frame: Frame) -> tuple[Sighting, ...]:
        found = [self._sighting(frame, shoe) for shoe in self._shoes.get(frame.number, ())]
        return tuple(sorted(found, key=lambda sighting: sighting.box[0]))

    def _sighting(self, frame: Frame, shoe: GivenShoe) -> Sighting:
        toe, heel = _ends(shoe)
        box = shoe.box or _box(toe, heel)
        return Sighting(
            frame=frame.number,
            time_s=frame.time_s,
            box=box,
            toe=toe,
            heel=heel,
            view=shoe.view,
            score=1.0,
            person=None,
            grade=grade(
                frame.rgb, box, ends=(toe, heel), view=shoe.view, hiding=np.empty((0, 4)), settings=self._grading
            ),
            doubts=() if shoe.toe is not None else (TOE_HEEL,),
        )


def _ends(shoe: GivenShoe) -> tuple[Point, Point]:
    if shoe.toe is not None and shoe.heel is not None:
        return shoe.toe, shoe.heel
    left, _, right, bottom = shoe.box or (0.0, 0.0, 0.0, 0.0)
    return (right, bottom), (left, bottom)


def _box(toe: Point, heel: Point) -> Box:
    length = float(np.hypot(toe[0] - heel[0], toe[1] - heel[1]))
    beyond = _BEYOND * length
    return (
        min(toe[0], heel[0]) - beyond,
        min(toe[1], heel[1]) - _ABOVE * length,
        max(toe[0], heel[0]) + beyond,
        max(toe[1], heel[1]) + _BELOW * length,
    )
