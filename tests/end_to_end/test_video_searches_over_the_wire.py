"""A search of video in bulk on the running stack: paused and killed, it finds what an undisturbed one does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from benchmarks.video_parts.stages import looped
from outsole.api import Client
from outsole.errors import InvalidInput, PreconditionFailed
from outsole.operations import VIDEO_SEARCH, OperationInfo, WorkState
from outsole.synthesis.scene_files import write_scene
from outsole.synthesis.scenes import SceneSettings, plan_scene
from outsole.synthesis.shoes import plan_models
from outsole.video_answers import VideoSearchAnswer
from tests.end_to_end.stack import SHOE_GALLERY, Stack, wait_until

LIMIT_S = 400.0
EVERY_S = 0.25


@pytest.fixture(scope="module")
def files(stack: Stack) -> list[str]:
    """Two clips in which somebody walks past once and twice, and one that was cut off."""
    folder = stack.settings.home / "source" / "video"
    settings = SceneSettings(walks_per_camera=1, seconds=8.0, frame_rate=8, size_px=(480, 640), shoe_px=(96, 96))
    scene = plan_scene(plan_models(4, seed=2), cameras=1, seed=2, settings=settings)
    (drawn,) = write_scene(scene, stack.settings.home / "drawn")
    folder.mkdir()
    drawn.rename(folder / "once.mp4")
    looped(folder / "once.mp4", folder / "twice.mp4", seconds=16.0)
    (folder / "cut.mp4").write_bytes((folder / "once.mp4").read_bytes()[:9_000])
    return [str(folder / name) for name in ("once.mp4", "cut.mp4", "twice.mp4")]


def started(client: Client, stack: Stack, files: list[str], into: str) -> OperationInfo:
    return client.start_video_search(
        stack.shoes.model_ids[:3],
        gallery=SHOE_GALLERY,
        files=files,
        files_archive=into,
        camera="door",
        every_s=EVERY_S,
        tracks_per_model=5,
    )


def until(client: Client, info: OperationInfo, *states: WorkState) -> OperationInfo:
    assert wait_until(lambda: client.get_operation(info.operation_id).state in states, LIMIT_S)
    return client.get_operation(info.operation_id)


def processes_of(info: OperationInfo) -> list[int]:
    """Processes that work on an operation."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"indexer.operation" in command and any(part.endswith(info.operation_id.encode()) for part in command):
            found.append(int(entry.parent.name))
    return found


def frames_done(client: Client, info: OperationInfo) -> bool:
    progress = client.get_operation(info.operation_id).progress
    return progress.stage == "look" and progress.done > 0


def rows_of(answer: VideoSearchAnswer) -> list[tuple[object, ...]]:
    """Everything that a search says of its tracks but in which archive they are."""
    return [
        (row.model_id, row.hit.rank, row.hit.score, row.hit.track.track_id, row.hit.track.box, row.hit.track.best_frame)
        for row in answer.rows
    ]


def test_a_search_that_is_paused_and_killed_finds_what_an_undisturbed_one_does(
    stack: Stack, client: Client, files: list[str]
) -> None:
    undisturbed = started(client, stack, files, "calm")
    calm = until(client, undisturbed, WorkState.SUCCEEDED, WorkState.FAILED)
    assert (calm.state, calm.kind, calm.gallery, str(calm.error)) == (
        WorkState.SUCCEEDED,
        VIDEO_SEARCH,
        "calm",
        "None",
    )
    assert [failure.item for failure in calm.item_errors] == [files[1]]
    assert (calm.progress.unit, calm.progress.done) == ("frames", calm.progress.total)
    wanted = client.get_video_search(undisturbed.operation_id)
    assert wanted.rows
    assert wanted.coverage.sources == 2
    assert wanted.coverage.received == calm.progress.done
    assert wanted.coverage.searched > 0
    assert any("1 files could not be used" in warning for warning in wanted.warnings)
    assert [one.edition for one in wanted.archives] == [calm.result]

    info = started(client, stack, files, "rough")
    assert wait_until(lambda: frames_done(client, info), LIMIT_S)
    with pytest.raises(PreconditionFailed):
        client.get_video_search(info.operation_id)
    client.pause_operation(info.operation_id)
    assert until(client, info, WorkState.PAUSED, WorkState.SUCCEEDED).state is WorkState.PAUSED
    assert wait_until(lambda: not processes_of(info), 10.0)
    client.resume_operation(info.operation_id)
    assert wait_until(lambda: frames_done(client, info) and bool(processes_of(info)), LIMIT_S)
    os.kill(processes_of(info)[0], signal.SIGKILL)
    assert until(client, info, WorkState.SUCCEEDED, WorkState.FAILED).state is WorkState.SUCCEEDED
    found = client.get_video_search(info.operation_id)
    assert rows_of(found) == rows_of(wanted)
    assert found.coverage == wanted.coverage


def test_archives_are_searched_again_without_looking_at_a_frame(stack: Stack, client: Client) -> None:
    info = client.start_video_search(stack.shoes.model_ids[:1], gallery=SHOE_GALLERY, archives=["calm", "rough"])
    assert until(client, info, WorkState.SUCCEEDED, WorkState.FAILED).result == ""
    answer = client.get_video_search(info.operation_id)
    assert [one.archive for one in answer.archives] == ["calm", "rough"]
    by_archive = [[r for r in answer.rows if r.hit.track.archive == name] for name in ("calm", "rough")]
    scores = [[row.hit.score for row in rows] for rows in by_archive]
    assert scores[0] == scores[1]
    assert scores[0]


def test_what_cannot_be_searched_is_said_at_once(stack: Stack, client: Client, files: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        started(client, stack, [files[0], "/etc/passwd"], "calm")
    assert caught.value.field == "files[1]"
