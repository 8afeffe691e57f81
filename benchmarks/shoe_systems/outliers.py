"""Removal of outliers, measured: wrong pictures planted among shop photographs, and which of them a rule finds.

    python -m benchmarks.shoe_systems.outliers [ENCODER ...] [--models 300] [--rule margin] [--json FILE]

An encoder is ``imagenet`` (the light trunk of ImageNet, untrained, averaged over its cells), a model's folder (of the
model repository), or the folder of a training run. The pictures are of made models that no training saw.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.print_systems.models import OnnxModel
from benchmarks.reporting import InputValue, make_result, text_table
from benchmarks.shoe_systems.rules import RULES, best_margin
from outsole.errors import InvalidInput, NotFound, OutsoleError
from outsole.synthesis.shop_mistakes import MISTAKES

ShoeEncoder = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Crops uint8 [N, 112, 224, 3] to vectors float32 [N, D]."""
IMAGENET = "imagenet"
CHECKPOINT = "checkpoint.pt"
KINDS = ("shoe", *MISTAKES)
TARGET_RECALL, TARGET_FALSE_RATE = 0.95, 0.03
_RULE = "margin"


class PlantedSets(Protocol):
    """Sets of photographs with wrong ones among them, as ``training.shoe_sets.planted_sets`` makes them."""

    @property
    def crops(self) -> NDArray[np.uint8]:
        """uint8 [N, 112, 224, 3]."""

    @property
    def models(self) -> NDArray[np.int64]:
        """int64 [N], under which model each is filed."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """N times one of ``KINDS``, or empty where the picture is right."""

    @property
    def planted(self) -> NDArray[np.bool_]:
        """bool [N], which pictures are wrong."""


@dataclass(frozen=True)
class OutlierRecord:
    """What a rule found with an encoder.

    Attributes:
        rule: Its name.
        pictures, planted: How many there are, and how many of them are wrong.
        recall: Share of the planted pictures that were found, 0 .. 1.
        false_rate: Share of the right pictures that were taken for outliers, 0 .. 1.
        recall_of: Recall by kind of wrong picture, for those kinds that were planted.
        shift: What would have to be added to the rule's limit for a false rate of 3 %, in cosine distance.
        recall_shifted: Recall then.
    """

    rule: str
    pictures: int
    planted: int
    recall: float
    false_rate: float
    recall_of: Mapping[str, float]
    shift: float
    recall_shifted: float

    @property
    def reaches_target(self) -> bool:
        """Whether 95 % are found at a false rate below 3 %."""
        return self.recall >= TARGET_RECALL and self.false_rate < TARGET_FALSE_RATE

    def metrics(self) -> dict[str, float]:
        """``outlier_recall`` and ``outlier_false_rate``, then recall by kind."""
        kinds = {f"outlier_recall_{kind}": value for kind, value in self.recall_of.items()}
        return {"outlier_recall": self.recall, "outlier_false_rate": self.false_rate, **kinds}


def outlier_record(encode: ShoeEncoder, sets: PlantedSets, *, rule: str = _RULE) -> OutlierRecord:
    """Encode planted sets and see what a rule finds.

    Args:
        encode: The encoder; its vectors are brought to unit length here.
        sets: At least one planted and one right picture.
        rule: One of ``benchmarks.shoe_systems.rules.RULES``.

    Raises:
        InvalidInput: An unknown rule, or nothing planted.
    """
    return records_of(unit_vectors(encode, sets.crops), sets, rules=(rule,))[0]


def unit_vectors(encode: ShoeEncoder, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Vectors of crops, of unit length, float32 [N, D]."""
    vectors = encode(crops).astype(np.float32)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def records_of(vectors: NDArray[np.float32], sets: PlantedSets, *, rules: Sequence[str]) -> list[OutlierRecord]:
    """What each rule finds in vectors that were made before; see ``outlier_record``."""
    planted = sets.planted
    if not planted.any() or planted.all():
        raise InvalidInput(f"{int(planted.sum())} of {len(planted)} are planted", field="sets", remedy="some of them")
    return [_record(vectors, sets, rule) for rule in rules]


