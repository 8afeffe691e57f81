"""Recall of every index type of every vector store for probes that show a part of a tread.

    python -m benchmarks.masked_search [--store exact|lite|server ...] [--items N] [--server URL] [--json FILE]

The gallery is made: spatial maps of 12 x 6 cells of unit length with 128 channels, laid out cell by cell. A probe is an
item with noise whose hidden cells are zero, so that its inner product with an unmasked item is the masked cosine times
the number of visible cells. Recall@100 is measured against the exact store's answer.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.reporting import InputValue, latency_summary, make_result, text_table
from benchmarks.stores.indexes import LITE, SERVER, STORES, Index, indexes_of, milvus_server
from benchmarks.stores.made_maps import CELLS, CHANNELS, MadeMaps
from outsole.answers import ItemFilter
from outsole.errors import InvalidInput, OutsoleError
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.items import ItemRow
from outsole.gallery.store import VectorStore
from outsole.gallery.writer import EditionWriter

VISIBLE_PCT = (10, 25, 50, 75, 100)
FIELD = "maps"
_K = 100
_WARM_UPS = 3
_BATCH = 250
_ITEMS_HELP = (
    "Size of the gallery; a server builds no index for fewer than 1,024 rows and then answers exactly or nearly so."
)
_TIMEOUT_S = 120.0
_ROOT = Path(__file__).resolve().parent.parent
_MILVUS_PYTHON = _ROOT / "build" / "env" / "milvus" / "bin" / "python"


@dataclass(frozen=True)
class Measured:
    """What one index did.

    Attributes:
        index: Which.
        build_s: Seconds from the arrays on disk to an index that answers.
        recall: Share of the exact best 100 that was found, by percent visible.
        p50_ms, p95_ms: Of a search with one probe, over all visible areas.
    """

    index: Index
    build_s: float
    recall: dict[int, float]
    p50_ms: float
    p95_ms: float


def write_gallery(made: MadeMaps, root: Path) -> Edition:
    """The made maps as an edition."""
    with EditionWriter(root, "made", encoder_hash="made") as writer:
        for first in tqdm(range(0, made.items, _BATCH), desc="maps", unit="batch"):
            last = min(first + _BATCH, made.items)
            items = [ItemRow(f"item-{row:07d}", f"model-{row:07d}") for row in range(first, last)]
            writer.append(items, {FIELD: made.maps(first, last)})
        return writer.publish()


def true_rows(edition: Edition, probes: Mapping[int, NDArray[np.float32]]) -> dict[int, NDArray[np.int64]]:
    """The exact best rows [Q, 100] by percent visible."""
    oracle = ExactStore()
    oracle.publish(edition, [FIELD])
    return {share: _search(oracle, edition, queries) for share, queries in probes.items()}


def measure(
    index: Index,
    uri: str,
    *,
    edition: Edition,
    probes: Mapping[int, NDArray[np.float32]],
    truth: Mapping[int, NDArray[np.int64]],
) -> Measured:
    """Build an index, search with every probe alone, and drop what was built."""
    store = index.open(uri)
    try:
        begun = time.perf_counter()
        store.publish(edition, [FIELD])
        build_s = time.perf_counter() - begun
        for query in probes[100][:_WARM_UPS]:
            _search(store, edition, query[None])
        latencies_ms: list[float] = []
        recall = {share: _recall(store, edition, probes[share], truth[share], latencies_ms) for share in probes}
        store.retire(edition)
    finally:
        store.close()
    spread = latency_summary(latencies_ms)
    return Measured(index, build_s, recall, spread.p50_ms, spread.p95_ms)


def _recall(
    store: VectorStore,
    edition: Edition,
    queries: NDArray[np.float32],
    truth: NDArray[np.int64],
    latencies_ms: list[float],
) -> float:
    found = 0
    for query, wanted in zip(queries, truth, strict=True):
        begun = time.perf_counter()
        rows = _search(store, edition, query[None])[0]
        latencies_ms.append((time.perf_counter() - begun) * 1e3)
        found += len(np.intersect1d(rows, wanted))
    return found / truth.size


def _search(store: VectorStore, edition: Edition, queries: NDArray[np.float32]) -> NDArray[np.int64]:
    return store.search(edition.id, FIELD, queries, limit=_K, where=ItemFilter(), timeout_s=_TIMEOUT_S).rows


@contextlib.contextmanager
def _addresses(stores: tuple[str, ...], folder: Path, server: str, python: Path) -> Iterator[dict[str, str]]:
    """Address by store; a server is started where none is named."""
    found = {store: str(folder / "vectors.db") if store == LITE else "" for store in stores}
    with contextlib.ExitStack() as stack:
        if SERVER in stores:
            found[SERVER] = server or stack.enter_context(milvus_server(python, folder / "server"))
        yield found


def _metrics(measured: list[Measured]) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for one in measured:
        name = one.index.name
        metrics |= {f"{name}_recall100_{share}pct": value for share, value in one.recall.items()}
        metrics |= {f"{name}_p50_ms": one.p50_ms, f"{name}_p95_ms": one.p95_ms, f"{name}_build_s": one.build_s}
    return metrics


def _table(measured: list[Measured]) -> str:
    headers = ("store", "index", *(f"{share} %" for share in VISIBLE_PCT), "p50 ms", "p95 ms", "build s")
    rows: list[list[InputValue]] = [
        [one.index.store, one.index.kind, *(f"{one.recall[share]:.3f}" for share in VISIBLE_PCT)]
        + [one.p50_ms, one.p95_ms, one.build_s]
        for one in measured
    ]
    return text_table(headers, rows)


@click.command()
@click.option("--store", "stores", multiple=True, type=click.Choice(STORES), help="Only these; all by default.")
@click.option("--index", "kinds", multiple=True, help="Only these index types, for example HNSW; all by default.")
@click.option("--items", type=click.IntRange(_K), default=5_000, show_default=True, help=_ITEMS_HELP)
@click.option("--probes", type=click.IntRange(_WARM_UPS), default=50, show_default=True, help="For each visible area.")
@click.option("--server", default="", help="Address of a running Milvus server; else one is started.")
@click.option(
    "--milvus-python",
    type=click.Path(path_type=Path),
    default=lambda: os.environ.get("OUTSOLE_MILVUS_PYTHON", str(_MILVUS_PYTHON)),
    help="Interpreter with the package milvus, to start a server with.",
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="File for the result.")
def main(
    stores: tuple[str, ...],
    *,
    kinds: tuple[str, ...],
    items: int,
    probes: int,
    server: str,
    milvus_python: Path,
    json_file: Path | None,
) -> None:
    """Measure recall@100, latency and build time under masks, for each index type of each vector store."""
    made, asked = MadeMaps(items), stores or STORES
    measured: list[Measured] = []
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            edition = write_gallery(made, folder / "galleries")
            queries = {share: made.probes(min(probes, items), share / 100) for share in VISIBLE_PCT}
            truth = true_rows(edition, queries)
            with _addresses(asked, folder, server, milvus_python) as uris:
                for index in [index for store in asked for index in indexes_of(store, items)]:
                    if not kinds or index.kind in kinds:
                        click.echo(f"{index.name} ...", err=True)
                        uri = uris[index.store]
                        try:
                            measured.append(measure(index, uri, edition=edition, probes=queries, truth=truth))
                        except InvalidInput as error:
                            click.echo(f"{index.name} is left out: {error}", err=True)
    except OutsoleError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    click.echo(f"Recall@{_K} by visible area, {items} items of {CELLS} x {CHANNELS}\n\n{_table(measured)}")
    if json_file is not None:
        inputs: dict[str, InputValue] = {
            **{"items": items, "probes": probes, "cells": CELLS, "channels": CHANNELS, "stores": ", ".join(asked)},
            **{f"{one.index.name}_settings": str({**one.index.build, **one.index.search}) for one in measured},
        }
        make_result("masked_search", inputs=inputs, metrics=_metrics(measured)).write(json_file)
        click.echo(f"wrote {json_file}", err=True)


if __name__ == "__main__":
    main()
