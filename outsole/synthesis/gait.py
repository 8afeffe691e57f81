"""How somebody walks: where feet, legs, arms and head are at a time.

Feet follow the three rockers of gait (Perry, Gait Analysis, 1992): the heel strikes with the toe up and stays where it
is until the sole is flat, the flat foot stands still, then the heel rises over a toe that stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.scenes import Walk, Walker

STANCE_PART = 0.62
_STRIKE_UNTIL, _FLAT_UNTIL = 0.12, 0.6
_STRIKE_DEG, _OFF_DEG = -18.0, 32.0
_TRACK_M = 0.065
_PATH_STEP_M = 0.02
_TURN_M = 0.5
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Foot:
    """One foot at a time.

    Attributes:
        heel, toe: Ends of the sole, float64 [3], metres.
        up: Unit vector out of the shoe, float64 [3].
        yaw: Where the toe points on the floor, radians; 0 to the right, a quarter turn away from the camera.
        is_standing: Whether the whole sole is on the floor; then nothing of it moves.
    """

    heel: Vector
    toe: Vector
    up: Vector
    yaw: float
    is_standing: bool


@dataclass(frozen=True)
class Pose:
    """A body at a time; pairs are left, then right.

    Attributes:
        feet: Both feet.
        hips, knees, ankles, shoulders, elbows, hands: float64 [2, 3], metres.
        neck, head: float64 [3]; the head's is its middle.
        forward: Unit vector of the body, float64 [3].
    """

    feet: tuple[Foot, Foot]
    hips: Vector
    knees: Vector
    ankles: Vector
    shoulders: Vector
    elbows: Vector
    hands: Vector
    neck: Vector
    head: Vector
    forward: Vector


class Gait:
    """The movement of a walker along a walk."""

    def __init__(self, walk: Walk, walker: Walker) -> None:
        self._walk, self._walker = walk, walker
        self._beat_s = walker.step_m / walker.speed

    @cached_property
    def _way(self) -> tuple[Vector, Vector]:
        """The path with rounded corners: points [N, 2] and headings [N], every 2 cm."""
        corners = np.asarray(self._walk.path)
        lengths = np.hypot(*np.diff(corners, axis=0).T)
        along = np.concatenate([[0.0], np.cumsum(lengths)])
        at = np.arange(0, along[-1] + _PATH_STEP_M, _PATH_STEP_M)
        points = np.column_stack([np.interp(at, along, corners[:, axis]) for axis in (0, 1)])
        reach = int(_TURN_M / _PATH_STEP_M)
        padded = np.pad(points, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
        window = np.hanning(2 * reach + 1)
        smooth = np.column_stack([np.convolve(padded[:, axis], window / window.sum(), "valid") for axis in (0, 1)])
        headings = np.unwrap(np.arctan2(*np.gradient(smooth, axis=0).T[::-1]))
        return smooth, headings

    def body_at(self, time_s: float) -> tuple[Vector, float]:
        """The body's floor point (x, z) and heading at a time; before and after the walk it walks straight on."""
        return self._at((time_s - self._walk.start_s) * self._walker.speed)

    def _at(self, metres: float) -> tuple[Vector, float]:
        points, headings = self._way
        place = min(max(metres / _PATH_STEP_M, 0.0), len(points) - 1.0)
        low = min(int(place), len(points) - 2)
        part = place - low
        heading = float(headings[low] * (1 - part) + headings[low + 1] * part)
        beyond = metres - place * _PATH_STEP_M
        point = points[low] * (1 - part) + points[low + 1] * part
        return point + beyond * np.array([np.cos(heading), np.sin(heading)]), heading

    def pose_at(self, time_s: float) -> Pose:
        """The body at a time, seconds after the camera's first frame."""
        stature = self._walker.stature_m
        point, heading = self.body_at(time_s)
        forward = np.array([np.cos(heading), 0.0, np.sin(heading)])
        left = np.array([-np.sin(heading), 0.0, np.cos(heading)])
        feet = (self._foot(time_s, 0), self._foot(time_s, 1))
        beat = (time_s - self._walk.start_s) / self._beat_s
        rise = np.array([0.0, 0.012 * stature * np.cos(2 * np.pi * (beat - 0.12)), 0.0])
        base = np.array([point[0], 0.0, point[1]]) + rise
        up = np.array([0.0, stature, 0.0])
        sides = np.stack([left, -left])
        hips = base + 0.515 * up + 0.052 * stature * sides
        ankles = np.stack([foot.heel + 0.24 * (foot.toe - foot.heel) + 0.045 * stature * foot.up for foot in feet])
        shoulders = base + 0.80 * up + 0.025 * stature * forward + 0.105 * stature * sides
        swing = np.array([float((foot.heel + foot.toe - 2 * base)[[0, 2]] @ forward[[0, 2]]) for foot in feet])
        # An arm goes with the other leg.
        angles = np.clip(swing[::-1] / stature * 1.1, -0.55, 0.55)[:, None]
        elbows = shoulders + 0.17 * stature * (np.sin(angles) * forward - np.cos(angles) * up / stature)
        elbows = elbows + 0.015 * stature * sides
        bent = angles + 0.35
        hands = elbows + 0.17 * stature * (np.sin(bent) * forward - np.cos(bent) * up / stature)
        return Pose(
            feet=feet,
            hips=hips,
            knees=_knees(hips, ankles, forward, bone_m=0.247 * stature),
            ankles=ankles,
            shoulders=shoulders,
            elbows=elbows,
            hands=hands,
            neck=base + 0.83 * up + 0.03 * stature * forward,
            head=base + 0.925 * up + 0.04 * stature * forward,
            forward=forward,
        )

    def _fall(self, number: int) -> tuple[float, Vector, float]:
        """When a foot strikes, where its heel does (x, z), and its yaw; even numbers are left feet."""
        middle = number * self._walker.step_m
        point, heading = self._at(middle)
        side = _TRACK_M if number % 2 == 0 else -_TRACK_M
        out = heading + (0.09 if number % 2 == 0 else -0.09)
        toe_way = np.array([np.cos(out), np.sin(out)])
        spot = point + side * np.array([-np.sin(heading), np.cos(heading)]) - 0.5 * self._walker.shoe_m * toe_way
        return self._walk.start_s + (number - 0.5) * self._beat_s, spot, out

    def _foot(self, time_s: float, parity: int) -> Foot:
        beats = (time_s - self._walk.start_s) / self._beat_s + 0.5
        number = 2 * int(np.floor((beats - parity) / 2)) + parity
        phase = (beats - number) / 2
        _, spot, yaw = self._fall(number)
        if phase < STANCE_PART:
            return self._standing(spot, yaw, phase / STANCE_PART)
        _, goal, goal_yaw = self._fall(number + 2)
        return self._swinging((spot, yaw), (goal, goal_yaw), (phase - STANCE_PART) / (1 - STANCE_PART))

    def _standing(self, spot: Vector, yaw: float, part: float) -> Foot:
        heel = np.array([spot[0], 0.0, spot[1]])
        if part < _STRIKE_UNTIL:
            return self._placed(heel, yaw, np.deg2rad(_STRIKE_DEG * (1 - part / _STRIKE_UNTIL)))
        if part < _FLAT_UNTIL:
            return self._placed(heel, yaw, 0.0, is_standing=True)
        pitch = np.deg2rad(_OFF_DEG * ((part - _FLAT_UNTIL) / (1 - _FLAT_UNTIL)) ** 1.5)
        return self._placed(self._lifted(heel, yaw, pitch), yaw, pitch)

    def _lifted(self, heel: Vector, yaw: float, pitch: float) -> Vector:
        """Where the heel goes when it rises over a toe that stays."""
        length = self._walker.shoe_m
        ahead = np.array([np.cos(yaw), 0.0, np.sin(yaw)])
        return np.asarray(heel + length * (1 - np.cos(pitch)) * ahead + np.array([0.0, length * np.sin(pitch), 0.0]))

    def _swinging(self, start: tuple[Vector, float], goal: tuple[Vector, float], part: float) -> Foot:
        ease = part * part * (3 - 2 * part)
        pitch = np.deg2rad(_OFF_DEG + (_STRIKE_DEG - _OFF_DEG) * ease + 14 * np.sin(np.pi * part) * (1 - part))
        first = self._lifted(np.array([start[0][0], 0.0, start[0][1]]), start[1], np.deg2rad(_OFF_DEG))
        last = np.array([goal[0][0], 0.0, goal[0][1]])
        heel = first + (last - first) * ease
        heel[1] += 0.05 * np.sin(np.pi * part)
        # The toe clears the floor.
        heel[1] = max(heel[1], self._walker.shoe_m * np.sin(pitch) + 0.02 * np.sin(np.pi * part))
        return self._placed(heel, start[1] + (goal[1] - start[1]) * ease, pitch)

    def _placed(self, heel: Vector, yaw: float, pitch: float, *, is_standing: bool = False) -> Foot:
        ahead = np.array([np.cos(yaw), 0.0, np.sin(yaw)])
        down = np.array([0.0, -1.0, 0.0])
        along = np.cos(pitch) * ahead + np.sin(pitch) * down
        up = np.sin(pitch) * ahead - np.cos(pitch) * down
        return Foot(heel, heel + self._walker.shoe_m * along, up, yaw, is_standing)


def _knees(hips: Vector, ankles: Vector, forward: Vector, *, bone_m: float) -> Vector:
    """Knees of two equal bones between hips and ankles, bent forward; legs that are too short are stretched."""
    way = ankles - hips
    length = np.linalg.norm(way, axis=1, keepdims=True)
    bend = np.sqrt(np.maximum(bone_m**2 - (length / 2) ** 2, 0.0))
    along = way / length
    ahead = forward - (along @ forward)[:, None] * along
    return np.asarray(hips + way / 2 + bend * ahead / np.linalg.norm(ahead, axis=1, keepdims=True))
