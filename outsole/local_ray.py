"""Ray from start to end: no process of it is left when it has stopped."""

from __future__ import annotations

import contextlib
import gc
import logging
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import psutil
import ray

_ENDS_WITHIN_S = 5.0
_POLL_S = 0.05
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def local_ray(**options: Any) -> Iterator[None]:
    """Run Ray for as long as the block lasts.

    Ray asks its node to stop and waits one second for it. The node's own children (agents, workers) are nobody's by
    then, and would end when they notice: on a busy machine after the program that started them. Here they are waited
    for, and killed where that does not help.

    A thread that uses Ray, or lets go of the last reference to one of its objects, while Ray stops ends the whole
    process, without a word and with status 1: whoever starts threads in the block waits for them in it.

    Args:
        options: Of ``ray.init``. With the address of a cluster this process only leaves it in the end.
    """
    roots = _start(options)
    try:
        yield
    finally:
        _stop(roots)


def see_off(processes: Sequence[psutil.Process], *, within_s: float = _ENDS_WITHIN_S) -> None:
    """Wait for processes that were told to end, and kill those that have not after ``within_s`` seconds.

    When it returns none of them runs, unless the kernel itself holds it.
    """
    late = _running(processes, within_s)
    for each in late:
        _log.warning("process %d of Ray did not end within %g s and is killed", each.pid, within_s)
        with contextlib.suppress(psutil.Error):
            each.kill()
    _running(late, within_s)


def _start(options: Mapping[str, Any]) -> set[psutil.Process]:
    """Start Ray; the processes that this one has since."""
    here = psutil.Process()
    others = set(here.children())
    try:
        ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False, **options)
    except BaseException:
        _stop(set(here.children()) - others)
        raise
    return set(here.children()) - others


def _stop(roots: Set[psutil.Process]) -> None:
    family = [each for root in roots for each in (root, *_started_by(root))]
    with _no_collection():
        ray.shutdown()
    see_off(family)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Collect garbage now and not again until the block ends: any thread may collect, and let go of Ray's objects."""
    gc.collect()
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _started_by(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _running(processes: Sequence[psutil.Process], within_s: float) -> Sequence[psutil.Process]:
    """The processes that still run after a time; none as soon as that is so."""
    deadline = time.monotonic() + within_s
    while (left := [each for each in processes if _runs(each)]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def _runs(process: psutil.Process) -> bool:
    # One that ended and waits for a parent that never asks is over: in a container nobody may ask.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
