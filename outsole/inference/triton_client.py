"""The encoder behind a Triton server, over gRPC."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException, np_to_triton_dtype, triton_to_np_dtype

from outsole.errors import BudgetSpent, OutsoleError, Overloaded, PreconditionFailed, Unavailable
from outsole.inference.encoder import (
    IMAGE,
    Inputs,
    ModelContract,
    Outputs,
    TensorShape,
    all_or_none,
    batch_slices,
    joined,
)


@dataclass(frozen=True)
class TritonClientSettings:
    """How a TritonEncoder talks to its server.

    Attributes:
        max_in_flight: Requests under way at once, for each event loop.
        max_message_bytes: Largest gRPC message sent or received.
        keepalive_s: Seconds of silence during a call after which the connection is probed.
        retry_pause_s: Seconds before the one retry after a lost connection; longer than gRPC's first reconnect.
        ready_timeout_s: Seconds that ``is_ready`` waits.
        load_missing: Ask the server to load the model where it has not: at first use, and when it came back without.
    """

    max_in_flight: int = 4
    max_message_bytes: int = 64 * 2**20
    keepalive_s: float = 20.0
    retry_pause_s: float = 0.15
    ready_timeout_s: float = 2.0
    load_missing: bool = False

    def channel_args(self) -> list[tuple[str, int]]:
        """gRPC channel arguments; they replace tritonclient's defaults, so the message sizes are among them."""
        return [
            ("grpc.max_send_message_length", self.max_message_bytes),
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.keepalive_time_ms", int(self.keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 0),
            # A server that comes back must be found at once, not after gRPC's default of up to two minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1_000),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0),
        ]


@dataclass(frozen=True)
class _Served:
    """What the server says about the model."""

    contract: ModelContract
    max_batch: int


class _Connection:
    """The client, the bound on requests in flight and the model's description, all of one event loop."""

    def __init__(self, url: str, settings: TritonClientSettings) -> None:
        self.client = triton_aio.InferenceServerClient(url, channel_args=settings.channel_args())
        self.slots = asyncio.Semaphore(settings.max_in_flight)
        self.served: _Served | None = None


class TritonEncoder:
    """Encodes through a Triton server; see ``outsole.inference.encoder.Encoder`` for the methods.

    One gRPC channel is kept for each event loop that the encoder is used on.

    Args:
        url: ``host:port`` of the server's gRPC endpoint.
        model: The model's name in the server's repository.
        contract: What the model must look like, compared at first use and after each lost connection;
            None takes whatever is served.
        settings: Bounds and timings.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        contract: ModelContract | None = None,
        settings: TritonClientSettings | None = None,
    ) -> None:
        self._url = url
        self._model = model
        self._contract = contract
        self._settings = settings or TritonClientSettings()
        self._connections: WeakKeyDictionary[asyncio.AbstractEventLoop, _Connection] = WeakKeyDictionary()

    async def encode(self, images: Inputs, *, timeout_s: float) -> Outputs:
        """Encode ``[N, H, W]`` uint8 images, or several inputs by name; see ``Encoder.encode``."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                served = await self._model_served(deadline)
                given = served.contract.named(images)
                count = len(given[IMAGE])
                if not count:
                    return served.contract.empty_outputs()
                names = [tensor.name for tensor in served.contract.outputs]
                batches = ({n: a[s] for n, a in given.items()} for s in batch_slices(count, served.max_batch))
                return joined(await all_or_none([self._encode_batch(batch, names, deadline) for batch in batches]))
        except TimeoutError as error:
            raise BudgetSpent(f"encoding did not finish within {timeout_s:.3g} s", field="timeout_s") from error

    async def is_ready(self) -> bool:
        """Whether the server answers and the model is loaded; never raises."""
        wait_s = self._settings.ready_timeout_s
        try:
            return bool(await self._connection().client.is_model_ready(self._model, client_timeout=wait_s))
        except InferenceServerException:
            return False

    async def close(self) -> None:
        """Close this loop's channel; channels of other loops go with their loops."""
        connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection is not None:
            await connection.client.close()

    def _connection(self) -> _Connection:
        loop = asyncio.get_running_loop()
        connection = self._connections.get(loop)
        if connection is None:
            connection = self._connections[loop] = _Connection(self._url, self._settings)
        return connection

    async def _model_served(self, deadline: float) -> _Served:
        connection = self._connection()
        if connection.served is None:
            client = connection.client
            if self._settings.load_missing and not await self.is_ready():
                await self._call(client.load_model, deadline, self._model)
            metadata = await self._call(client.get_model_metadata, deadline, self._model)
            config = (await self._call(client.get_model_config, deadline, self._model)).config
            served = _describe(self._model, metadata, config.max_batch_size)
            if self._contract is not None:
                self._contract.check(served.contract)
            connection.served = served
        return connection.served

    async def _encode_batch(self, batch: dict[str, NDArray[Any]], names: list[str], deadline: float) -> Outputs:
        connection = self._connection()
        tensors = [_input(name, array) for name, array in batch.items()]
        wanted = [triton.InferRequestedOutput(name) for name in names]
        async with connection.slots:
            answer = await self._call(connection.client.infer, deadline, self._model, tensors, outputs=wanted)
        outputs = {name: answer.as_numpy(name) for name in names}
        if any(array is None or len(array) != len(batch[IMAGE]) for array in outputs.values()):
            raise Unavailable(f"model {self._model!r} answered with another number of rows than it was sent")
        return outputs

    async def _call(self, method: Any, deadline: float, *args: Any, **kwargs: Any) -> Any:
        """Call the server until the deadline; a lost connection is tried once more, inference being idempotent."""
        loop = asyncio.get_running_loop()
        for last in (False, True):
            try:
                return await method(*args, client_timeout=max(deadline - loop.time(), 0.001), **kwargs)
            except InferenceServerException as error:
                translated = translate(error, f"Triton at {self._url}")
                if isinstance(translated, Unavailable):
                    # Another model may be served once it is back.
                    self._connection().served = None
                if last or not (is_connection_loss(error) and loop.time() + self._settings.retry_pause_s < deadline):
                    raise translated from error
                await asyncio.sleep(self._settings.retry_pause_s)
        raise AssertionError("unreachable")


