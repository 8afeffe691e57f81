"""The Milvus store: one class for the embedded Milvus Lite and for a Milvus server.

Each field of an edition is a collection of its own: servers before 2.4 hold one vector field in a collection, and a
field can then be published or dropped alone. Milvus finds the rows; their scores are computed again from the arrays
of the edition, so that they are the exact store's whatever the index.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from milvus_lite.server_manager import server_manager_instance
from numpy.typing import NDArray
from pymilvus import DataType, MilvusClient

from outsole.answers import ItemFilter
from outsole.errors import BudgetSpent, InvalidInput, Unavailable
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import inner_products
from outsole.gallery.milvus_errors import translated
from outsole.gallery.store import (
    Candidates,
    PublishedEditions,
    checked_queries,
    filter_columns,
    filter_years,
    rows_allowed,
    rows_matching,
    top_rows,
    vectors_of,
)

DIMENSION_LIMIT = 32_768
LIMIT_LIMIT = 16_384
QUERIES_LIMIT = 16_384
# Servers refuse requests above 64 MB; this leaves room for the text columns and the envelope.
_REQUEST_BYTES = 48 << 20
_TEXT_BYTES = 800
_FILTERED = ("brand", "side", "category")
_LITE_INDEXES = frozenset({"FLAT", "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8"})
_SERVER_INDEXES = frozenset({"FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8", "IVF_PQ", "DISKANN"})


@dataclass(frozen=True)
class MilvusSettings:
    """How vectors are kept in Milvus.

    Attributes:
        index_type: FLAT is exact; Lite also builds HNSW, HNSW_SQ, IVF_FLAT, IVF_SQ8, a server also IVF_PQ, DISKANN.
        index_params: Of the index, for example ``{"M": 16, "efConstruction": 200}``.
        search_params: Of a search, for example ``{"ef": 800}``.
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
        self._connection: Any = None
        self._lock = threading.Lock()

    def publish(self, edition: Edition, fields: Sequence[str]) -> None:
        """See `VectorStore.publish`; a collection that is whole is only loaded."""
        held = PublishedEditions().add(edition, fields)
        for name, vectors in held.items():
            if vectors.shape[1] > DIMENSION_LIMIT:
                raise InvalidInput(
                    f"{name} has {vectors.shape[1]} dimensions", field=name, remedy=f"at most {DIMENSION_LIMIT}"
                )
        for name, vectors in held.items():
            collection = self._collection(edition.id, name)
            with translated(f"publish {name} of edition {edition.id}"):
                if not self._load_whole(collection, len(edition)):
                    self._rebuild(collection, edition, vectors)
        self._published.add(edition, fields)

    def search(
        self,
        edition_id: str,
        field: str,
        queries: NDArray[np.float32],
        *,
        limit: int,
        where: ItemFilter,
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
        expression = "" if allowed.all() else _expression(edition.items, where, allowed)
        step = max(1, min(QUERIES_LIMIT, _REQUEST_BYTES // (4 * vectors.shape[1]), _REQUEST_BYTES // (16 * kept)))
        for start in range(0, len(wanted) if allowed.any() else 0, step):
            part = slice(start, start + step)
            rows[part] = self._rows(self._collection(edition_id, field), wanted[part], kept, expression, end)
        return _scored(vectors, wanted, rows)

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
                search_params={"metric_type": "IP", "params": dict(self._settings.search_params)},
                consistency_level="Bounded",
                timeout=remaining_s,
            )
        rows = np.full((len(queries), limit), -1, np.int64)
        for line, hits in zip(rows, answer, strict=True):
            line[: len(hits)] = [hit["id"] for hit in hits]
        return rows

    def count(self, edition_id: str) -> int:
        """See `VectorStore.count`; the least over the fields published here, counted with Strong consistency."""
        fields = self._published.fields(edition_id)
        with translated(f"count edition {edition_id}"):
            return min((self._count(self._collection(edition_id, name)) for name in fields), default=0)

    def rebuild(self, edition: Edition, fields: Sequence[str]) -> None:
        """See `VectorStore.rebuild`; what is there is not looked at, for it may be damaged."""
        for name, vectors in vectors_of(edition, fields).items():
            with translated(f"make {name} of edition {edition.id} again"):
                self._rebuild(self._collection(edition.id, name), edition, vectors)
        self._published.add(edition, fields)

    def retire(self, edition_id: str) -> None:
        """See `VectorStore.retire`; drops every collection of the edition, whatever its index."""
        self._published.remove(edition_id)
        with translated(f"retire edition {edition_id}"):
            client, timeout = self._client(), self._settings.call_timeout_s
            for name in client.list_collections(timeout=timeout):
                if name.startswith(_prefix(edition_id)):
                    client.drop_collection(name, timeout=timeout)

    def close(self) -> None:
        """See `VectorStore.close`; a Lite directory may then be opened by another process."""
        with self._lock:
            connection, self._connection = self._connection, None
        self._published.clear()
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
        # The index is part of the name: with other settings the collection is made anew, never reused by mistake.
        index = json.dumps([self._settings.index_type, dict(self._settings.index_params)], sort_keys=True)
        return f"{_prefix(edition_id)}{field_name}_{hashlib.sha256(index.encode()).hexdigest()[:8]}"

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

    def _rebuild(self, collection: str, edition: Edition, vectors: NDArray[Any]) -> None:
        client, timeout = self._client(), self._settings.build_timeout_s
        client.drop_collection(collection, timeout=self._settings.call_timeout_s)
        client.create_collection(
            collection, schema=_schema(vectors.shape[1]), consistency_level="Bounded", timeout=timeout
        )
        step = max(1, _REQUEST_BYTES // (4 * vectors.shape[1] + len(_FILTERED) * _TEXT_BYTES))
        for start in range(0, len(vectors), step):
            batch = _upload_rows(edition.items.slice(start, step), vectors[start : start + step], start)
            client.insert(collection, batch, timeout=timeout)
        client.flush(collection, timeout=timeout)
        index = client.prepare_index_params()
        index.add_index(
            field_name="vector",
            index_type=self._settings.index_type,
            metric_type="IP",
            params=dict(self._settings.index_params),
        )
        client.create_index(collection, index, timeout=timeout)
        client.load_collection(collection, timeout=timeout)
        found = self._count(collection)
        if found != len(edition):
            raise Unavailable(f"Milvus holds {found} of {len(edition)} items of edition {edition.id!r}")


def filter_expression(where: ItemFilter, *, without: Sequence[int] = ()) -> str:
    """A filter as a Milvus expression; every value becomes a quoted literal, so that none can add to the expression.

    Values with control characters are left out: no item can have one, and no literal could hold it.

    Args:
        where: The filter.
        without: Rows that take no part whatever the filter says.
    """
    terms = [
        f"{column} in [{', '.join(_literal(value) for value in values if value.isprintable())}]"
        for column, values in filter_columns(where).items()
    ]
    first, last = filter_years(where)
    if first or last:
        terms.append(f"year >= {max(first, 1)}")
    if last:
        terms.append(f"year <= {last}")
    if without:
        terms.append(f"id not in [{', '.join(map(str, without))}]")
    return " and ".join(terms)


def _expression(items: pa.Table, where: ItemFilter, allowed: NDArray[np.bool_]) -> str:
    """States are no column in Milvus: an edition that differs in them alone can then share what was uploaded."""
    return filter_expression(where, without=np.flatnonzero(rows_matching(items, where) & ~allowed).tolist())


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _prefix(edition_id: str) -> str:
    return f"outsole_{edition_id}_"


def _schema(dimension: int) -> Any:
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    # The row number; servers before 2.4 answer with "id" whatever the primary field is called.
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    for column in _FILTERED:
        schema.add_field(column, DataType.VARCHAR, max_length=_TEXT_BYTES)
    schema.add_field("year", DataType.INT64)
    return schema


def _upload_rows(items: pa.Table, vectors: NDArray[Any], first_row: int) -> list[dict[str, Any]]:
    plain = np.asarray(vectors, dtype=np.float32)
    if not np.isfinite(plain).all():
        raise InvalidInput(f"rows {first_row} to {first_row + len(plain) - 1} hold a value that is not finite")
    texts = items.select([*_FILTERED, "year"]).to_pylist()
    return [
        {"id": first_row + offset, "vector": vector, **text}
        for offset, (vector, text) in enumerate(zip(plain, texts, strict=True))
    ]


def _scored(vectors: NDArray[Any], queries: NDArray[np.float32], rows: NDArray[np.int64]) -> Candidates:
    """Score rows [Q, k] (-1 pads) from the arrays themselves and put them in order, ties by row."""
    # In order of row first: the stable choice among equal scores is then the smaller row.
    ordered = np.sort(np.where(rows < 0, np.iinfo(np.int64).max, rows), axis=1)
    found = ordered < len(vectors)
    scores = np.full(rows.shape, -np.inf, np.float32)
    for line, query, present, at in zip(scores, queries, found, ordered, strict=True):
        line[present] = inner_products(vectors[at[present]], query[None])[0]
    best = top_rows(scores, rows.shape[1])
    chosen = np.take_along_axis(ordered, np.maximum(best.rows, 0), axis=1)
    return Candidates(np.where(best.rows < 0, -1, chosen), best.scores)
