"""From prints of walkers' shoes to their tracks in a made scene: `services.print_trace`, and which half of it loses."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.in_process import in_process_parts
from benchmarks.reporting import InputValue, text_table
from benchmarks.video_parts.looking import Eyes
from benchmarks.video_parts.scene import ScenePlan
from benchmarks.video_parts.tracks import SCENE, Compared, compared_scene
from indexer.compose import chosen_shoe_encoder, index_into, shoe_model
from indexer.crawl import progress_bar
from indexer.index_pictures import index_pictures
from indexer.video.model import VideoModel
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.matching.shoe_system import SHOE
from outsole.synthesis.prints import scene_print
from outsole.synthesis.scenes import Scene
from outsole.synthesis.shoe_galleries import MadeShoes, make_shoe_gallery
from outsole.synthesis.shoes import ShoeModel, make_instance
from outsole.video_answers import TraceAnswer
from services.print_trace import trace_print
from services.queries import PrintQuery, Probe, Target, TraceQuery

Metrics = dict[str, float]
SOLES, UPPERS = "soles", "uppers"
FIRST_ROWS = 5
_BUDGET_MS = 600_000


@dataclass(frozen=True)
class Wanted:
    """A model that walks where a camera can see it.

    Attributes:
        model: The model; one walker wears it.
        track_ids: Tracks that belong to that walker's walk-pasts; none where none was found.
    """

    model: ShoeModel
    track_ids: frozenset[str]


@dataclass(frozen=True)
class TracedPrint:
    """What became of a print.

    Attributes:
        print_rank: Rank of the right model by the print alone; None where it is not among the candidates.
        row: Rank of the first row of the trace that is one of the true walker's tracks; None where none is.
    """

    print_rank: int | None
    row: int | None


async def measure_trace(plan: ScenePlan, folder: Path, eyes: Eyes, *, home: Path, prints: int) -> Metrics:
    """Trace prints of every model that walks in view of a camera of a made scene.

    The catalogue of soles and photographs is made of the same models, and prints are left by other shoes of a model
    than the one whose sole it shows. What a service would search is indexed into ``home``, and searched by its
    functions.

    Args:
        plan: Of the scene.
        folder: Where its videos lie, or are drawn; the catalogue comes beside them.
        eyes: What finds and describes shoes.
        home: State directory.
        prints: Of each model.

    Returns:
        ``trace_top5``: share of the prints with one of the true walker's tracks in the first five rows; and what
        explains it, see ``trace_metrics``.
    """
    async with eyes.opened() as model:
        root = eyes.place(home).editions_dir
        compared = await compared_scene(plan, folder, eyes, root=root, model=model)
        made = _catalogue(plan, folder.with_name(f"{folder.name}-catalogue"))
        await _index_catalogue(made, eyes, home, model)
    wanted = models_in_view(compared, plan.scene(), plan.shoes)
    found: list[TracedPrint] = []
    with contextlib.closing(ExactStore()) as store:
        parts = in_process_parts(eyes.services(home), store, shoe_encoders=[model.hash])
        for each in tqdm(wanted, desc="traces", unit="model"):
            for number in range(1, prints + 1):
                answer = await trace_print(_query(print_of(each.model, number)), parts)
                found.append(traced(answer, each))
    return trace_metrics(found, look_ranks_of(wanted, root))


def _catalogue(plan: ScenePlan, folder: Path) -> MadeShoes:
    """The catalogue of the plan's models; drawn now where it is not there."""
    folder = folder.with_name(f"{folder.name}-{plan.models}-{plan.seed}")
    made = MadeShoes(folder, tuple(shoe.model_id for shoe in plan.shoes))
    # Written last.
    return made if (folder / "seen.json").is_file() else make_shoe_gallery(folder, models=plan.models, seed=plan.seed)


async def _index_catalogue(made: MadeShoes, eyes: Eyes, home: Path, model: VideoModel) -> None:
    place = eyes.place(home)
    await index_into(made.soles, SOLES, place=place)
    # Any encoder's crops are made alike; only its name and hash are its own.
    how = shoe_model(chosen_shoe_encoder([eyes.repository], ""), model.encoder)
    how = replace(how, name=model.name, hash=model.hash)
    await index_pictures(made.shoes, UPPERS, root=place.editions_dir, model=how, progress=progress_bar)


def print_of(model: ShoeModel, number: int) -> bytes:
    """A crime-scene print of a shoe of a model, a PNG file; another number is another shoe, and another scene."""
    gray = scene_print(make_instance(model, number), number).gray
    return cv2.imencode(".png", gray)[1].tobytes()


def _query(picture: bytes) -> TraceQuery:
    """What a caller asks who leaves everything to the service, but the time."""
    search = PrintQuery(Probe(image=picture), Target(SOLES), budget_ms=_BUDGET_MS)
    return TraceQuery(search, Target(UPPERS), (Target(SCENE),))


