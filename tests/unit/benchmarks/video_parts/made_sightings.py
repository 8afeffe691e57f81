"""What a perfect detector and an encoder that knows the model would see of a made video."""

from __future__ import annotations

import numpy as np

from benchmarks.video_parts.looking import Seen
from benchmarks.video_parts.scene import ScenePlan
from outsole.synthesis.scene_pictures import ShoeTruth
from outsole.video.records import Grade, Sighting
from outsole.video.tracking import Tracker

PLAN = ScenePlan(cameras=1, models=4, walks=1, seconds=8.0, seed=3)


def seen_of(truth: tuple[ShoeTruth, ...], *, model: int = 0, only_large: bool = True) -> Seen:
    """What a perfect detector and an encoder that knows the model would see."""
    vector = np.eye(8, dtype=np.float32)[model]
    sightings = []
    for shoe in truth:
        large = shoe.length_px >= 32 and shoe.visible >= 0.5
        if large or not only_large:
            grade = Grade(shoe.length_px, 1.0, shoe.visible, 0.5, large)
            sightings.append(
                Sighting(
                    shoe.frame, shoe.time_s, shoe.box, shoe.toe, shoe.heel, shoe.view, 0.9, shoe.person, grade=grade
                )
            )
    vectors = np.tile(vector, (len(sightings), 1))
    tracker = Tracker("made")
    first, last = tracker.update(sightings, vectors), tracker.close()
    tracks = (*first.finished, *last.finished)
    number = {part.walk: place for place, track in enumerate(tracks) for part in track.parts}
    walks = np.concatenate([first.walks, last.walks])
    owners = np.array([number.get(walk, -1) for walk in walks[np.argsort(walks[:, 0]), 1].tolist()], np.int64)
    return Seen(tuple(sightings), vectors, tracks, owners)
