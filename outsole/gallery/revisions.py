"""Revisions: editions that differ from another in the states of items alone, and share all its other files."""

from __future__ import annotations

import dataclasses
import datetime
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from outsole.answers import ItemState
from outsole.errors import NotFound
from outsole.gallery.decisions import Decision, Decisions, read_decisions, record_decisions, state_of
from outsole.gallery.editions import Edition
from outsole.gallery.history import switch, switching
from outsole.gallery.items import ITEM_SCHEMA
from outsole.gallery.layout import ITEMS, root_of
from outsole.gallery.writer import finish_edition, new_folder, record_of, write_items


def revise(edition: Edition, states: Mapping[str, tuple[ItemState, str]]) -> Edition:
    """Make an edition that differs in the states of items alone; it is not yet in force.

    Arrays, thumbnails and offers are the same files by hard links, or copies where the file system has none; only the
    table of items and the manifest are written. The same content has the same id, whichever way it was made.

    Args:
        edition: What is revised; it stays as it is.
        states: State and reason by item id; the reason of an active item is left out.

    Raises:
        NotFound: The edition has no such item.
    """
    table = _with_states(edition, states)
    if table.equals(edition.items):
        return edition
    root = root_of(edition.folder)
    folder = new_folder(root, edition.gallery)
    try:
        for name in edition.manifest.files.keys() - {ITEMS}:
            _share(edition.folder / name, folder / name)
        write_items(folder, table)
        manifest = dataclasses.replace(
            edition.manifest,
            files={**edition.manifest.files, ITEMS: record_of(folder / ITEMS)},
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )
        # What is shared is as whole as it was: where the edition exists already, its table alone is looked at.
        return finish_edition(folder, manifest, root=root, checked=(ITEMS,))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def decided(edition: Edition) -> Edition:
    """The edition in which every item has the state that people decided: the same one, or a revision of it.

    Raises:
        DataCorrupt: The gallery's decisions cannot be read.
    """
    decisions = Decisions.of(read_decisions(root_of(edition.folder), edition.gallery))
    return revise(edition, _decided_states(edition, decisions))


def put_in_force(edition: Edition, *, reason: str) -> Edition:
    """Put an edition in force as people decided about its items; returns it, or its revision.

    Raises:
        DataCorrupt: The gallery's decisions cannot be read.
    """
    root = root_of(edition.folder)
    # Somebody may decide something at this moment: the lock keeps that from being lost.
    with switching(root, edition.gallery):
        edition = decided(edition)
        switch(root, edition.gallery, edition.id, reason=reason)
    return edition


def decide(root: Path, gallery: str, decision: Decision) -> Edition:
    """Write a decision down and put an edition in force that follows it; returns that edition.

    Searches that are under way keep to the edition that they began on.

    Raises:
        NotFound: There is no such gallery, or its edition in force has no such item.
        DataCorrupt: The gallery's files or decisions are damaged.
    """
    with switching(root, gallery):
        before = Edition.open(root, gallery)
        before.row_of(decision.item_id)
        record_decisions(root, gallery, [decision])
        after = decided(before)
        switch(root, gallery, after.id, reason=f"{decision.kind.value} {decision.item_id}: {decision.reason}")
    return after


def _decided_states(edition: Edition, decisions: Decisions) -> dict[str, tuple[ItemState, str]]:
    """The items whose state is not what was decided, with the state and reason that they should have."""
    wanted = {}
    for item_id in decisions.retirement.keys() | decisions.quarantine.keys():
        if not edition.has_item(item_id):
            continue
        item = edition.item(edition.row_of(item_id))
        should = state_of(decisions, item_id, state=item.state, reason=item.state_reason)
        if should != (item.state, item.state_reason):
            wanted[item_id] = should
    return wanted


def _with_states(edition: Edition, states: Mapping[str, tuple[ItemState, str]]) -> pa.Table:
    rows = {edition.row_of(item_id): wanted for item_id, wanted in states.items()}
    columns = {name: edition.items[name].to_pylist() for name in ("state", "state_reason")}
    for row, (state, reason) in rows.items():
        columns["state"][row] = state.value
        columns["state_reason"][row] = "" if state is ItemState.ACTIVE else reason
    table = edition.items
    for name, values in columns.items():
        at = ITEM_SCHEMA.get_field_index(name)
        table = table.set_column(at, ITEM_SCHEMA.field(at), pa.array(values, pa.string()))
    # In one piece, as the writer has it: the same rows are then the same bytes.
    return table.combine_chunks()


def _share(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError as error:
        raise NotFound(f"edition {source.parent.name!r} lacks its file {source.name}", field="edition") from error
    except OSError:
        shutil.copyfile(source, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())
