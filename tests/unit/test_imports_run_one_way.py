"""The import rules of the floor plan, read from the sources: no module is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("outsole", "services", "indexer", "training", "benchmarks")
# The programs stand on top of everything.
_PROGRAMS = ("outsole.cli", "outsole.commands")
# The one program that trains; it loads `training` when it is called.
_TRAINS = "outsole.commands.adapt"
_MAY_IMPORT = {
    "outsole": {"outsole"},
    "services": {"outsole", "services"},
    "indexer": {"outsole", "indexer"},
    "training": {"outsole", "training", "indexer"},
    "benchmarks": set(_PACKAGES),
}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__")


def _within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def _imported(path: Path, known: set[str]) -> Iterator[str]:
    """Modules that a file imports anywhere, type checking and functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in whole)


_PATHS = {_name(path): path for package in _PACKAGES for path in sorted((_ROOT / package).rglob("*.py"))}
_IMPORTS = {name: set(_imported(path, set(_PATHS))) for name, path in _PATHS.items()}


def _reached(starts: set[str]) -> set[str]:
    """Every module that is imported by these, by those, and so on."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _IMPORTS.get(module, ())
    return found


def test_there_are_sources_to_judge() -> None:
    assert {package for package in _PACKAGES if any(_within(name, package) for name in _PATHS)} == set(_PACKAGES)


@pytest.mark.parametrize("package", _PACKAGES)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    allowed = _MAY_IMPORT[package]
    wrong = [
        f"{name} imports {other}"
        for name, others in _IMPORTS.items()
        for other in others
        if _within(name, package) and not _within(name, *_PROGRAMS)
        if _within(other, *_PACKAGES) and not _within(other, *allowed)
    ]
    assert wrong == []


def test_only_programs_import_the_commands() -> None:
    users = {name for name, others in _IMPORTS.items() if any(_within(other, *_PROGRAMS) for other in others)}
    assert [name for name in sorted(users) if not _within(name, *_PROGRAMS, "benchmarks")] == []


def test_nothing_imports_the_tests() -> None:
    assert [name for name, others in _IMPORTS.items() if any(_within(other, "tests") for other in others)] == []


def test_only_the_api_and_the_services_know_protobuf() -> None:
    def is_protobuf(module: str) -> bool:
        return _within(module, "google", "grpc_health", "outsole.api.generated") or module.endswith(
            ("_pb2", "_pb2_grpc")
        )

    users = {name for name, others in _IMPORTS.items() if any(map(is_protobuf, others))}
    assert [name for name in sorted(users) if not _within(name, "outsole.api", "services")] == []


def test_nothing_that_serves_imports_torch() -> None:
    serving = {name for name in _PATHS if _within(name, "services", "indexer", "benchmarks", *_PROGRAMS)} - {_TRAINS}
    assert not [name for name in _reached(serving) if _within(name, "torch", "torchvision", "onnx", "training")]


def test_the_client_needs_grpcio_and_protobuf_alone() -> None:
    foreign = {name.split(".")[0] for name in _reached({"outsole.api.client", "outsole.api.aio_client"})}
    assert not foreign & {"numpy", "cv2", "pyarrow", "ray", "tritonclient", "pymilvus", "scipy", "PIL", "services"}
