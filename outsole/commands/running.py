"""``outsole up``, ``outsole down`` and ``outsole status``."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.reporting import text_table
from outsole.api import Client
from outsole.commands.output import home_option, json_option, show
from outsole.commands.stack import LocalStack, StackState, read_state, stop_running
from outsole.errors import OutsoleError
from outsole.settings import StackSettings

_WATCH_S = 0.5


@click.command()
@home_option
@click.option("--detach", is_flag=True, help="Return when the stack is ready, and leave it running.")
@click.option("--port", default=8500, show_default=True, help="TCP port of the gRPC service on 127.0.0.1.")
@click.option("--free-ports", is_flag=True, help="Take ports that nobody uses for every part.")
def up(home: Path, detach: bool, port: int, free_ports: bool) -> None:
    """Start the stack: Triton, Ray Serve, Milvus Lite. Without --detach it runs until Ctrl-C."""
    settings = StackSettings(home, grpc_port=port)
    settings = settings.on_free_ports() if free_ports else settings
    stack = LocalStack(settings, detached=detach, report=_tell)
    try:
        stack.start()
        stack.wait_ready()
        _announce(stack)
        while not detach and stack.state is not None:
            time.sleep(_WATCH_S)
    except BaseException:
        stack.stop()
        raise
    if not detach:
        stack.stop()


def _tell(phase: str) -> None:
    click.echo(f"{phase} ...", err=True)


def _announce(stack: LocalStack) -> None:
    state = stack.state
    if state is not None and state.reason:
        click.echo(f"note: {state.reason}; ONNX Runtime runs in the service's process", err=True)
    click.echo(f"ready after {stack.startup_s:.0f} s: gRPC on {stack.target}, log in {stack.log_path}")


@click.command()
@home_option
def down(home: Path) -> None:
    """Stop the stack of the home directory and everything that it started."""
    click.echo("stopped" if stop_running(home) else "no stack runs here")


@dataclass(frozen=True)
class StackReport:
    """What ``outsole status`` says: phase, health, where the parts are."""

    phase: str
    serving: bool
    target: str
    encoder_backend: str
    reason: str
    triton_restarts: int
    galleries: int
    uptime_s: float
    pids: dict[str, int]
    ports: dict[str, int]


@click.command()
@home_option
@json_option
def status(home: Path, as_json: bool) -> int:
    """Say what runs in the home directory. Exit status 1 where nothing does."""
    state = read_state(home)
    if state is None:
        show({"phase": "down"}, lambda: "no stack runs here (outsole up starts one)", as_json=as_json)
        return 1
    report = _report(state, state.settings(home))
    show(report, lambda: _status_text(report), as_json=as_json)
    return 0


def _report(state: StackState, settings: StackSettings) -> StackReport:
    serving, galleries = False, 0
    with Client(settings.target, timeout_s=5.0, retries=0) as client:
        try:
            serving = client.health()
            galleries = len(client.list_galleries())
        except OutsoleError:
            # It may be starting still; the phase says so.
            serving = False
    return StackReport(
        phase=state.phase,
        serving=serving,
        target=settings.target,
        encoder_backend=state.encoder_backend,
        reason=state.reason,
        triton_restarts=state.triton_restarts,
        galleries=galleries,
        uptime_s=round(time.time() - state.started, 1),
        pids={"supervisor": state.pid, "triton": state.triton_pid},
        ports=state.ports,
    )


def _status_text(report: StackReport) -> str:
    told = dataclasses.asdict(report)
    rows = [(name, str(value)) for name, value in told.items() if not isinstance(value, dict)]
    rows += [(f"pid {name}", str(pid)) for name, pid in report.pids.items()]
    rows += [(name, str(port)) for name, port in report.ports.items()]
    return text_table(("part", "state"), rows)
