"""Fetching: files, web hosts and buckets, and what is done when they are away."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry as opened

from indexer.access import Access
from indexer.fetch import Fetcher
from indexer.manifest import read_source
from outsole.errors import InvalidInput, MissingPart, OutsoleError, Unavailable
from tests.unit.indexer.web_host import body, in_turns, reply, web_host

PICTURE = b"the bytes of a picture"


def fetcher(**access: Any) -> Fetcher:
    return Fetcher(Access(**{"timeout_s": 5.0, "backoff_s": 0.001, **access}))


def busy(request: BaseHTTPRequestHandler) -> None:
    reply(request, b"", status=503)


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_what_was_read_of_a_source_can_be_fetched(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)
    with web_host({"/b.png": body(PICTURE)}) as host:
        lines = ["id,path,url", "a,a.png,", f"b,,{host.url('/b.png')}", f"c,,{(tmp_path / 'a.png').as_uri()}"]
        (tmp_path / "list.csv").write_text("\n".join(lines))
        found = read_source(tmp_path / "list.csv", access=Access(hosts=("127.0.0.1",)))
        assert [entry.item.item_id for entry in found.entries] == ["a", "b", "c"]
        assert {Fetcher(found.access).fetch(entry.location) for entry in found.entries} == {PICTURE}


def test_a_file_is_checked_again_when_it_is_fetched(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.png").write_bytes(PICTURE)
    picture = root / "a.png"
    fetch = fetcher(roots=(root,), max_bytes=30).fetch
    for change, reason in (
        (lambda: picture.symlink_to(tmp_path / "secret.png"), "leads out"),
        (lambda: picture.symlink_to(picture), "circle"),
        (lambda: os.mkfifo(picture), "no regular file"),
        (lambda: picture.write_bytes(b"x" * 31), "too large"),
        (lambda: None, "there is no file"),
    ):
        change()
        with pytest.raises(InvalidInput, match=reason) as caught:
            fetch(str(picture))
        assert caught.value.field == "path"
        picture.unlink(missing_ok=True)


@pytest.mark.parametrize(("number", "kind"), [(errno.EACCES, InvalidInput), (errno.EIO, Unavailable)])
def test_a_file_that_cannot_be_read_is_at_fault_and_a_disk_that_cannot_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[OutsoleError]
) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(kind, match=f"cannot be read: {os.strerror(number)}"):
        fetcher(roots=(tmp_path,)).fetch(str(tmp_path / "a.png"))


def test_without_roots_no_local_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)
    for location in (str(tmp_path / "a.png"), (tmp_path / "a.png").as_uri()):
        with pytest.raises(InvalidInput, match="no directory is allowed"):
            fetcher().fetch(location)


def test_a_busy_host_is_asked_again() -> None:
    with web_host({"/a": in_turns(busy, busy, body(PICTURE))}) as host:
        assert fetcher(hosts=("127.0.0.1",)).fetch(host.url("/a")) == PICTURE
        assert len(host.asked) == 3


def test_a_host_that_stays_busy_is_given_up_after_all_attempts() -> None:
    with web_host({"/a": busy}) as host:
        with pytest.raises(Unavailable, match=r"answers 503 .*attempts: 3"):
            fetcher(hosts=("127.0.0.1",), attempts=3).fetch(host.url("/a"))
        assert len(host.asked) == 3


def test_what_is_not_there_is_asked_for_once() -> None:
    with web_host({}) as host:
        with pytest.raises(InvalidInput, match="answers 404"):
            fetcher(hosts=("127.0.0.1",)).fetch(host.url("/a"))
        assert len(host.asked) == 1


def test_a_host_that_asks_for_a_wait_gets_it_unless_it_is_longer_than_the_time_there_is() -> None:
    def later(seconds: str) -> Any:
        return lambda request: reply(request, b"", status=429, headers={"Retry-After": seconds})

    with web_host({"/soon": in_turns(later("1"), body(PICTURE)), "/never": later("3600")}) as host:
        started = time.monotonic()
        assert fetcher(hosts=("127.0.0.1",)).fetch(host.url("/soon")) == PICTURE
        assert time.monotonic() - started >= 1.0
        with pytest.raises(Unavailable) as caught:
            fetcher(hosts=("127.0.0.1",)).fetch(host.url("/never"))
    assert caught.value.retry_after_s == 3600.0
    assert host.asked.count("/never") == 1


def test_a_host_that_is_not_allowed_is_never_contacted() -> None:
    with web_host({"/a": body(PICTURE)}) as host:
        for allowed in ((), ("localhost",), ("*.localhost",)):
            with pytest.raises(InvalidInput, match="is not allowed"):
                fetcher(hosts=allowed).fetch(host.url("/a"))
        assert host.asked == []


def test_an_object_of_an_allowed_bucket_is_fetched(memory: MemoryFileSystem) -> None:
    memory.pipe_file("/soles/2024/a.png", PICTURE)
    assert fetcher(buckets=("memory://soles",)).fetch("memory://soles/2024/a.png") == PICTURE
    assert fetcher(buckets=("memory://soles/2024/",)).fetch("memory://soles/2024/a.png") == PICTURE
    with pytest.raises(InvalidInput, match="too large"):
        fetcher(buckets=("memory://soles",), max_bytes=5).fetch("memory://soles/2024/a.png")
    with pytest.raises(InvalidInput, match="there is no file"):
        fetcher(buckets=("memory://soles",)).fetch("memory://soles/none.png")
    with pytest.raises(InvalidInput, match="in no allowed bucket"):
        fetcher(buckets=("memory://sole",)).fetch("memory://soles/2024/a.png")


class Moody(MemoryFileSystem):
    """A bucket that is away, slow or closed."""

    protocol = "moody"
    asked = 0
    release = threading.Event()

    def open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        type(self).asked += 1
        if "closed" in path:
            raise PermissionError("not yours")
        if "slow" in path:
            self.release.wait(10.0)
        if "away" in path and self.asked < 3:
            raise RuntimeError("the back end is away")
        return fsspec.filesystem("memory").open("/soles/a.png", mode)


@pytest.fixture
def moody(memory: MemoryFileSystem) -> Iterator[type[Moody]]:
    memory.pipe_file("/soles/a.png", PICTURE)
    fsspec.register_implementation("moody", Moody, clobber=True)
    Moody.asked = 0
    Moody.release.clear()
    yield Moody
    Moody.release.set()


def test_a_bucket_that_is_away_is_asked_again_and_one_that_is_closed_is_not(moody: type[Moody]) -> None:
    assert fetcher(buckets=("moody://soles",)).fetch("moody://soles/away.png") == PICTURE
    assert moody.asked == 3
    with pytest.raises(InvalidInput, match="may not be read"):
        fetcher(buckets=("moody://soles",)).fetch("moody://soles/closed.png")
    assert moody.asked == 4


def test_a_slow_bucket_is_not_waited_for_longer_than_allowed(moody: type[Moody]) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"within 0\.1 s .*attempts: 2"):
        fetcher(buckets=("moody://soles",), timeout_s=0.1, attempts=2).fetch("moody://soles/slow.png")
    assert time.monotonic() - started < 5.0


def test_a_bucket_without_its_package_names_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(opened, "s3", raising=False)
    with pytest.raises(MissingPart) as caught:
        fetcher(buckets=("s3://shoes",)).fetch("s3://shoes/a.png")
    assert "outsole[s3]" in caught.value.remedy
