"""What may be read: everything that is not listed is refused before it is looked at."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from fsspec.registry import _registry as opened

from indexer.access import Access, Checker, is_local
from outsole.errors import InvalidInput, MissingPart


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "feed"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    for name in ("feed/a.png", "feed/sub/b c.png", "other/secret.png"):
        (tmp_path / name).write_bytes(b"12345")
    return folder


@pytest.mark.parametrize("text", ["a.png", "./a.png", "sub/../a.png", "../feed/a.png", "inner.png", "indoors/a.png"])
def test_a_file_in_the_directory_is_found_by_every_way_that_leads_to_it(base: Path, text: str) -> None:
    (base / "inner.png").symlink_to("a.png")
    (base / "indoors").symlink_to(base)
    assert Access().check(text, base) == str((base / "a.png").resolve())
    assert Access().check(str(base / text), base) == str((base / "a.png").resolve())


@pytest.mark.parametrize(
    "text",
    [
        *(
            "../other/secret.png",
            "../other/none.png",
            "sub/../../other/secret.png",
            "/etc/hostname",
            "/etc/none",
            "~/a",
        ),
        *("link.png", "chain.png", "outdoors/secret.png", "outdoors/none.png", "../feed-2/a.png"),
    ],
)
def test_nothing_outside_is_found_and_nothing_is_said_about_what_is_there(base: Path, text: str) -> None:
    (base / "link.png").symlink_to(base.parent / "other" / "secret.png")
    (base / "chain.png").symlink_to("link.png")
    (base / "outdoors").symlink_to(base.parent / "other")
    (base.parent / "feed-2").mkdir()
    with pytest.raises(InvalidInput, match="there is no file '~/a'" if text == "~/a" else "leads out") as caught:
        Access().check(text, base)
    assert caught.value.field == "path"


def test_what_is_no_regular_file_is_refused_without_waiting_for_it(base: Path) -> None:
    os.mkfifo(base / "pipe.png")
    (base / "to_pipe.png").symlink_to("pipe.png")
    (base / "loop.png").symlink_to("loop.png")
    (base / "ping").symlink_to("pong")
    (base / "pong").symlink_to("ping")
    for text, reason in (
        ("pipe.png", "no regular file"),
        ("to_pipe.png", "no regular file"),
        ("loop.png", "circle"),
        ("ping", "circle"),
        ("ping/a.png", "circle"),
        ("sub", "is a directory"),
        (".", "is a directory"),
        ("sub/", "is a directory"),
        ("none.png", "there is no file"),
        ("a.png/b.png", "there is no file"),
        ("x" * 5000, "cannot be a path"),
        ("a\0.png", "cannot be a path"),
        ("a\udc80.png", "cannot be a path"),
        ("http://host/a.png", "is an address"),
    ):
        with pytest.raises(InvalidInput, match=reason) as caught:
            Checker(Access(), base).path(text)
        assert caught.value.field == "path"


def test_a_device_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no regular file"):
        Access(roots=(Path("/dev"),)).check("/dev/zero", Path("/"))


def test_a_file_above_the_limit_is_refused_by_its_size(base: Path) -> None:
    assert Access(max_bytes=5).check("a.png", base)
    with pytest.raises(InvalidInput, match="too large") as caught:
        Access(max_bytes=4).check("a.png", base)
    assert "4 bytes" in caught.value.remedy


def test_roots_take_the_place_of_the_sources_own_directory(base: Path) -> None:
    access = Access(roots=(base.parent / "other", base / "sub"))
    assert access.check("../other/secret.png", base)
    assert access.check("sub/b c.png", base)
    with pytest.raises(InvalidInput, match="leads out"):
        access.check("a.png", base)
    assert access.at(base) == access
    assert Access().at(base).roots == (base,)
    assert Access(roots=(Path("/"),)).check("../other/secret.png", base)


def test_a_root_may_be_reached_by_a_link(base: Path) -> None:
    (base.parent / "way").symlink_to(base)
    assert Access().check("a.png", base.parent / "way") == str((base / "a.png").resolve())


def test_a_file_address_is_a_local_file_with_the_same_rules(base: Path) -> None:
    assert Access().check((base / "sub" / "b c.png").as_uri(), base) == str((base / "sub" / "b c.png").resolve())
    assert Access().check(f"file://localhost{base}/a.png", base) == str((base / "a.png").resolve())
    for url, reason in (
        ("file:///etc/hostname", "leads out"),
        (f"file://{base}/%2e%2e/other/secret.png", "leads out"),
        (f"file://{base}/a%00.png", "cannot be a path"),
        ("file://server/share/a.png", "names no file of this machine"),
        ("file://[x/a.png", "is no address"),
        ("file://", "names no file of this machine"),
    ):
        with pytest.raises(InvalidInput, match=reason) as caught:
            Access().check(url, base)
        assert caught.value.field == "url"


@pytest.mark.parametrize(
    "url",
    [
        *("http://img.shop.example/a.png", "https://img.shop.example:8443/a b.png?w=1", "HTTPS://IMG.Shop.Example./a"),
        *("http://a.cdn.example/x", "http://a.b.cdn.example/x", "http://127.0.0.1:99/a", "http://[0:0::1]/a"),
        "http://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example/a",
    ],
)
def test_an_address_of_an_allowed_host_stays_as_it_is(base: Path, url: str) -> None:
    hosts = ("img.shop.example", "*.CDN.example", "127.0.0.1", "::1", "xn--bcher-kva.example")
    assert Access(hosts=hosts).check(url, base) == url
    assert not is_local(url)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://shop.example/a",
            "http://img.shop.example.evil/a",
            "http://cdn.example/a",
            "http://evilcdn.example/a",
        ),
        *("http://img.shop.example@evil.example/a", "http://u:p@img.shop.example/a", "http:///a", "http://x y/a"),
        *("http://evil.example\\@img.shop.example/a", "http://evil.example#@img.shop.example/", "http://[::1/a"),
        *("http://img.shop.example:99999/a", "http://img.shop.example:x/a", "http://2130706433/", "http://0x7f000001/"),
        *(
            "http://169.254.169.254/latest/meta-data/",
            "http://[::ffff:127.0.0.1]/",
            "http://127.1/",
            "ftp://img.shop.example/a",
        ),
        *("gopher://127.0.0.1/", "data://x", "s3://other/a", "http://img.shop.example/a\nb", "http://a..b/"),
        "http://img.shop.example/" + "x" * 3000,
    ],
)
def test_every_other_address_is_refused(base: Path, url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Access(hosts=("img.shop.example", "*.cdn.example", "127.0.0.1"), buckets=("memory://a",)).check(url, base)
    assert caught.value.field == "url"


def test_by_default_no_host_and_no_bucket_is_allowed(base: Path) -> None:
    for url in ("http://localhost/a", "memory://a/b"):
        with pytest.raises(InvalidInput) as caught:
            Access().check(url, base)
        assert "none is allowed" in caught.value.remedy


@pytest.mark.parametrize("url", ["memory://soles/2024/a.png", "memory://soles/2024/sub/b c.png"])
def test_an_object_below_an_allowed_beginning_stays_as_it_is(base: Path, url: str) -> None:
    assert Access(buckets=("memory://soles/2024",)).check(url, base) == url


@pytest.mark.parametrize(
    "url",
    [
        *("memory://soles/2025/a.png", "memory://soles/2024", "memory://soles/2024-2/a.png", "MEMORY://soles/2024/a"),
        *("memory://soles/2024/../2025/a.png", "memory://soles/2024/%2e%2e/2025/a", "memory://soles/2024/./a.png"),
        *("simplecache::memory://soles/2024/a.png", "memory://soles/2024/a.zip::file:///etc/hostname"),
    ],
)
def test_an_object_elsewhere_is_refused(base: Path, url: str) -> None:
    with pytest.raises(InvalidInput):
        Checker(Access(buckets=("memory://soles/2024",)), base).url(url)


def test_a_bucket_without_its_package_stops_the_reading_at_once(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(opened, "s3", raising=False)
    with pytest.raises(MissingPart, match=r"s3:// is not installed \(pip install 'outsole\[s3\]'\)"):
        Access(buckets=("s3://shoes",)).check("s3://shoes/a.png", base)
    with pytest.raises(InvalidInput, match="nothing opens nothing://"):
        Access(buckets=("nothing://shoes",)).check("nothing://shoes/a.png", base)


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        *(({"hosts": (host,)}, "hosts") for host in ("*", "*.", "", "http://a", "a/b", "a*b", "*.0.0.1", "a b")),
        *(({"buckets": (bucket,)}, "buckets") for bucket in ("s3://", "shoes", "http://a", "file:///", "local://x")),
        *(({name: 0}, name) for name in ("max_bytes", "timeout_s", "attempts")),
        ({"backoff_s": -1.0}, "backoff_s"),
    ],
)
def test_a_setting_that_allows_too_much_or_nothing_is_refused(setting: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Access(**setting)
    assert caught.value.field == field
