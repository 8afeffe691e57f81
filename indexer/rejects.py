"""What is not indexed, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Reject:
    """One image that is not indexed, and why.

    Attributes:
        row: 1-based row of the manifest, its header not counted, or place in the directory.
        column: The manifest's column at fault; empty where the image itself is.
        item_id, path: As far as they are known; ``path`` may be an address.
        reason: One sentence for a person.
    """

    row: int
    column: str
    item_id: str
    path: str
    reason: str


def rejects_csv(rejects: Iterable[Reject]) -> bytes:
    """Rejects as a CSV file, in order of row."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("row", "column", "item_id", "path", "reason"))
    for reject in sorted(rejects, key=lambda r: (r.row, r.item_id)):
        writer.writerow((reject.row, reject.column, reject.item_id, reject.path, reject.reason))
    return text.getvalue().encode()


def shown(value: object) -> str:
    """A value as a person may see it: at most 200 characters, all of which can be written to a file."""
    if value is None:
        return ""
    text = str(value) if isinstance(value, str | int | float) else f"<{type(value).__name__}>"
    # Names of files need not be text: what is none of it is spelt out.
    return text[:_SHOWN_CHARACTERS].encode("utf-8", "backslashreplace").decode()
