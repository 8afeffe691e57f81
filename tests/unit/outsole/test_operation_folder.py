"""An operation's folder: whole states, units that failed, one worker at a time."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.operation_folder import OperationFolder, now
from outsole.operations import INGEST, ItemFailure, OperationInfo, WorkProgress, WorkState

INFO = OperationInfo("abc-1", INGEST, "soles", "/feeds/a", WorkState.QUEUED, now())


@pytest.fixture
def folder(tmp_path: Path) -> OperationFolder:
    return OperationFolder.create(tmp_path, INFO, {"gallery": "soles"})


def test_what_is_written_is_read(folder: OperationFolder) -> None:
    assert (folder.info(), folder.request()) == (INFO, {"gallery": "soles"})
    error = InvalidInput("no image can be used", field="source", remedy="send another")
    ended = dataclasses.replace(
        INFO, state=WorkState.FAILED, error=error, finished=now(), progress=WorkProgress(3, 5, stage="encode")
    )
    folder.write(ended)
    found = folder.info()
    assert str(found.error) == str(error)
    assert isinstance(found.error, InvalidInput)
    assert dataclasses.replace(found, error=error) == ended


def test_units_that_failed_are_read_up_to_a_limit(folder: OperationFolder) -> None:
    failures = [ItemFailure(f"item-{n}", "it is no picture") for n in range(5)]
    folder.add_errors(failures[:3])
    folder.add_errors(failures[3:])
    assert list(folder.item_errors(4)) == failures[:4]
    assert folder.info(with_items=True).item_errors == tuple(failures)
    folder.forget_errors()
    assert list(folder.item_errors(4)) == []


def test_only_one_works_on_it_at_a_time(folder: OperationFolder) -> None:
    with folder.working() as first, OperationFolder(folder.path).working() as second:
        assert (first, second) == (True, False)
    with folder.working() as again:
        assert again


def test_a_wish_to_stop_is_kept(folder: OperationFolder) -> None:
    assert not folder.should_stop
    folder.ask_to_stop()
    assert OperationFolder(folder.path).should_stop


def test_what_is_not_there_or_damaged_is_said(folder: OperationFolder, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nothing-1"):
        OperationFolder(tmp_path / "nothing-1").info()
    (folder.path / "state.json").write_text('{"state": "asleep"}')
    with pytest.raises(DataCorrupt):
        folder.info()


def test_the_wish_that_it_holds_still_can_be_taken_back(tmp_path: Path) -> None:
    folder = OperationFolder(tmp_path)
    folder.ask_to_go_on()
    assert not folder.should_pause
    folder.ask_to_pause()
    folder.ask_to_pause()
    assert folder.should_pause
    assert not folder.should_stop
    folder.ask_to_go_on()
    assert not folder.should_pause
