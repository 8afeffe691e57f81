"""``outsole doctor``: what this machine lacks, and what it would take."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.reporting import text_table
from outsole.commands.output import home_option, json_option, show
from outsole.commands.stack import read_state
from outsole.errors import OutsoleError
from outsole.inference.triton_environment import is_supported, triton_environment
from outsole.matching.print_system import PrintSystem
from outsole.settings import HOST, StackSettings
from services.settings import ServiceSettings

_MEMORY_GIB = 4
_DISK_GIB = 1
_PYTHON = (3, 11)
_PACKAGES = ("ray", "tritonclient", "pymilvus", "milvus_lite", "cv2", "scipy", "pyarrow", "grpc", "grpc_health")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        part: What.
        level: ``ok``; ``note`` where something works in another way or not at all; ``missing`` where the stack cannot
            run.
        found: What is there.
        remedy: What it would take; empty where all is well.
    """

    part: str
    level: str
    found: str
    remedy: str = ""


@click.command()
@home_option
@json_option
def doctor(home: Path, as_json: bool) -> int:
    """Say what is missing on this machine and what it would take. Exit status 1 where the stack cannot run."""
    findings = examine(home)
    rows = [(f.part, f.level, f.found, f.remedy) for f in findings]
    show(findings, lambda: text_table(("part", "state", "found", "what it would take"), rows), as_json=as_json)
    return 1 if any(finding.level == "missing" for finding in findings) else 0


def examine(home: Path) -> list[Finding]:
    """Look at everything that the stack needs; the order is that of the table."""
    checks: tuple[Callable[[], Finding], ...] = (
        _python,
        _packages,
        _triton,
        _in_process,
        _model,
        _memory,
        lambda: _disk(home),
        lambda: _ports(home),
        lambda: _program("prometheus", "metrics tests and dashboards", "apt-get install prometheus"),
    )
    return [check() for check in checks]


def _python() -> Finding:
    found = platform.python_version()
    if sys.version_info[:2] < _PYTHON:
        return Finding("python", "missing", found, "Python 3.11")
    return Finding("python", "ok", found)


def _packages() -> Finding:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("packages", "missing", f"without {', '.join(missing)}", "make env, or pip install outsole")
    return Finding("packages", "ok", f"{len(_PACKAGES)} of {len(_PACKAGES)}")


def _triton() -> Finding:
    try:
        environment = triton_environment()
    except OutsoleError as error:
        # The stack runs without it, only not as in production.
        remedy = error.remedy if is_supported() else "Linux x86-64 with glibc 2.35; ONNX Runtime takes its place here"
        return Finding("triton", "note", error.message, remedy)
    return Finding("triton", "ok", f"{environment.server.name} in {environment.root}")


def _in_process() -> Finding:
    if importlib.util.find_spec("onnxruntime") is None:
        level = "note" if _triton().level == "ok" else "missing"
        return Finding("onnxruntime", level, "not installed", "pip install 'outsole[local]'")
    return Finding("onnxruntime", "ok", "can take Triton's place")


def _model() -> Finding:
    try:
        settings = ServiceSettings.from_environment()
        system = PrintSystem.load(settings.model_dir, more=[settings.encoders_dir])
    except OutsoleError as error:
        return Finding("encoder", "missing", str(error), error.remedy or "python -m training.export")
    found = {system.spec.name: system.spec.hash, **{name: each.hash for name, each in system.embeddings.items()}}
    return Finding("encoder", "ok", ", ".join(f"{name} {digest[:12]}" for name, digest in found.items()))


def _memory() -> Finding:
    free_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / 2**30
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        values = dict(line.split(":") for line in meminfo.read_text().splitlines())
        free_gib = int(values["MemAvailable"].removesuffix("kB")) / 2**20
    level = "ok" if free_gib >= _MEMORY_GIB else "note"
    return Finding("memory", level, f"{free_gib:.1f} GiB free", "" if level == "ok" else f"{_MEMORY_GIB} GiB")


def _disk(home: Path) -> Finding:
    place = next(path for path in (home, *home.absolute().parents) if path.exists())
    free_gib = shutil.disk_usage(place).free / 2**30
    if not os.access(place, os.W_OK):
        return Finding("home", "missing", f"{place} cannot be written to", "another --home")
    level = "ok" if free_gib >= _DISK_GIB else "note"
    return Finding("home", level, f"{home}, {free_gib:.1f} GiB free", "" if level == "ok" else f"{_DISK_GIB} GiB")


def _ports(home: Path) -> Finding:
    if (state := read_state(home)) is not None:
        return Finding("ports", "ok", f"the stack runs (process {state.pid})")
    taken = [str(port) for port in StackSettings(home).ports().values() if _is_taken(port)]
    if taken:
        return Finding("ports", "note", f"taken: {', '.join(taken)}", "outsole up --free-ports")
    return Finding("ports", "ok", "free")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _program(name: str, use: str, remedy: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, "ok", path) if path else Finding(name, "note", f"not there; {use} need it", remedy)
