"""The made scene that tracks are measured on: its videos with their truth, and the catalogue of its models."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Role, View
from outsole.errors import NotFound
from outsole.evaluation.track_scores import Boxes
from outsole.imaging.decode import decode_image
from outsole.matching.shoe_system import VIEWS, photograph_crop
from outsole.synthesis.scene_files import read_scene, video_name, write_scene
from outsole.synthesis.scene_pictures import ShoeTruth
from outsole.synthesis.scenes import Scene, SceneSettings, plan_scene
from outsole.synthesis.shoe_pictures import retail_photograph
from outsole.synthesis.shoes import ShoeModel, plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper
from outsole.video.grading import GradeSettings

ROLES = (Role.SIDE, Role.FRONT, Role.HEEL)
"""From where the catalogue shows each model."""
_DRAWN_PX = 256


@dataclass(frozen=True)
class ScenePlan:
    """What is made.

    Attributes:
        cameras: One video each.
        models: Of the catalogue; walkers wear some of them.
        walks: Past each camera.
        seconds: Length of each video.
        seed: Settings of what is measured were chosen on other seeds than the default.
    """

    cameras: int = 10
    models: int = 200
    walks: int = 6
    seconds: float = 36.0
    seed: int = 7

    @property
    def shoes(self) -> tuple[ShoeModel, ...]:
        """The models of the catalogue."""
        return plan_models(self.models, seed=self.seed)

    def scene(self) -> Scene:
        """Who walks where and when."""
        settings = SceneSettings(
            walks_per_camera=self.walks, seconds=self.seconds, start=datetime(2026, 3, 2, 8, tzinfo=UTC)
        )
        return plan_scene(self.shoes, cameras=self.cameras, seed=self.seed, settings=settings)


def made_videos(plan: ScenePlan, folder: Path) -> list[Path]:
    """The videos of a plan in the order of its cameras; drawn now where they are not in the folder."""
    scene = plan.scene()
    videos = [folder / video_name(camera) for camera in scene.cameras]
    if not _is_there(scene, folder):
        shutil.rmtree(folder, ignore_errors=True)
        write_scene(scene, folder)
    return videos


def _is_there(scene: Scene, folder: Path) -> bool:
    try:
        return read_scene(folder) == scene
    except NotFound:
        return False


def catalogue(shoes: tuple[ShoeModel, ...]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """A shop's photographs of every model, cut as the indexer cuts them.

    Returns:
        Crops uint8 [N, 112, 224, 3], and the number of each one's model, int64 [N].
    """
    crops = [_shop_crop(shoe, role, seed) for seed, shoe in enumerate(shoes) for role in ROLES]
    return np.stack(crops), np.repeat(np.arange(len(shoes)), len(ROLES))


def _shop_crop(shoe: ShoeModel, role: Role, seed: int) -> NDArray[np.uint8]:
    upper = draw_upper(design_of(shoe), VIEWS[role], length_px=_DRAWN_PX)
    rgb = retail_photograph(upper, seed).rgb
    coded = cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
    return photograph_crop(decode_image(coded, with_color=True), role)


@dataclass(frozen=True)
class Truth:
    """The truth about a video, or about several one after another.

    Attributes:
        shoes: One a true shoe in a frame.
        boxes: The same as boxes; owners are places in ``walks``, frames are numbered on from video to video.
        walks: Ids of the walk-pasts.
        models: Number of the model that each walk-past wears, int64 [W].
    """

    shoes: tuple[ShoeTruth, ...]
    boxes: Boxes
    walks: tuple[str, ...]
    models: NDArray[np.int64]


def truth_of(truths: list[tuple[ShoeTruth, ...]], first_frames: list[int], shoes: tuple[ShoeModel, ...]) -> Truth:
    """Put the truths of videos one after another.

    Args:
        truths: Of each video.
        first_frames: Number that its first frame gets.
        shoes: Models of the catalogue.
    """
    every = tuple(shoe for truth in truths for shoe in truth)
    frames = [start + shoe.frame for start, truth in zip(first_frames, truths, strict=True) for shoe in truth]
    model_of = {shoe.walk_id: shoe.model_id for shoe in every}
    walks, numbers = tuple(sorted(model_of)), {shoe.model_id: number for number, shoe in enumerate(shoes)}
    place = {walk: number for number, walk in enumerate(walks)}
    boxes = Boxes(
        np.array([place[shoe.walk_id] for shoe in every], np.int64),
        np.array(frames, np.int64),
        np.array([shoe.box for shoe in every], np.float64).reshape(-1, 4),
        np.array([is_large_enough(shoe) for shoe in every], np.bool_),
    )
    return Truth(every, boxes, walks, np.array([numbers[model_of[walk]] for walk in walks], np.int64))


def is_large_enough(shoe: ShoeTruth) -> bool:
    """Whether a true shoe is one that a search is worth, by the limits of `GradeSettings`."""
    limits = GradeSettings()
    least = limits.min_length_px if shoe.view is View.SIDE else limits.min_height_px
    return shoe.length_px >= least and shoe.visible >= limits.min_visible
