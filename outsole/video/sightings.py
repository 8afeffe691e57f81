"""From shoes with key points to sightings: view, toe and heel, doubts, grade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, Point, View
from outsole.video.boxes import Boxes
from outsole.video.grading import GradeSettings, grade
from outsole.video.key_points import drawn_out, ends, headings, slants, turned, views
from outsole.video.records import Frame, Sighting
from outsole.video.wearing import Persons

TOE_HEEL, FACING, POSE = "toe_heel", "facing", "pose"
"""Doubts of a sighting.

``toe_heel``: pose and key points disagree where the toe is; not said of fronts and backs that the body's own direction
decides. ``facing``: a front on a body that looks away, or a back on one that looks at us. ``pose``: there was no pose
to ask.
"""
# A foot in the picture shorter than this part of its box's longer side says nothing about where it points.
_TELLING = 0.25
_OPPOSITE = -0.2
# How clearly a body has to look the other way, for a shoe to be turned round, and for a doubt.
_LOOKS, _FACES = 0.25, 0.5
# A sole from aside is flatter than this, and runs across so much of its box; fronts and backs are never so wide.
_FLAT, _ACROSS, _WIDE = 1.5, 0.55, 1.2
# Boxes of people are wider than people: so much of each side is taken for air.
_AIR = 0.2


@dataclass(frozen=True)
class PointedShoes:
    """Shoes on feet with their key points, one a row.

    Attributes:
        frames: [W] places in the list of frames.
        boxes: [W, 4].
        scores: [W], 0 .. 1.
        points: [W, 9, 2] middle and corners of each shoe's 3D box, pixels.
        persons: [W] rows of the persons.
        sides: [W] 0 the left foot, 1 the right.
        posed: [W] whether the pose says where that foot is.
    """

    frames: NDArray[np.intp]
    boxes: Boxes
    scores: NDArray[np.float64]
    points: NDArray[np.float64]
    persons: NDArray[np.intp]
    sides: NDArray[np.intp]
    posed: NDArray[np.bool_]


def sightings_of(
    frame: Frame,
    place: int,
    shoes: PointedShoes,
    persons: Persons,
    *,
    side_within: float,
    grading: GradeSettings,
) -> tuple[Sighting, ...]:
    """The sightings of one frame, from left to right.

    Args:
        frame: The frame.
        place: Its place in the list that ``shoes.frames`` refers to.
        shoes: Of all frames.
        persons: Of all frames.
        side_within: Most degrees between a side view's sole and the picture's plane.
        grading: What is large enough.
    """
    rows = np.flatnonzero(shoes.frames == place)
    rows = rows[np.argsort(shoes.boxes[rows, 0], kind="stable")]
    read = _read(shoes, persons, rows, side_within)
    found = []
    for number, row in enumerate(rows):
        box, toe, heel = _box(shoes.boxes[row]), _point(read.toes[number]), _point(read.heels[number])
        found.append(
            Sighting(
                frame=frame.number,
                time_s=frame.time_s,
                box=box,
                toe=toe,
                heel=heel,
                view=read.views[number],
                score=float(shoes.scores[row]),
                person=_box(persons.boxes[shoes.persons[row]]),
                grade=grade(
                    frame.rgb,
                    box,
                    ends=(toe, heel),
                    view=read.views[number],
                    hiding=_in_front(shoes, persons, row),
                    settings=grading,
                ),
                doubts=read.doubts[number],
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class _Read:
    """Ends of soles as they are taken, with view and doubts, one a shoe."""

    toes: NDArray[np.float64]
    heels: NDArray[np.float64]
    views: list[View]
    doubts: list[tuple[str, ...]]


def _read(shoes: PointedShoes, persons: Persons, rows: NDArray[np.intp], side_within: float) -> _Read:
    """Decide where shoes point: their own key points say, unless foot and body of the pose both say the opposite.

    Wide boxes show sides; where key points see an end in one, foot or body say which way it points.
    """
    given, looks = shoes.points[rows], persons.looks[shoes.persons[rows]]
    degrees = headings(given)
    disagrees, support = _disagrees(shoes, persons, rows), _along(degrees, looks)
    points = turned(given, disagrees & (support < -_LOOKS))
    degrees = headings(points)
    lies = (slants(degrees) <= side_within) | _lies_flat(points, shoes.boxes[rows])
    width, height = (shoes.boxes[rows, 2:] - shoes.boxes[rows, :2]).T
    is_side = lies | (width >= _WIDE * height)
    hits = {
        TOE_HEEL: disagrees & (is_side | (np.abs(support) <= _LOOKS)),
        FACING: ~is_side & (np.sin(np.radians(degrees)) * looks[:, 1] < -_FACES),
        POSE: ~shoes.posed[rows],
    }
    doubts = [tuple(name for name, hit in hits.items() if hit[n]) for n in range(len(rows))]
    plain, told = ends(points), _told(shoes, persons, rows)
    toes, heels = (
        np.where(lies[:, None], drawn, np.where(is_side[:, None], corner, end))
        for drawn, corner, end in zip(drawn_out(*plain, shoes.boxes[rows]), told, plain, strict=True)
    )
    return _Read(toes, heels, views(degrees, is_side), doubts)


def _told(
    shoes: PointedShoes, persons: Persons, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Toes and heels in the lower corners of boxes, as the pose's feet point, or where there is no pose the body."""
    foot = persons.feet[shoes.persons[rows], shoes.sides[rows]]
    goes = np.where(shoes.posed[rows], foot[:, 1, 0] - foot[:, 0, 0], persons.looks[shoes.persons[rows], 0])
    left, right = shoes.boxes[rows][:, [0, 3]], shoes.boxes[rows][:, [2, 3]]
    is_right = (goes > 0)[:, None]
    return np.where(is_right, right, left), np.where(is_right, left, right)


