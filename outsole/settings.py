"""Where a stack on one machine lives and listens. The services' own settings are in ``services.settings``."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from outsole.errors import InvalidInput
from outsole.free_ports import free_ports

HOST = "127.0.0.1"


def default_home() -> Path:
    """The state directory where none is named: ``.outsole`` in the user's home directory."""
    return Path.home() / ".outsole"


@dataclass(frozen=True)
class StackSettings:
    """A stack on this machine; all ports are TCP ports on 127.0.0.1.

    Attributes:
        home: State directory: galleries, evidence, Milvus Lite, logs, ``stack.json``.
        grpc_port: The public gRPC service.
        http_port: Ray Serve's HTTP proxy, which nothing uses but Ray's own health check.
        metrics_port: Ray's metrics for Prometheus.
        triton_grpc_port: Triton's KServe protocol over gRPC.
        triton_http_port: Triton's KServe protocol over HTTP.
        triton_metrics_port: Triton's metrics for Prometheus.
    """

    home: Path
    grpc_port: int = 8500
    http_port: int = 8604
    metrics_port: int = 8603
    triton_grpc_port: int = 8601
    triton_http_port: int = 8600
    triton_metrics_port: int = 8602

    def __post_init__(self) -> None:
        ports = self.ports()
        for name, port in ports.items():
            if not 1 <= port <= 65_535:
                raise InvalidInput(f"{port} is not a port", field=name, remedy="1 to 65,535")
        if len(set(ports.values())) < len(ports):
            raise InvalidInput("two parts have the same port", field="ports", remedy="give each its own")

    def ports(self) -> dict[str, int]:
        """The ports by the names of their settings."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name.endswith("_port")}

    def on_free_ports(self) -> Self:
        """The same with ports that nobody listens on now."""
        names = list(self.ports())
        ports: dict[str, Any] = dict(zip(names, free_ports(len(names), host=HOST), strict=True))
        return replace(self, **ports)

    @property
    def target(self) -> str:
        """``host:port`` of the gRPC service."""
        return f"{HOST}:{self.grpc_port}"

    @property
    def triton_url(self) -> str:
        """``host:port`` of Triton's gRPC endpoint."""
        return f"{HOST}:{self.triton_grpc_port}"
