"""Rejects as people and programs read them."""

from __future__ import annotations

import csv
import io

from indexer.rejects import Reject, rejects_csv, shown


def test_rejects_are_a_csv_file_in_order_of_row() -> None:
    text = rejects_csv([Reject(2, "", "b", "b.png", 'said "no", twice'), Reject(1, "id", "", "a.png", "x")]).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["row", "column", "item_id", "path", "reason"]
    assert rows[1:] == [["1", "id", "", "a.png", "x"], ["2", "", "b", "b.png", 'said "no", twice']]


def test_any_value_can_be_shown_and_written() -> None:
    assert [shown(value) for value in (None, "a", 7, 1.5, [1], "x" * 300)] == ["", "a", "7", "1.5", "<list>", "x" * 200]
    assert rejects_csv([Reject(1, "", shown("\ud800"), "", "")])
