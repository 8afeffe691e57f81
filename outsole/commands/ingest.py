"""``outsole ingest``: indexing that a running service does, watched from here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TypedDict, Unpack

import click
from tqdm import tqdm

from benchmarks.reporting import text_table
from outsole.api import Client
from outsole.commands.output import json_option, show, target_of, target_option
from outsole.operations import OperationInfo, WorkState

_LOOK_EVERY_S = 0.5
_SHOWN_FAILURES = 10


class StartOptions(TypedDict):
    """The options of ``outsole ingest start`` by the names that click gives them."""

    embedding: str
    feed: str
    dry_run: bool
    request_id: str
    wait: bool
    target: str | None
    home: Path
    as_json: bool


@click.group()
def ingest() -> None:
    """Let the running service index a source."""


@ingest.command("start")
@click.argument("source")
@click.option("--gallery", required=True, help="Name of the gallery; made where there is none.")
@click.option("--embedding", default="", metavar="NAME", help="As of outsole index.")
@click.option("--feed", default="", help="Name under which this source is crawled again and again.")
@click.option("--dry-run", is_flag=True, help="Only read the source and say what could not be used.")
@click.option("--request-id", default="", help="Asked again with it, the same operation is answered.")
@click.option("--wait", is_flag=True, help="Show progress until it is over; exit status 1 unless it succeeded.")
@target_option
@json_option
def start(source: str, gallery: str, **options: Unpack[StartOptions]) -> int:
    """Start to index SOURCE, an absolute path on the service's host, below OUTSOLE_INGEST_ROOTS."""
    with Client(target_of(options["target"], options["home"])) as client:
        found = client.start_ingest(
            gallery,
            source,
            embedding=options["embedding"],
            feed=options["feed"],
            dry_run=options["dry_run"],
            request_id=options["request_id"],
        )
        if options["wait"]:
            found = _followed(client, found)
    return _told(found, as_json=options["as_json"])


def _followed(client: Client, info: OperationInfo) -> OperationInfo:
    with tqdm(desc="ingest", unit=" images", total=0) as bar:
        while not info.state.is_over:
            time.sleep(_LOOK_EVERY_S)
            info = client.get_operation(info.operation_id)
            bar.total = info.progress.total
            bar.set_postfix_str(info.progress.stage, refresh=False)
            bar.update(info.progress.done - bar.n)
    return info


@ingest.command("status")
@click.argument("operation")
@target_option
@json_option
def status(operation: str, *, target: str | None, home: Path, as_json: bool) -> int:
    """Say how OPERATION is. Exit status 1 where it failed or was cancelled."""
    with Client(target_of(target, home)) as client:
        return _told(client.get_operation(operation), as_json=as_json)


@ingest.command("list")
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
        (info.operation_id, info.gallery, info.state.value, _progress(info), info.item_error_count, info.created)
        for info in found
    ]
    headers = ("operation", "gallery", "state", "progress", "failed", "created")
    show(found, lambda: text_table(headers, rows), as_json=as_json)


@ingest.command("cancel")
@click.argument("operation")
@target_option
@json_option
def cancel(operation: str, *, target: str | None, home: Path, as_json: bool) -> None:
    """Ask OPERATION to stop; what it has encoded is kept for the next one."""
    with Client(target_of(target, home)) as client:
        _told(client.cancel_operation(operation), as_json=as_json)


def _told(info: OperationInfo, *, as_json: bool) -> int:
    record = {**vars(info), "error": None if info.error is None else str(info.error)}
    show(record, lambda: _text(info), as_json=as_json)
    return 1 if info.state in (WorkState.FAILED, WorkState.CANCELLED) else 0


def _text(info: OperationInfo) -> str:
    lines = [f"{info.operation_id}: {info.kind} of {info.source} into {info.gallery}, {info.state.value}"]
    lines += [_progress(info)] if info.progress.total else []
    lines += [f"edition {info.result}"] if info.result else []
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
