"""The editions on disk as galleries and items, and whether the encoder that is served made them."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsole.answers import GalleryInfo, ItemFilter, ItemInfo, ItemState
from outsole.errors import InvalidInput, OutsoleError, PreconditionFailed
from outsole.gallery.editions import Edition, list_editions, list_galleries
from outsole.gallery.filters import rows_allowed, rows_matching
from outsole.gallery.layout import SHOES, SOLES, TRACKS, checked_name, current_edition
from outsole.gallery.overview import overview
from outsole.gallery.worn import unworn_settings, worn_gallery, worn_weeks
from outsole.lifecycle import EditionInfo
from services.pages import edition_of, start_of, token_of

DEFAULT_PAGE = 100
MAX_PAGE = 1_000
# Every gallery of soles may have companions of several weeks.
_KEPT_EDITIONS = 16
_NAMED_VALUES = 10
_SINGULAR = {"brands": "brand", "categories": "category", "cameras": "camera", "places": "place"}
_SEARCHED_BY = {SOLES: "SearchPrint", SHOES: "SearchShoe", TRACKS: "SearchShoe with an archive"}


@dataclass(frozen=True)
class Served:
    """The encoders that are served, as far as editions have to agree with them.

    Attributes:
        name, hash: Of the correlation encoder's specification.
        index_settings: Settings that the arrays of an edition must have been made with.
        embeddings: Hash by name of the embeddings; an edition needs the one that it was indexed with.
        shoes: Hash by name of the encoders of shoes.
    """

    name: str
    hash: str
    index_settings: Mapping[str, str]
    embeddings: Mapping[str, str] = field(default_factory=dict)
    shoes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EncoderChoice:
    """What a search encodes its probe with; at least one of them.

    Attributes:
        correlation: Name of the correlation encoder; empty where the embedding alone is asked.
        embedding: Name of the embedding; empty where the correlation alone is asked, or the edition has none.
    """

    correlation: str
    embedding: str


@dataclass(frozen=True)
class ItemsWanted:
    """Which items a list is of.

    Attributes:
        where: The filter.
        states: States wanted; empty for all.
        with_thumbnails: Whether the small pictures are wanted.
    """

    where: ItemFilter = ItemFilter()
    states: tuple[ItemState, ...] = ()
    with_thumbnails: bool = False


@dataclass(frozen=True)
class ItemPage:
    """A page of items, the token of the next one (empty on the last), and how many there are in all."""

    items: tuple[ItemInfo, ...]
    next_page_token: str
    total: int
    edition: str


class Catalogue:
    """Galleries, editions and items; it may be shared by threads.

    Args:
        root: Directory of the galleries.
        served: The encoder that searches use.
    """

    def __init__(self, root: Path, served: Served) -> None:
        self._root = root
        self._served = served
        self._open: OrderedDict[tuple[str, str], Edition] = OrderedDict()
        self._codes: OrderedDict[tuple[str, str], NDArray[np.int64]] = OrderedDict()
        self._lock = threading.Lock()

    def edition(self, gallery: str, edition: str = "") -> Edition:
        """An edition, the one in force where none is named.

        Raises:
            InvalidInput: A name that cannot be one.
            NotFound: There is no such gallery or edition.
            DataCorrupt: Its files are not what its manifest says.
        """
        named = checked_name(edition, field="edition") if edition else ""
        # The first edition of a gallery is tried before any is in force; otherwise an unknown gallery is told from an
        # unknown edition of a known one.
        is_there = bool(named) and named in list_editions(self._root, gallery)
        current = named if is_there else current_edition(self._root, gallery)
        key = (gallery, named or current)
        with self._lock:
            if key not in self._open:
                self._open[key] = Edition.open(self._root, *key)
            self._open.move_to_end(key)
            while len(self._open) > _KEPT_EDITIONS:
                self._open.popitem(last=False)
            return self._open[key]

    def searchable_by_shoe(self, gallery: str, edition: str = "", *, shows: str = SHOES) -> Edition:
        """An edition of shoes, or of tracks, that can be searched with a picture of a shoe; see `edition`.

        Raises:
            InvalidInput: The gallery shows something else.
            PreconditionFailed: Its encoder is not served.
        """
        found = self.edition(gallery, edition)
        check_shows(found, shows)
        self._check_shoe_encoder(found)
        return found

    def _check_shoe_encoder(self, found: Edition) -> None:
        name, gallery = found.manifest.encoder_name, found.gallery
        if self._served.shoes.get(name) != found.encoder_hash:
            state = "is not served" if name not in self._served.shoes else "is served with other weights"
            raise PreconditionFailed(
                f"encoder {name!r} of edition {found.id} of gallery {gallery!r} {state}",
                field="edition",
                remedy="put its model folder back, or index the gallery again",
            )

    def searchable(self, gallery: str, edition: str = "", *, encoder: str = "") -> Edition:
        """An edition of soles that can be searched with the encoder named; see `edition` and `choice`.

        Raises:
            InvalidInput: The gallery shows something else.
            PreconditionFailed: Another encoder made it, or other settings, or it lacks the encoder named.
        """
        found = self.edition(gallery, edition)
        check_shows(found, SOLES)
        self._check_correlation(found)
        self.choice(found, encoder)
        return found

    def choice(self, edition: Edition, encoder: str = "") -> EncoderChoice:
        """Which encoders a search of an edition uses: all that it was indexed with, or the one named.

        Raises:
            PreconditionFailed: It was not indexed with the encoder named, or its embedding is not served.
        """
        correlation, embedding = self._served.name, edition.embedding
        if encoder not in ("", correlation, embedding):
            had = " and ".join(filter(None, (correlation, embedding)))
            raise PreconditionFailed(
                f"edition {edition.id} of gallery {edition.gallery!r} was indexed with {had}, not {encoder[:100]!r}",
                field="encoder",
                remedy=f"leave it out, or name {had.replace(' and ', ' or ')}",
            )
        if not embedding or encoder == correlation:
            return EncoderChoice(correlation, "")
        if self._served.embeddings.get(embedding) != edition.manifest.embeddings[embedding]:
            state = "is not served" if embedding not in self._served.embeddings else "is served with other weights"
            raise PreconditionFailed(
                f"embedding {embedding!r} of edition {edition.id} of gallery {edition.gallery!r} {state}",
                field="encoder",
                remedy=f"put its model folder back, index the gallery again, or search with encoder {correlation}",
            )
        return EncoderChoice("" if encoder == embedding else correlation, embedding)

    def worn(self, base: Edition, weeks: int, *, edition: str = "", embedding: str = "") -> Edition:
        """An edition of a gallery's companion, comparable with an edition of the gallery itself.

        Args:
            base: Of the gallery itself.
            weeks: Weeks of wear of the companion.
            edition: The companion's; empty for the one in force.
            embedding: Name of the base's embedding, where the search uses it.

        Raises:
            NotFound: The gallery has a companion, and it has no such edition.
            PreconditionFailed: The gallery was not indexed so, with these encoders; the command to run is named.
        """
        name = worn_gallery(base.gallery, weeks)
        if name not in list_galleries(self._root):
            raise _not_worn(base, weeks, f"gallery {base.gallery!r} was not indexed worn for {weeks} weeks")
        found = self.edition(name, edition)
        if worn_weeks(found) != weeks:
            raise _not_worn(base, weeks, f"gallery {name!r} is no companion of {base.gallery!r}")
        check_shows(found, SOLES)
        self._check_correlation(found)
        if embedding and found.manifest.embeddings.get(embedding) != base.manifest.embeddings[embedding]:
            raise _not_worn(base, weeks, f"edition {found.id} of gallery {name!r} was indexed without {embedding!r}")
        return found

    def encoders_in_use(self) -> tuple[str, ...]:
        """Names of the embeddings and encoders of shoes that searchable galleries need now, in order of name."""
        named = (name for gallery in self.galleries() if self.is_searchable(gallery) for name in gallery.encoders)
        return tuple(sorted(set(named) & (self._served.embeddings.keys() | self._served.shoes.keys())))

    def _check_correlation(self, found: Edition) -> None:
        gallery = found.gallery
        if found.encoder_hash != self._served.hash:
            raise PreconditionFailed(
                f"edition {found.id} of gallery {gallery!r} was made by encoder {found.encoder_hash[:16]}, served is "
                f"{self._served.hash[:16]}",
                field="edition",
                remedy="index the gallery again with this release",
            )
        # A companion is searched like any gallery of soles: all but its wear has to be as served.
        if unworn_settings(found.manifest.settings) != dict(self._served.index_settings):
            raise PreconditionFailed(
                f"edition {found.id} of gallery {gallery!r} was made with other settings than are served",
                field="edition",
                remedy="index the gallery again with this release",
            )

    def galleries(self) -> tuple[GalleryInfo, ...]:
        """All galleries with an edition that can be opened, in order of name."""
        found = []
        for name in list_galleries(self._root):
            try:
                found.append(self.edition(name).info())
            except OutsoleError:
                # One damaged gallery must not hide the others; asking for it by name says what is wrong.
                continue
        return tuple(found)

    def is_searchable(self, gallery: GalleryInfo) -> bool:
        """Whether everything that the gallery's edition was made with is served."""
        try:
            shows = self.edition(gallery.name, gallery.edition).manifest.shows
            if shows == SOLES:
                self.searchable(gallery.name, gallery.edition)
            else:
                self.searchable_by_shoe(gallery.name, gallery.edition, shows=shows)
        except OutsoleError:
            return False
        return True

    def galleries_page(self, *, size: int, token: str) -> tuple[tuple[GalleryInfo, ...], str]:
        """A page of galleries and the token of the next. Raises ``InvalidInput`` for a token of another list."""
        everything = self.galleries()
        start = start_of(token, "galleries")
        end = start + size
        return everything[start:end], token_of("galleries", end) if end < len(everything) else ""

    def items_page(self, gallery: str, edition: str, wanted: ItemsWanted, *, size: int, token: str) -> ItemPage:
        """A page of the items wanted, in order of id.

        A token keeps to the edition that it came from, also where the gallery has another one by now.

        Raises:
            InvalidInput: A token of another list.
            NotFound: There is no such gallery or edition.
        """
        found = self.edition(gallery, edition or edition_of(token))
        _check_items(found)
        scope = _scope(found, wanted)
        rows = np.flatnonzero(rows_matching(found.items, wanted.where) & in_states(found.items, wanted.states))
        start = start_of(token, scope)
        end = start + size
        return ItemPage(
            items=tuple(found.item(int(row), with_thumbnail=wanted.with_thumbnails) for row in rows[start:end]),
            next_page_token=token_of(scope, end) if end < len(rows) else "",
            total=len(rows),
            edition=found.id,
        )

    def editions_page(self, gallery: str, *, size: int, token: str) -> tuple[tuple[EditionInfo, ...], str]:
        """A page of a gallery's editions, newest first, and the token of the next.

        Raises:
            InvalidInput: A token of another list.
            NotFound: There is no such gallery.
        """
        everything = overview(self._root, gallery)
        scope = f"editions of {gallery}"
        start = start_of(token, scope)
        end = start + size
        return everything[start:end], token_of(scope, end) if end < len(everything) else ""

    def item(self, gallery: str, edition: str, item_id: str) -> ItemInfo:
        """One item with its thumbnail. Raises ``NotFound`` where there is none."""
        if not item_id:
            raise InvalidInput("no item is named", field="item_id", remedy="an item's id")
        found = self.edition(gallery, edition)
        _check_items(found)
        return found.item(found.row_of(item_id), with_thumbnail=True)

    def model_codes(self, edition: Edition) -> NDArray[np.int64]:
        """int64 [N]: equal numbers for rows that are one in an answer: items of the same model."""
        key = (edition.gallery, edition.id)
        with self._lock:
            if key not in self._codes:
                self._codes[key] = edition.group_codes()
            while len(self._codes) > _KEPT_EDITIONS:
                self._codes.popitem(last=False)
            return self._codes[key]

    def rows(self, edition: Edition, where: ItemFilter) -> NDArray[np.int64]:
        """The rows of an edition that pass a filter, int64 [n], ascending.

        Raises:
            InvalidInput: A brand or category that no item of the edition has; the first known ones are named.
        """
        for column, name, values in (("brand", "brands", where.brands), ("category", "categories", where.categories)):
            _check_known(edition, column, field=f"filter.{name}", values=values)
        return np.flatnonzero(rows_allowed(edition.items, where)).astype(np.int64)


