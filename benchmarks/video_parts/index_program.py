"""Index one video with the indexer's own pipeline: what the benchmarks watch and kill.

python -m benchmarks.video_parts.index_program ROOT ARCHIVE VIDEO --repository DIR --encoder FOLDER [...]
"""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
from pathlib import Path
from typing import Any

import click

from benchmarks.killing import started
from benchmarks.video_parts.looking import Eyes
from indexer.video.index_videos import VideoIndexReport, VideoOptions, index_videos
from indexer.video.sources import CameraPlan
from outsole.commands.index import HERE, RAY, workers_of
from outsole.errors import OutsoleError

CAMERA = CameraPlan("cam01")


@dataclasses.dataclass(frozen=True)
class Indexing:
    """One video into one archive.

    Attributes:
        root: Directory of all archives.
        archive: Its name.
        video: A file.
        eyes: What looks at it.
        workers: ``here`` or ``ray``.
    """

    root: Path
    archive: str
    video: Path
    eyes: Eyes
    workers: str = HERE

    def started(self, log: Path) -> subprocess.Popen[bytes]:
        """The indexing as a program of its own; what it says is appended to ``log``."""
        eyes = self.eyes
        options = {
            "repository": eyes.repository,
            "encoder": eyes.encoder,
            "triton": eyes.triton_url,
            "every-s": eyes.every_s or 0.0,
            "slice-s": eyes.slice_s,
            "workers": self.workers,
        }
        told = [f"--{name}={value}" for name, value in options.items()]
        return started(__name__, [str(self.root), self.archive, str(self.video), *told], log=log)

    async def done(self) -> VideoIndexReport:
        """The indexing in this process. Errors are those of ``indexer.video.index_videos.index_videos``."""
        options = VideoOptions(settings=self.eyes.settings)
        if self.workers == RAY:
            options = dataclasses.replace(options, on_ray=self.eyes.opened)
        async with self.eyes.opened() as model:
            return await index_videos(
                [self.video], self.archive, root=self.root, model=model, camera=CAMERA, options=options
            )


@click.command()
@click.argument("root", type=click.Path(path_type=Path))
@click.argument("archive")
@click.argument("video", type=click.Path(exists=True, path_type=Path))
@click.option("--repository", required=True, type=click.Path(path_type=Path))
@click.option("--encoder", required=True)
@click.option("--triton", "triton_url", default="")
@click.option("--every-s", default=0.0)
@click.option("--slice-s", default=Eyes.slice_s)
@click.option("--workers", type=click.Choice([HERE, RAY]), default=HERE)
def main(root: Path, archive: str, video: Path, *, workers: str, every_s: float, **eyes: Any) -> None:
    """Index VIDEO into ARCHIVE below ROOT."""
    indexing = Indexing(root, archive, video, Eyes(every_s=every_s or None, **eyes), workers)
    try:
        with workers_of(workers):
            report = asyncio.run(indexing.done())
    except OutsoleError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    click.echo(f"{report.edition} {report.seconds:.3f}")


if __name__ == "__main__":
    main()
