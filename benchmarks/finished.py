"""Parts of a long benchmark that were measured before, so that a run that is cut off goes on where it was."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import click

Metrics = dict[str, float]
Step = Callable[[], Metrics]


class Finished:
    """Parts that were measured before in a kept work folder, with the same plan.

    Args:
        path: File that holds them.
        key: Plan as text.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key
        stored = json.loads(path.read_text()) if path.is_file() else {}
        self._parts: dict[str, Metrics] = stored.get("parts", {}) if stored.get("key") == key else {}

    def measured(self, name: str, step: Step) -> Metrics:
        """The part's metrics, measured now where they are not there."""
        if name not in self._parts:
            self._parts[name] = step()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps({"key": self._key, "parts": self._parts}, indent=1))
        return self._parts[name]


def measure_parts(todo: Iterator[tuple[str, Step]], finished: Finished, say: Callable[[Metrics], None]) -> Metrics:
    """Run what is to be done; a part that fails is named and left out. ``say`` is told all there is after each."""
    metrics: Metrics = {"failed_parts": 0.0}
    for name, step in todo:
        click.echo(f"-- {name}", err=True)
        try:
            metrics |= finished.measured(name, step)
        except Exception:
            # The other parts must not go with it.
            click.echo(f"{name} failed: {traceback.format_exc()}", err=True)
            metrics["failed_parts"] += 1
        say(metrics)
    return metrics
