"""A made gallery on disk: layout, tables, determinism, command."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from outsole.errors import InvalidInput
from outsole.imaging.decode import decode_image
from outsole.imaging.masks import mask_from_png
from outsole.synthesis.galleries import MANIFEST_COLUMNS, main, make_print_gallery


def files(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


def test_a_gallery_has_the_layout_of_fid_300_and_every_file_reads_back(tmp_path: Path) -> None:
    gallery = make_print_gallery(tmp_path / "g", models=4, probes=6, seed=2)
    rows = list(csv.DictReader(gallery.manifest.read_text(encoding="utf-8").splitlines()))
    assert tuple(rows[0]) == MANIFEST_COLUMNS
    assert [row["path"] for row in rows] == [f"references/{n:05d}.png" for n in range(1, 5)]
    for row in rows:
        assert decode_image((gallery.directory / row["path"]).read_bytes()).gray.shape[0] == 586
    labels = [tuple(map(int, row)) for row in csv.reader(gallery.label_table.read_text(encoding="utf-8").splitlines())]
    assert [probe for probe, _ in labels] == [1, 2, 3, 4, 5, 6]
    assert {reference for _, reference in labels[:4]} == {1, 2, 3, 4}
    for probe, _ in labels:
        gray = decode_image((gallery.directory / f"tracks_cropped/{probe:05d}.jpg").read_bytes()).gray
        mask = mask_from_png((gallery.directory / f"masks/{probe:05d}.png").read_bytes(), gray.shape, field="mask")
        assert mask.any()


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 2), ("b", 2), ("c", 3)):
        make_print_gallery(tmp_path / name, models=2, probes=2, seed=seed)
    first, again, other = (files(tmp_path / name) for name in "abc")
    assert first == again
    assert first["references/00001.png"] != other["references/00001.png"]


@pytest.mark.parametrize(("models", "probes", "seed"), [(0, 1, 1), (1, -1, 1), (1, 1, -1), (100_000, 0, 1)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, models: int, probes: int, seed: int) -> None:
    with pytest.raises(InvalidInput):
        make_print_gallery(tmp_path, models=models, probes=probes, seed=seed)


def test_the_command_writes_a_gallery_and_says_what_is_wrong_without_a_trace(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(tmp_path), "--models", "2", "--probes", "1"])
    assert done.exit_code == 0
    assert "2 references and 1 probes" in done.output
    refused = CliRunner().invoke(main, [str(tmp_path), "--models", "0"])
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
