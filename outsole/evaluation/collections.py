"""A collection of references and probes with labels, in the layout of FID-300 (made galleries have the same)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from outsole.errors import InvalidInput, NotFound

REFERENCES = "references"
PROBES = "tracks_cropped"
LABELS = "label_table.csv"
MANIFEST = "manifest.csv"
_SUFFIXES = (".jpg", ".png", ".tif", ".tiff", ".jpeg")


@dataclass(frozen=True)
class LabelledProbe:
    """A print whose reference is known.

    Attributes:
        name: The file's name without its ending.
        path: The picture.
        item_id: The reference that it shows.
    """

    name: str
    path: Path
    item_id: str


@dataclass(frozen=True)
class Collection:
    """Labelled prints and the references they are searched in.

    Attributes:
        source: What is indexed: the manifest where there is one, else the folder of references.
        probes: In order of their number.
        size: References, the base of "top p %".
    """

    source: Path
    probes: tuple[LabelledProbe, ...]
    size: int

    def first(self, count: int | None) -> Collection:
        """The same with at most ``count`` probes, taken evenly over all; None takes all."""
        total = len(self.probes)
        if count is None or count >= total:
            return self
        return Collection(self.source, tuple(self.probes[i * total // count] for i in range(count)), self.size)


def read_collection(directory: Path) -> Collection:
    """Read a collection.

    ``references/NNNNN.png``, ``tracks_cropped/NNNNN.jpg`` and ``label_table.csv`` (probe number, reference number, no
    header); ``manifest.csv`` where there is one. Labels of probes that are not there are left out.

    Raises:
        NotFound: The directory, a folder or the table is missing, or none of the probes is there.
        InvalidInput: The table cannot be read.
    """
    for name in (REFERENCES, PROBES, LABELS):
        if not (directory / name).exists():
            raise NotFound(f"{directory} has no {name}", field="data", remedy="a directory in the layout of FID-300")
    probes = []
    for probe, reference in _labels(directory / LABELS):
        path = _picture(directory / PROBES, f"{probe:05d}")
        if path is not None:
            probes.append(LabelledProbe(path.stem, path, f"{reference:05d}"))
    if not probes:
        raise NotFound(f"none of the probes of {LABELS} is in {directory / PROBES}", field="data")
    manifest = directory / MANIFEST
    return Collection(
        source=manifest if manifest.is_file() else directory / REFERENCES,
        probes=tuple(sorted(probes, key=lambda probe: probe.name)),
        size=sum(1 for path in (directory / REFERENCES).iterdir() if path.suffix.lower() in _SUFFIXES),
    )


def _labels(table: Path) -> list[tuple[int, int]]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if row]
    try:
        return [(int(probe), int(reference)) for probe, reference in rows]
    except ValueError as error:
        raise InvalidInput(f"{table.name} is no table of probe and reference numbers", field="data") from error


def _picture(folder: Path, stem: str) -> Path | None:
    return next((path for suffix in _SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()), None)
