"""Whether worn views help a search: made worn prints of unseen models, and real prints whose wear nobody knows."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from benchmarks.finished import Metrics
from benchmarks.in_process import in_process_parts, index_in_process
from benchmarks.reporting import text_table
from benchmarks.wear_parts.made_prints import MadePrint, pairs_of_prints, unique_treads, write_gallery
from outsole.answers import SearchMode
from outsole.api.records import WearSearch
from outsole.evaluation.bootstrap import grouped_bootstrap
from outsole.evaluation.cmc import rank_of_percent
from outsole.evaluation.collections import read_collection
from outsole.gallery.exact_store import ExactStore
from services.parts import SearchParts
from services.print_search import search_print
from services.queries import PrintQuery, Probe, Target
from services.settings import ServiceSettings

_GALLERY = "wear"
_BUDGET_MS = 600_000
_PERCENTS = (1, 5, 10)
_OFF = WearSearch()


@dataclass(frozen=True)
class WearPlan:
    """What is compared.

    Attributes:
        weeks: Companions of the gallery.
        probe_weeks: By how many weeks the probe is taken back, in the rows where it is.
        models: Treads in the made gallery.
        prints: Made prints searched, of the last of them: on the first ones the fusion of views was chosen.
    """

    weeks: tuple[int, ...] = (26, 52)
    probe_weeks: int = 38
    models: int = 300
    prints: int = 120

    @property
    def options(self) -> Mapping[str, WearSearch]:
        """What of wear is asked for, by the name of its row."""
        worn = " and ".join(map(str, self.weeks))
        return {
            "no wear": _OFF,
            f"gallery worn by {worn} weeks": WearSearch(gallery_weeks=self.weeks),
            f"probe taken back by {self.probe_weeks} weeks": WearSearch(probe_weeks=self.probe_weeks),
        }


def measure_made(plan: WearPlan) -> Metrics:
    """Search made prints fresh and worn.

    Returns:
        ``wear_loss_recovered``: of the mean reciprocal rank that wear costs, the part that the worn gallery wins back;
        the same of rank 1 (``..._rank1``) and of top 1 % (``..._top1pct``), and of the probe that is taken back
        (``probe_...``); the figures themselves.
    """
    models = unique_treads(plan.models)
    pairs = pairs_of_prints(models[-plan.prints :])
    fresh, worn = [first for first, _ in pairs], [second for _, second in pairs]

    def source(folder: Path) -> Path:
        return write_gallery(folder / "references", models)

    async def search(parts: SearchParts) -> dict[str, list[int]]:
        rows = {"fresh": await _ranks(fresh, _OFF, parts, plan.models)}
        for name, wear in plan.options.items():
            rows[f"worn, {name}"] = await _ranks(worn, wear, parts, plan.models)
        return rows

    rows, took = asyncio.run(_searched(plan, source, search))
    figures = {name: figures_of(ranks, plan.models) for name, ranks in rows.items()}
    click.echo(_table(f"made prints, {plan.models} treads", rows, plan.models))
    whole, plain, gallery, probe = figures.values()
    won_back = {
        f"{prefix}wear_loss_recovered{suffix}": recovered(whole[name], plain[name], aware[name])
        for prefix, aware in (("", gallery), ("probe_", probe))
        for name, suffix in (("mrr", ""), ("rank1", "_rank1"), ("top1pct", "_top1pct"))
    }
    named = zip(("fresh", "worn", "worn_aware", "worn_probe_back"), figures.values(), strict=True)
    return {**won_back, **{f"{row}_{name}": value for row, found in named for name, value in found.items()}, **took}


def measure_real(plan: WearPlan, data: Path, *, probes: int | None) -> Metrics:
    """Search a collection's prints as they are and with each option.

    Returns:
        ``wear_fid_top1pct_delta``: percentage points that the worn gallery adds at top 1 %, the same of the probe that
        is taken back (``..._probe``), and the figures themselves.
    """
    collection = read_collection(data).first(probes)
    prints = [MadePrint(probe.path.read_bytes(), b"", probe.item_id, 0) for probe in collection.probes]

    async def search(parts: SearchParts) -> dict[str, list[int]]:
        return {name: await _ranks(prints, wear, parts, 1000) for name, wear in plan.options.items()}

    rows, _ = asyncio.run(_searched(plan, lambda _: collection.source, search))
    click.echo(_table("real prints", rows, collection.size, groups=[made.item_id for made in prints]))
    plain, gallery, probe = (figures_of(ranks, collection.size) for ranks in rows.values())
    return {
        "wear_fid_top1pct_delta": gallery["top1pct"] - plain["top1pct"],
        "wear_fid_top1pct_delta_probe": probe["top1pct"] - plain["top1pct"],
        **{f"fid_{name}": value for name, value in plain.items()},
        **{f"fid_aware_{name}": value for name, value in gallery.items()},
        **{f"fid_probe_back_{name}": value for name, value in probe.items()},
    }


async def _searched(
    plan: WearPlan,
    source: Callable[[Path], Path],
    search: Callable[[SearchParts], Awaitable[dict[str, list[int]]]],
) -> tuple[dict[str, list[int]], Metrics]:
    """Index what ``source`` gives of a folder, with its companions, and run ``search`` on it."""
    with tempfile.TemporaryDirectory(prefix="outsole-bench-") as name:
        folder = Path(name)
        settings = ServiceSettings.from_environment(
            overrides={"home": folder / "home", "encoder_backend": "in_process"}
        )
        begun = time.monotonic()
        await index_in_process(source(folder), _GALLERY, settings=settings, worn=plan.weeks)
        indexed_s = time.monotonic() - begun
        with contextlib.closing(ExactStore()) as store:
            rows = await search(in_process_parts(settings, store))
    return rows, {"index_with_companions_s": indexed_s}


async def _ranks(prints: Sequence[MadePrint], wear: WearSearch, parts: SearchParts, k: int) -> list[int]:
    """Rank of each print's item in the default mode, 1-based; 0 where it is not among the first ``k``."""
    ranks = []
    for made in tqdm(prints, desc="searches", unit="print"):
        answer = await search_print(
            PrintQuery(
                Probe(image=made.picture, mask_png=made.mask or None),
                Target(_GALLERY),
                k=min(k, 1000),
                mode=SearchMode.SHORTLIST,
                budget_ms=_BUDGET_MS,
                wear=wear,
            ),
            parts,
        )
        ranks.append(next((hit.rank for hit in answer.hits if hit.item_id == made.item_id), 0))
    return ranks


