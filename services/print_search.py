"""The way of a print query: receive, decode, canvas, encode, candidates, rerank, group, report.

Nothing here knows Ray or protobuf: the parts are handed in, so that a benchmark walks the same way inside one process.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Explanation, Hit, ItemFilter, Placement, SearchAnswer, SearchMode
from outsole.api.records import PlacementSearch
from outsole.errors import InvalidInput
from outsole.imaging.decode import DecodedImage, decode_image
from outsole.imaging.masks import automatic_mask, mask_from_png, mask_from_polygon
from outsole.matching.fusion import COOCCURRENCE, CORRELATION, EMBEDDING, FUSION_WEIGHT
from outsole.matching.grouping import rank_models
from outsole.matching.placements import placements
from outsole.wear.model import Direction
from services.encoding import encode_features, encode_probe, probe_pictures
from services.fields import naming
from services.parts import SearchDefaults, SearchParts
from services.print_scores import Scored, score_items
from services.print_views import Received, View, open_views, view_settings, view_warnings
from services.queries import ExplainQuery, PrintQuery, Probe
from services.telemetry import RequestClock

if TYPE_CHECKING:
    from outsole.imaging.canvas import PlacedProbe
    from outsole.matching.rerank import HeatMap


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
    pictures = await probe_pictures(image.gray, query.wear.probe_weeks, parts, clock)
    with clock.stage("canvas"):
        placed = {weeks: await _placed(gray, mask, received, parts) for weeks, gray in pictures.items()}
    with clock.stage("encode"):
        probes = {weeks: await encode_probe(laid, received.choice, parts, clock) for weeks, laid in placed.items()}
    scored = await score_items(query, received, probes, parts, clock)
    with clock.stage("group"):
        codes = parts.catalogue.model_codes(received.edition)
        order = rank_models(scored.scores.rows, scored.scores.scores, codes, k=query.k)
    with clock.stage("report"):
        answer = _report(query, received, image=image, placed=placed[0], scored=scored, order=order)
        settings = _settings(query, received, parts)
    parts.recorder.add("outsole_items_searched_total", answer.searched, {"mode": query.mode.value})
    return dataclasses.replace(answer, settings=settings, stage_ms=dict(clock.stage_ms))


async def explain_hit(query: ExplainQuery, parts: SearchParts) -> Explanation:
    """Say which parts of a probe made an item's correlation; the errors are those of `search_print`."""
    clock = RequestClock(query.budget_ms or parts.defaults.budget_ms, recorder=parts.recorder)
    with clock.stage("receive"):
        received = await asyncio.to_thread(_receive_explained, query, parts)
        view = received.views[-1]
        row = view.row_of(query.item_id, received.edition)
    with clock.stage("decode"):
        image, mask = await asyncio.to_thread(_decode, received.data, query.probe, parts.defaults)
    pictures = await probe_pictures(image.gray, query.wear.probe_weeks, parts, clock)
    with clock.stage("canvas"):
        placed = await _placed(pictures[view.probe_weeks], mask, received, parts)
    with clock.stage("encode"):
        # The correlation alone is explained: of an embedding no cell owns a share.
        features = await encode_features(placed, "", parts, clock)
    with clock.stage("rerank"):
        timed = await parts.reranking.explain(view.ref, features, row, timeout_s=clock.remaining_s())
        clock.waited("rerank", timed.wait_ms)
    with clock.stage("report"):
        return await asyncio.to_thread(_explained, view, row, placed=placed, heat=timed.value, parts=parts)


def _receive_explained(query: ExplainQuery, parts: SearchParts) -> Received:
    """Errors name the fields of this request, which says of the worn views which one is meant."""
    with (
        naming("worn_weeks", "wear.gallery_weeks[0]"),
        naming("worn_edition", "wear.gallery_editions"),
        naming("probe_weeks", "wear.probe_weeks"),
    ):
        return _receive(query, parts)


def _receive(query: PrintQuery | ExplainQuery, parts: SearchParts) -> Received:
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
    if query.wear.probe_weeks is not None:
        # What is missing is said before a picture is looked at.
        with naming("wear.probe_weeks", ""):
            parts.wear.open(Direction.BACKWARD)
    views = open_views(edition, query.wear, rows=rows, where=where, choice=choice, catalogue=parts.catalogue)
    return Received(data, rows, wanted, choice, views)


