"""Folders and archives of single pictures as a source: the times come from a table beside them, or from a named rate.

Pictures are shown in the order of their times whatever the order of the table, and without a table in the order of
their names, where ``frame_10`` comes after ``frame_9``.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.imaging.decode import DecodeLimits
from outsole.video.frame_index import FrameIndex, index_seconds
from outsole.video.picture_stores import PictureStore, Read
from outsole.video.pictures import rgb_of
from outsole.video.sidecars import SIDECAR_NAMES, read_sidecar
from outsole.video.sources import (
    Candidate,
    Identity,
    IssueKind,
    Notes,
    Probe,
    Reading,
    Selection,
    TimesFrom,
    check_rate,
    read_selected,
)

_LIMITS = DecodeLimits()
_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True)
class _Timeline:
    """Pictures in the order in which they are shown; times in microseconds by number."""

    names: list[str]
    index: FrameIndex
    start: datetime | None
    untimed: int


class FrameFolder:
    """Pictures of a folder or archive as frames.

    Args:
        store: Where they lie.
        sidecar: A table of times (``sidecars``); None looks for ``times.csv`` or ``times.jsonl`` in the store, whose
            names count from its own place.
        rate: Frames a second, where there is no table; the probe says so.
        limits: Largest picture.

    Raises:
        InvalidInput: Neither a table nor a rate, an impossible rate, two tables, or no pictures.
    """

    def __init__(
        self,
        store: PictureStore,
        *,
        sidecar: bytes | None = None,
        rate: float | None = None,
        limits: DecodeLimits = _LIMITS,
    ) -> None:
        check_rate(rate)
        self._store = store
        self._limits = limits
        self._timeline = _timeline(store, sidecar, rate)

    @cached_property
    def _identity(self) -> Identity:
        return self._store.identity()

    def identity(self) -> Identity:
        """Native name of the folder or archive, its hash and size."""
        return self._identity

    def probe(self) -> Probe:
        """What it holds; the size is that of the first picture, 0 where that cannot be decoded."""
        timeline = self._timeline
        index = timeline.index
        width_px, height_px = self._first_size()
        return Probe(
            codec="pictures",
            width_px=width_px,
            height_px=height_px,
            frames=len(index),
            average_rate=index.average_rate,
            duration_s=index.duration_s,
            is_variable_rate=index.is_variable_rate,
            times_from=index.times_from,
            sidecar_start=timeline.start,
        )

    def frames(
        self,
        start_s: float | None = None,
        end_s: float | None = None,
        *,
        every_s: float | None = None,
        step: int | None = None,
    ) -> Reading:
        """The frames of [start_s, end_s), see ``Selection``; a picture that is not there or damaged has failed."""
        selection = Selection(start_s, end_s, every_s, step)
        notes = Notes()
        return Reading(read_selected(self._candidates(selection, notes), selection, notes), notes)

    def _candidates(self, selection: Selection, notes: Notes) -> Generator[Candidate, None, None]:
        timeline = self._timeline
        first = timeline.index.first_at(selection.start_s or 0.0)
        with self._store.opened() as read:
            for number in range(max(first - 1, 0), len(timeline.names)):
                name = timeline.names[number]
                yield Candidate(number, timeline.index.time_s(number), partial(self._rgb, read, name))
        if self._store.damage:
            notes.add(IssueKind.TRUNCATED, self._store.damage, count=0)
        if timeline.untimed:
            notes.add(IssueKind.UNTIMED, "pictures are not in the table of times", count=timeline.untimed)

    def _rgb(self, read: Read, name: str) -> NDArray[np.uint8]:
        return rgb_of(read(name), self._limits)

    def _first_size(self) -> tuple[int, int]:
        try:
            with self._store.opened() as read:
                height_px, width_px = self._rgb(read, self._timeline.names[0]).shape[:2]
        except InvalidInput:
            return 0, 0
        return width_px, height_px


def _timeline(store: PictureStore, sidecar: bytes | None, rate: float | None) -> _Timeline:
    names = store.names()
    pictures = [name for name in names if PurePosixPath(name).suffix.lower() in _SUFFIXES]
    place = PurePosixPath()
    if sidecar is None:
        tables = [PurePosixPath(name) for name in names if PurePosixPath(name).name in SIDECAR_NAMES]
        if len(tables) > 1:
            raise InvalidInput("there are several tables of times", field="sidecar", remedy="name the one that counts")
        if tables:
            place = tables[0].parent
            with store.opened() as read:
                sidecar = read(str(tables[0]))
    if sidecar is not None:
        return _by_table(pictures, sidecar, place)
    if not pictures:
        raise InvalidInput("there are no pictures", field="path", remedy="JPEG, PNG, TIFF or WebP")
    if rate is None:
        raise InvalidInput(
            "there is no table of times", field="sidecar", remedy=f"put {SIDECAR_NAMES[0]} beside them or name a rate"
        )
    seconds = np.arange(len(pictures)) / rate
    return _Timeline(sorted(pictures, key=_natural), index_seconds(seconds, TimesFrom.RATE), None, 0)


def _by_table(pictures: list[str], sidecar: bytes, place: PurePosixPath) -> _Timeline:
    table = read_sidecar(sidecar)
    ordered = sorted(table.seconds.items(), key=lambda row: (row[1], _natural(row[0])))
    names = [str(place / name) for name, _ in ordered]
    seconds = np.array([time_s for _, time_s in ordered])
    untimed = len(set(pictures) - set(names))
    return _Timeline(names, index_seconds(seconds, TimesFrom.SIDECAR), table.start, untimed)


def _natural(name: str) -> list[tuple[int, str]]:
    """For sorting: runs of digits count as numbers."""
    return [(int(digits or -1), text) for digits, text in re.findall(r"(\d{1,18})|(\D+|\d)", name)]
