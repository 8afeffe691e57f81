"""The vector stores that are compared, and the index types of each with settings that suit a gallery's size."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.stores.made_maps import CELLS
from outsole.errors import MissingPart
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.milvus_store import MilvusSettings, MilvusStore
from outsole.gallery.store import VectorStore

EXACT, LITE, SERVER = "exact", "lite", "server"
STORES = (EXACT, LITE, SERVER)
_GRAPH = {"M": 16, "efConstruction": 200}
_WIDTH = 400
_SERVER_PROGRAM = Path(__file__).parents[2] / "tests" / "congruence" / "milvus_server.py"
_STOP_S = 60.0


@dataclass(frozen=True)
class Index:
    """An index type of a back end with its settings.

    Attributes:
        store: ``exact``, ``lite`` or ``server``.
        kind: Index type as Milvus calls it; ``scan`` for the exact store.
        build, search: Parameters of the index and of a search.
    """

    store: str
    kind: str
    build: dict[str, int] = field(default_factory=dict)
    search: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As in the names of metrics."""
        return f"{self.store}_{self.kind.lower()}"

    def open(self, uri: str) -> VectorStore:
        """Open the store; ``uri`` is of no use to the exact one."""
        if self.store == EXACT:
            return ExactStore()
        settings = MilvusSettings(self.kind, self.build, self.search, call_timeout_s=120.0, build_timeout_s=3600.0)
        return MilvusStore(uri, settings=settings)


def indexes_of(store: str, items: int) -> list[Index]:
    """The index types of a back end for so many items.

    Lists are four times the root of the number of items, and an eighth of them is read; the sub-quantisers of a
    product quantiser are the cells, so that a masked cell adds nothing to a score.
    """
    lists = max(1, min(round(4 * math.sqrt(items)), items // 39))
    divided, read = {"nlist": lists}, {"nprobe": max(1, lists // 8)}
    common = [
        Index(store, "FLAT"),
        Index(store, "HNSW", _GRAPH, {"ef": _WIDTH}),
        Index(store, "IVF_FLAT", divided, read),
        Index(store, "IVF_SQ8", divided, read),
    ]
    if store == EXACT:
        return [Index(store, "scan")]
    if store == LITE:
        return [*common, Index(store, "HNSW_SQ", _GRAPH, {"ef": _WIDTH})]
    product = Index(store, "IVF_PQ", {**divided, "m": CELLS, "nbits": 8}, read)
    return [*common, product, Index(store, "DISKANN", {}, {"search_list": _WIDTH})]


@contextmanager
def milvus_server(python: Path, folder: Path) -> Iterator[str]:
    """A Milvus server for as long as the block runs; gives its address.

    Args:
        python: Interpreter of an environment with the package ``milvus``.
        folder: For the server's data.

    Raises:
        MissingPart: There is no such interpreter, or the server did not start.
    """
    if not python.is_file():
        raise MissingPart(
            f"{python} is missing", field="milvus_python", remedy="`make env-test`, or name a running server"
        )
    command = [str(python), str(_SERVER_PROGRAM), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            if not port:
                raise MissingPart("the Milvus server did not start", field="milvus_python")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.stdin.close()
            process.wait(_STOP_S)
