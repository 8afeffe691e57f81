"""What is said about editions between their making and their retirement; standard library only, like the answers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class EditionInfo:
    """One edition of a gallery in one line.

    Attributes:
        edition: Its id.
        created: UTC time of its making, ISO 8601.
        items, models: How many of each.
        states: Items by state, e.g. ``{"active": 90, "retired": 10}``.
        in_force: Whether it answers now.
        in_force_since: When it came into force, ISO 8601; empty where it is not in force or the history does not say.
        retired: Whether the vector store let go of it.
        damage: What is wrong with its files at a glance (names, lengths, tables); empty where they are whole.
    """

    edition: str
    created: str
    items: int
    models: int
    states: dict[str, int] = field(default_factory=dict, hash=False)
    in_force: bool = False
    in_force_since: str = ""
    retired: bool = False
    damage: str = ""


@dataclass(frozen=True)
class EditionCheck:
    """What a verification looked at, and the first difference that it found.

    Attributes:
        gallery, edition: What was looked at.
        files: Files whose hash was compared with the manifest.
        size_bytes: Their length together.
        vectors: Vectors whose length and values were looked at.
        store_rows: Rows that the vector store holds of the edition; None where no store was asked.
        own_vectors: Vectors of the edition that were searched for and had to find their own item.
        difference: The first difference, in one sentence; empty where there is none.
    """

    gallery: str
    edition: str
    files: int = 0
    size_bytes: int = 0
    vectors: int = 0
    store_rows: int | None = None
    own_vectors: int = 0
    difference: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether no difference was found."""
        return not self.difference


@dataclass(frozen=True)
class RebuildProgress:
    """How far the vector store is with making an edition's collections again.

    Attributes:
        done, total: Vectors.
        field: The vectors at work, or ``waiting`` before the first; empty at the end.
    """

    done: int
    total: int
    field: str = ""
