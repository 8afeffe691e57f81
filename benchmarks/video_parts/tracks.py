"""Tracks of made scenes against their truth: who is found, where shoes are lost, and which model a track leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.reporting import InputValue, text_table
from benchmarks.video_parts.looking import ENCODE_TIMEOUT_S, Eyes, Seen, archived, seen_in
from benchmarks.video_parts.scene import ScenePlan, Truth, catalogue, made_videos, truth_of
from indexer.video.model import VideoModel
from outsole.answers import View
from outsole.evaluation.track_scores import Boxes, TrackScores, boxes_on, rank_one, track_scores
from outsole.synthesis.scene_files import read_truth
from outsole.synthesis.scene_pictures import ShoeTruth
from outsole.video.sources import Selection

Metrics = dict[str, float]
SCENE = "scene"
"""The archive of the made scene."""
_LENGTHS_PX = ((0, 48), (48, 64), (64, 84), (84, 10_000))
_NO_TRACK = -1


@dataclass(frozen=True)
class Compared:
    """Videos and their truth, put one after another.

    Attributes:
        truth: Of the frames that were looked at.
        found: Every sighting, owned by itself.
        large: Which sightings were graded large enough, bool [N].
        vectors: float32 [N, D].
        track_of: Track of each sighting, int64 [N]; -1 where it is in none.
        embeddings: Of the tracks, float32 [T, D]; NaN where nothing of a track is large enough.
        track_ids: Of the tracks, T of them.
        scores: Of the tracks.
    """

    truth: Truth
    found: Boxes
    large: NDArray[np.bool_]
    vectors: NDArray[np.float32]
    track_of: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    track_ids: tuple[str, ...]
    scores: TrackScores


async def measure_tracks(plan: ScenePlan, folder: Path, eyes: Eyes, *, root: Path) -> Metrics:
    """Find the walk-pasts of a made scene; see the module.

    Args:
        plan: Of the scene.
        folder: Where its videos lie, or are drawn.
        eyes: What finds and describes shoes.
        root: Directory of the archives.
    """
    async with eyes.opened() as model:
        compared = await compared_scene(plan, folder, eyes, root=root, model=model)
        crops, numbers = catalogue(plan.shoes)
        gallery = await model.encode(crops, timeout_s=ENCODE_TIMEOUT_S)
    click.echo("where true shoes are lost, %")
    click.echo(text_table(LOSS_HEADERS, losses(compared)))
    return {**track_metrics(compared.scores), **rank_metrics(compared, gallery.astype(np.float32), numbers)}


async def compared_scene(plan: ScenePlan, folder: Path, eyes: Eyes, *, root: Path, model: VideoModel) -> Compared:
    """The archive of a made scene against its truth; arguments as of ``measure_tracks``."""
    videos = made_videos(plan, folder)
    edition = await archived(videos, SCENE, root=root, model=model, eyes=eyes)
    truths = [sampled(read_truth(video), eyes.every_s) for video in videos]
    return compare([seen_in(edition, video) for video in videos], truths, plan)


def sampled(truth: tuple[ShoeTruth, ...], every_s: float | None) -> tuple[ShoeTruth, ...]:
    """The truth of the frames that are looked at."""
    selection, before_s = Selection(every_s=every_s), None
    rate = next((shoe.frame / shoe.time_s for shoe in truth if shoe.time_s > 0), 1.0)
    taken = []
    # Frames without shoes are not in the truth, but the next frame's turn hangs on them.
    for frame in range(1 + max((shoe.frame for shoe in truth), default=-1)):
        taken.append(selection.takes(frame, frame / rate, before_s))
        before_s = frame / rate
    return tuple(shoe for shoe in truth if taken[shoe.frame])


def compare(seen: Sequence[Seen], truths: Sequence[tuple[ShoeTruth, ...]], plan: ScenePlan) -> Compared:
    """Put videos one after another and score their tracks."""
    stride = 1 + max((shoe.frame for truth in truths for shoe in truth), default=0)
    stride = max(stride, 1 + max((one.frame for each in seen for one in each.sightings), default=0))
    starts = [number * stride for number in range(len(seen))]
    truth = truth_of(list(truths), starts, plan.shoes)
    frames = [start + one.frame for start, each in zip(starts, seen, strict=True) for one in each.sightings]
    boxes = [one.box for each in seen for one in each.sightings]
    found = Boxes(
        np.arange(len(frames)), np.array(frames, np.int64), np.array(boxes, np.float64).reshape(len(frames), 4)
    )
    firsts = np.cumsum([0, *(len(each.tracks) for each in seen)])
    track_of = [
        np.where(each.track_of < 0, _NO_TRACK, each.track_of + first) for each, first in zip(seen, firsts, strict=False)
    ]
    owners = np.concatenate(track_of)
    taken = owners != _NO_TRACK
    tracked = Boxes(owners[taken], found.frames[taken], found.boxes[taken])
    vectors = _one_width([each.vectors for each in seen])
    return Compared(
        truth=truth,
        found=found,
        large=np.array([one.grade.is_large_enough for each in seen for one in each.sightings], np.bool_),
        vectors=vectors,
        track_of=owners,
        embeddings=_embeddings(seen, vectors.shape[1]),
        track_ids=tuple(track.track_id for each in seen for track in each.tracks),
        scores=track_scores(truth.boxes, tracked, tracks=int(firsts[-1])),
    )


def _one_width(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    width = max(part.shape[1] for part in parts)
    return np.concatenate(
        [part if part.shape[1] == width else np.full((len(part), width), np.nan, np.float32) for part in parts]
    )


def _embeddings(seen: Sequence[Seen], width: int) -> NDArray[np.float32]:
    rows = [track.embedding for each in seen for track in each.tracks]
    none = np.full(width, np.nan, np.float32)
    return np.array([none if row is None else row for row in rows], np.float32).reshape(-1, width)


def track_metrics(scores: TrackScores) -> Metrics:
    """``track_recall``, ``tracks_per_walk`` and what explains them."""
    return {
        "track_recall": scores.track_recall,
        "tracks_per_walk": scores.tracks_per_walk,
        "walks": float(scores.walks),
        "false_tracks": float(scores.false_tracks),
        "identity_switches": float(scores.identity_switches),
        "seen_share": scores.seen_share,
    }


def rank_metrics(compared: Compared, gallery: NDArray[np.float32], numbers: NDArray[np.int64]) -> Metrics:
    """Rank-1 of the right model among the catalogue: of tracks, and of single shoes in the same tracks.

    Tracks without a shoe that is large enough have no vector; ``tracks_searchable`` is the share of the others.

    Args:
        compared: Tracks with their truth.
        gallery: Vectors of the catalogue's pictures, float32 [N, D].
        numbers: Number of each one's model, int64 [N].
    """
    walk_of = compared.scores.walk_of
    is_true = walk_of >= 0
    has_vector = is_true & np.isfinite(compared.embeddings).all(axis=1)
    if not has_vector.any():
        return {"tracks_searchable": 0.0}
    models = compared.truth.models[np.maximum(walk_of, 0)]
    by_track = rank_one(compared.embeddings[has_vector], models[has_vector], gallery=gallery, gallery_models=numbers)
    single = np.isfinite(compared.vectors).all(axis=1) & (compared.track_of != _NO_TRACK)
    single[single] = has_vector[compared.track_of[single]]
    by_shoe = rank_one(
        compared.vectors[single], models[compared.track_of[single]], gallery=gallery, gallery_models=numbers
    )
    return {
        "track_rank1": by_track,
        "frame_rank1": by_shoe,
        "track_gain_pts": 100 * (by_track - by_shoe),
        "tracks_searchable": float(has_vector.sum() / is_true.sum()),
    }


LOSS_HEADERS = ("view", "length px", "true", "not detected", "graded too small", "in no track", "in a track")


def losses(compared: Compared) -> list[tuple[InputValue, ...]]:
    """What became of true shoes that are large enough to be searched, and of smaller ones, by view and length.

    Of each row the four shares are percent of its true shoes: not detected, detected but graded too small (whether or
    not in a track), large enough but in no track, and large enough and in one.
    """
    state = _states(compared)
    views = np.array([shoe.view.value for shoe in compared.truth.shoes])
    lengths = np.array([shoe.length_px for shoe in compared.truth.shoes])
    visible = np.array([shoe.visible for shoe in compared.truth.shoes]) >= 0.5
    rows: list[tuple[InputValue, ...]] = []
    for view in View:
        for low, high in _LENGTHS_PX:
            these = (views == view.value) & (lengths >= low) & (lengths < high) & visible
            if these.any():
                shares = [float(100 * (state[these] == number).mean()) for number in range(4)]
                rows.append((view.value, f"{low}-{high}" if high < 10_000 else f"{low}-", int(these.sum()), *shares))
    return rows


def _states(compared: Compared) -> NDArray[np.int64]:
    """Of each true shoe: 0 not detected, 1 graded too small, 2 in no track, 3 in a track."""
    lies_on = boxes_on(compared.truth.boxes, compared.found)
    reached = np.where(compared.large, np.where(compared.track_of == _NO_TRACK, 2, 3), 1)
    state = np.zeros(len(compared.truth.shoes), np.int64)
    hit = lies_on >= 0
    np.maximum.at(state, lies_on[hit], reached[hit])
    return state
