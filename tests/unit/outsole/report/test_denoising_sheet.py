"""The sheet of a denoised print."""

from __future__ import annotations

import cv2
import numpy as np

from outsole.report.denoising_sheet import denoising_sheet
from outsole.wear.denoising import Denoised


def test_the_pictures_stand_side_by_side_below_their_captions() -> None:
    before, after = np.full((90, 40), 100, np.uint8), np.full((90, 40), 180, np.uint8)
    noise = np.zeros((90, 40), np.bool_)
    noise[40:50] = True
    data = denoising_sheet(before, Denoised(after, noise, ()))
    sheet = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE))
    columns = [np.flatnonzero((sheet == level).sum(axis=0) >= 90) for level in (100, 180)]
    assert [len(found) for found in columns] == [40, 40]
    assert columns[0].max() < columns[1].min()
    # The black band of the noise map lies to the right of both.
    band = np.flatnonzero((sheet[60:] == 0).sum(axis=0) == 10)
    assert len(band) == 40 and band.min() > columns[1].max()
    # Captions above each, wider than a narrow picture or not.
    assert all((sheet[:40, left : left + 40] < 128).any() for left in (columns[0].min(), columns[1].min(), band.min()))
