"""Made answers about wear."""

from __future__ import annotations

import cv2
import numpy as np

from outsole.wear_answers import WearAnswer, WornPrint


def _png(gray: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", gray)[1].tobytes())


def _worn(weeks: int, share: float) -> WornPrint:
    """Bars that fade, unsure at their ends."""
    print_ = np.full((300, 120), 255, np.uint8)
    unsure = np.zeros((300, 120), np.uint8)
    for top in range(20, 280, 30):
        print_[top : top + 14, 15:105] = round(255 * share)
        unsure[top : top + 14, 15:30] = round(200 * share)
    return WornPrint(weeks, _png(print_), _png(unsure), float(unsure.mean()) / 255)


WEAR = WearAnswer(
    prints=(_worn(12, 0.2), _worn(52, 0.5)),
    backward=False,
    model="wear_forward",
    model_hash="9d1f" * 16,
    trained_on="made shoes <i>& nothing else</i>, worn by a program for a year",
    probe_sha256="ab" * 32,
    steps=("decoded PNG, 120 x 300 px, 8 bit L", "laid on the model's canvas of 256 x 640 px"),
    warnings=("the PNG has more than one page",),
    stage_ms={"decode": 1.5, "predict": 35.0},
    settings={"direction": "forward", "weeks": "12 52"},
)
