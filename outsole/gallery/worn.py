"""Companion galleries: the items of a gallery as a model of wear predicts them to print after some weeks.

A companion is a gallery like any other, with the ids of its base's items; two settings of its editions say what it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsole.gallery.editions import Edition

WORN_WEEKS, WEAR_MODEL = "worn_weeks", "wear_model"


def worn_gallery(gallery: str, weeks: int) -> str:
    """Name of the companion of a gallery whose items are worn for so many weeks."""
    return f"{gallery}.worn{weeks}"


def worn_settings(weeks: int, model_hash: str) -> dict[str, str]:
    """What the settings of a companion's editions say beside those of its base: the weeks, and by which model."""
    return {WORN_WEEKS: str(weeks), WEAR_MODEL: model_hash}


def unworn_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings of an edition without those that make it one of a companion."""
    return {name: value for name, value in settings.items() if name not in (WORN_WEEKS, WEAR_MODEL)}


def worn_weeks(edition: Edition) -> int:
    """Weeks of wear of an edition's items; 0 where they are as they were pictured."""
    text = edition.manifest.settings.get(WORN_WEEKS, "")
    return int(text) if text.isdecimal() else 0


def worn_rows(base: Edition, companion: Edition) -> NDArray[np.int64]:
    """The row in a companion of each item of its base, int64 [N]; -1 where it has no view of the same picture."""
    items, worn = base.items, companion.items
    places = pc.index_in(items["item_id"], value_set=worn["item_id"].combine_chunks())
    pictures = worn["sha256"].take(places)
    same = pc.fill_null(pc.equal(items["sha256"], pictures), False)
    rows = pc.if_else(same, places, pa.scalar(-1, places.type))
    return np.asarray(rows.to_numpy(), np.int64)
