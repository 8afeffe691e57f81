"""Made galleries as editions on disk: written in batches, cut short, or with other states over the same arrays."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from tqdm import tqdm

from outsole.answers import ItemState, Side
from outsole.errors import InvalidInput, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.history import switch
from outsole.gallery.items import ItemRow, item_rows
from outsole.gallery.layout import root_of
from outsole.gallery.revisions import revise
from outsole.gallery.writer import EditionWriter
from outsole.synthesis.made_editions import ItemPlan, MadeItems

_BATCH_ITEMS = 128
_SPARE_BYTES = 2 << 30
_GIB = 2**30
Batch = tuple[list[ItemRow], dict[str, NDArray[Any]]]


def item_id(row: int) -> str:
    """Id of a row of a made gallery."""
    return f"made-{row:07d}"


def planned_rows(plan: ItemPlan, start: int, stop: int) -> list[ItemRow]:
    """What the edition's table says of the rows ``start`` to ``stop``, exclusive."""
    return [
        ItemRow(
            item_id(row),
            f"model-{plan.models[row]:06d}",
            side=Side.LEFT if plan.lefts[row] else Side.RIGHT,
            tread_family=f"tread-{plan.treads[row]:06d}",
            sha256=hashlib.sha256(f"made {row}".encode()).hexdigest(),
            width_px=288,
            height_px=586,
        )
        for row in range(start, min(stop, len(plan.models)))
    ]


def made_batches(items: MadeItems, count: int, *, arrays: Sequence[str]) -> Iterator[Batch]:
    """The first ``count`` items in batches, with the arrays named."""
    for start in range(0, count, _BATCH_ITEMS):
        stop = min(start + _BATCH_ITEMS, count)
        made = items.arrays(start, stop)
        yield planned_rows(items.plan, start, stop), {name: made[name] for name in arrays}


def edition_batches(edition: Edition, count: int, *, arrays: Sequence[str] = ()) -> Iterator[Batch]:
    """The first ``count`` items of an edition in batches, with the arrays named, or all of them."""
    chosen = {name: edition.array(name) for name in arrays or edition.array_names}
    for start in range(0, min(count, len(edition)), _BATCH_ITEMS):
        stop = min(start + _BATCH_ITEMS, count, len(edition))
        yield (
            item_rows(edition.items.slice(start, stop - start)),
            {name: array[start:stop] for name, array in chosen.items()},
        )


def write_gallery(
    root: Path, gallery: str, batches: Callable[[], Iterator[Batch]], *, count: int, like: Mapping[str, Any]
) -> Edition:
    """Write a gallery and put it in force, or open the one that the same arguments made before.

    Args:
        root: Directory of all galleries.
        gallery: Name.
        batches: Begins the batches, items in order of id.
        count: Items, for the progress bar.
        like: Arguments of ``EditionWriter``: encoders and settings.
    """
    note = root / gallery / "made.json"
    known = {"count": count, **like}
    if note.is_file() and json.loads(note.read_text()) == known:
        return Edition.open(root, gallery)
    # Another gallery of this name only takes room, and so does what a run that was killed had begun: batches are made
    # faster than they would be checked.
    shutil.rmtree(root / gallery, ignore_errors=True)
    writer = EditionWriter(root, gallery, **{k: v for k, v in like.items() if k in _WRITER_ARGUMENTS})
    with writer, tqdm(total=count, desc=f"write {gallery}", unit="item") as bar:
        for items, arrays in batches():
            writer.append(items, arrays)
            bar.update(len(items))
        edition = writer.publish()
    note.write_text(json.dumps(known))
    return edition


_WRITER_ARGUMENTS = ("encoder_hash", "encoder_name", "settings", "embeddings")


def with_retired(edition: Edition, rows: Sequence[int]) -> Edition:
    """An edition of the same gallery that differs in the state of some rows alone; its arrays are the same files.

    It is not put in force.
    """
    return revise(edition, {edition.item_ids[row]: (ItemState.RETIRED, "retired by the benchmark") for row in rows})


def put_in_force(edition: Edition) -> None:
    """Make an edition the one that answers for its gallery."""
    switch(root_of(edition.folder), edition.gallery, edition.id, reason="benchmark")


def check_room(folder: Path, needed_bytes: int) -> None:
    """Say no before hours of work where a disk has no room.

    Raises:
        InvalidInput: Less than ``needed_bytes`` and 2 GiB are free.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + _SPARE_BYTES:
        raise InvalidInput(
            f"{folder} has {free / _GIB:.1f} GiB free, {(needed_bytes + _SPARE_BYTES) / _GIB:.1f} are needed",
            field="work",
            remedy="name a directory on a larger disk with --work, or fewer --items",
        )


def link_gallery(home: Path, root: Path, gallery: str) -> None:
    """Make a gallery below ``root`` also one of the state directory ``home``, without copying it.

    Raises:
        NotFound: There is none.
    """
    if not (root / gallery).is_dir():
        raise NotFound(f"there is no gallery {gallery!r}", field="gallery", remedy="make it first")
    (home / "editions").mkdir(parents=True, exist_ok=True)
    link = home / "editions" / gallery
    if not link.exists():
        link.symlink_to((root / gallery).absolute(), target_is_directory=True)
