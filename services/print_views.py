"""The views of a print search: items as they are, as companions show them worn, and as a probe taken back sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import ItemFilter, Placement
from outsole.api.records import WearSearch
from outsole.errors import NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.filters import rows_allowed
from outsole.gallery.worn import WEAR_MODEL, worn_rows
from outsole.matching.wear_views import WEAR_FUSION
from services.catalogue import Catalogue, EncoderChoice
from services.fields import naming
from services.parts import EditionRef


@dataclass(frozen=True)
class View:
    """One look at the items of a gallery.

    Attributes:
        edition: What is compared: the gallery's own edition, or one of a companion.
        total: Its rows that a search under the filter looks at.
        worn_weeks: Weeks of wear of its items; 0 for the gallery's own.
        probe_weeks: The probe compared was taken back by so many weeks; 0 for the probe as it is.
        rows: int64 [N], the row here of each row of the gallery's own edition, -1 where there is none; None for the
            gallery's own edition.
    """

    edition: Edition
    total: int
    worn_weeks: int = 0
    probe_weeks: int = 0
    rows: NDArray[np.int64] | None = None

    @property
    def ref(self) -> EditionRef:
        """Name of the edition."""
        return EditionRef.of(self.edition)

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows here of rows of the gallery's own edition, in their order; those that it lacks are left out."""
        if self.rows is None:
            return rows
        found = self.rows[rows]
        return found[found >= 0]

    def of_gallery(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the gallery's own edition of rows here, in their order; those that it lacks are left out."""
        if self.rows is None:
            return rows
        back = np.full(len(self.edition), -1, np.int64)
        there = np.flatnonzero(self.rows >= 0)
        back[self.rows[there]] = there
        found = back[rows]
        return found[found >= 0]

    def row_of(self, item_id: str, gallery: Edition) -> int:
        """The row here of an item. Raises ``NotFound`` where the gallery or this view has none of that id."""
        (row,) = self.own(np.array([gallery.row_of(item_id)])).tolist() or [-1]
        if row < 0:
            raise NotFound(
                f"item {item_id[:120]!r} has no view worn {self.worn_weeks} weeks in edition {self.edition.id!r}",
                field="worn_weeks",
                remedy="explain the item as it is, or index the companion again",
            )
        return int(row)


@dataclass(frozen=True)
class Received:
    """A query whose probe is at hand and whose editions are open.

    Attributes:
        data: The probe's bytes.
        rows: int64 [n], rows of the gallery's own edition that take part.
        placements: Placements to try.
        choice: Encoders of the search.
        views: What is compared; the first is the gallery's own edition with the probe as it is.
    """

    data: bytes
    rows: NDArray[np.int64]
    placements: tuple[Placement, ...]
    choice: EncoderChoice
    views: tuple[View, ...]

    @property
    def edition(self) -> Edition:
        """The gallery's own edition."""
        return self.views[0].edition


def open_views(
    edition: Edition,
    wear: WearSearch,
    *,
    rows: NDArray[np.int64],
    where: ItemFilter,
    choice: EncoderChoice,
    catalogue: Catalogue,
) -> tuple[View, ...]:
    """The gallery's own edition with the probe as it is, and every worn view that is asked for.

    Args:
        edition: The gallery's own.
        wear: What is asked for.
        rows: int64 [n], rows of the edition that take part.
        where: The filter.
        choice: Encoders of the search.
        catalogue: Finds the companions.

    Raises:
        NotFound, PreconditionFailed, DataCorrupt: A companion cannot be compared, see ``Catalogue.worn``.
    """
    views = [View(edition, len(rows))]
    for place, weeks in enumerate(wear.gallery_weeks):
        with naming(f"wear.gallery_weeks[{place}]"), naming("wear.gallery_editions", "edition"):
            named = wear.gallery_editions.get(weeks, "")
            worn = catalogue.worn(edition, weeks, edition=named, embedding=choice.embedding)
        total = int(np.count_nonzero(rows_allowed(worn.items, where)))
        views.append(View(worn, total, worn_weeks=weeks, rows=worn_rows(edition, worn)))
    if wear.probe_weeks is not None:
        views.append(View(edition, len(rows), probe_weeks=wear.probe_weeks))
    return tuple(views)


def view_settings(views: Sequence[View]) -> dict[str, str]:
    """What an answer's settings say of its worn views; nothing where there are none."""
    if len(views) == 1:
        return {}
    worn = [view for view in views if view.worn_weeks]
    models = sorted({view.edition.manifest.settings[WEAR_MODEL] for view in worn})
    settings = {"wear_fusion": WEAR_FUSION}
    if worn:
        settings["wear_views"] = " ".join(f"{view.edition.gallery}={view.edition.id}" for view in worn)
        settings["wear_models"] = " ".join(models)
    return settings


def view_warnings(received: Received) -> tuple[str, ...]:
    """What a person should know about an answer's worn views; nothing where there are none."""
    if len(received.views) == 1:
        return ()
    lines = ["worn views are simulations by a model of wear; worn_weeks and probe_weeks of a hit say which view won"]
    for view in received.views[1:]:
        if view.rows is not None and (lacking := int(np.count_nonzero(view.rows[received.rows] < 0))):
            lines.append(
                f"{lacking:,} of {len(received.rows):,} items have no view worn {view.worn_weeks} weeks: "
                f"{view.edition.gallery} was made of another crawl, index with --worn {view.worn_weeks} again"
            )
    return tuple(lines)
