"""The encoder without a server: ONNX Runtime in this process.

It takes Triton's place where the embedded server cannot run. Answers are the same; requests are not batched together.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsole.errors import BudgetSpent, MissingPart, NotFound, PreconditionFailed, Unavailable
from outsole.inference.encoder import IMAGE, Inputs, ModelContract, Outputs, TensorShape, batch_slices, joined

_DTYPES = {
    "tensor(uint8)": "uint8",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(int64)": "int64",
}


class InProcessEncoder:
    """Encodes with ONNX Runtime; see ``outsole.inference.encoder.Encoder`` for the methods.

    Args:
        model_dir: A model's folder in the model repository; its highest version is used.
        contract: What the model must look like; None takes what is there.
        threads: Threads of one inference; 0 uses all cores.
        max_batch: Most images encoded at once.

    Raises:
        NotFound: The folder holds no version with a ``model.onnx``.
        MissingPart: onnxruntime is not installed.
        PreconditionFailed: The model does not fit the contract.
    """

    def __init__(
        self,
        model_dir: Path,
        *,
        contract: ModelContract | None = None,
        threads: int = 0,
        max_batch: int = 16,
    ) -> None:
        self._ort = _onnxruntime()
        self._session = self._open(newest_model(model_dir), threads)
        self._served = _describe(model_dir.name, self._session)
        if contract is not None:
            contract.check(self._served)
        self._max_batch = max_batch

    async def encode(self, images: Inputs, *, timeout_s: float) -> Outputs:
        """Encode ``[N, H, W]`` uint8 images, or several inputs by name; see ``Encoder.encode``."""
        if self._session is None:
            raise Unavailable("the encoder is closed")
        given = self._served.named(images)
        if not len(given[IMAGE]):
            return self._served.empty_outputs()
        options = self._ort.RunOptions()
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.to_thread(self._run, self._session, given, options)
        except TimeoutError as error:
            raise BudgetSpent(f"encoding did not finish within {timeout_s:.3g} s", field="timeout_s") from error
        finally:
            # Nobody waits for the thread any more; this makes it stop at the next node of the graph.
            options.terminate = True

    async def is_ready(self) -> bool:
        """Whether the model is loaded."""
        return self._session is not None

    async def close(self) -> None:
        """Drop the session and its memory."""
        self._session = None

    def _open(self, path: Path, threads: int) -> Any:
        options = self._ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Idle threads that spin take the cores from the reranker.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return self._ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def _run(self, session: Any, given: dict[str, NDArray[Any]], options: Any) -> Outputs:
        names = [tensor.name for tensor in self._served.outputs]
        slices = batch_slices(len(given[IMAGE]), self._max_batch)
        feeds = ({name: np.ascontiguousarray(array[s]) for name, array in given.items()} for s in slices)
        batches = (session.run(names, feed, options) for feed in feeds)
        return joined([dict(zip(names, arrays, strict=True)) for arrays in batches])


def newest_model(model_dir: Path) -> Path:
    """The ``model.onnx`` of the highest numbered version folder; NotFound where there is none."""
    versions = [p for p in model_dir.glob("*/model.onnx") if p.parent.name.isdigit()]
    if not versions:
        raise NotFound(f"{model_dir.name!r} holds no <version>/model.onnx", field="model_dir")
    return max(versions, key=lambda path: int(path.parent.name))


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPart("onnxruntime is not installed", remedy="pip install 'outsole[embedded]'") from error
    return onnxruntime


def _describe(model: str, session: Any) -> ModelContract:
    inputs = {tensor.name: tensor for tensor in session.get_inputs()}
    unknown = [t.type for t in (*inputs.values(), *session.get_outputs()) if t.type not in _DTYPES]
    if IMAGE not in inputs or unknown:
        raise PreconditionFailed(
            f"model {model!r} is no encoder: inputs {list(inputs)}, unknown types {unknown}",
            remedy="an encoder has an input named image",
        )
    image = _tensor(inputs.pop(IMAGE))
    outputs = tuple(_tensor(tensor) for tensor in session.get_outputs())
    return ModelContract(model, image, outputs, tuple(map(_tensor, inputs.values())))


def _tensor(node: Any) -> TensorShape:
    dims = tuple(size if isinstance(size, int) else -1 for size in node.shape[1:])
    return TensorShape(node.name, _DTYPES[node.type], dims)
