"""Shoes in video, measured: encoder, outliers, tracks of made scenes, traces, the pipeline, its memory, kills.

    python -m benchmarks.video [--only PART ...] [--encoder FOLDER] [--work DIR --keep] [--json FILE]

Nothing is downloaded: shoes, scenes and mistakes are made. The encoder is a model's folder, the folder of a training
run, or ``imagenet``. With ``--keep`` what is drawn and the parts that were measured stay for the next run; archives do
not, so that what is measured anew is looked at anew.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.finished import Finished, Metrics, Step, measure_parts
from benchmarks.reporting import InputValue, describe_machine, make_result, text_table
from benchmarks.video_parts.interactive import measure_on_stack
from benchmarks.video_parts.kills import measure_kills
from benchmarks.video_parts.looking import EVERY_S, Eyes
from benchmarks.video_parts.scene import ScenePlan, made_videos
from benchmarks.video_parts.shoes import measure_outliers, measure_shoes
from benchmarks.video_parts.stages import looped, measure_memory, measure_pipeline
from benchmarks.video_parts.trace import measure_trace
from benchmarks.video_parts.tracks import measure_tracks
from outsole.errors import OutsoleError
from outsole.matching.shoe_system import DEFAULT_SHOE_ENCODER

_REPOSITORY = Path(__file__).resolve().parent.parent / "model_repository"


@dataclass(frozen=True)
class VideoRun:
    """What is measured, and with what.

    Attributes:
        plan: Of the made scene.
        work: Folder for what is made.
        repository: Folder of the model folders.
        encoder: As `benchmarks.shoe_systems.outliers.find_encoder` takes it.
        triton_url: ``host:port`` of a Triton to ask; empty for this process.
        every_s: How often a video is looked at, seconds; None for every frame.
        unseen: Models of the encoder's own figures.
        sets: Sets of photographs that outliers are planted in.
        prints: Of each model whose walker is traced.
        kills: How often an indexing is killed.
        hours: Length of the video over which memory is watched.
        long_every_s: How often that one is looked at, seconds.
    """

    plan: ScenePlan
    work: Path
    repository: Path
    encoder: str
    triton_url: str
    every_s: float | None
    unseen: int
    sets: int
    prints: int
    kills: int
    hours: float
    long_every_s: float

    @property
    def scene(self) -> Path:
        """Folder of the made scene."""
        return self.work / "scene"

    @property
    def home(self) -> Path:
        """State directory of what is indexed."""
        return self.work / "home"

    @property
    def eyes(self) -> Eyes:
        """What looks at the scene."""
        return Eyes(self.repository, self.encoder, self.triton_url, self.every_s)

    def tracks(self) -> Metrics:
        """The part ``tracks``."""
        root = self.eyes.place(self.home).editions_dir
        return asyncio.run(measure_tracks(self.plan, self.scene, self.eyes, root=root))

    def trace(self) -> Metrics:
        """The part ``trace``; the archive is that of ``tracks``, made now where it is not there."""
        return asyncio.run(measure_trace(self.plan, self.scene, self.eyes, home=self.home, prints=self.prints))

    def pipeline(self) -> Metrics:
        """The part ``pipeline``: on the camera in the middle, whose shoes are neither small nor large."""
        videos = made_videos(self.plan, self.scene)
        return asyncio.run(measure_pipeline(videos[len(videos) // 2], self.eyes))

    def memory(self) -> Metrics:
        """The part ``rss``."""
        video, long = made_videos(self.plan, self.scene)[0], self.work / "long.mp4"
        looped(video, long, seconds=3600 * self.hours)
        return measure_memory(long, replace(self.eyes, every_s=self.long_every_s), self.work / "memory")

    def killed(self) -> Metrics:
        """The part ``kills``: on the first camera."""
        video = made_videos(self.plan, self.scene)[0]
        return measure_kills(video, self.eyes, self.work / "kills", kills=self.kills)


PARTS: Mapping[str, Callable[[VideoRun], Metrics]] = {
    "shoes": lambda run: measure_shoes(run.encoder, run.unseen),
    "outliers": lambda run: measure_outliers(run.encoder, run.sets),
    "tracks": VideoRun.tracks,
    "trace": VideoRun.trace,
    "pipeline": VideoRun.pipeline,
    "interactive": lambda run: measure_on_stack(made_videos(run.plan, run.scene)[0], run.work),
    "rss": VideoRun.memory,
    "kills": VideoRun.killed,
}
"""What can be measured, by name, in the order in which it is."""


def steps(run: VideoRun, only: Collection[str]) -> Iterator[tuple[str, Step]]:
    """What is to be done, by name."""
    return ((name, partial(part, run)) for name, part in PARTS.items() if name in only)


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Only this part; may be given again.")
@click.option("--encoder", default="", help="Model's folder, run's folder or imagenet; the shipped one where empty.")
@click.option("--repository", default=_REPOSITORY, show_default="the project's", type=click.Path(path_type=Path))
@click.option("--triton", "triton_url", default="", help="HOST:PORT of a Triton to ask; in this process where empty.")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), help="Folder for what is made.")
@click.option("--keep", is_flag=True, help="Keep it for the next run.")
@click.option("--cameras", default=10, show_default=True, type=click.IntRange(1), help="Of the made scene.")
@click.option("--models", default=200, show_default=True, type=click.IntRange(2), help="Of its catalogue.")
@click.option("--walks", default=6, show_default=True, type=click.IntRange(1), help="Past each camera.")
@click.option("--seconds", default=36.0, show_default=True, help="Length of each camera's video.")
@click.option("--seed", default=ScenePlan.seed, show_default=True, help="Of the made scene.")
@click.option("--every-s", default=EVERY_S, show_default=True, help="How often videos are looked at; 0 every frame.")
@click.option("--unseen", default=300, show_default=True, type=click.IntRange(2), help="Models of part shoes.")
@click.option("--sets", default=300, show_default=True, type=click.IntRange(2), help="Sets of part outliers.")
@click.option("--prints", default=3, show_default=True, type=click.IntRange(1), help="Of each model of part trace.")
@click.option("--kills", default=10, show_default=True, type=click.IntRange(1), help="Of part kills.")
@click.option("--hours", default=2.0, show_default=True, help="Length of the video of part rss.")
@click.option("--long-every-s", default=2.0, show_default=True, help="How often that one is looked at.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="File for the result.")
def main(only: tuple[str, ...], work: Path | None, keep: bool, json_file: Path | None, **options: Any) -> None:
    """Measure shoes in video."""
    # A folder of its own: it is removed at the end, and nothing else may go with it.
    folder = (work.absolute() / "outsole-video") if work else Path(tempfile.mkdtemp(prefix="outsole-video-"))
    try:
        run = _run(folder, options)
        shutil.rmtree(run.home, ignore_errors=True)

        def say(metrics: Metrics) -> None:
            if json_file is not None:
                make_result("video", inputs=_inputs(run), metrics=metrics).write(json_file)

        finished = Finished(folder / "measured.json", str(run))
        metrics = measure_parts(steps(run, set(only or PARTS)), finished, say)
        click.echo(text_table(("metric", "value"), [(name, f"{value:.4g}") for name, value in metrics.items()]))
    except OutsoleError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, options: Mapping[str, Any]) -> VideoRun:
    names = ("cameras", "models", "walks", "seconds", "seed")
    own = ("repository", "triton_url", "unseen", "sets", "prints", "kills", "hours", "long_every_s")
    return VideoRun(
        plan=ScenePlan(**{name: options[name] for name in names}),
        work=folder,
        encoder=options["encoder"] or str(options["repository"] / DEFAULT_SHOE_ENCODER),
        every_s=options["every_s"] or None,
        **{name: options[name] for name in own},
    )


def _inputs(run: VideoRun) -> dict[str, InputValue]:
    plan = run.plan
    return {
        "machine": str(describe_machine()),
        "encoder": Path(run.encoder).name,
        "cameras": plan.cameras,
        "models": plan.models,
        "walks_per_camera": plan.walks,
        "seconds": plan.seconds,
        "seed": plan.seed,
        "every_s": run.every_s or 0.0,
        "unseen_models": run.unseen,
        "sets": run.sets,
        "prints": run.prints,
        "kills": run.kills,
        "hours": run.hours,
        "long_every_s": run.long_every_s,
        "served": bool(run.triton_url),
    }


if __name__ == "__main__":
    main()
