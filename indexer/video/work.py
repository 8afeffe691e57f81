"""The work folder of an archive: slices that were looked at, kept until an edition holds their sightings."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from outsole.errors import DataCorrupt
from outsole.video.archive_files import CROP_SCHEMA, SEEN_SCHEMA
from outsole.video.frame_index import FrameIndex
from outsole.video.opening import open_source
from outsole.video.sources import FrameSource, IssueKind, SourceIssue
from outsole.video.video_files import VideoFile

_CROP = CROP_SCHEMA.field("crop_jpeg")
_NOTES = b"outsole"
# Noted by every reading of a file, whichever slice it is of.
_OF_THE_WHOLE = (IssueKind.RESTARTED, IssueKind.DAMAGED, IssueKind.TRUNCATED, IssueKind.UNTIMED)


@dataclass(frozen=True)
class SliceTask:
    """A stretch of a source.

    Attributes:
        path: The file, or the folder of pictures.
        sha256: Of the source.
        number: From 0.
        start_s, end_s: Seconds after the source's first frame; the last one has no end.
    """

    path: Path
    sha256: str
    number: int
    start_s: float
    end_s: float | None


@dataclass(frozen=True)
class SliceCounts:
    """What became of the frames of a slice, or of several: see `outsole.gallery.track_rows.SourceRow`."""

    received: int = 0
    decoded: int = 0
    skipped: int = 0
    failed: int = 0
    with_people: int = 0
    with_shoes: int = 0
    shoes: int = 0
    too_small: int = 0
    searched: int = 0

    def __add__(self, other: SliceCounts) -> SliceCounts:
        """Those of both together."""
        sums = {entry.name: getattr(self, entry.name) + getattr(other, entry.name) for entry in fields(self)}
        return SliceCounts(**sums)


@dataclass(frozen=True)
class SliceNotes:
    """What is told of a slice, or of several, beside the sightings.

    Attributes:
        counts: Of frames and shoes.
        issues: What was wrong with the file.
    """

    counts: SliceCounts = SliceCounts()
    issues: tuple[SourceIssue, ...] = ()

    def __add__(self, other: SliceNotes) -> SliceNotes:
        """Those of both together; one issue a kind."""
        issues = {issue.kind: issue for issue in self.issues}
        for issue in other.issues:
            known = issues.get(issue.kind)
            issues[issue.kind] = issue if known is None else _together(known, issue)
        return SliceNotes(self.counts + other.counts, tuple(issues.values()))


@dataclass(frozen=True)
class SeenSlice:
    """What was seen in a slice.

    Attributes:
        seen: Sightings, columns of `SEEN_SCHEMA`, in the order of frames.
        crops: Their crops as JPEG files; None where none was made.
        notes: What else is told of it.
    """

    seen: pa.Table
    crops: Sequence[bytes | None]
    notes: SliceNotes


class VideoWork:
    """Slices of one archive, one model and its settings, a file each.

    Args:
        folder: Made where there is none.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def of(cls, archive: Path, encoder_hash: str, settings: Mapping[str, str]) -> VideoWork:
        """That of an archive for whatever shapes the sightings."""
        key = json.dumps([encoder_hash, dict(settings)], sort_keys=True)
        return cls(archive / "work" / hashlib.sha256(key.encode()).hexdigest()[:16])

    def keep(self, task: SliceTask, found: SeenSlice) -> None:
        """Write a slice, whole or not at all."""
        table = found.seen.append_column(_CROP, pa.array(found.crops, _CROP.type))
        plain = json.dumps(dataclasses.asdict(found.notes), sort_keys=True)
        temporary = self.path / f".{uuid.uuid4().hex}"
        pq.write_table(table.replace_schema_metadata({_NOTES: plain.encode()}), temporary)
        os.replace(temporary, self._file(task))

    def notes(self, task: SliceTask) -> SliceNotes | None:
        """What is told of a slice that is kept here; None where it is not. One that was cut short is removed."""
        path = self._file(task)
        try:
            return _notes(json.loads(pq.read_schema(path).metadata[_NOTES]))
        except FileNotFoundError:
            return None
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
            path.unlink()
            return None

    def seen(self, tasks: Sequence[SliceTask]) -> Iterator[pa.Table]:
        """The sightings of slices that are kept here, columns of `SEEN_SCHEMA`, a slice at a time."""
        for task in tasks:
            yield pq.read_table(
                self._file(task), columns=SEEN_SCHEMA.names, use_threads=False
            ).replace_schema_metadata()

    def crops(self, tasks: Sequence[SliceTask], rows: NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
        """The crops of sightings by row, counted from the first slice on, in order of row; those that there are."""
        first = 0
        for task in tasks:
            crops = pq.read_table(self._file(task), columns=[_CROP.name], use_threads=False)[_CROP.name]
            for row in rows[(rows >= first) & (rows < first + len(crops))].tolist():
                crop = crops[row - first].as_py()
                if crop is not None:
                    yield row, crop
            first += len(crops)

    def keep_index(self, sha256: str, index: FrameIndex) -> None:
        """Keep the index of a file's frames for those who read its slices."""
        temporary = self.path / f".{uuid.uuid4().hex}"
        temporary.write_bytes(index.to_bytes())
        os.replace(temporary, self._index(sha256))

    def opened(self, task: SliceTask) -> FrameSource:
        """The source of a slice.

        Raises:
            NotFound, InvalidInput, MissingPart, PreconditionFailed: It cannot be used any more.
        """
        try:
            index = FrameIndex.from_bytes(self._index(task.sha256).read_bytes())
        except (FileNotFoundError, DataCorrupt):
            return open_source(task.path)
        return VideoFile(task.path, index=index)

    def folder(self, name: str) -> Path:
        """An empty folder for files that need not outlast this run."""
        folder = self.path / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def clear(self) -> None:
        """Remove what is kept, and the folder."""
        shutil.rmtree(self.path)

    def _file(self, task: SliceTask) -> Path:
        return self.path / f"{task.sha256}-{task.number:06d}.parquet"

    def _index(self, sha256: str) -> Path:
        return self.path / f"{sha256}.index"


def _together(known: SourceIssue, other: SourceIssue) -> SourceIssue:
    both = max(known.count, other.count) if known.kind in _OF_THE_WHOLE else known.count + other.count
    return dataclasses.replace(known, count=both)


def _notes(plain: dict[str, dict[str, int] | list[dict[str, object]]]) -> SliceNotes:
    counts, issues = plain["counts"], plain["issues"]
    if not isinstance(counts, dict) or not isinstance(issues, list):
        raise ValueError("notes of another release")
    # mypy cannot know what JSON holds; a wrong type is an error of the constructors.
    found = (SourceIssue(**{**issue, "kind": IssueKind(issue["kind"])}) for issue in issues)  # type: ignore[arg-type]
    return SliceNotes(SliceCounts(**counts), tuple(found))
