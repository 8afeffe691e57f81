"""A folder a class: ``<folder>/<model>/<any name>.png``."""

from __future__ import annotations

from pathlib import Path

from outsole.errors import InvalidInput, NotFound
from training.data.records import Item, ItemSet, item_set, pictures_in


def read_class_folders(folder: Path, *, picture: str = "print", least: int = 2) -> ItemSet:
    """Read a folder whose sub-folders are the models.

    Args:
        folder: Hidden sub-folders, and files beside the sub-folders, are left out.
        picture: What the pictures are: ``print``, ``depth`` or ``image``.
        least: Images that a class must have.

    Returns:
        Items named ``<model>/<name>``, in the order of models and names.

    Raises:
        NotFound: There is no such folder, or no class in it.
        InvalidInput: A class has fewer images than ``least``; the message names it.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}", field="data")
    classes = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    found = {path.name: pictures_in(path) for path in classes}
    for name, pictures in found.items():
        if len(pictures) < least:
            remedy = f"at least {least} for each class, or leave the class out"
            message = f"class {name!r} in {folder} has {_images(len(pictures))}"
            raise InvalidInput(message, field="data", remedy=remedy)
    return item_set(
        (
            Item(f"{name}/{stem}", name, {picture: path})
            for name, pictures in found.items()
            for stem, path in pictures.items()
        ),
        folder,
    )


def _images(count: int) -> str:
    return "one image" if count == 1 else f"{count} images"
