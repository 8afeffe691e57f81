"""An indexing of videos that is killed, whenever that is, and begun again gives what an undisturbed one does."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.video.index_videos import index_videos
from outsole.gallery.editions import Edition
from tests.unit.indexer.video.walks import CAMERA, OPTIONS, walk_model, write_walk

_ROOT = Path(__file__).parents[4]
_PROGRAM = """
import asyncio, sys
from pathlib import Path
from indexer.video.index_videos import index_videos
from tests.unit.indexer.video.walks import CAMERA, OPTIONS, MeanShoeEncoder, walk_model

model = walk_model(encoder=MeanShoeEncoder(seconds_a_crop=0.005))
files = [Path(name) for name in sys.argv[2:]]
print("begun", flush=True)
asyncio.run(index_videos(files, "hall", root=Path(sys.argv[1]), model=model, camera=CAMERA, options=OPTIONS))
"""
_KILLS = 5
_LONGEST_S = 1.2


def _killed_after(seconds: float, root: Path, clips: list[Path]) -> bool:
    """Whether it was killed before it was done."""
    command = [sys.executable, "-c", _PROGRAM, str(root), *map(str, clips)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None and process.stdout.readline() == b"begun\n"
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait() != 0


def _files(edition: Edition) -> dict[str, str]:
    return {name: record.sha256 for name, record in edition.manifest.files.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_and_resumed_it_equals_the_undisturbed_run(seed: int, tmp_path: Path) -> None:
    clips = [write_walk(tmp_path / f"{number}.mp4", seed=number) for number in range(2)]
    draw = random.Random(seed)
    killed = sum(_killed_after(draw.uniform(0.0, _LONGEST_S), tmp_path / "root", clips) for _ in range(_KILLS))
    assert killed > 0
    for root in ("root", "undisturbed"):
        asyncio.run(
            index_videos(clips, "hall", root=tmp_path / root, model=walk_model(), camera=CAMERA, options=OPTIONS)
        )
    resumed, undisturbed = (Edition.open(tmp_path / root, "hall") for root in ("root", "undisturbed"))
    resumed.verify()
    assert resumed.id == undisturbed.id
    assert _files(resumed) == _files(undisturbed)
