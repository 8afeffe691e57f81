"""Memory of a process and everything it started, from Linux's /proc."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class TreeMemory:
    """Memory of a process tree.

    Attributes:
        processes: How many there are.
        pss_mib: Proportional set size: memory that several share counts once, MiB.
        rss_mib: Sum of the resident sets: shared memory counts in each, MiB.
    """

    processes: int
    pss_mib: float
    rss_mib: float


def tree_memory(pid: int) -> TreeMemory:
    """Memory of a process and all its descendants that run now; zeros where there is no /proc."""
    pss = rss = 0
    pids = descendants(pid)
    for each in pids:
        # A process may end while it is read.
        with contextlib.suppress(OSError, ValueError):
            fields = _fields(_PROC / str(each) / "smaps_rollup")
            pss += fields["Pss"]
            rss += fields["Rss"]
    return TreeMemory(len(pids), pss / 1024, rss / 1024)


def descendants(pid: int) -> list[int]:
    """A process and all its descendants that run now, ascending."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [pid] if (_PROC / str(pid)).exists() else []
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += children.get(each, [])
    return sorted(found)


def _fields(path: Path) -> dict[str, int]:
    """Sizes in kiB by name."""
    rows = (line.split() for line in path.read_text().splitlines())
    return {row[0].removesuffix(":"): int(row[1]) for row in rows if len(row) == 3 and row[2] == "kB"}
