"""Requests about archives and traces to checked queries; see ``services.validation``."""

from __future__ import annotations

from collections.abc import Sequence

from outsole.api import convert_video
from outsole.api.convert_lifecycle import item_states_from_wire
from outsole.api.convert_shoes import track_filter_from_wire
from outsole.api.generated.outsole.v1 import retrieval_pb2, video_pb2
from outsole.errors import InvalidInput, NotOffered
from services.archives import TracksWanted
from services.fields import within
from services.queries import (
    DEFAULT_TRACE_ROWS,
    DEFAULT_TRACKS_PER_MODEL,
    MAX_ARCHIVES,
    MAX_K,
    MAX_MARKED,
    MAX_TRACE_PAIRS,
    RefineQuery,
    Target,
    TraceQuery,
)
from services.validation import in_range, print_query, shoe_query


def tracks_wanted(request: video_pb2.ListTracksRequest) -> TracksWanted:
    """Which tracks a list is of. Raises ``InvalidInput`` for a missing archive, or a filter or state that is none."""
    _check_archive(request.archive)
    where = track_filter_from_wire(request.filter, field="filter")
    return TracksWanted(where, item_states_from_wire(request.states), request.with_thumbnails)


def archive_wanted(request: video_pb2.GetArchiveRequest) -> Target:
    """Which archive is described. Raises ``InvalidInput`` where none is named."""
    _check_archive(request.archive)
    return Target(request.archive, request.edition)


def trace_query(request: retrieval_pb2.TracePrintRequest) -> TraceQuery:
    """The trace that is asked for. Raises ``InvalidInput`` as `services.validation.print_query`."""
    with within("search"):
        search = print_query(request.search)
    if not request.shoe_gallery:
        raise InvalidInput(
            "no gallery of shoes is named", field="shoe_gallery", remedy="a gallery that shows shoes; see ListGalleries"
        )
    per_model = in_range(request, "tracks_per_model", (1, MAX_K)) or DEFAULT_TRACKS_PER_MODEL
    if search.k * per_model > MAX_TRACE_PAIRS:
        raise InvalidInput(
            f"{search.k:,} models with {per_model:,} tracks each",
            field="tracks_per_model",
            remedy=f"at most {MAX_TRACE_PAIRS:,} in all",
        )
    return TraceQuery(
        search=search,
        shoes=Target(request.shoe_gallery, request.shoe_edition),
        archives=_archives(request),
        where=track_filter_from_wire(request.track_filter),
        tracks_per_model=per_model,
        rows=in_range(request, "rows", (1, MAX_K)) or DEFAULT_TRACE_ROWS,
        order=convert_video.order_from_wire(request.order),
        with_thumbnails=request.with_thumbnails,
    )


def refine_query(request: retrieval_pb2.RefineSearchRequest) -> RefineQuery:
    """The refined search that is asked for.

    Raises:
        InvalidInput: As `services.validation.shoe_query`, and for ids that are none, twice, too many, or in both lists.
        NotOffered: A search with a print.
    """
    if request.HasField("print"):
        raise NotOffered("searches with prints cannot be refined in this release", field="print", remedy="send shoe")
    with within("shoe"):
        search = shoe_query(request.shoe)
    relevant = names_once(request.relevant_ids, "relevant_ids", most=MAX_MARKED)
    irrelevant = names_once(request.irrelevant_ids, "irrelevant_ids", most=MAX_MARKED)
    if not relevant and not irrelevant:
        raise InvalidInput("nothing is marked", field="relevant_ids", remedy="one id at least")
    if both := set(relevant) & set(irrelevant):
        raise InvalidInput(f"{min(both)!r} is in both lists", field="irrelevant_ids", remedy="one of them")
    return RefineQuery(search, relevant, irrelevant, convert_video.method_from_wire(request.method))


def _archives(request: retrieval_pb2.TracePrintRequest) -> tuple[Target, ...]:
    names = names_once(request.archives, "archives", most=MAX_ARCHIVES)
    if not names:
        raise InvalidInput("0 archives", field="archives", remedy=f"1 to {MAX_ARCHIVES}")
    if stray := request.archive_editions.keys() - set(names):
        raise InvalidInput(f"{min(stray)!r} is not searched", field="archive_editions", remedy="name it in archives")
    return tuple(Target(name, request.archive_editions.get(name, "")) for name in names)


def names_once(names: Sequence[str], field: str, *, most: int) -> tuple[str, ...]:
    """Names of a request, none empty or given twice. Raises ``InvalidInput`` naming the first at fault."""
    if len(names) > most:
        raise InvalidInput(f"{len(names):,} {field}", field=field, remedy=f"at most {most:,}")
    known: set[str] = set()
    for number, name in enumerate(names):
        if not name or name in known:
            what = "given twice" if name else "empty"
            raise InvalidInput(f"{name!r} is {what}", field=f"{field}[{number}]", remedy="each of them once")
        known.add(name)
    return tuple(names)


def _check_archive(name: str) -> None:
    if not name:
        raise InvalidInput("no archive is named", field="archive", remedy="the name of an archive; see ListGalleries")
