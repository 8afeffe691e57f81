"""Commands about editions where no stack runs: they read the home, and the exact or embedded store is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from outsole import cli
from outsole.answers import ItemState
from outsole.gallery.editions import Edition
from outsole.gallery.history import edition_in_force, history, switch
from outsole.gallery.revisions import revise
from tests.unit.outsole.gallery.made_editions import written


class Home:
    """A home directory with a gallery of two editions, and the commands in it."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self.root = path / "editions"
        self.first = written(self.root)
        self.second = revise(self.first, {f"item-{i:03d}": (ItemState.RETIRED, "x") for i in range(2)})
        switch(self.root, "soles", self.first.id, reason="the first")
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit status and standard output."""
        status = cli.run([*arguments, "--home", str(self.path)])
        return status, self._capsys.readouterr().out

    @property
    def current(self) -> str:
        """The edition in force."""
        return edition_in_force(self.root, "soles")


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return Home(tmp_path, capsys)


def test_editions_are_listed_as_a_table_and_as_json(home: Home) -> None:
    status, text = home.run("editions", "soles")
    assert status == 0
    assert "38 active, 2 retired" in text
    _, text = home.run("editions", "soles", "--json")
    assert {info["edition"]: info["in_force"] for info in json.loads(text)} == {
        home.first.id: True,
        home.second.id: False,
    }
    assert home.run("editions", "unknown")[0] == 2


def test_a_difference_is_counted_and_its_table_has_an_end(home: Home) -> None:
    many = revise(written(home.root, count=60), {f"item-{i:03d}": (ItemState.RETIRED, "x") for i in range(35)})
    status, text = home.run("diff", "soles", home.first.id, many.id)
    assert status == 0
    assert "20 added, 0 gone, 0 metadata, 0 picture, 35 state" in text
    assert "and 5 more" in text
    assert len(json.loads(home.run("diff", "soles", home.first.id, many.id, "--json")[1])["changes"]) == 55


def test_a_verification_says_whole_or_names_the_first_difference(home: Home) -> None:
    status, text = home.run("verify", "soles")
    assert (status, "whole" in text) == (0, True)
    data = bytearray((home.second.folder / "items.parquet").read_bytes())
    data[-1] ^= 1
    (home.second.folder / "items.parquet").write_bytes(data)
    status, text = home.run("verify", "soles", home.second.id, "--all")
    assert (status, "items.parquet" in text) == (1, True)


def test_an_edition_is_published_and_one_that_is_damaged_is_not(home: Home) -> None:
    assert home.run("publish", "soles", home.second.id)[0] == 0
    assert home.current == home.second.id
    data = bytearray((home.first.folder / "offers.parquet").read_bytes())
    data[-1] ^= 1
    (home.first.folder / "offers.parquet").write_bytes(data)
    status, text = home.run("publish", "soles", home.first.id)
    assert (status, home.current) == (1, home.second.id)
    assert "stays in force" in text


def test_canaries_are_added_and_listed(home: Home, tmp_path: Path) -> None:
    picture = tmp_path / "print.png"
    picture.write_bytes(b"no picture")
    assert home.run("canary", "add", "soles", str(picture), "--model", "model-003")[0] == 2
    Image.new("L", (60, 120), 200).save(picture)
    assert home.run("canary", "add", "soles", str(picture), "--model", "model-003", "--within", "5")[0] == 0
    assert home.run("canary", "add", "soles", str(picture), "--model", "unknown")[0] == 2
    (found,) = json.loads(home.run("canary", "list", "soles", "--json")[1])
    assert (found["name"], found["model"], found["within_rank"]) == ("print", "model-003", 5)
    assert home.run("canary", "run", "soles")[0] == 1
    assert "1 canaries were not looked at" in home.run("publish", "soles", home.second.id)[1]


def test_the_embedded_store_is_made_again_and_lets_go_of_an_edition(home: Home) -> None:
    for _ in range(2):
        status, text = home.run("rebuild", "soles")
        assert (status, text.startswith("40 vectors in")) == (0, True)
    assert home.run("retire-edition", "soles", home.first.id, "--reason", "old")[0] == 1
    assert home.run("retire-edition", "soles", home.second.id, "--reason", "old")[0] == 0
    assert history(home.root, "soles")[-1].edition == home.second.id
    assert Edition.open(home.root, "soles", home.second.id)
