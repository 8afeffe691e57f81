"""Crops of made scenes: what the finder cuts out of a camera's video, with the model that is really worn.

    python -m training.scene_crops [--cameras 40] [--output build/training/scene_crops] [--workers 2]

A drawn crop has its toe and heel where they are, give or take; a found one is turned by what networks took for toe and
heel, with the video's compression and the wearer's stride in it. Every camera is a scene of its own, and a file of its
own: a run that was stopped goes on with the cameras that are missing.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from indexer.video.slices import crop_of
from outsole.encoders.network_spec import NetworkSpec
from outsole.errors import DataCorrupt, NotFound
from outsole.evaluation.track_scores import Boxes, boxes_on
from outsole.imaging.shoe_crops import CROP_PX
from outsole.inference.in_process import InProcessEncoder
from outsole.synthesis.scene_files import read_truth, write_scene
from outsole.synthesis.scene_pictures import ShoeTruth
from outsole.synthesis.scenes import Scene, SceneSettings, plan_scene
from outsole.video.finding import DetectedShoes
from outsole.video.networks import MODELS, ShoeNetworks
from outsole.video.opening import open_source
from outsole.video.records import Frame
from training.command import RUNS, OneSentence
from training.made_shoes import LEARNED_MODELS, LEARNED_SEED, VIEWS, FoundCrops, MadeUppers

FOLDER = RUNS / "scene_crops"
CAMERAS = 40
_REPOSITORY = Path(__file__).resolve().parent.parent / "model_repository"
# No scene that anything is measured on has such a seed.
_FIRST_SEED = 50_000
_WALKS, _SECONDS, _EVERY_S = 8, 30.0, 0.2
_SHOE_PX = (42, 110)
_BATCH_FRAMES = 8
_TIMEOUT_S = 600.0


def read_scene_crops(folder: Path = FOLDER, *, cameras: int = CAMERAS) -> FoundCrops:
    """Read what the command wrote.

    Raises:
        NotFound: A camera is missing.
        DataCorrupt: A file is no set of crops.
    """
    parts = []
    for camera in range(cameras):
        file = _file(folder, camera)
        if not file.is_file():
            raise NotFound(f"there is no {file}", field="scenes", remedy="python -m training.scene_crops")
        try:
            with np.load(file) as read:
                parts.append((read["images"], read["models"], read["views"]))
        except (OSError, ValueError, KeyError) as error:
            raise DataCorrupt(
                f"{file} holds no crops: {error}", remedy="remove it and run the command again"
            ) from error
    images, models, views = (np.concatenate(column) for column in zip(*parts, strict=True))
    return FoundCrops(images, models, views)


def camera_scene(camera: int) -> Scene:
    """The scene of a camera, the same for the same number: shoes of 42 to 110 pixels, models in a drawn order."""
    seed = _FIRST_SEED + camera
    low, high = np.log(_SHOE_PX)
    shoe_px = round(float(np.exp(np.random.default_rng([0x5C, seed]).uniform(low, high))))
    settings = SceneSettings(walks_per_camera=_WALKS, seconds=_SECONDS, shoe_px=(shoe_px, shoe_px))
    return plan_scene(_uppers().models, cameras=1, seed=seed, settings=settings)


def found_crops(scene: Scene, finder: DetectedShoes) -> FoundCrops:
    """Draw a scene of one camera, find the shoes in its video, and keep those that lie on a true one.

    Args:
        scene: Its walkers wear models that are learned from.
        finder: Finds shoes.
    """
    numbers = {model.model_id: number for number, model in enumerate(_uppers().models)}
    images, shoes = list[NDArray[np.uint8]](), list[ShoeTruth]()
    with tempfile.TemporaryDirectory(prefix="outsole-scene-") as work:
        (video,) = write_scene(scene, Path(work) / "scene")
        truth = read_truth(video)
        for frames in _batches(video):
            for crop, shoe in _of_frames(frames, finder, truth):
                images.append(crop)
                shoes.append(shoe)
    return FoundCrops(
        np.array(images, np.uint8).reshape(-1, *CROP_PX, 3),
        np.array([numbers[shoe.model_id] for shoe in shoes], np.int64),
        np.array([VIEWS.index(shoe.view) for shoe in shoes], np.int64),
    )


@functools.cache
def _uppers() -> MadeUppers:
    return MadeUppers(LEARNED_MODELS, seed=LEARNED_SEED)


def _batches(video: Path) -> Iterator[list[Frame]]:
    with open_source(video).frames(every_s=_EVERY_S) as reading:
        while batch := list(itertools.islice(reading, _BATCH_FRAMES)):
            yield batch


def _of_frames(
    frames: list[Frame], finder: DetectedShoes, truth: Sequence[ShoeTruth]
) -> Iterator[tuple[NDArray[np.uint8], ShoeTruth]]:
    """Crops that can be searched with, each with the true shoe that it lies on."""
    found = asyncio.run(finder.find(frames, timeout_s=_TIMEOUT_S))
    seen = [(frame, one) for frame, shoes in zip(frames, found, strict=True) for one in shoes.sightings]
    here = [shoe for shoe in truth if frames[0].number <= shoe.frame <= frames[-1].number]
    if not seen or not here:
        return
    lies_on = boxes_on(
        _boxes([(shoe.frame, shoe.box) for shoe in here]), _boxes([(frame.number, one.box) for frame, one in seen])
    )
    for (frame, one), place in zip(seen, lies_on.tolist(), strict=True):
        crop = crop_of(frame, one) if place >= 0 else None
        if crop is not None:
            yield crop, here[place]


def _boxes(rows: list[tuple[int, tuple[float, float, float, float]]]) -> Boxes:
    frames = np.array([frame for frame, _ in rows], np.int64)
    return Boxes(np.arange(len(rows)), frames, np.array([box for _, box in rows], np.float64))


def opened_finder(repository: Path = _REPOSITORY) -> DetectedShoes:
    """The detectors of a model repository, on one core of this process."""
    networks = {
        name: InProcessEncoder(repository / name, contract=NetworkSpec.load(repository / name).contract(), threads=1)
        for name in MODELS
    }
    return DetectedShoes(ShoeNetworks.of(networks))


def _write(camera: int, folder: Path) -> int:
    cv2.setNumThreads(1)
    crops = found_crops(camera_scene(camera), opened_finder())
    target = _file(folder, camera)
    draft = target.with_suffix(f".{os.getpid()}.tmp")
    with draft.open("wb") as file:
        np.savez_compressed(file, images=crops.images, models=crops.models, views=crops.views)
    os.replace(draft, target)
    return len(crops.models)


def _file(folder: Path, camera: int) -> Path:
    return folder / f"camera_{camera:04d}.npz"


@click.command(cls=OneSentence)
@click.option("--output", default=FOLDER, show_default=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--cameras", default=CAMERAS, show_default=True, type=click.IntRange(1), help="Scenes, one camera each.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes that draw and look.")
def main(output: Path, cameras: int, workers: int) -> None:
    """Write crops of made scenes for the training of shoe encoders."""
    output.mkdir(parents=True, exist_ok=True)
    todo = [camera for camera in range(cameras) if not _file(output, camera).is_file()]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        work = pool.map(functools.partial(_write, folder=output), todo)
        written = sum(tqdm(work, total=len(todo), desc="scenes", unit="camera"))
    click.echo(f"{output}: {written} crops of {len(todo)} cameras written, {cameras - len(todo)} cameras were there")


if __name__ == "__main__":
    main()
