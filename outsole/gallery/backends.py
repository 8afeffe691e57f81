"""The vector store that an address names."""

from __future__ import annotations

from outsole.errors import InvalidInput
from outsole.gallery.store import VectorStore

EXACT = "exact:"


def open_store(uri: str) -> VectorStore:
    """Open the vector store that an address names; nothing is connected or read before it is used.

    Args:
        uri: ``exact:`` for a scan of the arrays on disk, which needs no database; a directory whose name ends in
            ``.db`` for Milvus Lite; ``http://host:port`` or ``https://...`` for a Milvus server.

    Raises:
        InvalidInput: An address of no such kind.
    """
    if uri == EXACT:
        from outsole.gallery.exact_store import ExactStore

        return ExactStore()
    if uri.startswith(EXACT):
        raise InvalidInput(
            f"{uri!r} says more than {EXACT!r}",
            field="uri",
            remedy=f"{EXACT!r} alone: the arrays are those of the editions that are published",
        )
    if uri.endswith(".db") or uri.startswith(("http://", "https://")):
        # The client of Milvus takes a second to load, and a scan needs none.
        from outsole.gallery.milvus_store import MilvusStore

        return MilvusStore(uri)
    raise InvalidInput(
        f"{uri!r} names no vector store", field="uri", remedy=f"{EXACT!r}, a directory ending in .db, or http://..."
    )
