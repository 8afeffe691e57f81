"""The Milvus store: one class for the embedded Milvus Lite and for a Milvus server.

Each field of an edition is a collection of its own: servers before 2.4 hold one vector field in a collection, and a
field can then be published or dropped alone. Editions with the same content share it. Milvus finds the rows; their
scores are computed again from the arrays of the edition, so that they are the exact store's whatever the index.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from milvus_lite.server_manager import server_manager_instance
from numpy.typing import NDArray
from pymilvus import MilvusClient

from outsole.errors import BudgetSpent, InvalidInput, NotFound, Unavailable
from outsole.gallery.editions import Edition
from outsole.gallery.filters import RowFilter, rows_allowed, rows_matching
from outsole.gallery.milvus_collections import (
    TEXT_BYTES,
    alias_name,
    collection_name,
    schema,
    upload_rows,
)
from outsole.gallery.milvus_errors import translated
from outsole.gallery.milvus_filters import filter_expression
from outsole.gallery.scan import Scan, ranked
from outsole.gallery.store import (
    Candidates,
    PublishedEditions,
    checked_queries,
    vectors_of,
)

DIMENSION_LIMIT = 32_768
LIMIT_LIMIT = 16_384
QUERIES_LIMIT = 16_384
# Servers refuse requests above 64 MB; this leaves room for the text columns and the envelope.
_REQUEST_BYTES = 48 << 20
# Rows that an expression may name as excluded. Of 20,000 x 1,792, naming 10,000 (64 kB) added nothing on Lite and 20 ms
# on a server. Beyond it the arrays are scanned: asking for 10,000 hits more instead took 1.5 s and 0.5 s, even of
# 20,000 x 64, and no call gives more than 16,384.
EXCLUDED_LIMIT = 10_000
_LITE_INDEXES = frozenset({"FLAT", "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8"})
_SERVER_INDEXES = frozenset({"FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8", "IVF_PQ", "DISKANN"})
# The width of a search, by index type: it must not be below the limit. The number is what is taken where none is given.
_WIDTHS = {"HNSW": ("ef", 64), "HNSW_SQ": ("ef", 64), "DISKANN": ("search_list", 100)}


@dataclass(frozen=True)
class MilvusSettings:
    """How vectors are kept in Milvus.

    Attributes:
        index_type: FLAT is exact; Lite also builds HNSW, HNSW_SQ, IVF_FLAT, IVF_SQ8, a server also IVF_PQ, DISKANN.
        index_params: Of the index, for example ``{"M": 16, "efConstruction": 200}``.
        search_params: Of a search, for example ``{"ef": 800}``; a width below the limit of a search is raised to it.
        call_timeout_s: Seconds for one call that is not a search.
        build_timeout_s: Seconds for one upload, for building an index and for loading it.
    """

    index_type: str = "FLAT"
    index_params: Mapping[str, int] = field(default_factory=dict)
    search_params: Mapping[str, int] = field(default_factory=dict)
    call_timeout_s: float = 10.0
    build_timeout_s: float = 600.0


class MilvusStore:
    """Vectors in Milvus, see `VectorStore`; it may be shared by threads.

    It connects at the first call, and again at the next one after a failure. A Lite directory has one owner: open it
    in one process only.

    Args:
        uri: A directory whose name ends in ``.db`` for Milvus Lite, else ``http://host:port`` of a server.
        settings: Index and time limits.

    Raises:
        InvalidInput: A URI of neither kind, or an index type that this back end cannot build.
    """

    def __init__(self, uri: str, *, settings: MilvusSettings | None = None) -> None:
        self._settings = settings or MilvusSettings()
        self._is_lite = uri.endswith(".db")
        if not self._is_lite and not uri.startswith(("http://", "https://")):
            raise InvalidInput(f"{uri!r} is no Milvus", field="uri", remedy="a directory ending in .db, or http://...")
        offered = _LITE_INDEXES if self._is_lite else _SERVER_INDEXES
        if self._settings.index_type not in offered:
            raise InvalidInput(
                f"{'Milvus Lite' if self._is_lite else 'a Milvus server'} builds no {self._settings.index_type!r}",
                field="index_type",
                remedy=f"one of {', '.join(sorted(offered))}",
            )
        self._uri = uri
        self._published = PublishedEditions()
        self._collections: dict[tuple[str, str], str] = {}
        self._scans: dict[str, Scan] = {}
        self._connection: Any = None
        self._lock = threading.Lock()
        # Two editions may want the same collection at once.
        self._changing = threading.Lock()

    def publish(self, edition: Edition, fields: Sequence[str]) -> None:
        """See `VectorStore.publish`; a collection that is whole is only loaded."""
        self._take_up(edition, fields, anew=False)

    def rebuild(self, edition: Edition, fields: Sequence[str]) -> None:
        """See `VectorStore.rebuild`; what is there is not looked at, for it may be damaged."""
        self._take_up(edition, fields, anew=True)

    def _take_up(self, edition: Edition, fields: Sequence[str], *, anew: bool) -> None:
        held = vectors_of(edition, fields)
        for name, vectors in held.items():
            if vectors.shape[1] > DIMENSION_LIMIT:
                raise InvalidInput(
                    f"{name} has {vectors.shape[1]} dimensions", field=name, remedy=f"at most {DIMENSION_LIMIT}"
                )
        for name, vectors in held.items():
            collection = self._name(edition, name)
            with self._changing, translated(f"publish {name} of edition {edition.id}"):
                self._refuse_what_this_build_lacks(self._client())
                if anew or not self._load_whole(collection, len(edition)):
                    self._rebuild(collection, edition, vectors)
                self._collections[edition.id, name] = collection
        self._published.add(edition, fields)

    def point_alias(self, gallery: str, field: str, edition_id: str) -> None:
        """Point the alias of a gallery's field, ``outsole_<gallery>_<field>``, at the collection of an edition.

        It is for others who read the same server: a reader sees the old collection or the new one, nothing between.
        A search of this store names its edition and needs no alias. Milvus Lite keeps aliases too.

        Args:
            gallery: Name of the gallery; characters that Milvus does not allow are replaced.
            field: One of the fields published.
            edition_id: The edition in force, published here.

        Raises:
            NotFound: The edition or the field was not published in this process.
            BudgetSpent, Unavailable: The back end did not answer; may be retried.
        """
        self._published.get(edition_id, field)
        alias, timeout = alias_name(gallery, field), self._settings.call_timeout_s
        with self._changing, translated(f"point alias {alias} at edition {edition_id}"):
            client = self._client()
            is_there = alias in client.list_aliases("", timeout=timeout)["aliases"]
            point = client.alter_alias if is_there else client.create_alias
            point(self._collection(edition_id, field), alias, timeout=timeout)

    def search(
        self,
        edition_id: str,
        field: str,
        queries: NDArray[np.float32],
        *,
        limit: int,
        where: RowFilter,
        timeout_s: float,
    ) -> Candidates:
        """See `VectorStore.search`."""
        end = time.monotonic() + timeout_s
        edition, vectors = self._published.get(edition_id, field)
        wanted = checked_queries(queries, vectors.shape[1], limit)
        kept = min(limit, len(edition))
        if kept > LIMIT_LIMIT:
            raise InvalidInput(f"the limit is {limit}", field="limit", remedy=f"at most {LIMIT_LIMIT}")
        rows = np.full((len(wanted), kept), -1, np.int64)
        # A filter that lets nothing pass needs no call, and one that lets all pass needs no expression.
        allowed = rows_allowed(edition.items, where)
        # States are no column, so what they exclude is named by row.
        excluded = np.flatnonzero(rows_matching(edition.items, where) & ~allowed)
        if len(excluded) > EXCLUDED_LIMIT:
            return self._scan(edition_id, field).best(wanted, limit=kept, allowed=allowed, end=end)
        expression = "" if allowed.all() else filter_expression(where, without=excluded.tolist())
        of_vectors, of_answers = 4 * vectors.shape[1], 16 * max(kept, 1)
        step = max(1, min(QUERIES_LIMIT, _REQUEST_BYTES // of_vectors, _REQUEST_BYTES // of_answers))
        for start in range(0, len(wanted) if allowed.any() else 0, step):
            part = slice(start, start + step)
            rows[part] = self._rows(self._collection(edition_id, field), wanted[part], kept, expression, end)
        return ranked(vectors, wanted, rows, limit=kept, end=end)

    def _scan(self, edition_id: str, field: str) -> Scan:
        """The arrays themselves, for a search that no expression can say."""
        collection = self._collection(edition_id, field)
        scan = self._scans.get(collection)
        if scan is None:
            # Two threads may make it at once; a lock would let a search wait for an upload.
            scan = self._scans[collection] = Scan(self._published.get(edition_id, field)[1])
        return scan

    def _rows(
        self, collection: str, queries: NDArray[np.float32], limit: int, expression: str, end: float
    ) -> NDArray[np.int64]:
        remaining_s = end - time.monotonic()
        if remaining_s <= 0:
            raise BudgetSpent("no time was left to ask Milvus", field="time_budget_ms")
        with translated("search"):
            answer = self._client().search(
                collection,
                data=list(queries),
                anns_field="vector",
                # Without this Lite turns every vector it found into a Python list: six times slower at 400 hits.
                output_fields=["id"],
                filter=expression,
                limit=limit,
                search_params={"metric_type": "IP", "params": self._search_params(limit)},
                consistency_level="Bounded",
                timeout=remaining_s,
            )
        rows = np.full((len(queries), limit), -1, np.int64)
        for line, hits in zip(rows, answer, strict=True):
            line[: len(hits)] = [hit["id"] for hit in hits]
        return rows

    def _search_params(self, limit: int) -> dict[str, int]:
        params = dict(self._settings.search_params)
        if self._settings.index_type in _WIDTHS:
            name, default = _WIDTHS[self._settings.index_type]
            params[name] = max(params.get(name, default), limit)
        return params

    def count(self, edition_id: str) -> int:
        """See `VectorStore.count`; the least over the fields published here, counted with Strong consistency."""
        fields = self._published.fields(edition_id)
        with translated(f"count edition {edition_id}"):
            return min((self._count(self._collection(edition_id, name)) for name in fields), default=0)

    def retire(self, edition: Edition) -> None:
        """See `VectorStore.retire`; drops the collections that no other edition published here uses.

        One that an alias names is kept, because it is in force for others: point the alias at the new edition first.
        """
        self._published.remove(edition.id)
        with self._changing, translated(f"retire edition {edition.id}"):
            used = {name for (other, _), name in self._collections.items() if other != edition.id}
            # By content, so that what an earlier process uploaded goes too.
            for name in sorted({self._name(edition, field) for field in edition.array_names} - used):
                self._drop_unless_aliased(name)
                self._scans.pop(name, None)
            # Only now, so that a retirement that failed can be tried again.
            self._collections = {key: name for key, name in self._collections.items() if key[0] != edition.id}

    def _name(self, edition: Edition, field: str) -> str:
        return collection_name(edition, field, (self._settings.index_type, self._settings.index_params))

    def _drop_unless_aliased(self, collection: str) -> None:
        client, timeout = self._client(), self._settings.call_timeout_s
        if not client.has_collection(collection, timeout=timeout):
            return
        # Servers differ in what they do with the aliases of a collection that is dropped: older ones drop them too.
        if not client.list_aliases(collection, timeout=timeout)["aliases"]:
            client.drop_collection(collection, timeout=timeout)

    def close(self) -> None:
        """See `VectorStore.close`; a Lite directory may then be opened by another process."""
        with self._lock:
            connection, self._connection = self._connection, None
        self._published.clear()
        self._collections.clear()
        self._scans.clear()
        if connection is not None:
            connection.close()
            if self._is_lite:
                server_manager_instance.release_server(self._uri)

    def _client(self) -> Any:
        with self._lock:
            if self._connection is None:
                if self._is_lite:
                    Path(self._uri).absolute().parent.mkdir(parents=True, exist_ok=True)
                with translated(f"open {self._uri}"):
                    self._connection = MilvusClient(self._uri, timeout=self._settings.call_timeout_s, dedicated=True)
            return self._connection

    def _collection(self, edition_id: str, field_name: str) -> str:
        try:
            return self._collections[edition_id, field_name]
        except KeyError as error:
            raise NotFound(f"edition {edition_id!r} was retired meanwhile") from error

    def _count(self, collection: str) -> int:
        answer = self._client().query(
            collection,
            filter="",
            output_fields=["count(*)"],
            consistency_level="Strong",
            timeout=self._settings.call_timeout_s,
        )
        return int(answer[0]["count(*)"])

    def _load_whole(self, collection: str, rows: int) -> bool:
        """Load the collection if it is there with its index and all rows; Lite forgets what was loaded."""
        client, timeout = self._client(), self._settings.call_timeout_s
        if not client.has_collection(collection, timeout=timeout):
            return False
        # The index is made last, so that an upload that was cut short has none.
        if not client.list_indexes(collection, "vector", timeout=timeout):
            return False
        client.load_collection(collection, timeout=self._settings.build_timeout_s)
        return self._count(collection) == rows

    def _refuse_what_this_build_lacks(self, client: Any) -> None:
        """The server in the package ``milvus`` lacks DISKANN, and tries to build it again and again without an end."""
        if self._settings.index_type != "DISKANN":
            return
        version = client.get_server_version(timeout=self._settings.call_timeout_s)
        if version.endswith("-lite"):
            raise InvalidInput(
                f"Milvus {version} builds no 'DISKANN'", field="index_type", remedy="another index, or a full server"
            )

    def _rebuild(self, collection: str, edition: Edition, vectors: NDArray[Any]) -> None:
        client, timeout = self._client(), self._settings.build_timeout_s
        client.drop_collection(collection, timeout=self._settings.call_timeout_s)
        columns = edition.kind.filters
        made = schema(vectors.shape[1], columns)
        client.create_collection(collection, schema=made, consistency_level="Bounded", timeout=timeout)
        step = max(1, _REQUEST_BYTES // (4 * vectors.shape[1] + len(columns.texts) * TEXT_BYTES))
        for start in range(0, len(vectors), step):
            batch = upload_rows(
                edition.items.slice(start, step).select(columns.names),
                vectors[start : start + step],
                start,
            )
            client.insert(collection, batch, timeout=timeout)
        client.flush(collection, timeout=timeout)
        params = dict(self._settings.index_params)
        index = client.prepare_index_params()
        index.add_index(
            field_name="vector",
            index_type=self._settings.index_type,
            metric_type="IP",
            # The client lays the parameters flat; Lite up to 3.2.2 reads them from one nested entry and passes over all
            # others in silence.
            params={"params": params} if self._is_lite else params,
        )
        client.create_index(collection, index, timeout=timeout)
        client.load_collection(collection, timeout=timeout)
        found = self._count(collection)
        if found != len(edition):
            raise Unavailable(f"Milvus holds {found} of {len(edition)} items of edition {edition.id!r}")
