from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.memory import descendants, tree_memory

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's /proc")


def test_a_child_counts_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            assert {os.getpid(), child.pid} <= set(descendants(os.getpid()))
        finally:
            child.communicate(b"\n")


def test_shared_memory_counts_once_in_the_proportional_set() -> None:
    memory = tree_memory(os.getpid())
    assert memory.processes >= 1
    assert 0 < memory.pss_mib <= memory.rss_mib


def test_a_process_that_is_gone_has_no_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert tree_memory(child.pid).processes == 0
