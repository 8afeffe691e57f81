"""Pictures from web hosts: what an answer may be, how long it may take, and where it may lead."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from indexer.access import Access
from indexer.web import WebReader
from outsole.errors import InvalidInput, Unavailable
from tests.unit.indexer.web_host import body, redirect, reply, web_host

PICTURE = bytes(range(256)) * 1000


def reader(**access: Any) -> WebReader:
    return WebReader(Access(**{"hosts": ("127.0.0.1",), "timeout_s": 5.0, **access}))


def without_length(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    request.wfile.write(PICTURE)


def in_chunks(request: BaseHTTPRequestHandler) -> None:
    request.protocol_version = "HTTP/1.1"
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    for start in range(0, len(PICTURE), 100_000):
        part = PICTURE[start : start + 100_000]
        request.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
    request.wfile.write(b"0\r\n\r\n")


def greet(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"SSH-2.0\r\n\r\n")


def cut_short(request: BaseHTTPRequestHandler) -> None:
    reply(request, PICTURE[:100], headers={"Content-Length": "1000"})


@pytest.mark.parametrize("answer", [body(PICTURE), without_length, in_chunks])
def test_a_picture_is_read_however_its_length_is_told(answer: Any) -> None:
    with web_host({"/a.png": answer}) as host:
        assert reader().read(host.url("/a.png")) == PICTURE
        assert reader(max_bytes=len(PICTURE)).read(host.url("/a.png")) == PICTURE
        with pytest.raises(InvalidInput, match="too large") as caught:
            reader(max_bytes=len(PICTURE) - 1).read(host.url("/a.png"))
    assert caught.value.field == "url"


def test_odd_characters_of_an_address_are_sent_encoded_and_encoded_ones_as_they_are() -> None:
    with web_host({"/a%20b/%C3%A9%2F.png?w=1%202&h=3": body(PICTURE)}) as host:
        assert reader().read(host.url("/a b/\N{LATIN SMALL LETTER E WITH ACUTE}%2F.png?w=1%202&h=3#top")) == PICTURE


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_an_allowed_host_is_followed(status: int) -> None:
    with web_host({"/a": redirect("b/../c", status), "/c": body(PICTURE)}) as host:
        assert reader().read(host.url("/a")) == PICTURE


def test_a_redirect_to_another_host_is_refused_before_that_is_contacted() -> None:
    with web_host({"/secret": body(PICTURE)}) as inner:
        with (
            web_host({"/a": redirect(inner.url("/secret", "localhost"))}) as outer,
            pytest.raises(InvalidInput) as caught,
        ):
            reader().read(outer.url("/a"))
        assert "'localhost' is not allowed" in caught.value.message
        assert inner.asked == []


@pytest.mark.parametrize(
    "target",
    ["file:///etc/hostname", "ftp://127.0.0.1/a", "//user@127.0.0.1/a", "http://[::1", "http://2130706433/", ""],
)
def test_a_redirect_to_anything_else_is_refused(target: str) -> None:
    with web_host({"/a": redirect(target)}) as host:
        with pytest.raises(InvalidInput):
            reader().read(host.url("/a"))
        assert host.asked == ["/a"]


def test_redirects_in_a_circle_end() -> None:
    with web_host({"/a": redirect("/a")}) as host:
        with pytest.raises(InvalidInput, match="redirects again"):
            reader().read(host.url("/a"))
        assert len(host.asked) == 6


@pytest.mark.parametrize("status", [204, 206, 300, 400, 401, 403, 404, 410, 451])
def test_what_the_host_refuses_for_good_is_invalid(status: int) -> None:
    with (
        web_host({"/a": lambda request: reply(request, b"", status=status)}) as host,
        pytest.raises(InvalidInput) as caught,
    ):
        reader().read(host.url("/a"))
    assert f"answers {status}" in caught.value.message


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_unavailable_with_the_wait_that_the_host_asks_for(status: int) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        reply(request, b"", status=status, headers={"Retry-After": "17"})

    with web_host({"/a": answer}) as host, pytest.raises(Unavailable, match=f"answers {status}") as caught:
        reader().read(host.url("/a"))
    assert caught.value.retry_after_s == 17.0


def test_a_body_that_is_cut_short_is_no_picture() -> None:
    with web_host({"/a": cut_short}) as host, pytest.raises(Unavailable, match="IncompleteRead"):
        reader().read(host.url("/a"))


def test_a_compressed_body_is_refused() -> None:
    with web_host({"/a": body(b"x", Content_Encoding="gzip")}) as host, pytest.raises(InvalidInput, match="compressed"):
        reader().read(host.url("/a"))


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_host_that_sends_a_byte_now_and_then_is_not_waited_for_longer(start: bytes) -> None:
    done = threading.Event()

    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(start)
        while not done.wait(0.02):
            request.wfile.write(b"x")

    with web_host({"/a": trickle}) as host:
        started = time.monotonic()
        try:
            with pytest.raises(Unavailable, match=r"did not answer within 0\.3 s"):
                reader(timeout_s=0.3).read(host.url("/a"))
        finally:
            done.set()
        assert time.monotonic() - started < 3.0


def test_a_host_that_is_away_or_speaks_something_else_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match="cannot be read"):
            reader().read(f"http://127.0.0.1:{taken.getsockname()[1]}/a")
    with web_host({"/a": greet}) as host, pytest.raises(Unavailable, match="cannot be read"):
        reader().read(host.url("/a"))


def test_an_encrypted_address_is_not_asked_in_the_open() -> None:
    with web_host({"/a": body(PICTURE)}) as host:
        with pytest.raises(Unavailable):
            reader().read(host.url("/a").replace("http:", "https:"))
        assert host.asked == []


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with web_host({}) as proxy, web_host({"/a": body(PICTURE)}) as host:
        monkeypatch.setenv("http_proxy", proxy.url("/"))
        assert reader().read(host.url("/a")) == PICTURE
        assert proxy.asked == []


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's certificate that nobody vouches for."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    until = now + datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = builder.add_extension(address, critical=False)
    made = builder.serial_number(1).not_valid_before(now).not_valid_after(until).sign(key, hashes.SHA256())
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "host.pem").write_bytes(private + made.public_bytes(encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "host.pem")
    return context


def test_a_host_that_cannot_prove_its_name_is_refused(own_certificate: ssl.SSLContext) -> None:
    with web_host({"/a": body(PICTURE)}, encrypted_by=own_certificate) as host:
        with pytest.raises(InvalidInput, match=r"certificate of .* is not valid"):
            reader().read(host.url("/a").replace("http:", "https:"))
        assert host.asked == []


def test_an_encrypted_picture_is_read_from_a_host_whose_certificate_is_trusted(
    own_certificate: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "host.pem"))
    with web_host({"/a": body(PICTURE)}, encrypted_by=own_certificate) as host:
        assert reader().read(host.url("/a").replace("http:", "https:")) == PICTURE
