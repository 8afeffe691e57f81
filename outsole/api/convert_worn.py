"""Worn views of a search on the wire; see ``outsole.api.convert`` for how."""

from __future__ import annotations

from google.protobuf.unknown_fields import UnknownFieldSet

from outsole.api.generated.outsole.v1 import retrieval_pb2
from outsole.api.records import WearSearch
from outsole.errors import InvalidInput
from outsole.wear.weeks import checked_worn_views


def wear_search_to_wire(search: WearSearch) -> retrieval_pb2.WearSearch:
    """The worn views to compare, for the wire."""
    return retrieval_pb2.WearSearch(
        gallery_weeks=search.gallery_weeks,
        probe_weeks=search.probe_weeks,
        gallery_editions=search.gallery_editions,
    )


def wear_search_from_wire(message: retrieval_pb2.WearSearch, *, field: str = "wear") -> WearSearch:
    """The worn views that a caller wants compared.

    Raises:
        InvalidInput: Weeks that there are none of, too many of them, an edition of other weeks, or a field that this
            release does not know: to leave it unread would answer something else than was asked.
    """
    unknown = UnknownFieldSet(message)
    if len(unknown):
        raise InvalidInput(f"unknown field {unknown[0].field_number}", field=field, remedy="gallery_weeks, probe_weeks")
    weeks = checked_worn_views(message.gallery_weeks, field=f"{field}.gallery_weeks")
    editions = {int(week): edition for week, edition in message.gallery_editions.items() if edition}
    for week in sorted(editions.keys() - set(weeks)):
        raise InvalidInput(
            f"an edition is named for {week} weeks", field=f"{field}.gallery_editions", remedy="weeks of gallery_weeks"
        )
    probe_weeks = None
    if message.HasField("probe_weeks"):
        probe_weeks = one_worn_view(message.probe_weeks, field=f"{field}.probe_weeks")
    return WearSearch(weeks, probe_weeks, editions)


def one_worn_view(weeks: int, *, field: str) -> int:
    """Weeks of one worn view. Raises ``InvalidInput``, naming the field, for weeks that there are none of."""
    try:
        return checked_worn_views([weeks], field=field)[0]
    except InvalidInput as error:
        error.field = field
        raise
