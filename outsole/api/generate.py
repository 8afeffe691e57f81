"""Makes ``outsole/api/generated`` from ``protos``, or checks that it is what the compiler makes today.

    python -m outsole.api.generate [--check]

Needs grpcio-tools in the version of the constraints file: another compiler writes other code.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

COMMAND = "python -m outsole.api.generate"
PACKAGE = "outsole.api.generated"
REPOSITORY = Path(__file__).resolve().parents[2]
PROTOS = REPOSITORY / "protos"
GENERATED = Path(__file__).resolve().parent / "generated"

# Only the header is ours: what the compiler writes is not held to our type rules.
_HEADER = f"# Made from protos/ by `{COMMAND}`; do not edit.\n# mypy: ignore-errors\n"
_INITS = {
    "__init__.py": '"""Code made by the protocol buffer compiler."""\n',
    "outsole/__init__.py": '"""The package outsole of the contract."""\n',
    "outsole/v1/__init__.py": '"""Version 1 of the contract."""\n',
}
# The compiler imports by the place of the .proto file, which would be looked up in our own `outsole` package.
_IMPORT = re.compile(r"^from outsole\.v1 import ", re.MULTILINE)
# The classes' __module__: Ray Serve pickles requests, and pickle imports what this names.
_MODULE = re.compile(r"(?<=DESCRIPTOR, )'outsole\.v1\.(?=\w+_pb2', _globals\))")


def proto_files(protos: Path = PROTOS) -> list[Path]:
    """Every .proto file under a directory, by name."""
    return sorted(protos.rglob("*.proto"))


def run_compiler(options: list[str], protos: Path = PROTOS) -> None:
    """Runs protoc over all files of ``protos``.

    Args:
        options: Output options of protoc, e.g. ``--python_out=DIRECTORY``.
        protos: The import root.

    Raises:
        RuntimeError: The compiler is not installed or refuses a file; the message says why.
    """
    names = [path.relative_to(protos).as_posix() for path in proto_files(protos)]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", *options, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the protocol buffer compiler failed: {done.stderr.strip()}")


def compile_all(protos: Path = PROTOS) -> dict[str, str]:
    """Compiles the contract in memory.

    Returns:
        Text of each file of the generated package, by its path in the package.
    """
    with tempfile.TemporaryDirectory() as scratch:
        run_compiler([f"--python_out={scratch}", f"--pyi_out={scratch}", f"--grpc_python_out={scratch}"], protos)
        made = {
            path.relative_to(scratch).as_posix(): _finish(path.read_text(encoding="utf-8"))
            for path in sorted(Path(scratch).rglob("*.py*"))
            if not _is_empty_service(path)
        }
    return {**{name: _HEADER + text for name, text in _INITS.items()}, **made}


def _finish(text: str) -> str:
    text = _IMPORT.sub(f"from {PACKAGE}.outsole.v1 import ", text)
    return _HEADER + _MODULE.sub(f"'{PACKAGE}.outsole.v1.", text)


def _is_empty_service(path: Path) -> bool:
    # The plugin writes a file of nothing but version checks for a .proto without a service.
    return path.stem.endswith("_pb2_grpc") and "Stub" not in path.read_text(encoding="utf-8")


def differences(wanted: dict[str, str], directory: Path = GENERATED) -> list[str]:
    """What in ``directory`` is missing, left over or different, one line each; empty when it is fresh."""
    present = {
        path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(directory.rglob("*.py*"))
        if "__pycache__" not in path.parts
    }
    lines = [f"missing: {name}" for name in sorted(wanted.keys() - present.keys())]
    lines += [f"left over: {name}" for name in sorted(present.keys() - wanted.keys())]
    lines += [f"different: {name}" for name in sorted(wanted.keys() & present.keys()) if wanted[name] != present[name]]
    return lines


def write(wanted: dict[str, str], directory: Path = GENERATED) -> None:
    """Writes the generated package and removes what no longer belongs to it."""
    for line in differences(wanted, directory):
        kind, name = line.split(": ", 1)
        target = directory / name
        if kind == "left over":
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(wanted[name], encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status, 1 where ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Make the generated code of the contract.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail on any difference")
    check = parser.parse_args(arguments).check
    wanted = compile_all()
    found = differences(wanted)
    if not check:
        write(wanted)
    for line in found:
        print(f"{line}" if check else f"written: {line}")
    if check and found:
        print(f"the generated code is stale: run `{COMMAND}` with the grpcio-tools of the constraints file")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
