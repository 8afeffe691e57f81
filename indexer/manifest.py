"""The stage ``read``: what is to be indexed, from a directory of images or a manifest that lists them.

``python -m indexer.manifest SOURCE`` says what a source holds and what is wrong with it; nothing is fetched.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from indexer.access import Access, Checker, is_local
from indexer.manifest_files import directory_rows, manifest_rows
from indexer.rejects import Reject, rejects_csv, shown
from indexer.schema import COLUMNS, column_of, id_of, location_column, role_of, side_of, texts_of, year_of
from outsole.answers import Role
from outsole.errors import InvalidInput, NotFound, OutsoleError
from outsole.gallery.items import ItemRow, Offer
from outsole.gallery.layout import checked_name

__all__ = ["DEFAULT_FEED", "Entry", "Reject", "Source", "read_source", "rejects_csv"]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})
DEFAULT_FEED = "default"
_SHOWN_REJECTS = 10
_EMPTY = dict.fromkeys(COLUMNS, "")
_Rows = Iterable[tuple[int, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One image to index.

    Attributes:
        row: 1-based row of the manifest, its header not counted, or place in the directory.
        item: What is known of it; hash and size are not yet.
        offer: The row as the feed has it.
        location: Where the image is: an absolute path, links followed, or an address as it was given.
    """

    row: int
    item: ItemRow
    offer: Offer
    location: str

    @property
    def role(self) -> Role:
        """What the picture shows."""
        return self.item.role

    @property
    def file(self) -> Path:
        """Where the image is, if it is on this machine.

        Raises:
            InvalidInput: It is at an address.
        """
        if not is_local(self.location):
            raise InvalidInput(f"{self.location[:200]!r} is no file of this machine", field="url")
        return Path(self.location)


@dataclass(frozen=True)
class Source:
    """What was found.

    Attributes:
        entries: In order of item id.
        rejects: In order of row.
        repeated: Rows that say again, column for column, what an earlier row says.
        access: What may be fetched of it, roots filled in.
    """

    entries: tuple[Entry, ...]
    rejects: tuple[Reject, ...]
    repeated: int = 0
    access: Access = Access()


