"""The contract between processes: generated code, converters and the client SDK.

``Client`` and ``AsyncClient`` need grpcio and protobuf alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outsole.api.aio_client import AsyncClient
    from outsole.api.client import Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> object:
    # Loaded on first use: the generator lives in this package, and must run while the generated code is missing.
    if name == "Client":
        from outsole.api.client import Client

        return Client
    if name == "AsyncClient":
        from outsole.api.aio_client import AsyncClient

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
