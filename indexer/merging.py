"""What a gallery holds after a crawl: the items of the crawl, and those of before that it does not show any more.

Nothing is lost: an item that a feed no longer has is kept as discontinued, with the offers that it had last, and items
of other feeds stay as they are.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.crawl import Crawl
from indexer.duplicates import Pictures, find_duplicates
from indexer.manifest import Reject
from outsole.answers import ItemState
from outsole.gallery.editions import Edition
from outsole.gallery.items import ItemRow, Likeness, Offer, item_rows, offer_rows
from outsole.imaging.picture_hash import hash_from_text

_CARRIED = 0
"""Row that a reject has which no manifest listed."""


@dataclass(slots=True)
class Merged:
    """One item of the edition to come, with all its offers."""

    item: ItemRow
    offers: list[Offer] = field(default_factory=list)
    is_new: bool = False


def merge(crawl: Crawl, before: Edition | None, *, feed: str) -> tuple[deque[Merged], list[Reject]]:
    """The items of the next edition in order of id, and what of before cannot be taken over.

    Args:
        crawl: Of this feed; its places hold every picture whose arrays are there. Its entries are taken out of it.
        before: The edition in force; None for a new gallery.
        feed: Items of this feed alone can become discontinued.

    Returns:
        Items with their offers. An item of before whose arrays another encoder made is rejected with that reason: the
        edition of before keeps it.
    """
    offers = _offers_by_item(before)
    carried = (
        _carried(before, {entry.item.item_id for entry in crawl.entries}, offers, feed) if before is not None else []
    )
    lost = [each.item for each in carried if each.item.sha256 not in crawl.places]
    known = set(before.item_ids) if before is not None else set()
    kept = [each for each in carried if each.item.sha256 in crawl.places]
    rows = [*_crawled(crawl, known, offers, feed), *kept]
    rejects = [
        Reject(_CARRIED, "", item.item_id, item.path, "not in this crawl, and encoded by another encoder before")
        for item in lost
    ]
    return _joined(rows, feed), rejects


def _crawled(crawl: Crawl, known: set[str], offers: Mapping[str, list[Offer]], feed: str) -> list[Merged]:
    rows = []
    while crawl.entries:
        entry = crawl.entries.popleft()
        origin, position = crawl.places[entry.item.sha256]
        item = dataclasses.replace(entry.item, picture_hash=origin.picture_hash(position))
        others = _of_others(offers.get(item.item_id, ()), feed)
        rows.append(Merged(item, [entry.offer, *others], item.item_id not in known))
    return rows


def _carried(before: Edition, shown: set[str], offers: Mapping[str, list[Offer]], feed: str) -> list[Merged]:
    """Items of before that the crawl does not show."""
    rows = []
    for item in item_rows(before.items):
        if item.item_id not in shown:
            had = offers.get(item.item_id, [])
            others = _of_others(had, feed)
            rows.append(Merged(_as_crawled(item), others) if others else Merged(_gone(item, feed), had))
    return rows


def _of_others(offers: Iterable[Offer], feed: str) -> list[Offer]:
    return [offer for offer in offers if offer.feed != feed]


def _as_crawled(item: ItemRow) -> ItemRow:
    """An item in the state that crawls gave it: decisions and outliers are judged again for every edition."""
    if item.state in (ItemState.ACTIVE, ItemState.DISCONTINUED):
        return item
    return dataclasses.replace(item, state=ItemState.ACTIVE, state_reason="")


def _gone(item: ItemRow, feed: str) -> ItemRow:
    if item.state is ItemState.DISCONTINUED:
        return item
    return dataclasses.replace(
        item, state=ItemState.DISCONTINUED, state_reason=f"not in the last crawl of feed {feed!r}"
    )


def _offers_by_item(edition: Edition | None) -> Mapping[str, list[Offer]]:
    found: dict[str, list[Offer]] = defaultdict(list)
    for offer in offer_rows(edition.offers) if edition is not None else ():
        found[offer.item_id].append(offer)
    return found


def _joined(rows: Sequence[Merged], feed: str) -> deque[Merged]:
    """Pictures of one model that are the same become one item with all offers."""
    found = find_duplicates(_pictures(rows))
    for row, at, likeness in zip(rows, found.representatives.tolist(), found.likenesses, strict=True):
        if likeness is not Likeness.OWN:
            _join(rows[at], row, likeness, feed)
    left = (row for row, likeness in zip(rows, found.likenesses, strict=True) if likeness is Likeness.OWN)
    return deque(sorted(left, key=lambda row: row.item.item_id))


def _join(owner: Merged, row: Merged, likeness: Likeness, feed: str) -> None:
    if owner.item.state is ItemState.DISCONTINUED and row.item.state is ItemState.ACTIVE:
        # Its own entry is gone, and another one still offers what it shows.
        owner.item = dataclasses.replace(owner.item, state=ItemState.ACTIVE, state_reason="")
        owner.offers = _of_others(owner.offers, feed)
    owner.offers += (dataclasses.replace(each, item_id=owner.item.item_id, likeness=likeness) for each in row.offers)


def _pictures(rows: Sequence[Merged]) -> Pictures:
    return Pictures(
        # An item that the gallery has already keeps its id, whatever comes after.
        ids=[f"{int(row.is_new)}{row.item.item_id}" for row in rows],
        models=[row.item.model_id for row in rows],
        roles=[row.item.role for row in rows],
        sides=[row.item.side for row in rows],
        sha256s=[row.item.sha256 for row in rows],
        hashes=np.array([hash_from_text(row.item.picture_hash) for row in rows], np.uint64),
    )
