"""Parts of a long benchmark that were measured before, so that a run that is cut off goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

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
