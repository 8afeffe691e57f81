"""Journals grow by whole lines, and a line that was cut short costs that line alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from outsole.gallery import journal


def test_lines_are_read_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    assert list(journal.read(path)) == []
    for number in range(3):
        journal.append(path, {"number": number, "text": "ä\n"})
    assert [record["number"] for record in journal.read(path)] == [0, 1, 2]
    assert len(path.read_bytes().splitlines()) == 3


def test_a_line_that_was_cut_short_is_left_out_and_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal.append(path, {"number": 0})
    with path.open("ab") as file:
        file.write(b'{"number": 1, "te')
    assert [record["number"] for record in journal.read(path)] == [0]
    journal.append(path, {"number": 2})
    assert [record["number"] for record in journal.read(path)] == [0, 2]


def test_processes_that_append_at_once_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    work = (
        "import sys; from pathlib import Path; from outsole.gallery import journal\n"
        "for n in range(40): journal.append(Path(sys.argv[1]), {'by': sys.argv[2], 'number': n})"
    )
    command = [sys.executable, "-c", work, str(path)]
    started = [subprocess.Popen([*command, name], cwd=Path(__file__).parents[4]) for name in ("a", "b")]
    assert [process.wait(60) for process in started] == [0, 0]
    found = list(journal.read(path))
    for name in ("a", "b"):
        assert [record["number"] for record in found if record["by"] == name] == list(range(40))