def figures_of(ranks: Sequence[int], size: int) -> dict[str, float]:
    """Percent at rank 1 and in the first percents, and the mean reciprocal rank, 0 .. 1."""
    found = np.array(ranks)
    cutoffs = rank_of_percent(_PERCENTS, gallery_size=size).tolist()
    return {
        "rank1": 100 * float((found == 1).mean()),
        **{
            f"top{percent}pct": 100 * float(((found > 0) & (found <= last)).mean())
            for percent, last in zip(_PERCENTS, cutoffs, strict=True)
        },
        "mrr": float(np.where(found > 0, 1 / np.maximum(found, 1), 0).mean()),
    }


def recovered(fresh: float, worn: float, aware: float) -> float:
    """Which part of what wear costs is won back; 0 where it costs nothing."""
    return (aware - worn) / (fresh - worn) if fresh > worn else 0.0


def _table(title: str, rows: Mapping[str, Sequence[int]], size: int, *, groups: Sequence[str] | None = None) -> str:
    lines = []
    for name, ranks in rows.items():
        figures = figures_of(ranks, size)
        reciprocal = np.where(np.array(ranks) > 0, 1 / np.maximum(ranks, 1), 0)[:, None]
        interval = grouped_bootstrap(reciprocal, np.array(groups if groups is not None else range(len(ranks))))
        spread = f"{figures['mrr']:.3f} [{interval.low[0]:.2f}, {interval.high[0]:.2f}]"
        lines.append((name, *(f"{figures[key]:.1f}" for key in ("rank1", "top1pct", "top5pct", "top10pct")), spread))
    return text_table((title, "rank 1", "1 %", "5 %", "10 %", "mean reciprocal rank"), lines)
