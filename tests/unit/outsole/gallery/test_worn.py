"""Companion galleries: their names and settings, and which of their rows shows which item of the base."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from outsole.gallery.editions import Edition
from outsole.gallery.items import ItemRow
from outsole.gallery.worn import unworn_settings, worn_gallery, worn_rows, worn_settings, worn_weeks
from outsole.gallery.writer import EditionWriter


def written(root: Path, gallery: str, items: Sequence[tuple[str, str]], settings: dict[str, str]) -> Edition:
    """An edition of items by id and sha256."""
    rows = [ItemRow(item_id=name, model_id="m", sha256=digest) for name, digest in items]
    with EditionWriter(root, gallery, encoder_hash="ab", settings=settings) as writer:
        writer.append(rows, {"coarse": np.zeros((len(rows), 2), np.float32)})
        return writer.publish()


def test_a_companion_is_named_and_settled_by_its_weeks(tmp_path: Path) -> None:
    settings = {"arrays_version": "1"}
    base = written(tmp_path, "soles", [("a", "1")], settings)
    worn = written(tmp_path, worn_gallery("soles", 26), [("a", "1")], {**settings, **worn_settings(26, "cd")})
    assert worn.gallery == "soles.worn26"
    assert (worn_weeks(base), worn_weeks(worn)) == (0, 26)
    assert unworn_settings(worn.manifest.settings) == settings
    assert base.id != worn.id


def test_each_item_finds_its_row_unless_the_companion_lacks_it_or_shows_another_picture(tmp_path: Path) -> None:
    base = written(tmp_path, "soles", [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")], {})
    worn = written(tmp_path, "soles.worn26", [("a", "1"), ("c", "other"), ("cc", "7"), ("d", "4")], {})
    assert worn_rows(base, worn).tolist() == [0, -1, -1, 3]
    assert worn_rows(worn, base).tolist() == [0, -1, -1, 3]
