"""The shoe system: one object that knows how pictures of shoes become vectors and how vectors are compared.

One unit vector a crop; indexer, services and benchmarks go through it, so there is one preprocessing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, Role, ShoeMarks, View
from outsole.encoders.network_spec import NetworkSpec, folders_of_kind
from outsole.errors import DataCorrupt, InvalidInput
from outsole.gallery.layout import SHOES, SHOWS
from outsole.imaging.decode import DecodedImage
from outsole.imaging.shoe_crops import CROP_PX, level_crop, shoe_crop, upright_crop
from outsole.imaging.shoe_photographs import find_shoe
from outsole.inference.encoder import IMAGE, ModelContract, TensorShape

KIND = "shoe_embedding"
DEFAULT_SHOE_ENCODER = "shoe_attention"
# The array of an edition, and the field of the vector store.
SHOE = "shoe"
VIEWS: Mapping[Role, View] = {Role.SIDE: View.SIDE, Role.FRONT: View.FRONT, Role.HEEL: View.BACK}
"""From where the pictures of a shop are taken, by their role; of other roles no crop can be made."""
_EMBEDDING = "embedding"
# Part of an edition's settings: another number means that the arrays are made in another way.
_ARRAYS_VERSION = "1"


@dataclass(frozen=True)
class ShoeSystem:
    """How pictures of shoes are cut out and described.

    Attributes:
        spec: The shoe encoder.
        folder: Its model folder.
    """

    spec: NetworkSpec
    folder: Path

    @classmethod
    def load(cls, model_dir: Path) -> ShoeSystem:
        """The system of a shoe encoder's folder.

        Raises:
            NotFound: There is no model.
            DataCorrupt: It is no shoe encoder, or does not take crops as they are made here.
        """
        spec = NetworkSpec.load(model_dir)
        tensors = {tensor.name: tensor for tensor in (*spec.inputs, *spec.outputs)}
        wanted = (TensorShape(IMAGE, "uint8", (*CROP_PX, 3)), TensorShape(_EMBEDDING, "float16", (-1,)))
        for tensor in wanted:
            if tensor.name not in tensors or not tensor.accepts(tensors[tensor.name]):
                raise DataCorrupt(f"encoder {spec.name!r} should have tensor {tensor}", remedy="export it again")
        return cls(spec, model_dir)

    @property
    def index_settings(self) -> dict[str, str]:
        """What besides the encoder shapes an edition's arrays."""
        return {SHOWS: SHOES, "arrays_version": _ARRAYS_VERSION}

    def contract(self) -> ModelContract:
        """What a served model must look like to be this encoder."""
        return self.spec.contract()

    def derive(self, outputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """An edition's arrays: ``shoe`` float16 [N, D], unit length."""
        return {SHOE: vectors_of(outputs)}


def vectors_of(outputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float16]:
    """The vectors float16 [N, D] of a shoe encoder's outputs."""
    return np.asarray(outputs[_EMBEDDING], np.float16)


def photograph_crop(picture: DecodedImage, role: Role, *, field: str = IMAGE) -> NDArray[np.uint8]:
    """The crop of a shop's photograph: the shoe is what stands out from its ground.

    Args:
        picture: Decoded with its colours where it has any.
        role: SIDE, FRONT or HEEL.
        field: Name of the input, for errors.

    Returns:
        uint8 [112, 224, 3].

    Raises:
        InvalidInput: A role of which no crop is made, or nothing that stands out.
    """
    if role not in VIEWS:
        raise InvalidInput(
            f"shows {role.value}", field="role", remedy=f"one of {', '.join(known.value for known in VIEWS)}"
        )
    rgb = colours_of(picture)
    place = find_shoe(rgb, field=field)
    return shoe_crop(rgb, view=VIEWS[role], toe=place.toe, heel=place.heel, box=place.box)


def probe_crops(picture: DecodedImage, marks: ShoeMarks) -> NDArray[np.uint8]:
    """What is searched with of a shoe in a picture.

    A marked side is turned level, an end is cut out by its box. Where nobody says from where the shoe is seen it is
    tried as both, and its sole is looked for as in a shop's photograph.

    Args:
        picture: Decoded with its colours where it has any.
        marks: Where the shoe is.

    Returns:
        uint8 [n, 112, 224, 3], n 1 or 2.

    Raises:
        InvalidInput: Marks that do not fit each other or the picture; a side without marks that does not stand out.
    """
    rgb = colours_of(picture)
    box = _checked_box(marks.box, rgb.shape[:2])
    if (marks.toe is None) != (marks.heel is None):
        raise InvalidInput("one of toe and heel is given", field="toe", remedy="both, or neither")
    if marks.toe is not None and marks.heel is not None and marks.view in (None, View.SIDE):
        return level_crop(rgb, toe=marks.toe, heel=marks.heel)[None]
    upright = upright_crop(rgb, box=box)[None]
    if marks.view in (View.FRONT, View.BACK):
        return upright
    try:
        level = _found_side(rgb, box)[None]
    except InvalidInput:
        if marks.view is View.SIDE:
            raise
        return upright
    return level if marks.view is View.SIDE else np.concatenate([level, upright])


def _found_side(rgb: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    left, top, right, bottom = (round(value) for value in box)
    window = rgb[max(top, 0) : bottom, max(left, 0) : right]
    place = find_shoe(window, field="toe")
    return level_crop(window, toe=place.toe, heel=place.heel)


def _checked_box(box: Box | None, shape: tuple[int, ...]) -> Box:
    height, width = shape
    if box is None:
        return 0.0, 0.0, float(width), float(height)
    left, top, right, bottom = box
    if not (left >= 0 and top >= 0 and right <= width and bottom <= height and right - left >= 1 and bottom - top >= 1):
        raise InvalidInput(
            f"the box is {box} in a picture of {width} x {height}", field="box", remedy="a box inside the picture"
        )
    return box


def colours_of(picture: DecodedImage) -> NDArray[np.uint8]:
    """The colours of a picture uint8 [H, W, 3]; a grey one three times its grey."""
    return picture.color if picture.color is not None else np.repeat(picture.gray[..., None], 3, axis=2)


def find_shoe_encoders(repositories: Iterable[Path]) -> dict[str, ShoeSystem]:
    """The shoe encoders in model repositories, by name in order of name.

    Args:
        repositories: Folders of model folders; one that does not exist holds none.

    Raises:
        NotFound, DataCorrupt: As of ``ShoeSystem.load``; also where two have one name.
    """
    found: dict[str, ShoeSystem] = {}
    for folder in folders_of_kind(repositories, KIND):
        system = ShoeSystem.load(folder)
        if system.spec.name in found:
            raise DataCorrupt(f"two model folders hold an encoder {system.spec.name!r}", remedy="rename or remove one")
        found[system.spec.name] = system
    return dict(sorted(found.items()))
