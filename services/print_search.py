"""The way of a print query: receive, decode, canvas, encode, candidates, rerank, group, report.

Nothing here knows Ray or protobuf: the parts are handed in, so that a benchmark walks the same way inside one process.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Explanation, Hit, ItemFilter, Placement, SearchAnswer, SearchMode
from outsole.api.records import PlacementSearch
from outsole.errors import InvalidInput, Unavailable
from outsole.gallery.editions import Edition
from outsole.imaging.decode import DecodedImage, decode_image
from outsole.imaging.masks import automatic_mask, mask_from_png, mask_from_polygon
from outsole.matching.embedding import PARTIAL
from outsole.matching.features import ProbeFeatures
from outsole.matching.fusion import COOCCURRENCE, CORRELATION, EMBEDDING, FUSION_WEIGHT
from outsole.matching.grouping import rank_models
from outsole.matching.placements import placements
from outsole.matching.rerank import ItemScores
from services.catalogue import EncoderChoice
from services.encoding import encode_features, encode_probe
from services.parts import EditionRef, SearchDefaults, SearchParts
from services.queries import ExplainQuery, PrintQuery, Probe
from services.telemetry import RequestClock

if TYPE_CHECKING:
    from outsole.imaging.canvas import PlacedProbe
    from outsole.matching.rerank import HeatMap

# Features, or the vectors of an embedding alone.
_Encoded = ProbeFeatures | NDArray[np.float16]


@dataclass(frozen=True)
class _Received:
    """A query whose probe is at hand and whose edition is open."""

    data: bytes
    edition: Edition
    rows: NDArray[np.int64]
    placements: tuple[Placement, ...]
    choice: EncoderChoice

    @property
    def ref(self) -> EditionRef:
        """Name of the edition."""
        return EditionRef.of(self.edition)


async def search_print(query: PrintQuery, parts: SearchParts) -> SearchAnswer:
    """Answer a search.

    Raises:
        InvalidInput: Something in the query cannot be used; ``field`` names it.
        NotFound: No such gallery, edition or evidence.
        PreconditionFailed: The edition was made by another encoder, or was not indexed with the one named.
        BudgetSpent: The budget ran out; the message names the stage.
        Unavailable, Overloaded: A part is away or busy; may be retried.
    """
    clock = RequestClock(query.budget_ms or parts.defaults.budget_ms, recorder=parts.recorder)
    with clock.stage("receive"):
        received = await asyncio.to_thread(_receive, query, parts)
    with clock.stage("decode"):
        image, mask = await asyncio.to_thread(_decode, received.data, query.probe, parts.defaults)
    with clock.stage("canvas"):
        placed = await asyncio.to_thread(parts.system.place_probe, image.gray, mask, received.placements)
    with clock.stage("encode"):
        probe = await encode_probe(placed, received.choice, parts, clock)
    scores = await _scores(query, received, probe, parts, clock)
    with clock.stage("group"):
        codes = parts.catalogue.model_codes(received.edition)
        order = rank_models(scores.rows, scores.scores, codes, k=query.k)
    with clock.stage("report"):
        answer = _report(query, received, image=image, placed=placed, scores=scores, order=order)
        settings = _settings(query, received, parts)
    parts.recorder.add("outsole_items_searched_total", answer.searched, {"mode": query.mode.value})
    return dataclasses.replace(answer, settings=settings, stage_ms=dict(clock.stage_ms))


async def explain_hit(query: ExplainQuery, parts: SearchParts) -> Explanation:
    """Say which parts of a probe made an item's correlation; the errors are those of `search_print`."""
    clock = RequestClock(query.budget_ms or parts.defaults.budget_ms, recorder=parts.recorder)
    with clock.stage("receive"):
        received = await asyncio.to_thread(_receive, query, parts)
        row = received.edition.row_of(query.item_id)
    with clock.stage("decode"):
        image, mask = await asyncio.to_thread(_decode, received.data, query.probe, parts.defaults)
    with clock.stage("canvas"):
        placed = await asyncio.to_thread(parts.system.place_probe, image.gray, mask, received.placements)
    with clock.stage("encode"):
        # The correlation alone is explained: of an embedding no cell owns a share.
        features = await encode_features(placed, "", parts, clock)
    with clock.stage("rerank"):
        timed = await parts.reranking.explain(received.ref, features, row, timeout_s=clock.remaining_s())
        clock.waited("rerank", timed.wait_ms)
    with clock.stage("report"):
        return await asyncio.to_thread(_explained, received, row, placed=placed, heat=timed.value, parts=parts)


