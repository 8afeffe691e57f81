"""SearchShoe through real Triton, Ray Serve and Milvus Lite."""

from __future__ import annotations

import dataclasses

import pytest

from outsole.answers import ItemFilter, ShoeMarks, View
from outsole.api import Client
from outsole.errors import InvalidInput, NotFound
from tests.end_to_end.stack import GALLERY, SHOE_GALLERY, SHOE_MODELS, Stack


def test_what_a_camera_saw_is_found_among_the_photographs(stack: Stack, client: Client) -> None:
    found = 0
    for shoe in stack.shoes.seen():
        answer = client.search_shoe(shoe.path, gallery=SHOE_GALLERY, marks=shoe.marks)
        assert [hit.rank for hit in answer.hits] == list(range(1, SHOE_MODELS + 1))
        assert len({hit.model_id for hit in answer.hits}) == SHOE_MODELS
        found += answer.hits[0].model_id == shoe.model_id
    assert found > 0.7 * SHOE_MODELS


def test_an_answer_says_what_it_was_computed_on_and_is_the_same_again(stack: Stack, client: Client) -> None:
    shoe = stack.shoes.seen()[0]
    first, again = (client.search_shoe(shoe.path, gallery=SHOE_GALLERY, marks=shoe.marks, k=3) for _ in range(2))
    assert dataclasses.replace(first, stage_ms={}) == dataclasses.replace(again, stage_ms={})
    assert first.searched == first.total == 3 * SHOE_MODELS
    assert set(first.stage_ms) == {"receive", "decode", "crop", "encode", "candidates", "group", "report"}
    assert first.settings["shows"] == "shoes"
    assert first.encoder_hash == client.get_gallery(SHOE_GALLERY).encoder_hash
    assert len(first.hits) == 3


def test_a_shop_photograph_without_marks_finds_its_own_model(stack: Stack, client: Client) -> None:
    model = stack.shoes.model_ids[0]
    picture = stack.shoes.directory / "shoes" / f"{model}-side.jpg"
    answer = client.search_shoe(picture, gallery=SHOE_GALLERY, k=1)
    assert answer.hits[0].model_id == model
    assert answer.hits[0].score > 0.99
    assert answer.settings["crops"] == "2"


def test_a_filter_leaves_out_what_it_does_not_name(stack: Stack, client: Client) -> None:
    shoe = stack.shoes.seen()[0]
    categories = {item.category for page in client.list_items(SHOE_GALLERY) for item in page}
    wanted = sorted(categories)[0]
    where = ItemFilter(categories=(wanted,))
    answer = client.search_shoe(shoe.path, gallery=SHOE_GALLERY, marks=shoe.marks, where=where)
    assert {hit.category for hit in answer.hits} == {wanted}
    assert answer.total < 3 * SHOE_MODELS or len(categories) == 1


@pytest.mark.parametrize(
    ("marks", "field"),
    [
        (ShoeMarks(toe=(5.0, 5.0)), "toe"),
        (ShoeMarks(toe=(5.0, 5.0), heel=(6.0, 5.0)), "toe"),
        (ShoeMarks(box=(-1.0, 0.0, 20.0, 20.0)), "box"),
        (ShoeMarks(View.FRONT, box=(5.0, 5.0, 5.0, 9.0)), "box"),
    ],
)
def test_marks_that_cannot_be_are_named(stack: Stack, client: Client, marks: ShoeMarks, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        client.search_shoe(stack.shoes.seen()[0].path, gallery=SHOE_GALLERY, marks=marks)
    assert caught.value.field == field
    assert caught.value.remedy


def test_galleries_of_another_kind_are_refused_by_name(stack: Stack, client: Client) -> None:
    with pytest.raises(InvalidInput, match="shows soles") as caught:
        client.search_shoe(stack.shoes.seen()[0].path, gallery=GALLERY)
    assert caught.value.field == "gallery"
    with pytest.raises(InvalidInput, match="shows shoes"):
        client.search_print(stack.probe(), gallery=SHOE_GALLERY)
    with pytest.raises(NotFound):
        client.search_shoe(stack.shoes.seen()[0].path, gallery="nowhere")
