"""A model's folder is written whole or not at all."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from outsole.errors import InvalidInput, PreconditionFailed


@contextmanager
def whole_folder(repository: Path, name: str) -> Iterator[Path]:
    """A fresh folder that takes the place of ``<repository>/<name>`` when the block ends without an error.

    Files of the old folder that the block did not write (a candidate basis) are kept. While the block runs the new
    folder lies two levels deep, where no server looks for models.

    Raises:
        PreconditionFailed: The disk is full; what was there before is still there.
        InvalidInput: The repository cannot be written to.
    """
    with errors_of_the_disk(repository):
        repository.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".exporting-", dir=repository) as work:
            made = Path(work) / name
            made.mkdir(mode=0o755)
            yield made
            _put_in_place(made, repository / name)


@contextmanager
def errors_of_the_disk(place: Path) -> Iterator[None]:
    """Translate what the operating system says about writing to a place."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PreconditionFailed(
                f"the disk that holds {str(place)!r} is full", remedy="free some space; nothing was changed"
            ) from error
        raise InvalidInput(
            f"cannot write to {str(place)!r}: {error.strerror or error}", field="--repository"
        ) from error


def _put_in_place(made: Path, target: Path) -> None:
    if not target.exists():
        made.rename(target)
        return
    for old in sorted(path for path in target.rglob("*") if path.is_file()):
        new = made / old.relative_to(target)
        if not new.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old, new)
    aside = made.with_name(f"{made.name}.old")
    target.rename(aside)
    try:
        made.rename(target)
    except OSError:
        aside.rename(target)
        raise