def check_shows(edition: Edition, wanted: str) -> None:
    """Raise ``InvalidInput`` where a gallery shows something else than is wanted, naming what it is searched by."""
    shows = edition.manifest.shows
    if shows != wanted:
        raise InvalidInput(
            f"gallery {edition.gallery!r} shows {shows}",
            field="gallery",
            remedy=f"one that shows {wanted}; {_SEARCHED_BY[shows]} is for {shows}",
        )


def _not_worn(base: Edition, weeks: int, message: str) -> PreconditionFailed:
    remedy = f"outsole index SOURCE --gallery {base.gallery} --worn {weeks}"
    return PreconditionFailed(message, field="gallery", remedy=remedy)


def _check_items(edition: Edition) -> None:
    if edition.manifest.shows == TRACKS:
        raise InvalidInput(
            f"gallery {edition.gallery!r} shows {TRACKS}", field="gallery", remedy="ListTracks lists them"
        )


def _check_known(edition: Edition, column: str, *, field: str, values: tuple[str, ...]) -> None:
    check_known(pc.unique(edition.items[column]), values, field=field, what=f"no item of gallery {edition.gallery!r}")


def check_known(known: pa.Array, values: tuple[str, ...], *, field: str, what: str) -> None:
    """Raise ``InvalidInput`` for a value of a filter that nothing has, naming the first that are known.

    Args:
        known: Texts that there are.
        values: Texts wanted.
        field: The request field, ending in the plural of what the values are.
        what: Who has none of them, for the sentence.
    """
    if not values:
        return
    missing = pa.array(values, pa.string()).filter(pc.invert(pc.is_in(pa.array(values, pa.string()), value_set=known)))
    if len(missing):
        names = sorted(name for name in known.to_pylist() if name)
        more = f" and {len(names) - _NAMED_VALUES} more" if len(names) > _NAMED_VALUES else ""
        raise InvalidInput(
            f"{what} has {_SINGULAR[field.rpartition('.')[2]]} {missing[0].as_py()[:100]!r}",
            field=field,
            remedy=f"known are {', '.join(names[:_NAMED_VALUES]) or 'none'}{more}",
        )


def in_states(items: pa.Table, states: tuple[ItemState, ...]) -> NDArray[np.bool_]:
    """Which rows of a table are in one of the states, bool [N]; all of them where none is named."""
    if not states:
        return np.ones(items.num_rows, dtype=bool)
    values = pa.array([state.value for state in states], pa.string())
    found: NDArray[np.bool_] = pc.is_in(items["state"], value_set=values).to_numpy()
    return found


def _scope(edition: Edition, wanted: ItemsWanted) -> str:
    digest = hashlib.sha256(repr((edition.gallery, wanted.where, wanted.states)).encode()).hexdigest()[:12]
    return f"{edition.id}/{digest}"
