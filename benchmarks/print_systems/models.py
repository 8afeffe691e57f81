"""Networks at hand: model folders run with ONNX Runtime in this process, and what training runs left behind."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.errors import DataCorrupt, MissingPart
from outsole.inference.in_process import newest_model

# Where `python -m training.export NAME --repository RUNS/models` puts what is not shipped.
MODELS = "models"
_PRESETS = ("gpu", "cpu", "short", "smoke")
_TIMED_IMAGES = 4
_BATCH = 16


class OnnxModel:
    """A model on one core.

    Args:
        folder: In the layout of the model repository.

    Raises:
        NotFound: No ``<version>/model.onnx`` in it.
        MissingPart: ONNX Runtime is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPart("onnxruntime is not installed", remedy="pip install 'outsole[embedded]'") from error
        path = newest_model(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._path = path
        self.folder = folder
        self.name = folder.name
        self.outputs = tuple(str(tensor.name) for tensor in self._session.get_outputs())

    @functools.cached_property
    def weights_sha256(self) -> str:
        """Hex digest of ``model.onnx``."""
        return hashlib.sha256(self._path.read_bytes()).hexdigest()

    @property
    def input_dims(self) -> Mapping[str, tuple[int, ...]]:
        """Dims of each input without the batch."""
        return {t.name: tuple(t.shape[1:]) for t in self._session.get_inputs()}

    @property
    def spec(self) -> Mapping[str, Any]:
        """``spec.json`` as it stands; empty where there is none."""
        return read_json(self.folder / "spec.json")

    def __call__(self, feeds: Mapping[str, NDArray[Any]], *, label: str = "") -> dict[str, NDArray[Any]]:
        """Outputs by name, [N, ...]; inputs [N, ...] go through in batches, with a bar where there is a label."""
        count = len(next(iter(feeds.values())))
        starts = range(0, count, _BATCH)
        parts = [
            self._session.run(None, {k: np.ascontiguousarray(v[a : a + _BATCH]) for k, v in feeds.items()})
            for a in _with_bar(starts, label)
        ]
        return {
            name: np.concatenate(arrays) for name, arrays in zip(self.outputs, zip(*parts, strict=True), strict=True)
        }

    @functools.cached_property
    def ms_image(self) -> float:
        """Milliseconds an image on one core: the best of five batches of four."""
        rng = np.random.default_rng(0)
        feeds = {
            name: rng.integers(0, 2 if name == "cells" else 256, (_TIMED_IMAGES, *dims)).astype(np.uint8)
            for name, dims in self.input_dims.items()
        }
        self(feeds)
        times = []
        for _ in range(5):
            start = time.perf_counter()
            self(feeds)
            times.append(time.perf_counter() - start)
        return 1000 * min(times) / _TIMED_IMAGES

    @functools.cached_property
    def parameters(self) -> int:
        """Numbers among the constants of the graph; 0 where the onnx package is not installed."""
        try:
            onnx = importlib.import_module("onnx")
        except ImportError:
            return 0
        graph = onnx.load(str(self._path), load_external_data=False).graph
        # Scalars and short vectors are shapes and axes.
        sizes = (int(np.prod(tensor.dims)) for tensor in graph.initializer)
        return sum(size for size in sizes if size > 4)


def _with_bar(starts: range, label: str) -> Iterator[int]:
    bar = tqdm(total=len(starts), desc=label, unit="batch", disable=not label)
    with bar:
        for start in starts:
            yield start
            bar.update()


@dataclass(frozen=True)
class Shelf:
    """Where networks are looked for.

    Attributes:
        repository: The model repository.
        runs: Folder of training runs; None where there are none.
    """

    repository: Path
    runs: Path | None = None

    def model(self, name: str) -> OnnxModel | None:
        """The model of a name: exported from a run, else shipped; None where neither is there."""
        places = [self.repository / name]
        if self.runs is not None:
            places = [self.runs / MODELS / name, self.runs / name, *places]
        found = next((place for place in places if any(place.glob("*/model.onnx"))), None)
        return None if found is None else _opened(found)

    def run(self, name: str, *, presets: Sequence[str] = _PRESETS) -> Mapping[str, Any] | None:
        """``result.json`` of a system's run (``name`` or ``name:variant``), the longest preset first; None without."""
        if self.runs is None:
            return None
        folder = name.replace(":", "_")
        places = [self.runs / f"{folder}_{preset}" for preset in presets] + [self.runs / folder]
        records = (read_json(place / "result.json") for place in places)
        return next((record for record in records if record), None)


@functools.cache
def _opened(folder: Path) -> OnnxModel:
    """A model is opened, timed and counted once, however many rows ask for it."""
    return OnnxModel(folder)


def read_json(path: Path) -> Mapping[str, Any]:
    """A JSON object; empty where the file is not there.

    Raises:
        DataCorrupt: It is no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataCorrupt(f"{path.name} in {path.parent.name!r} is no JSON: {error}") from error
    if not isinstance(record, dict):
        raise DataCorrupt(f"{path.name} in {path.parent.name!r} is no JSON object")
    return record