def _record(vectors: NDArray[np.float32], sets: PlantedSets, rule: str) -> OutlierRecord:
    if rule not in RULES:
        raise InvalidInput(f"the rule is {rule!r}", field="rule", remedy=f"one of {', '.join(RULES)}")
    scores = RULES[rule](vectors, sets.models)
    planted, kinds = sets.planted, np.array(sets.kinds)
    found = np.nan_to_num(scores, nan=-1.0) > 0
    shift, shifted = best_margin(scores, planted, false_rate=TARGET_FALSE_RATE)
    return OutlierRecord(
        rule=rule,
        pictures=len(planted),
        planted=int(planted.sum()),
        recall=float(found[planted].mean()),
        false_rate=float(found[~planted].mean()),
        recall_of={kind: float(found[kinds == kind].mean()) for kind in KINDS if (kinds == kind).any()},
        shift=shift,
        recall_shifted=shifted,
    )


def encoder_of_model(model: OnnxModel) -> ShoeEncoder:
    """The encoder that a model of the repository is."""
    return lambda crops: np.asarray(model({"image": crops})["embedding"], np.float32)


def find_encoder(name: str) -> ShoeEncoder:
    """The encoder of a name; see the module.

    Raises:
        NotFound: Neither a model nor a run lies there.
    """
    folder = Path(name)
    if name == IMAGENET or (folder / CHECKPOINT).is_file():
        # Torch and the training code are loaded where they are asked for: a model's folder needs neither.
        source = importlib.import_module("training.shoe_encoders")
        found: ShoeEncoder = (
            source.imagenet_encoder() if name == IMAGENET else source.encoder_of_run(folder / CHECKPOINT)
        )
        return found
    if any(folder.glob("*/model.onnx")):
        return encoder_of_model(OnnxModel(folder))
    raise NotFound(
        f"{folder} holds neither {CHECKPOINT} nor <version>/model.onnx",
        field="encoder",
        remedy=f"{IMAGENET}, a model's folder or a run's folder",
    )


def report(encoders: Sequence[str], sets: PlantedSets, *, rules: Sequence[str]) -> dict[str, list[OutlierRecord]]:
    """Records of every encoder, by its name, in the order of the rules."""
    return {name: records_of(unit_vectors(find_encoder(name), sets.crops), sets, rules=rules) for name in encoders}


def table(records: Mapping[str, Sequence[OutlierRecord]]) -> str:
    """The records as text; shares in percent."""
    shifted = ("limit moved", "found % at 3 % false")
    headers = ("encoder", "rule", "found %", "false %", "target", *(f"{kind} %" for kind in KINDS), *shifted)
    rows: list[tuple[InputValue, ...]] = []
    for name, found in records.items():
        for record in found:
            kinds = (100 * record.recall_of.get(kind, float("nan")) for kind in KINDS)
            shares = (100 * record.recall, 100 * record.false_rate, "yes" if record.reaches_target else "no")
            rows.append((Path(name).name, record.rule, *shares, *kinds, record.shift, 100 * record.recall_shifted))
    return text_table(headers, rows)


@click.command()
@click.argument("encoders", nargs=-1)
@click.option("--models", type=click.IntRange(2), default=300, show_default=True, help="Sets of 6 to 12 pictures.")
@click.option("--wrong-share", type=click.FloatRange(0, 0.4), default=0.1, show_default=True)
@click.option("--buyers-share", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Taken at home.")
@click.option("--seed", default=0, show_default=True, help="Of models and mistakes.")
@click.option("--rule", "rules", type=click.Choice(list(RULES)), multiple=True, help="Several may be named.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Of the first encoder and rule.")
def main(
    encoders: tuple[str, ...],
    models: int,
    wrong_share: float,
    buyers_share: float,
    seed: int,
    rules: tuple[str, ...],
    path: Path | None,
) -> None:
    """Measure the removal of outliers with ENCODERS, ``imagenet`` where none is named."""
    names, chosen = encoders or (IMAGENET,), rules or (_RULE,)
    try:
        made = importlib.import_module("training.shoe_sets")
        sets: PlantedSets = made.planted_sets(models, wrong_share=wrong_share, buyers_share=buyers_share, seed=seed)
        found = report(names, sets, rules=chosen)
    except OutsoleError as error:
        raise click.ClickException(str(error)) from error
    click.echo(table(found))
    if path is not None:
        inputs: dict[str, InputValue] = {"encoder": names[0], "rule": chosen[0], "models": models}
        inputs |= {"wrong_share": wrong_share, "buyers_share": buyers_share, "pictures": len(sets.kinds)}
        make_result("shoe_outliers", inputs=inputs, metrics=found[names[0]][0].metrics()).write(path)


if __name__ == "__main__":
    main()
