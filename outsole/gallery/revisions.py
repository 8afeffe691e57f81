"""Revisions: editions that differ from another in the states of items alone, and share all its other files."""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from collections.abc import Mapping
from pathlib import Path

from outsole.answers import ItemState
from outsole.gallery.decisions import Decision, Decisions, decided_states, read_decisions, record_decisions
from outsole.gallery.editions import Edition
from outsole.gallery.history import switch, switching
from outsole.gallery.items import restated
from outsole.gallery.layout import ITEMS, root_of, share
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
    # Asked of each, so that none that is not there is passed over.
    for item_id in states:
        edition.row_of(item_id)
    table = restated(edition.items, states).combine_chunks()
    if table.equals(edition.items):
        return edition
    root = root_of(edition.folder)
    folder = new_folder(root, edition.gallery)
    try:
        for name in edition.manifest.files.keys() - {ITEMS}:
            share(edition.folder / name, folder / name)
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
    return revise(edition, decided_states(decisions, edition.items)) if decisions else edition


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
