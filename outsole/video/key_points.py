"""From the corners of a shoe's 3D box and the landmarks of a body to toe, heel and view."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsole.answers import View
from outsole.video.boxes import areas

# Corners of the box on the ground: heel and toe of one side, heel and toe of the other (Objectron, 2021).
_HEEL, _TOE, _OTHER_HEEL, _OTHER_TOE = 1, 2, 5, 6
_TURNED = [0, 6, 5, 8, 7, 2, 1, 4, 3]
_MIRRORED = [0, 5, 6, 7, 8, 1, 2, 3, 4]
_WIDTH_OF_LENGTH = 0.37
_MOST_DRAWN = 0.5
# Parts of a body's height: from the ears to the nose from aside, and between the shoulders from in front.
_HEAD_OF_BODY, _SHOULDERS_OF_BODY = 0.05, 0.15
_NOSE, _EARS = 0, (7, 8)
_SHOULDERS, _HEELS, _TOES = (11, 12), (29, 30), (31, 32)
_SEEN, _INSIDE = 2, 3
_VIEWS = (View.SIDE, View.FRONT, View.BACK)


def ends(points: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Toe and heel of shoes on the ground.

    Args:
        points: [N, 9, 2], pixels: the middle and the eight corners of each shoe's box.

    Returns:
        Two of [N, 2]: toes, heels.
    """
    toes = (points[:, _TOE] + points[:, _OTHER_TOE]) / 2
    heels = (points[:, _HEEL] + points[:, _OTHER_HEEL]) / 2
    return toes.astype(np.float64), heels.astype(np.float64)


def drawn_out(
    toes: NDArray[np.float64], heels: NDArray[np.float64], boxes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of soles seen from aside, moved apart along their line to the edges of their boxes, and down to the lowest.

    The network of the key points places toe and heel of small shoes too near to each other, and above the ground; the
    detector's boxes end where shoes end, within two parts of a hundred.

    Args:
        toes, heels: [N, 2], pixels.
        boxes: [N, 4].

    Returns:
        Two of [N, 2]: toes, heels; never nearer to each other, and none drawn out farther than ``_MOST_DRAWN`` of their
        distance. The lower of both stands on its box's lower edge.
    """
    along = toes - heels
    axis = np.abs(along).argmax(1)
    rows = np.arange(len(along))
    low, high = boxes[rows, axis], boxes[rows, axis + 2]
    length = along[rows, axis]
    beyond = np.where(length > 0, high, low) - toes[rows, axis], heels[rows, axis] - np.where(length > 0, low, high)
    safe = np.where(length == 0, 1.0, length)
    toe_by, heel_by = (np.clip(part / safe, 0, _MOST_DRAWN)[:, None] for part in beyond)
    toes, heels = toes + toe_by * along, heels - heel_by * along
    down = np.stack([np.zeros(len(along)), boxes[:, 3] - np.maximum(toes[:, 1], heels[:, 1])], 1)
    return toes + down, heels + down


def headings(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Where shoes point, degrees: 0 to the right of the picture, 90 away from the camera, -90 towards it.

    Seen from far enough, a sole of length l and width w that points to the angle a spans l cos(a) pixels from heel to
    toe and -w sin(a) from one side to the other, measured across the picture, however high the camera hangs.

    Args:
        points: [N, 9, 2] as for ``ends``.
    """
    toes, heels = ends(points)
    along = (toes - heels)[:, 0]
    across = ((points[:, _OTHER_HEEL] + points[:, _OTHER_TOE] - points[:, _HEEL] - points[:, _TOE]) / 2)[:, 0]
    return np.asarray(np.degrees(np.arctan2(-across / _WIDTH_OF_LENGTH, along)))


def turned(points: NDArray[np.float64], which: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The boxes [N, 9, 2] with those ``which`` [N] turned by half a turn: toe for heel, one side for the other."""
    return np.where(which[:, None, None], points[:, _TURNED], points)


def mirrored(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """The boxes [N, 9, 2] of mirrored windows, parts of these, as they are in the windows: sides change places."""
    return np.asarray(points[:, _MIRRORED] * (-1, 1) + (1, 0), np.float64)


def likelier(
    ways: NDArray[np.float64], scores: NDArray[np.floating], boxes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of several ways to see each shoe, the one that is surest and fills the shoe's box best.

    Args:
        ways: [K, N, 9, 2], pixels.
        scores: [K, N], 0 .. 1.
        boxes: [N, 4] of the detector, pixels.

    Returns:
        [N, 9, 2].
    """
    low, high = ways.min(2), ways.max(2)
    shared = areas(np.concatenate([np.maximum(low, boxes[:, :2]), np.minimum(high, boxes[:, 2:])], -1))
    fit = shared / (areas(np.concatenate([low, high], -1)) + areas(boxes) - shared)
    return np.asarray(ways[(scores * fit).argmax(0), np.arange(len(boxes))], np.float64)


def slants(degrees: NDArray[np.floating]) -> NDArray[np.float64]:
    """Degrees between soles and the picture's plane, 0 .. 90, by heading."""
    return np.asarray(np.abs((degrees + 90) % 180 - 90), np.float64)


def views(degrees: NDArray[np.floating], is_side: NDArray[np.bool_]) -> list[View]:
    """Side views as told, the others front or back by heading."""
    return [_VIEWS[number] for number in np.where(is_side, 0, np.where(degrees < 0, 1, 2))]


def feet(places: NDArray[np.floating]) -> NDArray[np.float64]:
    """Both feet of bodies.

    Args:
        places: [P, 33, 2], where a body's landmarks are, pixels.

    Returns:
        [P, 2 (left, right), 2 (heel, toe), 2 (x, y)].
    """
    return np.stack([places[:, _HEELS], places[:, _TOES]], 2).astype(np.float64)


def sure_of_feet(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """How sure a body's network is of each foot, 0 .. 1, the lesser of heel and toe: [P, 2 (left, right)].

    Args:
        landmarks: [P, 33, 4] as the network gives them.
    """
    odds = landmarks[:, :, _SEEN] * landmarks[:, :, _INSIDE]
    return np.minimum(odds[:, _HEELS], odds[:, _TOES]).astype(np.float64)


def looks(places: NDArray[np.floating]) -> NDArray[np.float64]:
    """Which way bodies look: [P, 2], to the right -1 .. 1 by the head, away from the camera -1 .. 1 by the shoulders.

    Args:
        places: [P, 33, 2], where a body's landmarks are, pixels.
    """
    height = np.maximum(np.ptp(places[:, :, 1], axis=1), 1)
    right = places[:, _NOSE, 0] - places[:, _EARS, 0].mean(1)
    away = places[:, _SHOULDERS[1], 0] - places[:, _SHOULDERS[0], 0]
    parts = np.stack([right / (_HEAD_OF_BODY * height), away / (_SHOULDERS_OF_BODY * height)], 1)
    return np.asarray(np.clip(parts, -1, 1), np.float64)
