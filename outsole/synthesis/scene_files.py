"""Made scenes on disk: one MP4 file a camera, the truth beside it, and who walked where.

``python -m outsole.synthesis.scene_files DIR --cameras 10 --models 200 --seed 1`` writes one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import click

from outsole.answers import View
from outsole.errors import DataCorrupt, InvalidInput, NotFound, OutsoleError
from outsole.synthesis.scene_pictures import ShoeTruth, frames_of
from outsole.synthesis.scenes import Camera, Scene, SceneSettings, Walk, Walker, plan_scene
from outsole.synthesis.shoes import ShoeModel, plan_models
from outsole.video.records import Frame

SCENE_FILE = "scene.json"
TRUTH_SUFFIX = ".truth.jsonl"
_MPEG4_BITS_PER_PIXEL = 0.12
_DIGITS = 3


def video_name(camera: Camera) -> str:
    """Name of a camera's file: camera and start time in UTC, ``cam01_20260302T080000.mp4``."""
    return f"{camera.camera_id}_{camera.start:%Y%m%dT%H%M%S}.mp4"


def write_scene(
    scene: Scene, directory: Path, *, progress: Callable[[str, int, int], None] | None = None
) -> list[Path]:
    """Write a scene as a surveillance system would have recorded it, whole or not at all.

    Args:
        scene: From `outsole.synthesis.scenes.plan_scene`.
        directory: Must not exist, or be empty. It holds ``<camera>_<YYYYmmddTHHMMSS>.mp4`` with its start as
            ``creation_time``, ``<the same>.truth.jsonl`` (one `ShoeTruth` a line) and ``scene.json``.
        progress: Called after each frame: ``progress(camera_id, frames done, frames)``.

    Returns:
        The video files in the order of the cameras.

    Raises:
        InvalidInput: Something is in the directory already.
        OSError: The disk is full or refuses.
    """
    directory = Path(directory)
    if directory.exists() and any(directory.iterdir()):
        raise InvalidInput(f"{directory} is not empty", field="directory", remedy="a new directory")
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        names = [_write_camera(scene, camera, draft, progress).name for camera in scene.cameras]
        text = json.dumps(dataclasses.asdict(scene), default=datetime.isoformat, indent=1)
        (draft / SCENE_FILE).write_text(text + "\n", encoding="utf-8")
        draft.chmod(0o755)
        os.replace(draft, directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [directory / name for name in names]


def read_scene(directory: Path) -> Scene:
    """Read the plan that a written scene was drawn from.

    Raises:
        NotFound: There is no scene in the directory.
        DataCorrupt: Its file is not what `write_scene` wrote.
    """
    path = Path(directory) / SCENE_FILE
    if not path.is_file():
        raise NotFound(f"there is no scene in {directory}", field="directory", remedy="a directory of write_scene")
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Scene(
            seed=known["seed"],
            cameras=tuple(_camera(row) for row in known["cameras"]),
            walkers=tuple(Walker(**{**row, "model": ShoeModel(**row["model"])}) for row in known["walkers"]),
            walks=tuple(Walk(**{**row, "path": tuple((x, z) for x, z in row["path"])}) for row in known["walks"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataCorrupt(f"{path} is no scene: {error}", remedy="write the scene again") from error


def read_truth(video: Path) -> tuple[ShoeTruth, ...]:
    """Read the truth about a video of `write_scene`, in the order of frames.

    Args:
        video: The MP4 file; its truth lies beside it.

    Raises:
        NotFound: There is no truth beside it.
        DataCorrupt: The truth is not what `write_scene` wrote.
    """
    path = Path(video).with_suffix(TRUTH_SUFFIX)
    if not path.is_file():
        raise NotFound(f"there is no {path.name} beside the video", field="video", remedy="a file of write_scene")
    try:
        return tuple(_from_row(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())
    except (ValueError, KeyError, TypeError) as error:
        raise DataCorrupt(f"{path} is no truth: {error}", remedy="write the scene again") from error


def _write_camera(
    scene: Scene, camera: Camera, directory: Path, progress: Callable[[str, int, int], None] | None
) -> Path:
    path = directory / video_name(camera)
    with path.with_suffix(TRUTH_SUFFIX).open("w", encoding="utf-8") as truth:

        def pictures() -> Iterator[Frame]:
            for frame, shoes in frames_of(scene, camera.camera_id):
                truth.writelines(json.dumps(_to_row(shoe)) + "\n" for shoe in shoes)
                yield frame
                if progress:
                    progress(camera.camera_id, frame.number + 1, camera.frames)

        _encode(path, camera, pictures())
    return path


def _encode(path: Path, camera: Camera, frames: Iterator[Frame]) -> None:
    height, width = camera.size_px
    # Without this flag the muxer leaves its version in the file; the same scene shall be the same bytes.
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        container.metadata["creation_time"] = f"{camera.start:%Y-%m-%dT%H:%M:%S}.000000Z"
        container.metadata["title"] = camera.camera_id
        stream = _stream(container, camera)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, camera.frame_rate)
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame.rgb, format="rgb24")
            picture.pts, picture.time_base = frame.number, Fraction(1, camera.frame_rate)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _stream(container: Any, camera: Camera) -> Any:
    """H.264 at a constant rate factor, or MPEG-4 where this FFmpeg has no libx264."""
    pixels = camera.size_px[0] * camera.size_px[1]
    if "libx264" in av.codecs_available:
        # One thread and no frames out of order: the same bytes every time, and the first frame at zero.
        options = {"crf": str(camera.quality), "preset": "veryfast", "bf": "0", "g": str(4 * camera.frame_rate)}
        stream = container.add_stream("libx264", rate=camera.frame_rate, options={**options, "threads": "1"})
    else:
        stream = container.add_stream("mpeg4", rate=camera.frame_rate)
        stream.bit_rate = int(pixels * camera.frame_rate * _MPEG4_BITS_PER_PIXEL)
    stream.codec_context.thread_count = 1
    return stream


def _to_row(shoe: ShoeTruth) -> dict[str, Any]:
    row = dataclasses.asdict(shoe)
    row["view"] = shoe.view.value
    for name in ("box", "toe", "heel", "person"):
        row[name] = [round(value, _DIGITS) for value in row[name]]
    row["length_px"], row["visible"] = round(shoe.length_px, _DIGITS), round(shoe.visible, _DIGITS)
    return row


def _from_row(row: dict[str, Any]) -> ShoeTruth:
    points = {name: tuple(row[name]) for name in ("box", "toe", "heel", "person")}
    return ShoeTruth(**{**row, **points, "view": View(row["view"])})


def _camera(row: dict[str, Any]) -> Camera:
    height, width = row["size_px"]
    return Camera(**{**row, "size_px": (height, width), "start": datetime.fromisoformat(row["start"])})


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--cameras", default=10, show_default=True, help="Number of cameras, one video each.")
@click.option("--models", default=200, show_default=True, help="Number of shoe models in the catalogue.")
@click.option("--walks", default=10, show_default=True, help="Walks past each camera.")
@click.option("--seconds", default=60.0, show_default=True, help="Length of each video.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
def main(directory: Path, cameras: int, models: int, walks: int, seconds: float, seed: int) -> None:
    """Write a made scene to DIRECTORY: videos, the truth about every shoe, and who walked where."""
    try:
        settings = SceneSettings(walks_per_camera=walks, seconds=seconds)
        scene = plan_scene(plan_models(models, seed=seed), cameras=cameras, seed=seed, settings=settings)
        videos = write_scene(scene, directory)
    except (OutsoleError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{len(videos)} videos with {len(scene.walks)} walks of {len(scene.walkers)} walkers in {directory}")


if __name__ == "__main__":
    main()
