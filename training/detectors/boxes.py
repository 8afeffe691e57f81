"""The anchors of the footwear detector, and its boxes and scores from what the network says about each (SSD, 2016).

Once as nodes of the graph that is served, once in numpy, which the graph is measured against.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from outsole.video.networks import DETECTOR_PX
from training.detectors.onnx_graph import OnnxGraph

# Numbers of ``outsole.video.networks.CLASSES`` among the detector's 24, as the package's label map has them.
CLASS_NUMBERS = (2, 4, 17, 19)
_STRIDES = (16, 32, 64, 128, 256, 512)
_SCALES = tuple(np.linspace(0.2, 0.95, len(_STRIDES))) + (1.0,)
_RATIOS = (1.0, 2.0, 0.5, 3.0, 0.3333)
# The finest level has three anchors a cell, one of them small.
_FINEST = ((0.1, 1.0), (0.2, 2.0), (0.2, 0.5))
_CENTRE_DIVISOR, _SIZE_DIVISOR = 10.0, 5.0


def anchors() -> NDArray[np.float32]:
    """Centre and size of every anchor, parts of the picture: float32 [1917, 4] of (y, x, height, width)."""
    return np.concatenate([_level(number) for number in range(len(_STRIDES))]).astype(np.float32)


def _level(number: int) -> NDArray[np.float64]:
    cells = -(-DETECTOR_PX // _STRIDES[number])
    scale = _SCALES[number]
    shapes: Sequence[tuple[float, float]] = _FINEST
    if number:
        between = float(np.sqrt(scale * _SCALES[number + 1]))
        shapes = [*((scale, ratio) for ratio in _RATIOS), (between, 1.0)]
    middles = (np.arange(cells) + 0.5) / cells
    sizes = [(scale / ratio**0.5, scale * ratio**0.5) for scale, ratio in shapes]
    return np.array([(y, x, *size) for y, x, size in itertools.product(middles, middles, sizes)])


def decoded(graph: OnnxGraph, raw: Sequence[str]) -> list[str]:
    """Add the decoding to a graph.

    Args:
        graph: Where the nodes go.
        raw: Names of the encodings [N, 1917, 4] (y, x, height, width) and of the logits [N, 1917, 24].

    Returns:
        Names of the boxes [N, 1917, 4] (left, top, right, bottom; parts of the picture) and of the scores
        [N, 1917, 4] of ``CLASSES``.
    """
    encodings, logits = raw
    laid = anchors()
    # As lists of numbers, which stay float32 when large matrices are stored as half floats.
    centres, sizes = (
        graph.add("Reshape", [graph.constant(part.reshape(-1)), graph.numbers([1, -1, 2])])
        for part in (laid[:, :2], laid[:, 2:])
    )
    shifts = graph.add("Div", [graph.columns(encodings, 0, 2), graph.constant(np.float32(_CENTRE_DIVISOR))])
    middle = graph.add("Add", [graph.add("Mul", [shifts, sizes]), centres])
    growth = graph.add("Div", [graph.columns(encodings, 2, 4), graph.constant(np.float32(_SIZE_DIVISOR))])
    half = graph.add("Mul", [graph.add("Exp", [growth]), graph.add("Mul", [sizes, graph.constant(np.float32(0.5))])])
    corners = graph.add("Concat", [graph.add("Sub", [middle, half]), graph.add("Add", [middle, half])], axis=2)
    boxes = graph.add("Gather", [corners, graph.numbers([1, 0, 3, 2])], axis=2)
    kept = graph.add("Gather", [logits, graph.numbers(CLASS_NUMBERS)], axis=2)
    return [boxes, graph.add("Sigmoid", [kept])]


def decoded_in_numpy(raw: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float64]]:
    """What ``decoded`` computes, in double precision."""
    encodings, logits = (array.astype(np.float64) for array in raw)
    y, x, height, width = np.moveaxis(anchors().astype(np.float64), 1, 0)
    to_y, to_x, taller, wider = np.moveaxis(encodings, 2, 0)
    middle_y, middle_x = y + to_y / _CENTRE_DIVISOR * height, x + to_x / _CENTRE_DIVISOR * width
    half_y, half_x = height / 2 * np.exp(taller / _SIZE_DIVISOR), width / 2 * np.exp(wider / _SIZE_DIVISOR)
    corners = [middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y]
    return [np.stack(corners, 2), sigmoid(logits[:, :, list(CLASS_NUMBERS)])]


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits to 0 .. 1."""
    odds: NDArray[np.float64] = np.exp(-logits)
    return 1 / (1 + odds)
