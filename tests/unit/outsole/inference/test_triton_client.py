from __future__ import annotations

import asyncio
import socket
import time

import numpy as np
import pytest
from tritonclient.utils import InferenceServerException

from outsole.errors import BudgetSpent, OutsoleError, Overloaded, PreconditionFailed, Unavailable
from outsole.inference.triton_client import TritonClientSettings, TritonEncoder, is_connection_loss, translate

IMAGES = np.zeros((1, 16, 16), np.uint8)


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        ("StatusCode.DEADLINE_EXCEEDED", "Deadline Exceeded", BudgetSpent),
        ("StatusCode.UNAVAILABLE", "Request timeout expired", BudgetSpent),
        ("StatusCode.UNAVAILABLE", "Exceeds maximum queue size", Overloaded),
        ("StatusCode.RESOURCE_EXHAUSTED", "quota", Overloaded),
        ("StatusCode.UNAVAILABLE", "failed to connect to all addresses", Unavailable),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'm' is not found", Unavailable),
        ("StatusCode.INTERNAL", "the stub died", Unavailable),
        ("StatusCode.INVALID_ARGUMENT", "unexpected shape for input 'image'", PreconditionFailed),
        (None, None, Unavailable),
    ],
)
def test_what_the_server_reports_becomes_an_error_a_caller_can_act_on(
    status: str | None, text: str | None, expected: type[OutsoleError]
) -> None:
    translated = translate(InferenceServerException(text, status), "Triton")
    assert type(translated) is expected
    assert (translated.retry_after_s is not None) == translated.retryable


def test_only_a_lost_connection_is_tried_again() -> None:
    unavailable = "StatusCode.UNAVAILABLE"
    assert is_connection_loss(InferenceServerException("failed to connect to all addresses", unavailable))
    assert is_connection_loss(InferenceServerException("Socket closed", unavailable))
    assert not is_connection_loss(InferenceServerException("Exceeds maximum queue size", unavailable))
    assert not is_connection_loss(InferenceServerException("failed to connect", "StatusCode.INTERNAL"))


def test_a_server_that_is_away_is_reported_as_unavailable_and_not_ready(free_port: int) -> None:
    async def scenario() -> None:
        encoder = TritonEncoder(f"127.0.0.1:{free_port}", "self_test")
        try:
            assert not await encoder.is_ready()
            with pytest.raises(Unavailable) as caught:
                await encoder.encode(IMAGES, timeout_s=5.0)
            assert caught.value.retry_after_s
            assert isinstance(caught.value.__cause__, InferenceServerException)
        finally:
            await encoder.close()
            await encoder.close()

    asyncio.run(scenario())


def test_a_server_that_says_nothing_costs_no_more_than_the_time_budget() -> None:
    async def scenario(port: int) -> None:
        encoder = TritonEncoder(f"127.0.0.1:{port}", "self_test")
        with pytest.raises((BudgetSpent, Unavailable)):
            await encoder.encode(IMAGES, timeout_s=0.3)
        await encoder.close()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        asyncio.run(scenario(silent.getsockname()[1]))
        assert time.monotonic() - started < 2.0


def test_the_channel_keeps_its_message_limits_beside_the_keepalive() -> None:
    arguments = dict(TritonClientSettings(max_message_bytes=1000, keepalive_s=5).channel_args())
    assert arguments["grpc.max_send_message_length"] == arguments["grpc.max_receive_message_length"] == 1000
    assert arguments["grpc.keepalive_time_ms"] == 5000


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
