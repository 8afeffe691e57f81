"""The editions of a gallery side by side: each in one line, and what differs between two of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outsole.errors import DataCorrupt, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.history import edition_in_force, in_force_since, retired_editions
from outsole.gallery.layout import list_editions
from outsole.lifecycle import EditionInfo

_STATE = ("state", "state_reason")
_PICTURE = ("sha256", "width_px", "height_px", "picture_hash")


@dataclass(frozen=True)
class Change:
    """One item that differs between two editions.

    Attributes:
        item_id: The item.
        kind: ``added``, ``gone``, ``metadata``, ``picture`` or ``state``; an item may have several of the last three.
        before, after: What differs, as ``column=value``; empty for an item that is not there.
    """

    item_id: str
    kind: str
    before: str
    after: str


@dataclass(frozen=True)
class EditionDiff:
    """What differs between two editions, in order of item id.

    Attributes:
        before, after: Their ids.
        changes: Every difference.
    """

    before: str
    after: str
    changes: tuple[Change, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Differences by kind; every kind is there."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in ("added", "gone", "metadata", "picture", "state")}


def overview(root: Path, gallery: str) -> tuple[EditionInfo, ...]:
    """Every edition of a gallery, newest first.

    Files are looked at by name and length; hashes are `verify_edition`'s.

    Raises:
        NotFound: There is no such gallery.
        DataCorrupt: The gallery's history cannot be read.
    """
    ids = list_editions(root, gallery)
    if not ids:
        raise NotFound(f"there is no gallery {gallery!r}", field="gallery", remedy="index it first")
    current, since, retired = (
        edition_in_force(root, gallery),
        in_force_since(root, gallery),
        retired_editions(root, gallery),
    )
    found = []
    for name in ids:
        marks: dict[str, Any] = {"in_force": name == current, "retired": name in retired}
        marks["in_force_since"] = since if name == current else ""
        try:
            edition = Edition.open(root, gallery, name)
            states = edition.states()
        except (DataCorrupt, NotFound) as error:
            found.append(EditionInfo(name, "", 0, 0, damage=str(error), **marks))
            continue
        manifest = edition.manifest
        found.append(EditionInfo(name, edition.created, manifest.items, manifest.models, states, **marks))
    return tuple(sorted(found, key=lambda info: (info.created, info.edition), reverse=True))


def diff(before: Edition, after: Edition) -> EditionDiff:
    """What differs between two editions: items added and gone, changed metadata, pictures and states."""
    old, new = _by_id(before), _by_id(after)
    changes: list[Change] = []
    for item_id in sorted(old.keys() | new.keys()):
        if item_id not in old:
            changes.append(Change(item_id, "added", "", _said(new[item_id], ("model_id",))))
        elif item_id not in new:
            changes.append(Change(item_id, "gone", _said(old[item_id], ("model_id",)), ""))
        else:
            changes += _changed(item_id, old[item_id], new[item_id])
    return EditionDiff(before.id, after.id, tuple(changes))


def _by_id(edition: Edition) -> dict[str, dict[str, Any]]:
    return {row["item_id"]: row for row in edition.items.to_pylist()}


def _changed(item_id: str, old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    if old == new:
        return []
    differing = [name for name in old if old[name] != new[name]]
    kinds = {
        "metadata": [name for name in differing if name not in (*_STATE, *_PICTURE)],
        "picture": ["sha256"] if "sha256" in differing else [],
        "state": [name for name in differing if name in _STATE],
    }
    return [Change(item_id, kind, _said(old, names), _said(new, names)) for kind, names in kinds.items() if names]


def _said(row: dict[str, Any], names: list[str] | tuple[str, ...]) -> str:
    return " ".join(f"{name}={row[name]}" for name in names if row[name] not in ("", 0))
