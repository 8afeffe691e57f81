"""A system and all its variants trained alike, one after the other: ``python -m training.variants SYSTEM``.

Runs lie where ``python -m training.<system> --variant NAME`` puts them; a run that is complete is not trained again,
one that was stopped goes on. ``benchmarks.literature`` has their figures side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from training.cards import read_result
from training.command import RUNS, OneSentence, folder_of_run
from training.registry import SYSTEMS, find_system
from training.system import System, fingerprint
from training.trainer import train


def with_variants(name: str, *, without: Sequence[str] = ()) -> tuple[System, ...]:
    """The system of a name, then its variants in their order but for those that are left out.

    Raises:
        NotFound: There is no such system.
        InvalidInput: What is left out is no variant.
    """
    system = find_system(name)
    left_out = {system.variant(variant).name for variant in without}
    return (system, *(variant for variant in system.variants.values() if variant.name not in left_out))


def is_complete(system: System, preset: str, *, runs: Path) -> bool:
    """Whether the system's run with these very settings has come to its end and was evaluated.

    Raises:
        DataCorrupt: What the run left cannot be read.
    """
    result = read_result(folder_of_run(system.name, preset, runs=runs))
    return bool(result.get("complete")) and result.get("settings") == fingerprint(system, preset)


@click.command(cls=OneSentence)
@click.argument("name", metavar="SYSTEM", type=click.Choice([*SYSTEMS]))
@click.option("--preset", default="short", show_default=True, help="How long and how fast, the same for all.")
@click.option("--leave-out", multiple=True, metavar="VARIANT", help="Not this one; may be repeated.")
@click.option("--runs", type=click.Path(file_okay=False, path_type=Path), default=RUNS, show_default=True)
def main(name: str, *, preset: str, leave_out: tuple[str, ...], runs: Path) -> None:
    """Train SYSTEM and each of its variants. Running it again goes on where it was stopped."""
    for system in with_variants(name, without=leave_out):
        system.preset(preset)
        if not is_complete(system, preset, runs=runs):
            train(system, preset, folder=folder_of_run(system.name, preset, runs=runs))
        metrics = read_result(folder_of_run(system.name, preset, runs=runs))["metrics"]
        click.echo(" ".join([system.name, *(f"{key} {value:.4f}" for key, value in metrics.items())]))


if __name__ == "__main__":
    main()
