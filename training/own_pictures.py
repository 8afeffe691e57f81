"""What a gallery's own pictures are to an adaptation, prints and shoes alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Self


class OwnPictures(Protocol):
    """Pictures that a general system learns further from, without labels."""

    def __len__(self) -> int:
        """How many there are."""

    def first(self, count: int) -> Self:
        """At most so many of them, to be evaluated on."""

    def parts(self) -> Iterator[bytes]:
        """All that they are, for a hash: a run goes on with the very same pictures alone."""
