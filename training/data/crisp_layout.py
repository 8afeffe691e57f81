"""CriSp's published collections as they lie on the disk after downloading (Shafique et al., ECCV 2024), and FID-300.

``train-set`` and ``ref-db``: sibling folders ``depth``, ``print``, ``mask`` and ``image`` with the same file names;
the first six characters are the model. ``val-FID``: ``print``, ``masks``, ``labels.npy`` (reference -> models) and
``labels_crime_scene_to_reference_map.npy`` (print -> reference). ``val-ShoeCase``: ``blood`` and ``dust``, each with
``print`` and ``mask``; ``make_models.npy`` (shoe -> make and model) and ``make_model_mapping/<make_model>_similar.npy``
(its models). A ``labels.npy`` alone, as text [N, 2] (print, models joined by ``_``), does for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from outsole.errors import DataCorrupt, NotFound
from outsole.evaluation.collections import REFERENCES, read_collection
from training.data.labels import read_text_array, read_text_mapping
from training.data.records import Item, ItemSet, LabelledPrint, item_set, pictures_in

MODEL_CHARACTERS = 6
PARTS = ("depth", "print", "mask", "image")
_LABELS = "labels.npy"
_REFERENCE_OF_PRINT = "labels_crime_scene_to_reference_map.npy"
_MODEL_OF_SHOE = "make_models.npy"
_SIMILAR = "make_model_mapping"
_CATEGORIES = ("blood", "dust")
_MASKS = ("mask", "masks")
_CRIME = "crime"


def read_tread_set(folder: Path, *, parts: tuple[str, ...] = ("depth", "print")) -> ItemSet:
    """Read ``train-set`` or ``ref-db``.

    Args:
        folder: Has a folder for each of ``parts``; the others of ``PARTS`` are taken where they are.
        parts: What every item must have, at least one.

    Raises:
        NotFound: A folder is missing or empty.
        DataCorrupt: An item lacks one of ``parts``, or has a name of less than six characters.
    """
    found = {part: pictures_in(folder / part) for part in PARTS if part in parts or (folder / part).is_dir()}
    names = sorted(set().union(*(found[part] for part in parts)))
    for part in parts:
        lacking = [name for name in names if name not in found[part]]
        if lacking:
            message = f"{folder / part} has no picture of {lacking[0]!r}, and {len(lacking) - 1} more are missing"
            raise DataCorrupt(message, field="data", remedy="the same file names in all folders")
    short = [name for name in names if len(name) < MODEL_CHARACTERS]
    if short:
        message = f"{short[0]!r} in {folder} has no model: the first {MODEL_CHARACTERS} characters name it"
        raise DataCorrupt(message, field="data")
    return item_set((_item(name, found) for name in names), folder)


def read_val_fid(folder: Path) -> tuple[LabelledPrint, ...]:
    """Read ``val-FID``: placed crime-scene prints in the order of their names, of those that have labels.

    Raises:
        NotFound: A folder or table is missing, or no print has labels.
        DataCorrupt: A table cannot be read without executing it, or a print's reference has no labels.
    """
    targets = read_text_mapping(folder / _LABELS)
    if (folder / _REFERENCE_OF_PRINT).is_file():
        references = read_text_mapping(folder / _REFERENCE_OF_PRINT)
        padded = {name: reference.zfill(MODEL_CHARACTERS) for name, reference in references.items()}
        unknown = [name for name, reference in padded.items() if reference not in targets]
        if unknown:
            message = f"{_REFERENCE_OF_PRINT} gives print {unknown[0]!r} reference {padded[unknown[0]]!r}"
            raise DataCorrupt(f"{message}, which {_LABELS} does not have", field="data")
        targets = {name: targets[reference] for name, reference in padded.items()}
    models = {Path(name).stem: frozenset(filter(None, text.split("_"))) for name, text in targets.items()}
    return _labelled(folder, models, category=_CRIME)


def read_val_shoecase(folder: Path) -> tuple[LabelledPrint, ...]:
    """Read ``val-ShoeCase``: blood, then dust, each in the order of the names.

    A print's file is ``<any>_<shoe>_<any>``, and ``make_models.npy`` says of what model the shoe is.

    Raises:
        NotFound: A folder or table is missing.
        DataCorrupt: A table cannot be read without executing it, or does not have a print's shoe.
    """
    models = None if (folder / _MODEL_OF_SHOE).is_file() else _direct_labels(folder)
    prints: list[LabelledPrint] = []
    for category in _CATEGORIES:
        of_prints = _shoecase_models(folder, category) if models is None else models
        prints += _labelled(folder / category, of_prints, category=category)
    return tuple(prints)


def read_fid300(folder: Path) -> tuple[ItemSet, tuple[LabelledPrint, ...]]:
    """Read FID-300: its references, each a model of its own, and its cropped probes with the exact label.

    Raises:
        NotFound, InvalidInput: As ``outsole.evaluation.collections.read_collection``.
    """
    collection = read_collection(folder)
    references = pictures_in(folder / REFERENCES)
    items = item_set((Item(name, name, {"print": path}) for name, path in references.items()), folder / REFERENCES)
    prints = tuple(
        LabelledPrint(probe.name, probe.path, None, frozenset([probe.item_id]), _CRIME) for probe in collection.probes
    )
    return items, prints


def _item(name: str, found: Mapping[str, Mapping[str, Path]]) -> Item:
    pictures = {part: paths[name] for part, paths in found.items() if name in paths}
    return Item(name, name[:MODEL_CHARACTERS], pictures)


def _labelled(folder: Path, models: Mapping[str, frozenset[str]], *, category: str) -> tuple[LabelledPrint, ...]:
    """The prints of a folder that have labels, with their masks where there are any."""
    masks = next((pictures_in(folder / name) for name in _MASKS if (folder / name).is_dir()), {})
    prints = tuple(
        LabelledPrint(name, path, masks.get(name), models[name], category)
        for name, path in pictures_in(folder / "print").items()
        if models.get(name)
    )
    if not prints:
        raise NotFound(f"none of the prints in {folder / 'print'} has labels", field="data")
    return prints


def _direct_labels(folder: Path) -> dict[str, frozenset[str]]:
    table = read_text_mapping(folder / _LABELS)
    return {Path(name).stem: frozenset(filter(None, text.split("_"))) for name, text in table.items()}


def _shoecase_models(folder: Path, category: str) -> dict[str, frozenset[str]]:
    """Models of each print of a category, by way of its shoe."""
    model_of_shoe = read_text_mapping(folder / _MODEL_OF_SHOE)
    names = pictures_in(folder / category / "print")
    shoes = {name: (name.split("_") + [""])[1] for name in names}
    unknown = [name for name, shoe in shoes.items() if shoe not in model_of_shoe]
    if unknown:
        message = f"print {unknown[0]!r} in {folder / category} is of no shoe of {_MODEL_OF_SHOE}"
        raise DataCorrupt(message, field="data", remedy="files named <any>_<shoe>_<any>")
    keys = {shoe: model_of_shoe[shoe].lower().replace(" ", "_") for shoe in set(shoes.values())}
    similar = {key: _similar(folder, key) for key in set(keys.values())}
    return {name: similar[keys[shoe]] for name, shoe in shoes.items()}


def _similar(folder: Path, key: str) -> frozenset[str]:
    # The key is the table's text, not a path: nothing outside the folder is read.
    path = folder / _SIMILAR / f"{Path(key).name}_similar.npy"
    return frozenset(str(model_id) for model_id in read_text_array(path).flat)
