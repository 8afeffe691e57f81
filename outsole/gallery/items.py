"""Items and offers as an edition's tables hold them.

An item is one image of one shoe model. An offer is one row of a retailer's feed; several offers may show an item.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from outsole.answers import FIRST_YEAR, LAST_YEAR, ItemState, Role, Side
from outsole.errors import InvalidInput
from outsole.gallery.layout import checked_name

TEXT_LIMIT_CHARACTERS = 200
_TEXT = pa.string()
ITEM_SCHEMA = pa.schema(
    [
        *((name, _TEXT) for name in ("item_id", "model_id", "brand", "role", "side", "category", "tread_family")),
        ("path", _TEXT),
        ("sha256", _TEXT),
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("year", pa.int32()),
        ("state", _TEXT),
        ("state_reason", _TEXT),
        ("picture_hash", _TEXT),
    ]
)
OFFER_SCHEMA = pa.schema(
    [
        (name, _TEXT)
        for name in (
            *("item_id", "feed", "sku", "retailer", "location", "colourway", "size", "release_date", "licence"),
            "likeness",
        )
    ]
)


class Likeness(enum.Enum):
    """How the picture of an offer is that of its item."""

    OWN = "own"
    SAME_FILE = "same_file"
    NEAR = "near"
    MIRRORED = "mirrored"


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as the edition's table holds it.

    Attributes:
        item_id: Unique in the gallery, see `outsole.gallery.layout.checked_name`.
        model_id: The shoe model that the item shows.
        brand, category, tread_family: Free text of at most 200 characters; empty where unknown.
        role: What the image shows.
        side: Which foot.
        path: Where the image came from, relative to its source, or its address.
        sha256: Hex digest of the untouched image file.
        width_px, height_px: Size of the image as decoded, pixels.
        year: In which the model was released, 1900 to 2100; 0 where unknown.
        state: Whether it is on sale, and whether it takes part in searches.
        state_reason: Why it is not active, in words; empty where it is.
        picture_hash: Perceptual hash of the image, 16 hex digits; empty where it was not computed.
    """

    item_id: str
    model_id: str
    brand: str = ""
    role: Role = Role.SOLE
    side: Side = Side.UNKNOWN
    category: str = ""
    tread_family: str = ""
    path: str = ""
    sha256: str = ""
    width_px: int = 0
    height_px: int = 0
    year: int = 0
    state: ItemState = ItemState.ACTIVE
    state_reason: str = ""
    picture_hash: str = ""

    def __post_init__(self) -> None:
        checked_name(self.item_id, field="item_id")
        for name in ("model_id", "brand", "category", "tread_family"):
            checked_text(getattr(self, name), field=name, owner=self.item_id)
        if not self.model_id:
            raise InvalidInput(f"item {self.item_id!r} has no model", field="model_id")
        if self.year and not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise InvalidInput(
                f"{self.year} of item {self.item_id!r} is no year",
                field="year",
                remedy=f"{FIRST_YEAR} to {LAST_YEAR}, or 0 where unknown",
            )


@dataclass(frozen=True, slots=True)
class Offer:
    """One row of a feed.

    Attributes:
        item_id: The item that shows its picture.
        feed: Name of the feed that it came with.
        sku: The retailer's number; the item's id where the feed has none.
        retailer, colourway, size, licence: Free text of at most 200 characters; empty where unknown.
        location: Path or address of the picture, as the feed says it.
        release_date: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; empty where unknown.
        likeness: How its picture is that of the item.
    """

    item_id: str
    feed: str
    sku: str
    retailer: str = ""
    location: str = ""
    colourway: str = ""
    size: str = ""
    release_date: str = ""
    licence: str = ""
    likeness: Likeness = Likeness.OWN

    def __post_init__(self) -> None:
        checked_name(self.item_id, field="item_id")
        for name in ("sku", "retailer", "colourway", "size", "licence"):
            checked_text(getattr(self, name), field=name, owner=self.item_id)


def item_table(rows: Sequence[ItemRow]) -> pa.Table:
    """Items as a table with the columns of `ITEM_SCHEMA`, in their order."""
    return _table(rows, ITEM_SCHEMA)


def offer_table(rows: Sequence[Offer]) -> pa.Table:
    """Offers as a table with the columns of `OFFER_SCHEMA`, in their order."""
    return _table(rows, OFFER_SCHEMA)


def item_rows(items: pa.Table) -> list[ItemRow]:
    """The items of a table as records, in its order."""
    return [
        ItemRow(
            **{**row, "role": Role(row["role"]), "side": Side(row["side"]), "state": ItemState(row["state"])},
        )
        for row in items.to_pylist()
    ]


def offer_rows(offers: pa.Table) -> list[Offer]:
    """The offers of a table as records, in its order."""
    return [Offer(**{**row, "likeness": Likeness(row["likeness"])}) for row in offers.to_pylist()]


def restated(items: pa.Table, states: Mapping[str, tuple[ItemState, str]]) -> pa.Table:
    """A table of items with other states.

    Args:
        items: Columns of `ITEM_SCHEMA`.
        states: State and reason by item id; the reason of an active item is left out, ids that are not there are too.
    """
    if not states:
        return items
    concerned = pc.is_in(items["item_id"], pa.array(states, pa.string())).combine_chunks()
    ids = items["item_id"].filter(concerned).to_pylist()
    values = {
        "state": [states[item][0].value for item in ids],
        "state_reason": ["" if states[item][0] is ItemState.ACTIVE else states[item][1] for item in ids],
    }
    for name, new in values.items():
        at = items.schema.get_field_index(name)
        column = pc.replace_with_mask(items[name].combine_chunks(), concerned, pa.array(new, pa.string()))
        items = items.set_column(at, items.schema.field(at), column)
    return items


def _table(rows: Sequence[ItemRow] | Sequence[Offer], schema: pa.Schema) -> pa.Table:
    # By columns: a dictionary a row would be a second copy of all rows, and a larger one.
    columns = ([_plain(getattr(row, name)) for row in rows] for name in schema.names)
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def _plain(value: Any) -> Any:
    """A value as a table takes it: enumerations by value."""
    return value.value if isinstance(value, enum.Enum) else value


def checked_text(text: str, *, field: str, owner: str) -> str:
    """Return ``text`` if it is at most 200 printable characters.

    Raises:
        InvalidInput: It is longer, or holds something that cannot be printed.
    """
    if len(text) > TEXT_LIMIT_CHARACTERS or not (text.isprintable() or text == ""):
        raise InvalidInput(
            f"{text[:60]!r} of item {owner!r} cannot be used",
            field=field,
            remedy=f"at most {TEXT_LIMIT_CHARACTERS} printable characters",
        )
    return text
