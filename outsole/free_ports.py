"""Ports that nobody listens on, below those that the system hands to outgoing connections.

A port that the system picks can be picked again for any client before a server comes to bind it.
"""

from __future__ import annotations

import contextlib
import random
import socket

from outsole.errors import Unavailable

_FIRST, _LAST = 20_000, 32_000
_ATTEMPTS = 200


def free_ports(count: int, *, host: str) -> tuple[int, ...]:
    """Find TCP ports, all of them different.

    Args:
        count: How many.
        host: Address that they are to be bound on.

    Raises:
        Unavailable: There are not so many.
    """
    # Not seeded: two stacks that start at once are to look in different places.
    wanted = random.SystemRandom().sample(range(_FIRST, _LAST), _ATTEMPTS + count)
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for port in wanted:
            if len(found) == count:
                break
            probe = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind((host, port))
                found.append(port)
    if len(found) < count:
        raise Unavailable(f"{host} has no {count} free ports from {_FIRST} to {_LAST}", remedy="name ports")
    return tuple(found)