def read_source(
    source: Path, *, feed: str = DEFAULT_FEED, access: Access | None = None, role: Role = Role.SOLE
) -> Source:
    """Read a directory of images (all of them, recursively), or a manifest.

    The columns of a manifest are those of `indexer.schema`; ``id`` or ``sku`` and ``path`` or ``url`` are needed. A
    ``path`` is relative to the manifest. In a directory every image shows the same, and its id is made of its path, see
    `indexer.manifest_files.directory_rows`.

    Args:
        source: The directory or manifest.
        feed: The name under which the source is crawled again and again.
        access: Where pictures may be; by default in the source's own directory.
        role: What the images of a directory show.

    Raises:
        NotFound: There is nothing at ``source``.
        InvalidInput: It is no manifest, a column is missing or unknown, it lists nothing, or the feed has no such name.
        MissingPart: It names buckets that are allowed, and a package that opens them is not installed.
    """
    checked_name(feed, field="feed")
    rows: _Rows
    if source.is_dir():
        base, rows = source, _directory_records(source, role)
    elif source.is_file():
        base, rows = source.parent, manifest_rows(source)
    else:
        raise NotFound(f"there is nothing at {str(source)!r}", field="source")
    reading = _Reading(feed, (access or Access()).at(base), base)
    found = reading.read(rows)
    if not found.entries and not found.rejects:
        raise InvalidInput(
            f"{source.name!r} holds no images", field="source", remedy=f"endings: {', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    return found


def _directory_records(folder: Path, role: Role) -> Iterator[tuple[int, dict[str, Any]]]:
    for row, record in directory_rows(folder, IMAGE_SUFFIXES):
        yield row, _Texts(_EMPTY | record | {"role": role.value})


class _Texts(dict[str, Any]):
    """A record whose values are texts already: blanks around the name of a file belong to it."""


class _Reading:
    """One reading of a source: rows become entries, rejects or repetitions."""

    def __init__(self, feed: str, access: Access, base: Path) -> None:
        self._feed = feed
        self._access = access
        self._checker = Checker(access, base)
        self._entries: dict[str, Entry] = {}
        self._rejects: list[Reject] = []
        self._repeated = 0

    def read(self, rows: _Rows) -> Source:
        """Everything that the rows hold."""
        for row, record in rows:
            try:
                self._take(row, record)
            except InvalidInput as error:
                self._rejects.append(_reject(row, record, error))
        entries = tuple(self._entries[item] for item in sorted(self._entries))
        return Source(entries, tuple(self._rejects), self._repeated, self._access)

    def _take(self, row: int, record: Mapping[str, Any]) -> None:
        texts = record if isinstance(record, _Texts) else texts_of(record)
        if isinstance(record, _Texts) and not texts["id"]:
            remedy = "rename it, or list it in a manifest"
            raise InvalidInput("no id can be made of the file's name", field="id", remedy=remedy)
        entry = self._entry(row, texts)
        first = self._entries.setdefault(entry.item.item_id, entry)
        if first is entry:
            return
        earlier, later = _columns(first), _columns(entry)
        other = next((column for column in later if later[column] != earlier.get(column)), None)
        if other is None:
            self._repeated += 1
            return
        name = entry.item.item_id
        raise InvalidInput(f"{name!r} is already the id of row {first.row}, which differs in {other!r}", field="id")

    def _entry(self, row: int, texts: Mapping[str, str]) -> Entry:
        role, side = role_of(texts["role"]), side_of(texts["side"])
        item_id = id_of(texts, role, side)
        column = location_column(texts)
        given = texts[column]
        location = self._checker.path(given) if column == "path" else self._checker.url(given)
        # First, because a model that is not named has the sku's name, and the fault is the sku's.
        offer = Offer(
            item_id=item_id,
            feed=self._feed,
            sku=texts["sku"] or item_id,
            location=given,
            retailer=texts["retailer"],
            colourway=texts["colourway"],
            size=texts["size"],
            release_date=texts["release_date"],
            licence=texts["licence"],
        )
        item = ItemRow(
            item_id=item_id,
            model_id=texts["model"] or texts["sku"] or item_id,
            brand=texts["brand"],
            role=role,
            side=side,
            category=texts["category"],
            tread_family=texts["tread_family"],
            path=given,
            year=year_of(texts["release_date"]),
        )
        return Entry(row, item, offer, location)


def _columns(entry: Entry) -> dict[str, object]:
    """What an entry was made of, by column."""
    item, offer = entry.item, entry.offer
    return {
        "sku": offer.sku,
        "path" if is_local(entry.location) else "url": offer.location,
        "model": item.model_id,
        "brand": item.brand,
        "retailer": offer.retailer,
        "role": entry.role,
        "side": item.side,
        "category": item.category,
        "tread_family": item.tread_family,
        "release_date": offer.release_date,
        "colourway": offer.colourway,
        "size": offer.size,
        "licence": offer.licence,
    }


def _reject(row: int, record: Mapping[str, Any], error: InvalidInput) -> Reject:
    return Reject(
        row=row,
        column=column_of(error.field),
        item_id=shown(record.get("id") or record.get("sku")),
        path=shown(record.get("path") or record.get("url")),
        reason=f"{error.message} ({error.remedy})" if error.remedy else error.message,
    )


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--feed", default=DEFAULT_FEED, show_default=True, help="Name under which it is crawled again and again.")
@click.option(
    "--allow-root",
    "roots",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="DIR",
    help="A directory that pictures may lie in, beside the source's own.",
)
@click.option("--allow-host", "hosts", multiple=True, metavar="HOST", help="A web host, or *.NAME for all below it.")
@click.option("--allow-bucket", "buckets", multiple=True, metavar="URL", help="A bucket, for example s3://shoes.")
@click.option("--rejects", "rejects_file", type=click.Path(path_type=Path, dir_okay=False), help="Write them as CSV.")
def command(source: Path, feed: str, *, rejects_file: Path | None, roots: tuple[Path, ...], **lists: Any) -> None:
    """Say what SOURCE, a directory of images or a manifest, holds. Nothing is fetched.

    The exit status is 0 where something can be indexed, else 1.
    """
    own = source if source.is_dir() else source.parent
    try:
        found = read_source(source, feed=feed, access=Access(roots=(own, *roots), **lists))
        if rejects_file is not None:
            rejects_file.write_bytes(rejects_csv(found.rejects))
    except (OutsoleError, OSError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    click.echo(_summary(source, found))
    if not found.entries:
        raise click.exceptions.Exit(1)


def _summary(source: Path, found: Source) -> str:
    rows = len(found.entries) + len(found.rejects) + found.repeated
    roles = Counter(entry.role.value for entry in found.entries)
    columns = Counter(reject.column or "picture" for reject in found.rejects)
    lines = [
        f"{source.name}: {rows:,} rows, {found.repeated:,} of them repeated",
        f"{len(found.entries):,} pictures can be fetched{_counts(roles)}",
        f"{len(found.rejects):,} rows are rejected{_counts(columns)}",
    ]
    if found.rejects:
        listed = [(str(r.row), r.column, r.item_id or r.path, r.reason) for r in found.rejects[:_SHOWN_REJECTS]]
        lines += _table([("row", "column", "item", "reason"), *listed])
    return "\n".join(lines)


def _counts(counts: Counter[str]) -> str:
    return f" ({', '.join(f'{name} {times:,}' for name, times in counts.most_common())})" if counts else ""


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


if __name__ == "__main__":
    sys.exit(command())
