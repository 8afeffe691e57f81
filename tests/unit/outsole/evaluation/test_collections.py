from __future__ import annotations

from pathlib import Path

import pytest

from outsole.errors import InvalidInput, NotFound
from outsole.evaluation.collections import read_collection
from outsole.synthesis.galleries import make_print_gallery


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_print_gallery(tmp_path_factory.mktemp("made"), models=3, probes=4, seed=3).directory


def test_a_made_gallery_is_read_by_its_manifest(made: Path) -> None:
    collection = read_collection(made)
    assert collection.source.name == "manifest.csv"
    assert collection.size == 3
    assert [probe.name for probe in collection.probes] == ["00001", "00002", "00003", "00004"]
    assert {probe.item_id for probe in collection.probes} == {"00001", "00002", "00003"}


def test_fewer_probes_are_taken_evenly(made: Path) -> None:
    assert [probe.name for probe in read_collection(made).first(2).probes] == ["00001", "00003"]
    assert len(read_collection(made).first(None).probes) == 4


def test_labels_of_probes_that_are_not_there_are_left_out(made: Path, tmp_path: Path) -> None:
    (tmp_path / "references").symlink_to(made / "references")
    (tmp_path / "tracks_cropped").symlink_to(made / "tracks_cropped")
    (tmp_path / "label_table.csv").write_text("2,1\n77,2\n")
    collection = read_collection(tmp_path)
    assert [probe.name for probe in collection.probes] == ["00002"]
    assert collection.source.name == "references"


def test_a_directory_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="has no references"):
        read_collection(tmp_path)


def test_a_table_that_is_none_is_refused(made: Path, tmp_path: Path) -> None:
    (tmp_path / "references").symlink_to(made / "references")
    (tmp_path / "tracks_cropped").symlink_to(made / "tracks_cropped")
    (tmp_path / "label_table.csv").write_text("probe,reference,extra\n")
    with pytest.raises(InvalidInput, match="no table"):
        read_collection(tmp_path)
