"""A made catalogue of shoes on disk."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.synthesis.shoe_galleries import MadeShoes, make_shoe_gallery


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeShoes:
    return make_shoe_gallery(tmp_path_factory.mktemp("catalogue"), models=2, seed=4)


def test_every_model_has_a_sole_and_three_photographs_of_one_id(made: MadeShoes) -> None:
    tables = [list(csv.DictReader(path.open(encoding="utf-8"))) for path in (made.soles, made.shoes)]
    assert [[row["model"] for row in table] for table in tables] == [
        list(made.model_ids),
        [model for model in made.model_ids for _ in range(3)],
    ]
    assert [row["role"] for row in tables[1][:3]] == ["SIDE", "FRONT", "HEEL"]
    assert all((made.directory / row["path"]).is_file() for table in tables for row in table)


def test_what_a_camera_saw_is_marked_inside_its_picture(made: MadeShoes) -> None:
    seen = made.seen()
    assert [shoe.model_id for shoe in seen] == list(made.model_ids)
    for shoe in seen:
        height, width = np.asarray(cv2.imread(str(shoe.path))).shape[:2]
        for point in (shoe.marks.toe, shoe.marks.heel):
            assert point is not None
            assert 0 <= point[0] < width and 0 <= point[1] < height
        assert made.print_of(shoe.model_id).is_file()


def test_the_same_numbers_give_the_same_files(made: MadeShoes, tmp_path: Path) -> None:
    again = make_shoe_gallery(tmp_path, models=2, seed=4)
    names = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert all((again.directory / name).read_bytes() == (made.directory / name).read_bytes() for name in names)


@pytest.mark.parametrize(("models", "seed", "field"), [(0, 1, "models"), (100_000, 1, "models"), (1, -1, "seed")])
def test_numbers_out_of_range_are_refused(tmp_path: Path, models: int, seed: int, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_shoe_gallery(tmp_path, models=models, seed=seed)
    assert caught.value.field == field
