"""The command of a system: ``python -m training.<system> --preset smoke|cpu|gpu``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click

from outsole.errors import InvalidInput, NotFound, OutsoleError
from training.checkpoints import beginning_with
from training.system import System, with_trunk_weights
from training.trainer import TrainingStopped, train

EXIT_FAILURE = 1
EXIT_INPUT = 2
EXIT_INTERRUPTED = 130
RUNS = Path("build/training")


def folder_of_run(name: str, preset: str, *, runs: Path = RUNS) -> Path:
    """Where a run of a system (``name`` or ``name:variant``) lies unless another folder is named."""
    return runs / f"{name.replace(':', '_')}_{preset}"


class _Sentence(click.ClickException):
    """An error as the user sees it."""

    exit_code = EXIT_FAILURE

    def __init__(self, error: BaseException | str) -> None:
        super().__init__(" ".join(str(error).split()))

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it in one line."""
        click.echo(f"training: {self.message}", file=file, err=True)


class _InputAtFault(_Sentence):
    exit_code = EXIT_INPUT


class _Interrupted(_Sentence):
    exit_code = EXIT_INTERRUPTED


class OneSentence(click.Command):
    """A command whose errors are one sentence and an exit status: 2 the input is at fault, 130 stopped, 1 the rest."""

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, but no error of the project leaves a stack trace."""
        try:
            return super().invoke(ctx)
        except TrainingStopped as error:
            raise _Interrupted(error) from error
        except KeyboardInterrupt as error:
            raise _Interrupted("interrupted; the last checkpoint is kept") from error
        except (InvalidInput, NotFound) as error:
            raise _InputAtFault(error) from error
        except (OutsoleError, OSError) as error:
            raise _Sentence(error) from error


def command(*systems: System) -> click.Command:
    """The command of a module's systems; the first is the default one.

    Its result, with ``standalone_mode=False``, is the ``training.trainer.Run``.
    """
    first = systems[0]
    by_name = {system.name: system for system in systems}

    @click.command(cls=OneSentence, help=f"Train {first.title} ({first.paper}).")
    @_options([*by_name], [*first.presets])
    def run(system: str, variant: str, preset: str, output: Path | None, **how: Any) -> Any:
        chosen = by_name[system].variant(variant)
        if how["trunk_weights"] is not None:
            chosen = with_trunk_weights(chosen, how["trunk_weights"])
        if how["begin_with"] is not None:
            chosen = beginning_with(chosen, how["begin_with"])
        folder = output or folder_of_run(chosen.name, preset)
        done = train(
            chosen, preset, folder=folder, device=how["device"], resume=not how["fresh"], minutes=how["minutes"]
        )
        for name, value in done.result.metrics.items():
            click.echo(f"{name} {value:.4f}")
        click.echo(f"{folder}: {done.result.steps} steps, {done.result.seconds:.0f} s")
        return done

    return run


def _options(systems: list[str], presets: list[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options that every system has."""
    file = click.Path(dir_okay=False, path_type=Path)
    options = [
        click.option("--system", type=click.Choice(systems), default=systems[0], show_default=True),
        click.option("--variant", default="", help="Something left out or exchanged, as in the paper's tables."),
        click.option("--preset", type=click.Choice(presets), required=True, help="How long and how fast."),
        click.option("--output", type=click.Path(file_okay=False, path_type=Path), help=f"Run folder; in {RUNS} else."),
        click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
        click.option("--fresh", is_flag=True, help="Start over instead of going on with the folder's checkpoint."),
        click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop learning after this time."),
        click.option("--begin-with", type=file, help="Checkpoint of another run whose weights this one begins with."),
        click.option("--trunk-weights", type=file, help="Pretrained weights of the trunk."),
    ]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