def _lies_flat(points: NDArray[np.float64], boxes: Boxes) -> NDArray[np.bool_]:
    """Whether soles run across most of their boxes: key points tell widths badly from aside, lengths well."""
    toes, heels = ends(points)
    across, down = np.abs(toes - heels).T
    return np.asarray((across >= _FLAT * down) & (across >= _ACROSS * (boxes[:, 2] - boxes[:, 0])))


def _along(degrees: NDArray[np.float64], looks: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far bodies look where their shoes point: positive the same way, negative the opposite one."""
    radians = np.radians(degrees)
    return np.asarray(np.cos(radians) * looks[:, 0] + np.sin(radians) * looks[:, 1])


def _disagrees(shoes: PointedShoes, persons: Persons, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether the pose's foot points the other way than the shoe's key points."""
    toes, heels = ends(shoes.points[rows])
    foot = persons.feet[shoes.persons[rows], shoes.sides[rows]]
    along, told = toes - heels, foot[:, 1] - foot[:, 0]
    longer = (shoes.boxes[rows, 2:] - shoes.boxes[rows, :2]).max(-1)
    lengths = np.hypot(*along.T), np.hypot(*told.T)
    cosine = (told * along).sum(-1) / np.maximum(lengths[0] * lengths[1], 1e-9)
    return np.asarray(shoes.posed[rows] & (np.minimum(*lengths) >= _TELLING * longer) & (cosine < _OPPOSITE))


def _in_front(shoes: PointedShoes, persons: Persons, row: np.intp) -> Boxes:
    """Boxes of what stands nearer to the camera than a shoe: shoes, and other people, whose lower edge is lower."""
    others = (shoes.frames == shoes.frames[row]) & (shoes.boxes[:, 3] > shoes.boxes[row, 3])
    owner = shoes.persons[row]
    nearer = (persons.frames == shoes.frames[row]) & (persons.boxes[:, 3] > persons.boxes[owner, 3])
    people = persons.boxes[nearer].copy()
    width = people[:, 2] - people[:, 0]
    people[:, 0] += _AIR * width
    people[:, 2] -= _AIR * width
    return np.concatenate([shoes.boxes[others], people])


def _box(row: NDArray[np.float64]) -> Box:
    left, top, right, bottom = (float(edge) for edge in row)
    return left, top, right, bottom


def _point(row: NDArray[np.float64]) -> Point:
    return float(row[0]), float(row[1])