def _receive(query: PrintQuery | ExplainQuery, parts: SearchParts) -> _Received:
    target = query.target
    edition = parts.catalogue.searchable(target.gallery, target.edition, encoder=target.encoder)
    choice = parts.catalogue.choice(edition, target.encoder)
    if isinstance(query, ExplainQuery) and not choice.correlation:
        raise InvalidInput(
            f"{target.encoder!r} is one vector of a whole print and has no heat map",
            field="encoder",
            remedy="leave it out: the correlation is explained",
        )
    wanted = placements_of(query.placements, parts.defaults)
    # An explanation names its item, and filters nothing.
    where = query.where if isinstance(query, PrintQuery) else ItemFilter()
    rows = parts.catalogue.rows(edition, where)
    data = query.probe.image
    if data is None:
        data = parts.evidence.read(query.probe.evidence_sha256)
    return _Received(data, edition, rows, wanted, choice)


def placements_of(search: PlacementSearch, defaults: SearchDefaults) -> tuple[Placement, ...]:
    """The placements to try, with the service's defaults where the search says nothing.

    Raises:
        InvalidInput: There would be too many, or the range is empty.
    """
    limit, step = defaults.rotation_limit_deg, defaults.rotation_step_deg
    return placements(
        min_deg=-limit if search.rotation_min_deg is None else search.rotation_min_deg,
        max_deg=limit if search.rotation_max_deg is None else search.rotation_max_deg,
        step_deg=step if search.rotation_step_deg is None else search.rotation_step_deg,
        mirrored=search.try_mirrored,
        inverted=search.try_inverted,
        scales=search.scales or (1.0,),
        pinned=search.pinned,
    )


def _decode(data: bytes, probe: Probe, defaults: SearchDefaults) -> tuple[DecodedImage, NDArray[np.bool_]]:
    field = "image" if probe.image is not None else "evidence_sha256"
    image = decode_image(data, field=field, limits=defaults.decode_limits)
    if probe.mask_png is not None:
        return image, mask_from_png(probe.mask_png, image.gray.shape, field="mask_png")
    if probe.mask_polygon is not None:
        return image, mask_from_polygon(probe.mask_polygon, image.gray.shape, field="mask_polygon")
    return image, automatic_mask(image.gray)


async def _scores(
    query: PrintQuery, received: _Received, probe: _Encoded, parts: SearchParts, clock: RequestClock
) -> ItemScores:
    """Pick the items to look at and look at them; with an embedding alone the vectors are all there is to look at."""
    if not isinstance(probe, ProbeFeatures):
        with clock.stage("candidates"):
            chosen = await _chosen(query, received, probe, parts, clock)
            vectors, deadline = received.edition.array(PARTIAL), time.monotonic() + clock.remaining_s()
            return await asyncio.to_thread(parts.system.embedding_scores, probe, vectors, chosen, deadline=deadline)
    if query.mode is SearchMode.SHORTLIST:
        with clock.stage("candidates"):
            chosen = await _chosen(query, received, probe, parts, clock)
    else:
        chosen = received.rows
    with clock.stage("rerank"):
        return await _rerank(received, probe, chosen, parts, clock)


async def _chosen(
    query: PrintQuery, received: _Received, probe: _Encoded, parts: SearchParts, clock: RequestClock
) -> NDArray[np.int64]:
    """Rows int64 [n] to look at, a shortlist best first; a short one is refused where the caller wants it whole."""
    if query.mode is SearchMode.EXHAUSTIVE or not len(received.rows):
        return received.rows
    queries = await asyncio.to_thread(parts.system.candidate_queries, probe)
    timed = await parts.candidates.find(
        received.ref, queries, limit=query.shortlist_size, where=query.where, timeout_s=clock.remaining_s()
    )
    clock.waited("candidates", timed.wait_ms)
    chosen = parts.system.merge_candidates(timed.value, query.shortlist_size)
    if query.require_complete and len(chosen) < _wanted(query, received):
        raise Unavailable(
            f"the vector store gave {len(chosen)} of {_wanted(query, received)} candidates", retry_after_s=1.0
        )
    return chosen


def _wanted(query: PrintQuery, received: _Received) -> int:
    return min(query.shortlist_size, len(received.rows))


