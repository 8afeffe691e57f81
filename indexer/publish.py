"""The last stage: an edition is tried out, and comes into force only if it finds what it has to find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outsole.errors import DataCorrupt, NotFound, PreconditionFailed
from outsole.gallery.canaries import Canary, canaries_dir, read_canaries
from outsole.gallery.editions import Edition
from outsole.gallery.history import edition_in_force
from outsole.gallery.layout import root_of
from outsole.gallery.revisions import decided, put_in_force
from outsole.gallery.verification import check_own_vectors

# Deeper than any canary may fall, so that a report can say how far one fell.
RANKS_LOOKED_AT = 100
_NAMED = 10
# (edition's id, the picture, models wanted) -> ids of models, best first.
Search = Callable[[str, Path, int], Sequence[str]]
# Searches for vectors of an edition, says how many, raises `DataCorrupt` for one that does not find its own item.
OwnVectors = Callable[[Edition], int]


@dataclass(frozen=True)
class CanaryRank:
    """Where a canary's model was found.

    Attributes:
        canary: The canary.
        rank: On the edition tried, from 1; None where it is not among the first 100.
        before: On the edition in force; None as above, or where none is that can be searched.
    """

    canary: Canary
    rank: int | None
    before: int | None = None

    @property
    def has_fallen(self) -> bool:
        """Whether it is below the rank that it has to have."""
        return self.rank is None or self.rank > self.canary.within_rank


@dataclass(frozen=True)
class PublishReport:
    """What became of an edition.

    Attributes:
        gallery: The gallery.
        edition: The edition that was tried: the one asked for, or its revision by people's decisions.
        previous: The one in force before; empty where there was none.
        published: Whether it is in force now.
        canaries: Where each canary was found.
        own_vectors: Vectors of the edition that found their own items.
        canaries_left_out: Canaries that were not looked at.
        reason: Why it is not in force; empty where it is.
    """

    gallery: str
    edition: str
    previous: str
    published: bool
    canaries: tuple[CanaryRank, ...] = ()
    own_vectors: int = 0
    canaries_left_out: int = 0
    reason: str = ""


def publish(
    edition: Edition,
    *,
    search: Search | None = None,
    own_vectors: OwnVectors = check_own_vectors,
    with_canaries: bool = True,
    reason: str = "published",
) -> PublishReport:
    """Put an edition in force if it stands its trial; otherwise everything stays as it was.

    The trial: every file has its hash, 16 vectors of the edition find their own items, and every canary's model is
    within its rank. What people decided about items (`outsole.gallery.decisions`) is made part of the edition first.

    Args:
        edition: The candidate, written and not in force.
        search: Searches an edition with a picture; None where no stack runs, and canaries are then not looked at.
        own_vectors: Searches for the edition's own vectors; the exact store by default.
        with_canaries: Look at the canaries.
        reason: What the history is to say.

    Raises:
        DataCorrupt: The gallery's canaries or decisions cannot be read.
        OutsoleError: The search did not answer.
    """
    edition = decided(edition)
    root, gallery = root_of(edition.folder), edition.gallery
    begun = PublishReport(gallery, edition.id, edition_in_force(root, gallery), published=False)
    try:
        edition.verify()
        begun = replace(begun, own_vectors=own_vectors(edition))
    except DataCorrupt as error:
        return replace(begun, reason=str(error))
    if with_canaries and search is not None:
        ranks = try_canaries(edition, search=search, before=begun.previous)
        begun = replace(begun, canaries=ranks, reason=_fallen(ranks))
    else:
        begun = replace(begun, canaries_left_out=len(read_canaries(root, gallery)))
    if begun.reason:
        return begun
    # Somebody may have decided something during the trial; no vector changes by it.
    return replace(begun, edition=put_in_force(edition, reason=reason).id, published=True)


def _fallen(ranks: Sequence[CanaryRank]) -> str:
    names = [rank.canary.name for rank in ranks if rank.has_fallen]
    return f"{len(names)} of {len(ranks)} canaries fell: {', '.join(names[:_NAMED])}" if names else ""


def try_canaries(edition: Edition, *, search: Search, before: str = "") -> tuple[CanaryRank, ...]:
    """Search an edition with every canary of its gallery, in order of name.

    Args:
        edition: The edition tried.
        search: Searches an edition with a picture.
        before: An edition to compare with; empty for none.

    Raises:
        DataCorrupt: The canaries cannot be read.
        OutsoleError: The search did not answer.
    """
    root, gallery = root_of(edition.folder), edition.gallery
    folder = canaries_dir(root, gallery)
    compared = before if before != edition.id else ""
    ranks = []
    for canary in read_canaries(root, gallery):
        rank = _rank(canary, folder, edition.id, search)
        try:
            rank_before = _rank(canary, folder, compared, search) if compared else None
        except (PreconditionFailed, NotFound, DataCorrupt):
            # The edition in force may be of another encoder than is served: that is when a new one is most needed.
            rank_before = None
        ranks.append(CanaryRank(canary, rank, rank_before))
    return tuple(ranks)


def _rank(canary: Canary, folder: Path, edition: str, search: Search) -> int | None:
    models = list(search(edition, folder / canary.file, max(RANKS_LOOKED_AT, canary.within_rank)))
    return models.index(canary.model) + 1 if canary.model in models else None
