"""What the loaders hand over: items of a gallery, and prints with the models that they may show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, NotFound
from outsole.imaging.decode import decode_image

_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
_MASK_FROM = 128


@dataclass(frozen=True)
class Item:
    """One instance of a shoe model.

    Attributes:
        name: File name without its ending.
        model_id: The model that it is of.
        pictures: ``depth``, ``print``, ``mask``, ``image``: those that there are.
    """

    name: str
    model_id: str
    pictures: Mapping[str, Path]


@dataclass(frozen=True)
class ItemSet:
    """Items in the order of their names.

    Attributes:
        items: At least one.
        source: The folder, for messages.
    """

    items: tuple[Item, ...]
    source: Path

    def by_model(self) -> dict[str, tuple[Item, ...]]:
        """Items of each model, models in the order of their ids."""
        groups: dict[str, list[Item]] = {}
        for item in self.items:
            groups.setdefault(item.model_id, []).append(item)
        return {model_id: tuple(groups[model_id]) for model_id in sorted(groups)}

    def with_at_least(self, count: int) -> ItemSet:
        """The items of models that have this many.

        Raises:
            InvalidInput: No model has.
        """
        kept = {model_id for model_id, items in self.by_model().items() if len(items) >= count}
        if not kept:
            raise InvalidInput(f"no model in {self.source} has {count} images", field="data")
        return ItemSet(tuple(item for item in self.items if item.model_id in kept), self.source)

    def pairs(self) -> dict[str, tuple[Item, ...]]:
        """As ``by_model``, for training on two different instances of a model.

        Raises:
            InvalidInput: A model has one image; the message names it.
        """
        groups = self.by_model()
        single = [model_id for model_id, items in groups.items() if len(items) < 2]
        if single:
            others = f" (and {len(single) - 1} more)" if len(single) > 1 else ""
            message = f"class {single[0]!r}{others} in {self.source} has one image"
            raise InvalidInput(message, field="data", remedy="two or more images for each, or leave the class out")
        return groups


@dataclass(frozen=True)
class LabelledPrint:
    """A print and what it may show.

    Attributes:
        name: File name without its ending.
        print: The picture, contact dark.
        mask: What of it is visible; None where nothing says: then all of it.
        model_ids: Models with this tread: finding any of them is right.
        category: Kind of print: ``crime``, ``blood``, ``dust``.
    """

    name: str
    print: Path
    mask: Path | None
    model_ids: frozenset[str]
    category: str


def read_gray(path: Path, *, size_px: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """A picture as uint8 [H, W].

    Args:
        path: The file.
        size_px: (height, width) that it is resampled to by area averaging; None leaves it.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It is no picture; the message names it.
    """
    if not path.is_file():
        raise NotFound(f"there is no picture {path}", field="data")
    try:
        gray = decode_image(path.read_bytes(), field="data").gray
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error.message}", field="data", remedy=error.remedy) from error
    if size_px is None or gray.shape == size_px:
        return gray
    return cv2.resize(gray, (size_px[1], size_px[0]), interpolation=cv2.INTER_AREA).astype(np.uint8)


def read_mask(path: Path, *, size_px: tuple[int, int] | None = None) -> NDArray[np.bool_]:
    """A mask as bool [H, W]: the bright half of the grey levels."""
    mask: NDArray[np.bool_] = read_gray(path, size_px=size_px) >= _MASK_FROM
    return mask


def pictures_in(folder: Path) -> dict[str, Path]:
    """Pictures of a folder by name without ending, in the order of the names; hidden files are left out.

    Raises:
        NotFound: There is no such folder.
        InvalidInput: Two pictures differ in the ending alone.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}", field="data")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith("."):
            if path.stem in found:
                message = f"{folder} has both {found[path.stem].name} and {path.name}"
                raise InvalidInput(message, field="data", remedy="one picture a name")
            found[path.stem] = path
    return found


def item_set(items: Iterable[Item], source: Path) -> ItemSet:
    """The set of these items.

    Raises:
        NotFound: There are none.
    """
    ordered = tuple(items)
    if not ordered:
        raise NotFound(f"there are no pictures in {source}", field="data")
    return ItemSet(ordered, source)
