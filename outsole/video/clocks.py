"""From seconds in a file to the time of day: the camera's own clock, and how far it was out.

Times of frames count from a source's first frame. What the camera's clock showed (native time) needs to know when it
began and in which zone; what the time truly was (corrected, UTC) needs the clock's offset as well.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from outsole.errors import InvalidInput

_ONE_ZONE_REMEDY = "give it with its offset, as 2024-10-27T02:30:00+02:00"
_DATE_TIMES = (
    # 20240131_235959, 20240131-235959, 20240131T235959Z, 20240131235959 and, as telephones do, three digits more.
    re.compile(
        r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<mo>\d\d)(?P<d>\d\d)[T_ -]?"
        r"(?P<h>\d\d)(?P<mi>\d\d)(?P<s>\d\d)(?P<ms>\d{3})?(?P<utc>Z(?![A-Za-z]))?(?!\d)"
    ),
    # 2024-01-31T23-59-59, 2024-01-31 23.59.59, 2024_01_31_23_59_59.
    re.compile(
        r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<ds>[-._])(?P<mo>\d\d)(?P=ds)(?P<d>\d\d)[T_ -]"
        r"(?P<h>\d\d)(?P<ts>[-._:])(?P<mi>\d\d)(?P=ts)(?P<s>\d\d)(?:\.(?P<ms>\d{3}))?(?P<utc>Z(?![A-Za-z]))?(?!\d)"
    ),
)


class StartOrigin(StrEnum):
    """Where a start time came from, the most trusted first."""

    BY_HAND = "by_hand"
    SIDECAR = "sidecar"
    FILE_NAME = "file_name"
    CONTAINER = "container"


@dataclass(frozen=True)
class Start:
    """When the camera's clock says that the first frame was taken.

    Attributes:
        moment: With a zone or offset: that instant. Without: the time of day in the camera's zone.
        origin: Where it came from.
    """

    moment: datetime
    origin: StartOrigin


def choose_start(
    *,
    by_hand: datetime | None = None,
    sidecar: datetime | None = None,
    file_name: str = "",
    container: datetime | None = None,
) -> Start | None:
    """The most trusted start that is known: by hand, then sidecar, then file name, then container.

    Args:
        by_hand: What the caller says.
        sidecar: ``Probe.sidecar_start``.
        file_name: Native name, see ``start_in_name``.
        container: ``Probe.created``; the least trusted, recorders write local time as UTC, or the end.

    Returns:
        None where none is known: times stay relative.
    """
    known = (
        (by_hand, StartOrigin.BY_HAND),
        (sidecar, StartOrigin.SIDECAR),
        (start_in_name(file_name), StartOrigin.FILE_NAME),
        (container, StartOrigin.CONTAINER),
    )
    return next((Start(moment, origin) for moment, origin in known if moment is not None), None)


def start_in_name(name: str) -> datetime | None:
    """The first date with a time of day in a file name, as 20240131_235959 or 2024-01-31 23.59.59.

    A recorder that writes start and end into the name writes the start first. Without a zone, unless a Z follows.

    Returns:
        None where there is none, or where it is no date (a 31st of February).
    """
    found = (pattern.search(name) for pattern in _DATE_TIMES)
    return next((moment for match in found if match and (moment := _moment(match))), None)


def _moment(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (int(match[part]) for part in ("y", "mo", "d", "h", "mi", "s"))
    try:
        moment = datetime(year, month, day, hour, minute, second, int(match["ms"] or 0) * 1000)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if match["utc"] else moment


@dataclass(frozen=True)
class CameraClock:
    """A camera's clock during one source.

    Attributes:
        zone: IANA name of the zone that the clock keeps, summer time included; a clock that is never changed over
            has a fixed zone, for example ``Etc/GMT-1`` for one hour east.
        offset_s: What the clock showed minus the true time, seconds; positive where it was fast.
        start: When the source began by that clock; None where nobody knows.

    Raises:
        InvalidInput: No such zone, an offset that is no number, or a start that the change of summer time makes
            ambiguous or skips. It is not guessed: an hour is the difference between two suspects.
    """

    zone: str = "UTC"
    offset_s: float = 0.0
    start: Start | None = None
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)
    _began: datetime | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.offset_s) and abs(self.offset_s) <= timedelta.max.total_seconds() / 1e4):
            raise InvalidInput(f"offset_s is {self.offset_s}", field="offset_s", remedy="seconds, at most a century")
        object.__setattr__(self, "_zone", _zone_of(self.zone))
        object.__setattr__(self, "_began", None if self.start is None else _instant(self.start.moment, self._zone))

    @property
    def is_relative(self) -> bool:
        """Whether no start is known, so that times are seconds after the first frame and nothing more."""
        return self._began is None

    @property
    def origin(self) -> StartOrigin | None:
        """Where the start came from; None where none is known."""
        return None if self.start is None else self.start.origin

    def native_time(self, time_s: float) -> datetime | None:
        """What the camera's clock showed at a frame, in its zone; None where no start is known.

        Args:
            time_s: ``Frame.time_s``.
        """
        began = self._began
        return None if began is None else (began + timedelta(seconds=time_s)).astimezone(self._zone)

    def utc_time(self, time_s: float) -> datetime | None:
        """The true time of a frame, UTC, the clock's offset taken out; None where no start is known.

        Args:
            time_s: ``Frame.time_s``.
        """
        began = self._began
        return None if began is None else began + timedelta(seconds=time_s - self.offset_s)


def _zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(
            f"there is no time zone {name!r}", field="zone", remedy="an IANA name, as Europe/Berlin"
        ) from error


def _instant(moment: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a time, UTC."""
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    local = moment.replace(tzinfo=zone, fold=0)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != moment.replace(fold=0):
        raise InvalidInput(f"{moment} is skipped in {zone.key}", field="start", remedy=_ONE_ZONE_REMEDY)
    if local.replace(fold=1).astimezone(UTC) != instant:
        raise InvalidInput(f"{moment} comes twice in {zone.key}", field="start", remedy=_ONE_ZONE_REMEDY)
    return instant
