"""Which references an adaptation leaves out, so that later additions can be measured.

    python -m benchmarks.print_systems.held_out --data DIR > held_out.txt

Those that probes show come first, so that as many probes as possible ask for a reference that was added later; no
label is learned from. The list lies as ``held_out.txt`` in the folder of the model that was adapted without them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import click
import numpy as np
from numpy.typing import NDArray

from outsole.errors import OutsoleError
from outsole.evaluation.collections import REFERENCES, read_collection

HELD_OUT_FILE = "held_out.txt"
PARTS = 10
_SEED = 0x0DD


class Labelled(Protocol):
    """References and which of them the probes show."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the N references."""

    @property
    def truth(self) -> NDArray[np.int64]:
        """Row of each probe's reference, int64 [Q]."""


def held_out_references(prints: Labelled) -> set[str]:
    """Names of a tenth of the references, those first that a probe shows; the same collection gives the same names."""
    shown = np.zeros(len(prints.ids), np.bool_)
    shown[prints.truth] = True
    chance = np.random.default_rng(_SEED).random(len(prints.ids))
    order = np.lexsort((chance, ~shown))
    return {prints.ids[row] for row in order[: len(prints.ids) // PARTS].tolist()}


class _Names:
    """Names and labels of a collection, no picture read."""

    def __init__(self, data: Path) -> None:
        probes = read_collection(data).probes
        self.ids = tuple(sorted(p.stem for p in (data / REFERENCES).iterdir() if p.suffix.lower() in (".png", ".jpg")))
        rows = {name: row for row, name in enumerate(self.ids)}
        self.truth = np.array([rows[p.item_id] for p in probes if p.item_id in rows], np.int64)


@click.command()
@click.option("--data", required=True, type=click.Path(file_okay=False, path_type=Path), help="FID-300 directory.")
def main(data: Path) -> None:
    """Print the references that an adaptation for `benchmarks.literature --held-out` has to leave out, one a line."""
    try:
        names = held_out_references(_Names(data))
    except OutsoleError as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join(sorted(names)))


if __name__ == "__main__":
    main()