async def _rerank(
    received: _Received, features: ProbeFeatures, chosen: NDArray[np.int64], parts: SearchParts, clock: RequestClock
) -> ItemScores:
    if not len(chosen):
        return ItemScores.none()
    # No rows to name saves the reranker from picking them out one by one.
    rows = None if len(chosen) == len(received.edition) else chosen
    timed = await parts.reranking.score(received.ref, features, rows, timeout_s=clock.remaining_s())
    clock.waited("rerank", timed.wait_ms)
    return timed.value


def _report(
    query: PrintQuery,
    received: _Received,
    *,
    image: DecodedImage,
    placed: PlacedProbe,
    scores: ItemScores,
    order: NDArray[np.int64],
) -> SearchAnswer:
    edition, used = received.edition, received.choice.embedding
    short = query.mode is SearchMode.SHORTLIST and len(scores.rows) < _wanted(query, received)
    return SearchAnswer(
        hits=tuple(_hit(edition, scores, int(at), placed.placements, rank=rank) for rank, at in enumerate(order, 1)),
        gallery=edition.gallery,
        edition=edition.id,
        encoder_hash=edition.encoder_hash if received.choice.correlation else edition.manifest.embeddings[used],
        mode=query.mode,
        searched=len(scores.rows),
        total=len(received.rows),
        degraded=("candidates",) if short else (),
        visible_fraction=float(placed.visible_fraction),
        probe_sha256=image.sha256,
        steps=image.steps,
        warnings=image.warnings,
    )


def _settings(query: PrintQuery, received: _Received, parts: SearchParts) -> dict[str, str]:
    turns = sorted({placement.rotation_deg for placement in received.placements})
    mask = "png" if query.probe.mask_png is not None else "polygon" if query.probe.mask_polygon else "automatic"
    return {
        **parts.system.index_settings,
        **_encoder_settings(received),
        "k": str(query.k),
        "mode": query.mode.value,
        **({"shortlist_size": str(query.shortlist_size)} if query.mode is SearchMode.SHORTLIST else {}),
        "mask": mask,
        "placements": str(len(received.placements)),
        "rotations_deg": " ".join(f"{turn:g}" for turn in turns),
    }


def _encoder_settings(received: _Received) -> dict[str, str]:
    """Which encoders made the scores, and how."""
    correlation, embedding = received.choice.correlation, received.choice.embedding
    settings = {
        "encoders": " ".join(filter(None, (correlation, embedding))),
        "rerank": "none: vectors alone",
    }
    if correlation:
        parts = (CORRELATION, COOCCURRENCE, *([EMBEDDING] if embedding else []))
        settings |= {"rerank": " ".join(parts), "fusion_weight": f"{FUSION_WEIGHT:g}"}
    if embedding:
        settings["embedding_hash"] = received.edition.manifest.embeddings[embedding]
    return settings


def _hit(edition: Edition, scores: ItemScores, at: int, tried: tuple[Placement, ...], *, rank: int) -> Hit:
    item = edition.item(int(scores.rows[at]))
    placement = dataclasses.replace(
        tried[int(scores.placement[at])],
        shift_x_px=float(scores.shift_x_px[at]),
        shift_y_px=float(scores.shift_y_px[at]),
    )
    parts = {name: float(values[at]) for name, values in scores.parts.items()}
    return Hit.of(item, rank=rank, score=float(scores.scores[at]), placement=placement, score_parts=parts)


def _explained(received: _Received, row: int, *, placed: PlacedProbe, heat: HeatMap, parts: SearchParts) -> Explanation:
    edition = received.edition
    placement = dataclasses.replace(
        placed.placements[heat.placement], shift_x_px=float(heat.shift_x_px), shift_y_px=float(heat.shift_y_px)
    )
    item = edition.item(row, with_thumbnail=True)
    probe_png, item_png = parts.system.pictures(
        placed,
        heat.placement,
        (heat.shift_y_px, heat.shift_x_px),
        item.thumbnail_png,
        item_size_px=edition.size_px(row),
    )
    rows, columns = heat.heat.shape
    return Explanation(
        # The cells sum to this score; the correlation part of a search's hit is the soft maximum over its placements.
        hit=Hit.of(
            item,
            rank=0,
            score=float(heat.similarity),
            placement=placement,
            score_parts={CORRELATION: float(heat.similarity)},
        ),
        heat=tuple(heat.heat.astype(float).ravel().tolist()),
        rows=rows,
        columns=columns,
        cell_px=parts.system.spec.stride_px,
        probe_png=probe_png,
        item_png=item_png,
    )
