"""Requests about archives and traces are refused by the field at fault."""

from __future__ import annotations

from typing import Any

import pytest

from outsole.answers import ItemState
from outsole.api.generated.outsole.v1 import common_pb2, retrieval_pb2, video_pb2
from outsole.errors import InvalidInput, NotOffered
from outsole.video_answers import RefineMethod, TraceOrder
from services import validation, video_validation
from services.queries import ShoeQuery, Target, TrackQuery


def shoe(**fields: Any) -> retrieval_pb2.SearchShoeRequest:
    return retrieval_pb2.SearchShoeRequest(image=b"x", **fields)


def trace(**fields: Any) -> retrieval_pb2.TracePrintRequest:
    search = retrieval_pb2.SearchPrintRequest(image=b"x", gallery="soles")
    given = {"search": search, "shoe_gallery": "shoes", "archives": ["a", "b"], **fields}
    return retrieval_pb2.TracePrintRequest(**given)


def field_of(check: Any, request: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        check(request)
    return caught.value.field


def test_a_search_is_of_a_gallery_or_of_an_archive() -> None:
    assert isinstance(validation.shoe_query(shoe(gallery="g")), ShoeQuery)
    query = validation.shoe_query(shoe(archive="a", edition="e", k=7, with_thumbnails=True))
    assert isinstance(query, TrackQuery)
    assert (query.target, query.k, query.with_thumbnails) == (Target("a", "e"), 7, True)
    tracks, items = common_pb2.TrackFilter(), common_pb2.ItemFilter()
    assert field_of(validation.shoe_query, shoe()) == "gallery"
    assert field_of(validation.shoe_query, shoe(gallery="g", archive="a")) == "archive"
    assert field_of(validation.shoe_query, shoe(gallery="g", track_filter=tracks)) == "track_filter"
    assert field_of(validation.shoe_query, shoe(archive="a", filter=items)) == "filter"
    assert field_of(validation.shoe_query, shoe(archive="a", k=0)) == "k"


def test_a_trace_takes_its_defaults_and_pins_editions() -> None:
    query = video_validation.trace_query(trace(archive_editions={"b": "e2"}))
    assert query.archives == (Target("a"), Target("b", "e2"))
    assert (query.tracks_per_model, query.rows, query.order) == (10, 50, TraceOrder.JOINT_RANKS)
    assert (query.search.k, query.shoes) == (20, Target("shoes"))


def test_traces_that_make_no_sense_are_refused_by_field() -> None:
    for fields, field in (
        ({"search": retrieval_pb2.SearchPrintRequest(gallery="soles")}, "search.image"),
        ({"shoe_gallery": ""}, "shoe_gallery"),
        ({"archives": []}, "archives"),
        ({"archives": ["a"] * 101}, "archives"),
        ({"archives": ["a", "b", "a"]}, "archives[2]"),
        ({"archives": ["a", ""]}, "archives[1]"),
        ({"archive_editions": {"c": "e"}}, "archive_editions"),
        ({"tracks_per_model": 0}, "tracks_per_model"),
        ({"tracks_per_model": 501}, "tracks_per_model"),
        ({"rows": 1_001}, "rows"),
        ({"order": 9}, "order"),
        ({"track_filter": common_pb2.TrackFilter(cameras=[""])}, "track_filter.cameras[0]"),
    ):
        assert field_of(video_validation.trace_query, trace(**fields)) == field


def test_a_refined_search_needs_marks_that_agree() -> None:
    def refine(**fields: Any) -> retrieval_pb2.RefineSearchRequest:
        return retrieval_pb2.RefineSearchRequest(shoe=shoe(archive="a"), **fields)

    query = video_validation.refine_query(refine(relevant_ids=["t1"], irrelevant_ids=["t2"], method=2))
    assert (query.relevant, query.irrelevant, query.method) == (("t1",), ("t2",), RefineMethod.BEST_SCORE)
    for fields, field in (
        ({}, "relevant_ids"),
        ({"relevant_ids": ["a"] * 101}, "relevant_ids"),
        ({"relevant_ids": ["a", "a"]}, "relevant_ids[1]"),
        ({"irrelevant_ids": [""]}, "irrelevant_ids[0]"),
        ({"relevant_ids": ["a"], "irrelevant_ids": ["a"]}, "irrelevant_ids"),
        ({"relevant_ids": ["a"], "method": 7}, "method"),
    ):
        assert field_of(video_validation.refine_query, refine(**fields)) == field
    assert (
        field_of(video_validation.refine_query, retrieval_pb2.RefineSearchRequest(relevant_ids=["a"])) == "shoe.image"
    )


def test_a_search_with_a_print_is_not_refined_in_this_release() -> None:
    search = retrieval_pb2.SearchPrintRequest(image=b"x", gallery="soles")
    with pytest.raises(NotOffered, match="prints cannot be refined"):
        video_validation.refine_query(retrieval_pb2.RefineSearchRequest(print=search, relevant_ids=["a"]))


def test_lists_of_tracks_and_archives_name_their_archive() -> None:
    states = [common_pb2.ITEM_STATE_RETIRED]
    wanted = video_validation.tracks_wanted(video_pb2.ListTracksRequest(archive="a", states=states))
    assert wanted.states == (ItemState.RETIRED,)
    assert field_of(video_validation.tracks_wanted, video_pb2.ListTracksRequest()) == "archive"
    assert field_of(video_validation.archive_wanted, video_pb2.GetArchiveRequest()) == "archive"
    wrong = video_pb2.ListTracksRequest(archive="a", filter=common_pb2.TrackFilter(places=[""]))
    assert field_of(video_validation.tracks_wanted, wrong) == "filter.places[0]"
