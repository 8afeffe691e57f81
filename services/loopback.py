"""Keeps Ray Serve's gRPC proxy on 127.0.0.1: it takes a port, and would listen on every interface."""

from __future__ import annotations

from typing import Any

HOOK = "services.loopback.install"
_EVERYWHERE = "[::]:"


def install() -> None:
    """Make the proxies of this process listen on the loopback interface; Ray calls it in each worker it starts.

    Without TLS and tokens, which a gateway brings, the port must not be reachable from elsewhere.
    """
    from ray.serve._private import default_impl

    implementation: Any = default_impl
    listen = implementation.add_grpc_address

    def on_loopback(server: Any, address: str) -> None:
        listen(server, address.replace(_EVERYWHERE, "127.0.0.1:", 1))

    implementation.add_grpc_address = on_loopback
