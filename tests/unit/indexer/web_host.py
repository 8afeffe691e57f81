"""A web host on a free port of this machine whose every answer a test decides."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class WebHost:
    """Where it listens, and the paths that it was asked for, in order."""

    port: int
    asked: list[str] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """An address of it."""
        return f"http://{host}:{self.port}{path}"


@contextmanager
def web_host(answers: Mapping[str, Answer], *, encrypted_by: ssl.SSLContext | None = None) -> Iterator[WebHost]:
    """Answers by path; everything else is not found."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            try:
                answers.get(self.path, not_found)(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            return None

    class Server(ThreadingHTTPServer):
        def get_request(self) -> tuple[socket.socket, Any]:
            connection, caller = super().get_request()
            if encrypted_by is not None:
                connection = encrypted_by.wrap_socket(connection, server_side=True)
            return connection, caller

    server = Server(("127.0.0.1", 0), Handler)
    host = WebHost(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reply(
    request: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with a body of known length."""
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def not_found(request: BaseHTTPRequestHandler) -> None:
    """There is nothing of that name."""
    reply(request, b"", status=404)


def body(data: bytes, **headers: str) -> Answer:
    """An answer with this body; ``_`` in names of headers stands for ``-``."""
    return lambda request: reply(
        request, data, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def redirect(target: str, status: int = 302) -> Answer:
    """An answer that points elsewhere."""
    return lambda request: reply(request, b"", status=status, headers={"Location": target})


def in_turns(*answers: Answer) -> Answer:
    """One answer after the other; the last one again and again."""
    waiting = list(answers)
    return lambda request: (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request)