def translate(error: InferenceServerException, where: str) -> OutsoleError:
    """The Outsole error that stands for what the server or the transport reported."""
    status = (error.status() or "").removeprefix("StatusCode.")
    text = " ".join((error.message() or "no message").split())
    if status == "DEADLINE_EXCEEDED" or "timeout expired" in text.lower():
        return BudgetSpent(f"{where} did not answer in time", field="timeout_s")
    if status == "RESOURCE_EXHAUSTED" or "maximum queue size" in text.lower():
        return Overloaded(f"{where} has too much queued", retry_after_s=1.0)
    if status == "INVALID_ARGUMENT" and "unknown model" not in text.lower():
        return PreconditionFailed(f"{where} refused the request: {text}")
    return Unavailable(f"{where} cannot answer: {text}", retry_after_s=1.0)


def is_connection_loss(error: InferenceServerException) -> bool:
    """Whether the transport failed, as opposed to a server that answered that it cannot serve the model."""
    text = (error.message() or "").lower()
    from_transport = any(word in text for word in ("connect", "socket", "transport", "goaway", "channel", "endpoint"))
    return error.status() == "StatusCode.UNAVAILABLE" and from_transport


def _describe(model: str, metadata: Any, max_batch: int) -> _Served:
    inputs = {tensor.name: _tensor(tensor) for tensor in metadata.inputs}
    if IMAGE not in inputs or max_batch < 1:
        raise PreconditionFailed(
            f"model {model!r} is no encoder: inputs {', '.join(inputs)}, max_batch_size {max_batch}",
            remedy="an encoder has an input named image and a max_batch_size of at least 1",
        )
    image, outputs = inputs.pop(IMAGE), tuple(_tensor(tensor) for tensor in metadata.outputs)
    return _Served(ModelContract(model, image, outputs, tuple(inputs.values())), max_batch)


def _input(name: str, array: NDArray[Any]) -> Any:
    tensor = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    tensor.set_data_from_numpy(np.ascontiguousarray(array))
    return tensor


def _tensor(metadata: Any) -> TensorShape:
    dtype = np.dtype(triton_to_np_dtype(metadata.datatype)).name
    return TensorShape(metadata.name, dtype, tuple(int(size) for size in metadata.shape)[1:])
