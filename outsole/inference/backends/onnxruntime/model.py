"""Triton's ``onnxruntime`` backend in Python, for servers that ship with the Python backend only.

This file runs inside Triton's Python stub, in an environment that has numpy 1.26 and onnxruntime, and nothing of
Outsole. A ``config.pbtxt`` with ``backend: "onnxruntime"`` is served by it unchanged; the parameters have the names
that Triton's own backend uses: ``intra_op_thread_count``, ``inter_op_thread_count``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

# The stub does not honour PYTHONPATH, so the embedded server hands the path over in a variable of its own.
if _SITE_PACKAGES := os.environ.get("OUTSOLE_BACKEND_SITE_PACKAGES"):
    sys.path.insert(0, _SITE_PACKAGES)

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils

if int(np.__version__.partition(".")[0]) >= 2:
    raise RuntimeError(f"numpy {np.__version__} corrupts tensors in Triton's Python backend; numpy 1.26 is needed")

_NICENESS = 10


class TritonPythonModel:
    """One loaded model: an ONNX Runtime session that answers batches of requests."""

    @staticmethod
    def auto_complete_config(auto_complete_model_config: Any) -> Any:
        """Keep the configuration as written: it names every input and output."""
        return auto_complete_model_config

    def initialize(self, args: dict[str, str]) -> None:
        """Open ``<model>/<version>/model.onnx`` as the model's configuration asks."""
        # Each model has a process of its own here, so that what works in bulk can leave the cores to the others.
        if args["model_name"] in os.environ.get("OUTSOLE_NICED_MODELS", "").split(","):
            os.nice(_NICENESS)
        config = json.loads(args["model_config"])
        file_name = config.get("default_model_filename") or "model.onnx"
        path = Path(args["model_repository"]) / args["model_version"] / file_name
        self._inputs = [tensor["name"] for tensor in config["input"]]
        self._dtypes = {t["name"]: _numpy_dtype(t["data_type"]) for t in config["output"]}
        self._session = ort.InferenceSession(
            str(path), _session_options(config.get("parameters", {})), providers=["CPUExecutionProvider"]
        )

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer all requests with one run of the session; one response a request, in order."""
        try:
            return self._answer(requests)
        except Exception as error:  # whatever it is, it must reach the caller as an error and not stop the stub
            problem = pb_utils.TritonError(f"{type(error).__name__}: {error}")
            return [pb_utils.InferenceResponse(error=problem) for _ in requests]

    def finalize(self) -> None:
        """Free the session."""
        del self._session

    def _answer(self, requests: list[Any]) -> list[Any]:
        wanted = {name for request in requests for name in request.requested_output_names()}
        names = [name for name in self._dtypes if name in wanted]
        feeds = [{n: pb_utils.get_input_tensor_by_name(r, n).as_numpy() for n in self._inputs} for r in requests]
        rows = [len(next(iter(feed.values()))) for feed in feeds]
        # One request is passed on as it lies in shared memory; only several need a copy to become one batch.
        merged = feeds[0] if len(feeds) == 1 else {n: np.concatenate([f[n] for f in feeds]) for n in self._inputs}
        results = dict(zip(names, self._session.run(names, merged), strict=True))
        arrays = {n: np.ascontiguousarray(a, dtype=self._dtypes[n]) for n, a in results.items()}
        ends = np.cumsum(rows)
        return [
            pb_utils.InferenceResponse([pb_utils.Tensor(n, a[end - count : end]) for n, a in arrays.items()])
            for end, count in zip(ends, rows, strict=True)
        ]


def _numpy_dtype(data_type: str) -> Any:
    return np.dtype(pb_utils.triton_string_to_numpy(data_type))


def _session_options(parameters: dict[str, dict[str, str]]) -> Any:
    """Session options from the configuration's parameters, with OUTSOLE_ENCODER_THREADS as the default."""
    given = {name: value["string_value"] for name, value in parameters.items()}
    options = ort.SessionOptions()
    threads = given.get("intra_op_thread_count") or os.environ.get("OUTSOLE_ENCODER_THREADS") or "0"
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = int(given.get("inter_op_thread_count") or "1")
    # Threads that spin between requests would take the cores from the reranker.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
