"""The sheet to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from outsole.errors import InvalidInput
from outsole.synthesis.contact_sheet import contact_sheet, main


def test_the_sheet_has_a_row_for_each_kind_of_picture() -> None:
    assert contact_sheet(1).shape == (8 * 200, 100, 3)


def test_columns_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput):
        contact_sheet(0)


def test_an_empty_folder_of_real_prints_ends_with_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path / "sheet.png"), "--real", str(tmp_path), "--columns", "1"])
    assert result.exit_code == 1
    assert "no image" in result.output
