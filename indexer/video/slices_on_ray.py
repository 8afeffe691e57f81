"""Slices on Ray: the second stage as a Ray Data pipeline over files and slices, on this machine or a cluster.

Tasks go in and short records come out; what was seen goes straight to the work folder, which every node has to see at
the same path, as it has to see the videos.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray.data

from indexer.crawl import Progress
from indexer.model_loop import ModelLoop
from indexer.ray_values import dataset_of, in_thread, values_of
from indexer.video.model import Opener, VideoSettings
from indexer.video.slices import BrokenSource, SliceLooker, Unheard
from indexer.video.work import SliceTask, VideoWork
from outsole.errors import OutsoleError

_TASK, _DONE = "task", "done"
_Row = dict[str, Any]


@dataclass(frozen=True)
class RayPlan:
    """What the stage needs in every process.

    Attributes:
        opener: Of the model.
        work: The work folder.
        settings: How slices are looked at.
        processes: How many look at slices at once.
    """

    opener: Opener
    work: Path
    settings: VideoSettings
    processes: int = 2


@dataclass(frozen=True)
class _Done:
    """What became of a slice: the frames that it holds, or the error of a network."""

    received: int = 0
    error: OutsoleError | None = None


async def look_on_ray(tasks: Sequence[SliceTask], *, plan: RayPlan, progress: Progress) -> None:
    """Look at slices; each is then kept in the work folder, except those of a video that cannot be read any more.

    Ray has to be running, with room for ``processes``. Cancelled, it ends when the slices in hand are done.

    Raises:
        BudgetSpent, Unavailable, Overloaded: A network did not answer; what was seen is in the work folder.
    """
    if tasks:
        await in_thread(functools.partial(_look, tasks, plan, progress))


def _look(tasks: Sequence[SliceTask], plan: RayPlan, progress: Progress, stop: threading.Event) -> None:
    dataset = dataset_of(tasks, _TASK).map(
        _LookAtSlice,
        fn_constructor_args=(plan,),
        # No more than there is to do: Ray would warn of each that is idle.
        compute=ray.data.ActorPoolStrategy(size=min(plan.processes, len(tasks))),
    )
    with values_of(dataset, _DONE, stop) as found:
        done: _Done
        for done in found:
            if done.error is not None:
                raise done.error
            progress.update(done.received)


class _LookAtSlice:
    """Looks at a slice and keeps what was seen in the work folder."""

    def __init__(self, plan: RayPlan) -> None:
        self._loop = ModelLoop(plan.opener)
        self._looker = SliceLooker(self._loop.model, VideoWork(plan.work), plan.settings)

    def __call__(self, row: _Row) -> _Row:
        try:
            notes = self._loop.run(self._looker.look(row[_TASK], Unheard()))
        except BrokenSource:
            # Whoever asked for it finds the same, and knows which file it is.
            return {_DONE: _Done()}
        except OutsoleError as error:
            # As a value: Ray would hand on an exception as text of its own.
            return {_DONE: _Done(error=error)}
        return {_DONE: _Done(notes.counts.received)}