async def _placed(
    gray: NDArray[np.uint8], mask: NDArray[np.bool_], received: Received, parts: SearchParts
) -> PlacedProbe:
    return await asyncio.to_thread(parts.system.place_probe, gray, mask, received.placements)


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


def _report(
    query: PrintQuery,
    received: Received,
    *,
    image: DecodedImage,
    placed: PlacedProbe,
    scored: Scored,
    order: NDArray[np.int64],
) -> SearchAnswer:
    edition, used = received.edition, received.choice.embedding
    return SearchAnswer(
        hits=tuple(_hit(received, scored, int(at), rank=rank) for rank, at in enumerate(order, 1)),
        gallery=edition.gallery,
        edition=edition.id,
        encoder_hash=edition.encoder_hash if received.choice.correlation else edition.manifest.embeddings[used],
        mode=query.mode,
        searched=len(scored.scores.rows),
        total=len(received.rows),
        degraded=("candidates",) if scored.is_short else (),
        visible_fraction=float(placed.visible_fraction),
        probe_sha256=image.sha256,
        steps=image.steps,
        warnings=(*image.warnings, *view_warnings(received)),
    )


def _settings(query: PrintQuery, received: Received, parts: SearchParts) -> dict[str, str]:
    turns = sorted({placement.rotation_deg for placement in received.placements})
    mask = "png" if query.probe.mask_png is not None else "polygon" if query.probe.mask_polygon else "automatic"
    return {
        **parts.system.index_settings,
        **_encoder_settings(received),
        **view_settings(received.views),
        **_probe_settings(query, parts),
        "k": str(query.k),
        "mode": query.mode.value,
        **({"shortlist_size": str(query.shortlist_size)} if query.mode is SearchMode.SHORTLIST else {}),
        "mask": mask,
        "placements": str(len(received.placements)),
        "rotations_deg": " ".join(f"{turn:g}" for turn in turns),
    }


def _probe_settings(query: PrintQuery, parts: SearchParts) -> dict[str, str]:
    """By what the probe was taken back, where it was."""
    if query.wear.probe_weeks is None:
        return {}
    model = parts.wear.open(Direction.BACKWARD).model
    return {"wear_probe_weeks": str(query.wear.probe_weeks), "wear_probe_model": model.hash}


def _encoder_settings(received: Received) -> dict[str, str]:
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


def _hit(received: Received, scored: Scored, at: int, *, rank: int) -> Hit:
    scores, view = scored.scores, received.views[int(scored.won[at])]
    item = received.edition.item(int(scores.rows[at]))
    placement = dataclasses.replace(
        received.placements[int(scores.placement[at])],
        shift_x_px=float(scores.shift_x_px[at]),
        shift_y_px=float(scores.shift_y_px[at]),
    )
    parts = {name: float(values[at]) for name, values in scores.parts.items()}
    hit = Hit.of(item, rank=rank, score=float(scores.scores[at]), placement=placement, score_parts=parts)
    return dataclasses.replace(hit, worn_weeks=view.worn_weeks, probe_weeks=view.probe_weeks)


def _explained(view: View, row: int, *, placed: PlacedProbe, heat: HeatMap, parts: SearchParts) -> Explanation:
    edition = view.edition
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
    hit = Hit.of(
        item,
        rank=0,
        score=float(heat.similarity),
        placement=placement,
        score_parts={CORRELATION: float(heat.similarity)},
    )
    rows, columns = heat.heat.shape
    return Explanation(
        # The cells sum to this score; the correlation part of a search's hit is the soft maximum over its placements.
        hit=dataclasses.replace(hit, worn_weeks=view.worn_weeks, probe_weeks=view.probe_weeks),
        heat=tuple(heat.heat.astype(float).ravel().tolist()),
        rows=rows,
        columns=columns,
        cell_px=parts.system.spec.stride_px,
        probe_png=probe_png,
        item_png=item_png,
    )
