"""From an entry to a picture that is ready for the encoder: fetch, and what the model does to the bytes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Container
from dataclasses import dataclass

from indexer.manifest import Entry
from indexer.model import Prepare, PreparedImage
from indexer.rejects import Reject
from outsole.errors import InvalidInput


@dataclass(frozen=True)
class Loaded:
    """An entry whose picture was read: its item knows the sha256.

    Attributes:
        entry: What was loaded.
        prepared: For the encoder; None where the picture is encoded already.
    """

    entry: Entry
    prepared: PreparedImage | None

    @property
    def sha256(self) -> str:
        """Of the picture's bytes."""
        return self.entry.item.sha256


@dataclass(frozen=True)
class Loader:
    """Loads entries; called in threads of this process or in processes of a cluster.

    Attributes:
        fetch: The bytes at a location; OutsoleError where they cannot be had.
        prepare: See ``indexer.model.IndexModel.prepare``.
        known: sha256 of the pictures that need no encoding.
    """

    fetch: Callable[[str], bytes]
    prepare: Prepare
    known: Container[str]

    def load(self, entry: Entry) -> Loaded | Reject:
        """The picture, or why it cannot be used.

        Raises:
            OutsoleError: Something is away that a retry may find; the picture is not to blame.
        """
        try:
            data = self.fetch(entry.location)
            item = dataclasses.replace(entry.item, sha256=hashlib.sha256(data).hexdigest())
            found = dataclasses.replace(entry, item=item)
            return Loaded(found, None if item.sha256 in self.known else self.prepare(data, item.role))
        except InvalidInput as error:
            return rejected(entry, str(error))


def rejected(entry: Entry, reason: str, *, column: str = "") -> Reject:
    """An entry that is not indexed."""
    return Reject(entry.row, column, entry.item.item_id, entry.item.path, reason)
