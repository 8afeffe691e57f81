"""Galleries and items for the wire and back; see ``outsole.api.convert``."""

from __future__ import annotations

from outsole.answers import GalleryInfo, ItemInfo, ItemState
from outsole.api.convert import side_from_wire, side_to_wire
from outsole.api.generated.outsole.v1 import common_pb2, gallery_pb2

STATE_TO_WIRE = {
    ItemState.ACTIVE: common_pb2.ITEM_STATE_ACTIVE,
    ItemState.DISCONTINUED: common_pb2.ITEM_STATE_DISCONTINUED,
    ItemState.RETIRED: common_pb2.ITEM_STATE_RETIRED,
    ItemState.QUARANTINED: common_pb2.ITEM_STATE_QUARANTINED,
}
# A service of an earlier release says no state: all its items are active.
STATE_FROM_WIRE: dict[int, ItemState] = {number: state for state, number in STATE_TO_WIRE.items()}


def gallery_to_wire(gallery: GalleryInfo) -> gallery_pb2.Gallery:
    """A gallery for the wire."""
    return gallery_pb2.Gallery(
        name=gallery.name,
        edition=gallery.edition,
        items=gallery.items,
        models=gallery.models,
        encoder_hash=gallery.encoder_hash,
        created=gallery.created,
        encoders=gallery.encoders,
    )


def gallery_from_wire(message: gallery_pb2.Gallery) -> GalleryInfo:
    """A gallery as it was sent."""
    return GalleryInfo(
        name=message.name,
        edition=message.edition,
        items=message.items,
        models=message.models,
        encoder_hash=message.encoder_hash,
        created=message.created,
        encoders=dict(message.encoders),
    )


def item_to_wire(item: ItemInfo) -> gallery_pb2.Item:
    """An item for the wire."""
    return gallery_pb2.Item(
        item_id=item.item_id,
        model_id=item.model_id,
        brand=item.brand,
        side=side_to_wire(item.side),
        category=item.category,
        tread_family=item.tread_family,
        sha256=item.sha256,
        thumbnail_png=item.thumbnail_png,
        year=item.year,
        state=STATE_TO_WIRE[item.state],
        state_reason=item.state_reason,
    )


def item_from_wire(message: gallery_pb2.Item) -> ItemInfo:
    """An item as it was sent."""
    return ItemInfo(
        item_id=message.item_id,
        model_id=message.model_id,
        brand=message.brand,
        side=side_from_wire(message.side),
        category=message.category,
        tread_family=message.tread_family,
        sha256=message.sha256,
        thumbnail_png=message.thumbnail_png,
        year=message.year,
        state=STATE_FROM_WIRE.get(message.state, ItemState.ACTIVE),
        state_reason=message.state_reason,
    )
