"""What a search of frames that stream in answers: plain records, see ``outsole.video_answers``.

Only the standard library is imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from outsole.answers import Box, Hit, Point, View
from outsole.errors import OutsoleError
from outsole.video_answers import Coverage, TrackInfo


@dataclass(frozen=True)
class FrameSighting:
    """One shoe in a frame of a stream.

    Attributes:
        box, toe, heel: Where it is, pixels of the frame.
        view: From where it is seen.
        weight, length_px: Its grade, 0 .. 1 and pixels, as of a track.
        too_small: Whether it is not large enough to be searched; it has no hits then.
        hits: Shoe models, best first.
    """

    box: Box
    toe: Point
    heel: Point
    view: View
    weight: float
    length_px: float
    too_small: bool
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Walk:
    """A walk-past that has ended.

    Attributes:
        track: Of no archive; its times count from the first frame of the stream.
        hits: Shoe models by the mean of its best sightings, best first; none where every sighting was too small.
    """

    track: TrackInfo
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class FrameAnswer:
    """What was seen in a frame of a stream.

    Attributes:
        frame: Its number.
        sightings: From left to right.
        walks: Walk-pasts that ended before it.
        error: Why it was not searched; None where it was.
    """

    frame: int
    sightings: tuple[FrameSighting, ...] = ()
    walks: tuple[Walk, ...] = ()
    error: OutsoleError | None = None


@dataclass(frozen=True)
class FramesEnd:
    """The end of a stream of frames: what was searched, and what became of every frame.

    Attributes:
        gallery, edition, encoder_hash: What the shoes were compared with.
        coverage: What became of the frames, as of a single source.
        walks: Walk-pasts that were still going on.
        warnings: What a person should know.
        settings: The settings in force, as text.
    """

    gallery: str
    edition: str
    encoder_hash: str
    coverage: Coverage
    walks: tuple[Walk, ...] = ()
    warnings: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
