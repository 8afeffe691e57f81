"""The ``outsole`` command. Each topic is a module of ``outsole.commands``, loaded when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from outsole import __version__
from outsole.errors import InvalidInput, NotFound, OutsoleError

EXIT_FAILURE = 1
EXIT_INPUT = 2
EXIT_INTERRUPTED = 130

# Command -> module of outsole.commands that has it under its name, "-" turned to "_", and what the overview says of it.
COMMANDS = {
    "up": ("running", "Start the stack: Triton, Ray Serve, Milvus Lite."),
    "down": ("running", "Stop the stack and everything that it started."),
    "status": ("running", "Say what runs in the home directory."),
    "doctor": ("doctor", "Say what is missing on this machine, and what it would take."),
    "index": ("index", "Index a directory of images or a manifest into a gallery."),
    "video": ("video", "Shoes in video: index files into an archive, search archives in bulk, say what was looked at."),
    "adapt": ("adapt", "Train the embedding further on a gallery's own impressions."),
    "search": ("search", "Search a gallery or an archive: outsole search print FILE, shoe IMAGE, frames VIDEO."),
    "trace": ("trace", "From a print to the tracks in which such shoes walk past."),
    "wear": ("wear", "Simulate what a print may look like after weeks of wear, or looked like before."),
    "prepare": ("prepare", "Prints as the wear models take them: levelled, and denoised where wanted."),
    "explain": ("explain", "Draw which parts of a print made an item's score."),
    "galleries": ("galleries", "List the galleries."),
    "items": ("items", "List the items of a gallery."),
    "retire": ("items", "Take an item out of searches."),
    "restore": ("items", "Take an item's retirement back."),
    "coverage": ("hygiene", "Say what a gallery holds, and what was rejected."),
    "quarantine": ("hygiene", "Items that are doubted: list them, release them."),
    "editions": ("editions", "List the editions of a gallery."),
    "diff": ("editions", "Say what differs between two editions."),
    "verify": ("editions", "Compare an edition with its hashes, rows and vectors."),
    "canary": ("publishing", "Prints whose shoe is known, which every new edition has to find."),
    "publish": ("publishing", "Put an edition in force, if it stands its trial."),
    "rebuild": ("editions", "Make the vector store's part of an edition again."),
    "retire-edition": ("editions", "Take an edition out of the vector store."),
    "ingest": ("ingest", "Let the running service index a source."),
    "operations": ("operations", "Long work of the running service: watch it, pause it, cancel it."),
    "demo": ("demo", "The main job from start to end, with a report."),
}


class _Topics(click.Group):
    """Loads a command's module on first use: ``outsole --help`` must not wait for Ray."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"outsole.commands.{COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=_Topics)
@click.version_option(__version__, prog_name="outsole")
def cli() -> None:
    """Find footwear: search crime-scene prints in galleries of sole impressions."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 the input is at fault, 1 anything else; errors are one line."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; see ``main``."""
    try:
        status = cli.main(args=arguments, prog_name="outsole", standalone_mode=False)
    except click.exceptions.Abort:
        return _said("interrupted", EXIT_INTERRUPTED)
    except KeyboardInterrupt:
        return _said("interrupted", EXIT_INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message())
        return EXIT_INPUT
    except click.ClickException as error:
        return _said(error.format_message(), EXIT_INPUT)
    except (InvalidInput, NotFound) as error:
        return _said(str(error), EXIT_INPUT)
    except OutsoleError as error:
        return _said(str(error), EXIT_FAILURE)
    except BrokenPipeError:
        # The reader of a pipe has seen enough.
        return EXIT_FAILURE
    except OSError as error:
        return _said(f"{error.strerror or error}: {error.filename}" if error.filename else str(error), EXIT_FAILURE)
    return status if isinstance(status, int) else 0


def _said(message: str, status: int) -> int:
    click.echo("outsole: " + " ".join(message.split()), err=True)
    return status


if __name__ == "__main__":
    main()
