"""``outsole operations``: long work that a running service does, watched and held still from here."""

from __future__ import annotations

import time
from pathlib import Path

import click
from tqdm import tqdm

from benchmarks.reporting import text_table
from outsole.api import Client
from outsole.commands.output import json_option, show, target_of, target_option
from outsole.operations import VIDEO_SEARCH, OperationInfo, WorkState

_LOOK_EVERY_S = 0.5
_SHOWN_FAILURES = 10


@click.group()
def operations() -> None:
    """Long work of the running service: ingests, and searches of video in bulk."""


def followed(client: Client, info: OperationInfo) -> OperationInfo:
    """Show how far an operation is until it is over."""
    with tqdm(desc=info.kind.replace("_", " "), unit=f" {info.progress.unit}", total=0) as bar:
        while not info.state.is_over:
            time.sleep(_LOOK_EVERY_S)
            info = client.get_operation(info.operation_id)
            bar.total = info.progress.total
            paused = info.state is WorkState.PAUSED
            bar.set_postfix_str("paused" if paused else info.progress.stage, refresh=False)
            bar.update(info.progress.done - bar.n)
    return info


@operations.command("status")
@click.argument("operation")
@target_option
@json_option
def status(operation: str, *, target: str | None, home: Path, as_json: bool) -> int:
    """Say how OPERATION is. Exit status 1 where it failed or was cancelled."""
    with Client(target_of(target, home)) as client:
        return told(client.get_operation(operation), as_json=as_json)


@operations.command("list")
@click.option(
    "--state",
    multiple=True,
    type=click.Choice([state.value for state in WorkState]),
    help="Only operations in this state; may be given more than once.",
)
@target_option
@json_option
def list_(state: tuple[str, ...], *, target: str | None, home: Path, as_json: bool) -> None:
    """List the operations, newest first."""
    with Client(target_of(target, home)) as client:
        found = client.list_operations(states=[WorkState(each) for each in state])
    rows = [
        (info.operation_id, info.kind, info.gallery, info.state.value)
        + (_progress(info), info.item_error_count, info.created)
        for info in found
    ]
    headers = ("operation", "kind", "gallery", "state", "progress", "failed", "created")
    show(found, lambda: text_table(headers, rows), as_json=as_json)


@operations.command("cancel")
@click.argument("operation")
@target_option
@json_option
def cancel(operation: str, *, target: str | None, home: Path, as_json: bool) -> None:
    """Ask OPERATION to stop; what it has finished is kept for the next one."""
    with Client(target_of(target, home)) as client:
        told(client.cancel_operation(operation), as_json=as_json)


@operations.command("pause")
@click.argument("operation")
@target_option
@json_option
def pause(operation: str, *, target: str | None, home: Path, as_json: bool) -> None:
    """Ask OPERATION to hold still; what it has finished is kept, and others may work meanwhile."""
    with Client(target_of(target, home)) as client:
        told(client.pause_operation(operation), as_json=as_json)


@operations.command("resume")
@click.argument("operation")
@target_option
@json_option
def resume(operation: str, *, target: str | None, home: Path, as_json: bool) -> None:
    """Let OPERATION go on that was paused, or begin it again where it failed."""
    with Client(target_of(target, home)) as client:
        told(client.resume_operation(operation), as_json=as_json)


def told(info: OperationInfo, *, as_json: bool) -> int:
    """Print an operation; returns the exit status."""
    record = {**vars(info), "error": None if info.error is None else str(info.error)}
    show(record, lambda: _text(info), as_json=as_json)
    return 1 if info.state in (WorkState.FAILED, WorkState.CANCELLED) else 0


def _text(info: OperationInfo) -> str:
    into = f" into {info.gallery}" if info.gallery else ""
    lines = [f"{info.operation_id}: {info.kind.replace('_', ' ')} of {info.source}{into}, {info.state.value}"]
    lines += [_progress(info)] if info.progress.total else []
    lines += [f"edition {info.result}"] if info.result else []
    if info.kind == VIDEO_SEARCH and info.state is WorkState.SUCCEEDED:
        lines.append(f"outsole video found {info.operation_id} says what was found")
    lines += [str(info.error)] if info.error is not None else []
    if info.item_errors:
        rows = [(failure.item, failure.reason) for failure in info.item_errors[:_SHOWN_FAILURES]]
        lines += [f"{info.item_error_count:,} could not be used", text_table(("item", "reason"), rows)]
    return "\n".join(lines)


def _progress(info: OperationInfo) -> str:
    progress = info.progress
    if not progress.total:
        return progress.stage
    said = f"{progress.stage} {progress.done:,} of {progress.total:,} {progress.unit}"
    if info.state is WorkState.RUNNING and progress.units_per_second:
        said += f", {progress.units_per_second:.1f} a second, {progress.seconds_left:.0f} s left"
    return said
