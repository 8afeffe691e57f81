"""``outsole search frames``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import click

from outsole.answers import Hit
from outsole.api import Client
from outsole.api.records import StreamFrame
from outsole.commands.output import json_option, plain, target_of, target_option
from outsole.commands.video_output import LEAD, coverage_text
from outsole.frame_answers import FrameAnswer, FramesEnd, FrameSighting, Walk
from outsole.video.opening import open_source
from outsole.video.pictures import jpeg_of

# Little is lost of a frame that a camera has coded already, and many fit into a second.
_QUALITY = 95
_LAYOUT = "{:>8} {:>9} {:5} {:>5} {:24} {:>7}  {}"
_HEADERS = ("frame", "time", "view", "px", "model", "score", "next")


class FramesOptions(TypedDict):
    """The options of ``outsole search frames`` by the names that click gives them."""

    gallery: str
    count: int
    every_s: float
    rate: float | None
    camera: str
    target: str | None
    home: Path
    as_json: bool


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--gallery", required=True, help="Name of a gallery that shows shoes.")
@click.option("-k", "count", default=5, show_default=True, help="Models wanted for each shoe, 1 to 100.")
@click.option("--every-s", default=0.2, show_default=True, metavar="S", help="Seconds between frames; 0 for all.")
@click.option("--rate", type=float, metavar="FPS", help="Frames a second, where FILE does not say its times.")
@click.option("--camera", default="", help="Name of the camera, which tracks repeat.")
@target_option
@json_option
def frames(file: Path, **options: Unpack[FramesOptions]) -> None:
    """Stream the frames of FILE to the service, and print its shoes with the models they resemble as answers come.

    FILE is a video, or a folder or archive of pictures with their times. With --json a line an answer.
    """
    times: dict[int, float] = {}
    source = open_source(file, rate=options["rate"])

    def sent() -> Iterator[StreamFrame]:
        with source.frames(every_s=options["every_s"] or None) as reading:
            for frame in reading:
                times[frame.number] = frame.time_s
                yield StreamFrame(frame.number, jpeg_of(frame.rgb, quality=_QUALITY), frame.time_s)

    with Client(target_of(options["target"], options["home"])) as client:
        answers = client.search_frames(sent(), gallery=options["gallery"], k=options["count"], camera=options["camera"])
        if not options["as_json"]:
            click.echo(_LAYOUT.format(*_HEADERS))
        for answer in answers:
            if options["as_json"]:
                click.echo(json.dumps(plain(answer)))
            elif isinstance(answer, FramesEnd):
                _say(_end_lines(answer))
            else:
                _say(_lines(answer, times.pop(answer.frame)))


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)


def _lines(answer: FrameAnswer, time_s: float) -> list[str]:
    lines = [_walk_line(walk) for walk in answer.walks]
    lines += [_sighting_line(answer.frame, time_s, sighting) for sighting in answer.sightings]
    return lines if answer.error is None else [*lines, f"frame {answer.frame} was not searched: {answer.error}"]


def _sighting_line(frame: int, time_s: float, sighting: FrameSighting) -> str:
    place = (frame, f"{time_s:.2f}", sighting.view.value, f"{sighting.length_px:.0f}")
    if not sighting.hits:
        return _LAYOUT.format(*place, "too small to search" if sighting.too_small else "", "", "").rstrip()
    best = sighting.hits[0]
    return _LAYOUT.format(*place, best.model_id, f"{best.score:.4f}", _others(sighting.hits)).rstrip()


def _walk_line(walk: Walk) -> str:
    track = walk.track
    span = f"{track.first_time_s:.2f} to {track.last_time_s:.2f} s, {track.sightings} sightings"
    if not walk.hits:
        return f"walk-past {track.track_id}, {span}: too small to search"
    best = walk.hits[0]
    others = f"; {_others(walk.hits)}" if len(walk.hits) > 1 else ""
    return f"walk-past {track.track_id}, {span}: {best.model_id} {best.score:.4f}{others}"


def _others(hits: Sequence[Hit]) -> str:
    return ", ".join(f"{hit.model_id} {hit.score:.4f}" for hit in hits[1:])


def _end_lines(end: FramesEnd) -> list[str]:
    lines = [*map(_walk_line, end.walks), f"{end.gallery} edition {end.edition}", LEAD, coverage_text(end.coverage)]
    return [*lines, *(f"note: {warning}" for warning in end.warnings)]
