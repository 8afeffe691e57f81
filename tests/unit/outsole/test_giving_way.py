"""Work in bulk waits while queries are at work, and for nobody who is gone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from outsole.giving_way import GivingWay, QueriesAtWork

# A query that began before and is at work still.
_HOLDER = """
import os, sys, time
from pathlib import Path
from outsole.giving_way import QueriesAtWork

path = Path(sys.argv[1])
with QueriesAtWork(path).one():
    os.utime(path, (1, 1))
    print("at work", flush=True)
    time.sleep(60)
"""


def waited_s(gate: GivingWay) -> float:
    began = time.monotonic()
    asyncio.run(gate())
    return time.monotonic() - began


def test_without_queries_work_goes_on_at_once(tmp_path: Path) -> None:
    assert waited_s(GivingWay(tmp_path / "nothing")) < 0.05
    QueriesAtWork(tmp_path / "queries")
    assert waited_s(GivingWay(tmp_path / "queries", quiet_s=0.0)) < 0.05


def test_work_waits_for_a_query_of_another_process_and_for_nobody_once_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "queries"
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline()
        assert waited_s(GivingWay(path, quiet_s=0.0, longest_s=0.3)) > 0.25
        holder.kill()
        holder.wait()
    assert waited_s(GivingWay(path, quiet_s=0.0, longest_s=20.0)) < 1.0


def test_work_waits_a_little_after_the_last_query(tmp_path: Path) -> None:
    queries = QueriesAtWork(tmp_path / "queries")
    with queries.one():
        with queries.one():
            pass
        # One of two is over, and the other holds on.
        assert waited_s(GivingWay(tmp_path / "queries", quiet_s=0.0, longest_s=0.2)) > 0.15
    assert 0.2 < waited_s(GivingWay(tmp_path / "queries", quiet_s=0.4, longest_s=20.0)) < 5.0


def test_work_is_not_held_up_for_ever(tmp_path: Path) -> None:
    with QueriesAtWork(tmp_path / "queries").one():
        assert 0.15 < waited_s(GivingWay(tmp_path / "queries", longest_s=0.2)) < 5.0
