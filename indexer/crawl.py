"""What one crawl of a source found, however its pictures were encoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from tqdm import tqdm

from indexer.encoded import BatchOrigin, Origin
from indexer.manifest import Entry, Reject


class Progress(Protocol):
    """Told how many more images are done."""

    def update(self, n: int) -> object:
        """``n`` more images are done."""


ProgressOf = Callable[[int], AbstractContextManager[Progress]]
OnRejects = Callable[[Sequence[Reject]], None]


def progress_bar(total: int) -> AbstractContextManager[Progress]:
    """A bar on standard error with rate and time left."""
    bar: AbstractContextManager[Progress] = tqdm(total=total, desc="index", unit="image", smoothing=0.1)
    return bar


@dataclass(frozen=True)
class IndexSettings:
    """How the work is spread; none of it changes the result.

    Attributes:
        batch_items: Images in a request to the encoder; more of them no longer fit the processor's cache.
        requests_in_flight: Requests that wait for the encoder at once; 2 keep it busy.
        prepare_workers: Threads that decode and prepare.
        encode_timeout_s: Seconds for one request.
    """

    batch_items: int = 8
    requests_in_flight: int = 2
    prepare_workers: int = 2
    encode_timeout_s: float = 120.0


@dataclass
class Crawl:
    """Entries whose pictures were read, and where their arrays are.

    Attributes:
        entries: In order of item id; their items know the sha256. Merging takes them out.
        rejects: What was left out, and why.
        places: sha256 -> where the picture's arrays are.
        encoded: Pictures that were encoded now.
        read: Entries whose pictures were read.
        on_rejects: Told what is left out, as soon as it is known.
    """

    places: dict[str, tuple[Origin, int]]
    entries: deque[Entry] = field(default_factory=deque)
    rejects: list[Reject] = field(default_factory=list)
    encoded: int = 0
    read: int = 0
    on_rejects: OnRejects | None = None

    def reject(self, *rejects: Reject) -> None:
        """Note what is left out."""
        self.rejects += rejects
        if rejects and self.on_rejects is not None:
            self.on_rejects(rejects)

    def take(self, *entries: Entry) -> None:
        """Note entries whose pictures were read."""
        self.entries += entries
        self.read += len(entries)

    def add_batch(self, hashes: Sequence[str], origin: BatchOrigin) -> None:
        """Note a batch that was encoded now."""
        self.places.update({digest: (origin, position) for position, digest in enumerate(hashes)})
        self.encoded += len(hashes)