def models_in_view(compared: Compared, scene: Scene, shoes: Sequence[ShoeModel]) -> list[Wanted]:
    """The models of walkers who show a large enough shoe in a frame that was looked at, in the catalogue's order."""
    truth = compared.truth
    walks = np.unique(truth.boxes.owners[truth.boxes.is_large_enough])
    walker_of = {walk.walk_id: walk.walker_id for walk in scene.walks}
    model_of = {walker.walker_id: walker.model.model_id for walker in scene.walkers}
    seen = {model_of[walker_of[truth.walks[walk]]] for walk in walks.tolist()}
    owners = {
        track: model_of[walker_of[truth.walks[walk]]]
        for track, walk in zip(compared.track_ids, compared.scores.walk_of.tolist(), strict=True)
        if walk >= 0
    }
    return [
        Wanted(shoe, frozenset(track for track, owner in owners.items() if owner == shoe.model_id))
        for shoe in shoes
        if shoe.model_id in seen
    ]


def traced(answer: TraceAnswer, wanted: Wanted) -> TracedPrint:
    """What an answer says of the shoe that left the print."""
    ranks = (hit.rank for hit in answer.print.hits if hit.model_id == wanted.model.model_id)
    rows = (row.rank for row in answer.rows if row.track.track_id in wanted.track_ids)
    return TracedPrint(next(ranks, None), next(rows, None))


def look_ranks_of(wanted: Sequence[Wanted], root: Path) -> list[int | None]:
    """Rank of the walker's best track among all tracks, by the pictures of the right model: the half after the print.

    Returns:
        One a model, from 1; None where the walker has no track that is searched.
    """
    archive, uppers = Edition.open(root, SCENE), Edition.open(root, UPPERS)
    vectors, pictures = (np.asarray(edition.array(SHOE), np.float32) for edition in (archive, uppers))
    tracks, shown = np.array(archive.items["item_id"].to_pylist()), np.array(uppers.groups.to_pylist())
    return [_look_rank(each, tracks, vectors @ pictures[shown == each.model.model_id].T) for each in wanted]


def _look_rank(wanted: Wanted, tracks: NDArray[np.str_], scores: NDArray[np.float32]) -> int | None:
    own = np.isin(tracks, list(wanted.track_ids))
    if not own.any() or not scores.shape[1]:
        return None
    best = scores.max(axis=1)
    return 1 + int((best > best[own].max()).sum())


def trace_metrics(found: Sequence[TracedPrint], looks: Sequence[int | None]) -> Metrics:
    """Shares of prints, 0 .. 1, and of models; also printed, so that one sees which half loses.

    Args:
        found: One a print.
        looks: One a model, see ``look_ranks_of``.

    Returns:
        ``trace_top5``, ``trace_top1`` of all prints; ``trace_print_rank1``, ``trace_print_top5`` and
        ``trace_candidates``: the right model by the print alone, first, in the first five, among the candidates;
        ``trace_look_rank1`` and ``trace_look_top5``: the walker's track by the right model's pictures alone;
        ``trace_prints`` and ``trace_models``, how many there were.
    """
    prints, rows = [each.print_rank for each in found], [each.row for each in found]
    table: list[tuple[InputValue, ...]] = [
        ("all", len(found), *_percent(rows)),
        ("right model first by its print", *_part(found, 1, 1)),
        (f"second to {FIRST_ROWS}th", *_part(found, 2, FIRST_ROWS)),
        ("further down", *_part(found, FIRST_ROWS + 1, None)),
        ("not among the candidates", *_part(found, None, None)),
    ]
    click.echo(text_table(("prints", "number", "walker's track first %", f"in the first {FIRST_ROWS} %"), table))
    return {
        "trace_top5": _share(rows, FIRST_ROWS),
        "trace_top1": _share(rows, 1),
        "trace_print_rank1": _share(prints, 1),
        "trace_print_top5": _share(prints, FIRST_ROWS),
        "trace_candidates": _share(prints, None),
        "trace_look_rank1": _share(looks, 1),
        "trace_look_top5": _share(looks, FIRST_ROWS),
        "trace_prints": float(len(found)),
        "trace_models": float(len(looks)),
    }


def _part(found: Sequence[TracedPrint], first: int | None, last: int | None) -> tuple[InputValue, ...]:
    """Number and shares of the prints whose model ranks from ``first`` to ``last``; without a rank where None."""
    ranked = [(each.print_rank, each.row) for each in found]
    rows = [
        row
        for rank, row in ranked
        if (rank is None) == (first is None) and (rank is None or first is None or first <= rank <= (last or rank))
    ]
    return len(rows), *_percent(rows)


def _percent(rows: Sequence[int | None]) -> tuple[float, float]:
    return 100 * _share(rows, 1), 100 * _share(rows, FIRST_ROWS)


def _share(ranks: Sequence[int | None], limit: int | None) -> float:
    """Share of ranks that are at most ``limit``, of those that there are at all where None; 0 of none."""
    reached = sum(rank is not None and (limit is None or rank <= limit) for rank in ranks)
    return reached / len(ranks) if ranks else 0.0
