"""The command line: documents, JSON, exit statuses."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import grpc
import pytest

from outsole import cli
from outsole.answers import GalleryInfo, Hit, ItemInfo, ItemState, SearchAnswer, SearchMode
from outsole.api import convert, convert_gallery
from outsole.api.generated.outsole.v1 import common_pb2, gallery_pb2, gallery_pb2_grpc, retrieval_pb2_grpc
from outsole.commands import output

_PAGE = (Path(__file__).parents[3] / "docs/COMMANDS.md").read_text(encoding="utf-8")
_SECTIONS = dict(re.findall(r"^## `outsole ([\w -]+)`\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL))
_GALLERY = GalleryInfo("soles", "e1", 3, 2, "abcdef", "2026-01-01T00:00:00Z")
_ITEM = ItemInfo("item-7", "model-7", year=2020, state=ItemState.RETIRED)
_ASKED: list[Any] = []
_ANSWER = SearchAnswer(
    hits=(Hit(1, "model-7", "item-7", 0.5),),
    gallery="soles",
    edition="e1",
    encoder_hash="abcdef",
    mode=SearchMode.EXHAUSTIVE,
    searched=3,
    total=3,
    stage_ms={"decode": 1.0},
)


def _commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from _commands(found, f"{name} {child}".strip())
    else:
        yield name, command


COMMANDS = dict(_commands(cli.cli))


class _Service(gallery_pb2_grpc.GalleryServiceServicer, retrieval_pb2_grpc.RetrievalServiceServicer):
    """Answers with one gallery and one search."""

    def ListGalleries(self, request: Any, context: grpc.ServicerContext) -> Any:
        return gallery_pb2.ListGalleriesResponse(galleries=[convert_gallery.gallery_to_wire(_GALLERY)])

    def ListItems(self, request: Any, context: grpc.ServicerContext) -> Any:
        _ASKED.append(request)
        return gallery_pb2.ListItemsResponse(items=[convert_gallery.item_to_wire(_ITEM)], total_items=1)

    def SearchPrint(self, request: Any, context: grpc.ServicerContext) -> Any:
        _ASKED.append(request)
        return convert.answer_to_wire(_ANSWER)


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """Address of a gRPC server in this process."""
    server = grpc.server(ThreadPoolExecutor(2))
    gallery_pb2_grpc.add_GalleryServiceServicer_to_server(_Service(), server)  # type: ignore[no-untyped-call]
    retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server(_Service(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait(5)


def test_the_page_has_a_section_for_every_command_and_no_other() -> None:
    assert set(_SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_the_commands_section(name: str) -> None:
    options = {p.opts[0] for p in COMMANDS[name].params if isinstance(p, click.Option) and p.name != "help"}
    assert [option for option in sorted(options) if f"`{option}" not in _SECTIONS[name]] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_line_of_help(name: str) -> None:
    options = [p for p in COMMANDS[name].params if isinstance(p, click.Option)]
    assert [o.opts[0] for o in options if not o.help and not isinstance(o.type, click.Choice)] == []


def test_every_command_that_prints_a_table_speaks_json() -> None:
    tables = {"status", "doctor", "index", "search print", "galleries", "items", "editions", "diff", "verify"}
    tables |= {"publish", "canary list", "canary run", "coverage", "quarantine list"}
    tables |= {"video index", "video coverage", "video tracks", "search shoe", "search frames", "trace", "wear"}
    tables |= {"video search", "video found", "prepare"}
    tables |= {f"ingest {name}" for name in ("start", "status", "list", "cancel")}
    tables |= {f"operations {name}" for name in ("status", "list", "cancel", "pause", "resume")}
    assert {name for name, found in COMMANDS.items() if any("--json" in p.opts for p in found.params)} == tables


def test_the_overview_is_shown_without_loading_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    text = capsys.readouterr().out
    assert [name for name in cli.COMMANDS if name not in text] == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["nonsense"], 2),
        (["search", "print"], 2),
        (["search", "print", "missing.png", "--gallery", "g", "--target", "127.0.0.1:1"], 2),
        (["search", "print", __file__, "--gallery", "g", "--rotation", "1:2"], 2),
        (["search", "print", __file__, "--gallery", "g", "--mask", "missing.png"], 2),
        (["search", "print", __file__, "--gallery", "g", "--worn", "26;52"], 2),
        (["index", ".", "--gallery", "g", "--worn", "26,27"], 2),
        (["index", ".", "--gallery", "g", "--worn", "26", "--shows", "shoes"], 2),
        (["up", "--port", "99999"], 2),
        (["index", ".", "--gallery", "g"], 1),
        (["demo", "--data", "missing"], 2),
    ],
)
def test_an_error_is_one_line(
    arguments: list[str],
    status: int,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OUTSOLE_HOME", str(tmp_path / "home"))
    assert cli.run(arguments) == status
    said = capfd.readouterr().err.splitlines()
    assert len([line for line in said if line.startswith("outsole: ")]) == 1
    assert said[-1].startswith("outsole: ")
    assert "Traceback" not in "".join(said)


def test_a_service_that_is_away_is_one_line_and_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert cli.run(["galleries", "--target", "127.0.0.1:1"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_galleries_are_json(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["galleries", "--target", target, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert GalleryInfo(**found) == _GALLERY


def test_items_are_listed_by_state_and_year(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--state", "retired", "--state", "active", "--since", "2019", "--until", "2022", "--target", target]
    assert cli.run(["items", "soles", *arguments]) == 0
    assert {"2020", "retired"} <= set(capsys.readouterr().out.split())
    asked = _ASKED[-1]
    assert list(asked.states) == [common_pb2.ITEM_STATE_RETIRED, common_pb2.ITEM_STATE_ACTIVE]
    assert (asked.filter.first_year, asked.filter.last_year) == (2019, 2022)


def test_a_search_keeps_to_the_years_that_it_is_given(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["search", "print", __file__, "--gallery", "soles", "--target", target]
    assert cli.run([*arguments, "--since", "2019"]) == 0
    assert (_ASKED[-1].filter.first_year, _ASKED[-1].filter.last_year) == (2019, 0)
    assert cli.run(arguments) == 0
    assert not _ASKED[-1].HasField("filter")


def test_a_search_of_worn_views_asks_for_them_and_says_which_won(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["search", "print", __file__, "--gallery", "soles", "--target", target]
    assert cli.run([*arguments, "--worn", "26,52", "--probe-worn", "4"]) == 0
    assert (list(_ASKED[-1].wear.gallery_weeks), _ASKED[-1].wear.probe_weeks) == ([26, 52], 4)
    assert "view" not in capsys.readouterr().out
    views = [output.view_text(dataclasses.replace(_ANSWER.hits[0], worn_weeks=weeks)) for weeks in (0, 26)]
    assert views == ["as it is", "worn 26 weeks"]
    hits = (dataclasses.replace(_ANSWER.hits[0], probe_weeks=4),)
    text = output.answer_text(dataclasses.replace(_ANSWER, hits=hits, settings={"wear_fusion": "soft maximum"}))
    assert "print taken back 4 weeks" in text


def test_an_answer_is_json_without_pictures(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["search", "print", __file__, "--gallery", "soles", "--target", target, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == output.plain(_ANSWER)
    assert found["mode"] == "exhaustive"


def test_an_answer_is_a_table_of_candidates(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["search", "print", __file__, "--gallery", "soles", "--target", target]) == 0
    text = capsys.readouterr().out
    assert "model-7" in text
    assert output.LEAD in text
    assert not re.search(r"\bmatch", text)


def test_the_state_of_an_empty_home_is_json_and_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["status", "--home", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"phase": "down"}


def test_the_doctor_says_what_it_would_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["doctor", "--home", str(tmp_path), "--json"])
    findings = json.loads(capsys.readouterr().out)
    assert {"python", "packages", "triton", "encoder"} <= {finding["part"] for finding in findings}
    assert all(finding["remedy"] for finding in findings if finding["level"] != "ok")


def test_down_without_a_stack_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["down", "--home", str(tmp_path)]) == 0
    assert "no stack" in capsys.readouterr().out
