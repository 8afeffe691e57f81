"""Canaries: prints whose shoe is known, which every new edition has to find before it comes into force."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.gallery import journal
from outsole.gallery.items import checked_text
from outsole.gallery.layout import checked_name, editions_dir, write_durably

COLUMNS = ("name", "file", "model", "within_rank")
TABLE = "canaries.csv"
DEFAULT_WITHIN = 10
WITHIN_LIMIT = 1_000


@dataclass(frozen=True)
class Canary:
    """One canary.

    Attributes:
        name: Unique in the gallery, see `outsole.gallery.layout.checked_name`.
        file: Name of its picture in the canaries' folder.
        model: The shoe model that it shows.
        within_rank: The worst rank at which the model may be found, 1 .. 1,000.
    """

    name: str
    file: str
    model: str
    within_rank: int = DEFAULT_WITHIN

    def __post_init__(self) -> None:
        checked_name(self.name, field="name")
        checked_name(self.file, field="file")
        checked_text(self.model, field="model", owner=self.name)
        if not self.model:
            raise InvalidInput(f"canary {self.name!r} has no model", field="model")
        if not 1 <= self.within_rank <= WITHIN_LIMIT:
            raise InvalidInput(
                f"the rank of canary {self.name!r} is {self.within_rank}", field="within_rank", remedy="1 to 1,000"
            )


def canaries_dir(root: Path, gallery: str) -> Path:
    """The folder of a gallery's canaries; it need not exist."""
    return editions_dir(root, gallery).parent / "canaries"


def read_canaries(root: Path, gallery: str) -> tuple[Canary, ...]:
    """The canaries in order of name; none where there is no table.

    Raises:
        DataCorrupt: The table cannot be understood, names one twice, or a picture is missing.
    """
    folder = canaries_dir(root, gallery)
    try:
        with (folder / TABLE).open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines, strict=True))
    except FileNotFoundError:
        return ()
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataCorrupt(f"{TABLE} of gallery {gallery!r} cannot be read: {error}") from error
    found: dict[str, Canary] = {}
    for number, row in enumerate(rows, start=1):
        canary = _canary(row, number, gallery)
        if canary.name in found:
            raise DataCorrupt(f"row {number} of {TABLE} of gallery {gallery!r} names {canary.name!r} again")
        if not (folder / canary.file).is_file():
            raise DataCorrupt(f"canary {canary.name!r} of gallery {gallery!r} lacks its picture {canary.file!r}")
        found[canary.name] = canary
    return tuple(found[name] for name in sorted(found))


def add_canary(
    root: Path, gallery: str, image: Path, *, model: str, within_rank: int = DEFAULT_WITHIN, name: str = ""
) -> Canary:
    """Register a print; its picture is copied. One of the same name is replaced.

    Args:
        root: Directory of all galleries.
        gallery: Must exist.
        image: The picture.
        model: The shoe model that it shows.
        within_rank: The worst rank at which the model may be found.
        name: Its name; made of the picture's file name where empty.

    Raises:
        InvalidInput: The picture cannot be read, or a value cannot be used.
        NotFound: There is no such gallery.
    """
    folder = canaries_dir(root, gallery)
    if not editions_dir(root, gallery).is_dir():
        raise NotFound(f"there is no gallery {gallery!r}", field="gallery", remedy="index it first")
    try:
        data = image.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{image.name}: {error.strerror}", field="image", remedy="a readable file") from error
    chosen = checked_name(name, field="name") if name else re.sub(r"[^A-Za-z0-9._-]", "-", image.stem).lstrip("._-")
    canary = Canary(chosen, f"{chosen}{image.suffix.lower()}", model, within_rank)
    with journal.held(folder / ".lock"):
        kept = [known for known in read_canaries(root, gallery) if known.name != canary.name]
        _replace(folder / canary.file, data)
        _replace(folder / TABLE, _table(sorted([*kept, canary], key=lambda each: each.name)))
    return canary


def _canary(row: dict[str, str], number: int, gallery: str) -> Canary:
    try:
        if set(row) != set(COLUMNS):
            raise InvalidInput(f"the columns are not {', '.join(COLUMNS)}")
        return Canary(row["name"], row["file"], row["model"], int(row["within_rank"]))
    except (InvalidInput, ValueError, TypeError) as error:
        raise DataCorrupt(f"row {number} of {TABLE} of gallery {gallery!r} cannot be used: {error}") from error


def _table(canaries: list[Canary]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((each.name, each.file, each.model, each.within_rank) for each in canaries)
    return text.getvalue().encode()


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    write_durably(draft, data)
    draft.replace(path)
