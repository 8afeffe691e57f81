"""What stands between gRPC and Ray Serve, on a real gRPC server whose methods answer as Ray Serve's do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest

from outsole.api.errors import from_rpc_error
from outsole.errors import BudgetSpent
from services.edge import answered, held_back

WAIT_S = 0.5
IN_FLIGHT = 8
# As many bytes as gRPC lets lie in its windows hold few of these.
ANSWER = b"a" * 20_000


class Replica:
    """Takes every request at once and answers each, whether anybody reads or not."""

    def __init__(self, *, fails_after: int | None = None) -> None:
        self.taken, self.fails_after, self.is_over = 0, fails_after, False

    async def answer(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        answers: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def work() -> None:
            async for _ in requests:
                self.taken += 1
                answers.put_nowait(ANSWER)
                if self.taken == self.fails_after:
                    break
            answers.put_nowait(None)

        working = asyncio.create_task(work())
        try:
            while (answer := await answers.get()) is not None:
                yield answer
        finally:
            self.is_over = True
            working.cancel()
        if self.fails_after is not None:
            # As Ray Serve hands a status on: beside an answer.
            context.set_code(grpc.StatusCode.NOT_FOUND)
            context.set_details("no such gallery")
            yield b""
        else:
            yield b"the end"


def called(replica: Replica, wrap: Callable[[Any], Any], use: Callable[[Any], Awaitable[Any]]) -> Any:
    """What a client makes of a call of the replica's method behind the edge."""

    async def run() -> Any:
        handler = grpc.stream_stream_rpc_method_handler(wrap(replica.answer))
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Test", {"Search": handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            try:
                return await use(channel.stream_stream("/test.Test/Search"))
            finally:
                await server.stop(0)

    return asyncio.run(run())


def held(method: Any) -> Any:
    return held_back(method, in_flight=IN_FLIGHT, wait_s=WAIT_S)


async def requests(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"r"


@pytest.mark.parametrize("wrap", [answered, held])
def test_every_answer_arrives_in_order_with_the_one_at_the_end(wrap: Callable[[Any], Any]) -> None:
    async def use(search: Any) -> list[bytes]:
        return [answer async for answer in search(requests(40), timeout=20)]

    assert called(Replica(), wrap, use) == [ANSWER] * 40 + [b"the end"]


@pytest.mark.parametrize("wrap", [answered, held])
def test_an_answer_that_only_carries_a_status_is_taken_out(wrap: Callable[[Any], Any]) -> None:
    async def use(search: Any) -> tuple[int, grpc.StatusCode, str]:
        # None is on its way when the call ends: grpc.aio would put an error of its own in its place.
        call, read = search(requests(3), timeout=20), 0
        with pytest.raises(grpc.RpcError) as caught:
            async for _ in call:
                read += 1
        return read, caught.value.code(), caught.value.details()

    assert called(Replica(fails_after=3), wrap, use) == (3, grpc.StatusCode.NOT_FOUND, "no such gallery")


def test_a_client_that_does_not_read_gets_no_further_and_hears_why_at_a_deadline() -> None:
    replica = Replica()

    async def use(search: Any) -> Any:
        call = search(requests(4_000), timeout=20)
        while not replica.is_over:
            await asyncio.sleep(0.05)
        taken = replica.taken
        read = 0
        with pytest.raises(grpc.RpcError) as caught:
            async for _ in call:
                read += 1
        assert 0 < read <= taken <= read + IN_FLIGHT + 1 < 4_000
        return from_rpc_error(caught.value)

    error = called(replica, held, use)
    assert isinstance(error, BudgetSpent)
    assert "not read for 0.5 s" in error.message and error.remedy


def test_a_client_that_leaves_takes_the_replicas_call_with_it() -> None:
    replica = Replica()

    async def use(search: Any) -> bool:
        async def never_ending() -> AsyncIterator[bytes]:
            yield b"r"
            await asyncio.sleep(20.0)

        call = search(never_ending(), timeout=20)
        assert await call.read() == ANSWER
        call.cancel()
        for _ in range(50):
            await asyncio.sleep(0.02)
            if replica.is_over:
                break
        return replica.is_over

    assert called(replica, held, use)
