"""``card.md`` of a shipped model: what it is, how it was trained, how it was exported, and what it cannot do."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outsole.errors import DataCorrupt
from outsole.inference.encoder import TensorShape
from training.export_plan import ExportPlan
from training.exporting.parity import Parity
from training.run_files import RESULT_FILE

CARD_FILE = "card.md"
_CARD = """\
# {name}

**What it is.** {summary}

**In and out.** {tensors}. {scale} Kind `{kind}`.

**Trained on.** {trained_on}

**Licence of the weights.** {licence}

**Training.** {training}

**Measured after training.** {metrics}

**Export.** {parity}

    {command}

**Known limits.** {limits}
"""


@dataclass(frozen=True)
class RunRecord:
    """What a card says about a training run.

    Attributes:
        settings: Name -> value of everything that shaped the run, for example ``preset`` and ``seed``.
        steps: Steps of the optimiser.
        seconds: Time spent on them, over all sittings.
        metrics: What the evaluation found, unit in the name; empty where it was not run.
        machine: On what.
        command: By which command.
    """

    settings: Mapping[str, Any]
    steps: int
    seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    machine: str = ""
    command: str = ""


def read_result(folder: Path) -> dict[str, Any]:
    """``result.json`` of a run's folder; empty where the run was stopped before its evaluation.

    Raises:
        DataCorrupt: It is no JSON object.
    """
    path = folder / RESULT_FILE
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataCorrupt(f"{RESULT_FILE} of the run is no JSON: {error}", remedy="run the training again") from error
    if not isinstance(values, dict):
        raise DataCorrupt(f"{RESULT_FILE} of the run is no object", remedy="run the training again")
    return values


def card_text(
    name: str, plan: ExportPlan, *, run: RunRecord | None, parity: Parity, weights_bytes: int, command: str
) -> str:
    """The card of a model as Markdown; it holds no path of the machine that made it."""
    card = _CARD.format(
        name=name,
        kind=plan.kind,
        summary=plan.summary.strip(),
        tensors="; ".join((_tensors("Input", plan.inputs), _tensors("output", plan.outputs))),
        scale=f"{plan.px_per_cm:g} px/cm." if plan.px_per_cm else "No fixed scale.",
        trained_on=plan.trained_on.strip(),
        licence=plan.licence,
        training=_training(run),
        metrics=_metrics(run),
        parity=_parity(parity, weights_bytes),
        command=without_paths(command),
        limits=plan.limits.strip(),
    )
    return "\n\n".join(map(_wrapped, card.split("\n\n"))).rstrip() + "\n"


def without_paths(command: str) -> str:
    """A command line whose absolute paths are cut down to their last part."""
    bare = re.sub(r"""(['"])/[^'"]*/([^'"/]+)\1""", r"\1\2\1", command)
    return re.sub(r"""(?<![\w./'"-])/(?:[^\s/'"]+/)*([^\s/'"]+)""", r"\1", bare)


def duration(seconds: float) -> str:
    """A time for a person: ``42 s``, ``18 min``, ``2 h 5 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _wrapped(paragraph: str) -> str:
    """A paragraph at the width of the project's documents; tables, lists and commands as they are."""
    if re.match(r"(\||    |- |#|\d+\. )", paragraph):
        return paragraph
    return textwrap.fill(paragraph, 120, break_long_words=False, break_on_hyphens=False)


def _tensors(word: str, tensors: Sequence[TensorShape]) -> str:
    listed = ", ".join(f"`{t.name}` {t.dtype} [{', '.join(('N', *map(str, t.dims)))}]" for t in tensors)
    return f"{word} {listed}"


def _training(run: RunRecord | None) -> str:
    if run is None:
        return "None: the weights are used as they come."
    machine = f" on {run.machine}" if run.machine else ""
    settings = ", ".join(f"{name} {value}" for name, value in sorted(run.settings.items()) if value != "")
    text = f"{run.steps} step{'' if run.steps == 1 else 's'} in {duration(run.seconds)}{machine}; {settings}."
    return f"{text}\n\n    {without_paths(run.command)}" if run.command else text


def _metrics(run: RunRecord | None) -> str:
    if run is None or not run.metrics:
        return "Nothing by the trainer; `benchmarks/RESULTS.md` has what the benchmarks measured."
    rows = "\n".join(f"| {name} | {value:.4g} |" for name, value in sorted(run.metrics.items()))
    return f"By the trainer's own evaluation:\n\n| figure | value |\n|---|---|\n{rows}"


def _parity(parity: Parity, weights_bytes: int) -> str:
    stored = {
        "fp32": "float32 weights",
        "fp16": "weights stored as float16, computed in float32",
        "int8": "weights stored as int8 with one scale a channel, computed in float32",
    }[parity.precision]
    return (
        f"{weights_bytes / 1e6:.1f} MB; {stored}. Against {parity.reference}: largest difference "
        f"{parity.difference:.1e} of the largest value before the last cast, smallest cosine {parity.cosine:.5f} as "
        "served."
    )
