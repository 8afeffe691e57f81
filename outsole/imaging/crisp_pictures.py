"""Real prints as CriSp's pictures: an impression fills the picture's height, a probe lies on it where it is put.

A picture is uint8 [P, 384, 192]: the print in plane 0 (contact dark), depth in plane 1 (touching bright). Planes that a
picture does not have are zero everywhere, so that no pixel of a plane that it has may be.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

PICTURE_PX = (384, 192)
# An impression of 586 px becomes 365, 0.95 of the picture's height, as made soles are.
PICTURE_SCALE = 0.95 * PICTURE_PX[0] / 586
PRINT_PLANE, DEPTH_PLANE = 0, 1
_MID = 128
_VISIBLE_SHARE = 0.5
# Grey levels of an impression between which contact rises from none to full, percentiles.
_CONTACT_PERCENTILES = (15, 85)


def impression_picture(canvas: NDArray[np.uint8], *, kind: str, planes: int) -> NDArray[np.uint8]:
    """A clean impression as a picture.

    Args:
        canvas: uint8 [Hc, Wc] of ``outsole.imaging.canvas.place_item``.
        kind: As ``depth`` in plane 1, or as a ``print`` in plane 0.
        planes: P, at least 2.

    Returns:
        uint8 [P, 384, 192].
    """
    small = cv2.resize(canvas, None, fx=PICTURE_SCALE, fy=PICTURE_SCALE, interpolation=cv2.INTER_AREA)
    top, left = ((side - room) // 2 for side, room in zip(small.shape, PICTURE_PX, strict=True))
    view = small[top : top + PICTURE_PX[0], left : left + PICTURE_PX[1]].astype(np.float32)
    dark, bright = np.percentile(view, _CONTACT_PERCENTILES)
    contact = np.clip((bright - view) / max(bright - dark, 1.0), 0, 1) * 255
    picture = np.zeros((planes, *PICTURE_PX), np.uint8)
    if kind == "depth":
        picture[DEPTH_PLANE] = contact.astype(np.uint8)
    else:
        picture[PRINT_PLANE] = np.maximum(255 - contact, 1).astype(np.uint8)
    return picture


def probe_pictures(
    images: NDArray[np.uint8], shown: NDArray[np.bool_], shifts: NDArray[np.int64], *, planes: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Placed probes as pictures.

    Args:
        images: Canvases uint8 [N, Hc, Wc] of probes at ``PICTURE_SCALE``, the visible part in the middle.
        shown: bool [N, Hc, Wc], where the canvases show the probe.
        shifts: (down, right) of the probe's middle from the picture's, int64 [N, 2], pixels of the picture.
        planes: P.

    Returns:
        Pictures uint8 [N, P, 384, 192] and masks bool [N, 384, 192].
    """
    reach = int(np.abs(shifts).max(initial=0))
    border = ((0, 0), (reach, reach), (reach, reach))
    images, shown = np.pad(images, border, constant_values=_MID), np.pad(shown, border)
    corners = [(np.array(images.shape[1:]) - PICTURE_PX) // 2 - shift for shift in shifts]
    windows = [np.s_[top : top + PICTURE_PX[0], left : left + PICTURE_PX[1]] for top, left in corners]
    pictures = np.zeros((len(images), planes, *PICTURE_PX), np.uint8)
    views = np.stack([image[window] for image, window in zip(images, windows, strict=True)])
    pictures[:, PRINT_PLANE] = np.maximum(views, 1)
    return pictures, np.stack([mask[window] for mask, window in zip(shown, windows, strict=True)])


def covered_cells(masks: NDArray[np.bool_], cell: int) -> NDArray[np.float32]:
    """Cells of which at least half is visible, float32 [N, h, w]; the one that shows most where there is none.

    Args:
        masks: bool [N, H, W].
        cell: Pixels of a cell's side.
    """
    count, height, width = masks.shape
    share: NDArray[np.float64] = masks.reshape(count, height // cell, cell, width // cell, cell).mean((2, 4))
    least = np.minimum(_VISIBLE_SHARE, share.max((1, 2), keepdims=True))
    return np.asarray(share >= least, np.float32)
