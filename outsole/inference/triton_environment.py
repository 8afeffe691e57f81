"""Finding the Triton server that a Python package carries, and saying why it cannot be used where it cannot."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from outsole.errors import MissingPart

SETTING = "OUTSOLE_TRITON_ENV"
NEEDED_GLIBC = (2, 35)
_REMEDY = "run `make env`, or point OUTSOLE_TRITON_ENV at an environment made from deploy/embedded/requirements.txt"
# Asked of the environment's own interpreter: version, directory of libpython, prefix, site-packages.
_QUESTION = (
    "import sys, sysconfig as s; version = '%d.%d' % sys.version_info[:2]; "
    "print(version, s.get_config_var('LIBDIR'), sys.base_prefix, s.get_path('purelib'), sep='\\n')"
)


@dataclass(frozen=True)
class Support:
    """Whether the embedded server can run on this machine; true in a condition where it can.

    Attributes:
        supported: Whether it can run.
        reason: Why not, one clause for a person; empty where it can.
    """

    supported: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.supported


@dataclass(frozen=True)
class TritonEnvironment:
    """The parts of an installed Triton server.

    Attributes:
        root: The virtual environment.
        server: The ``tritonserver`` binary.
        python_backend: Folder of Triton's Python backend.
        stub: The stub process for the environment's Python version.
        library_dirs: What LD_LIBRARY_PATH must list.
        python_home: Prefix of the interpreter that the stub embeds.
        site_packages: Where the backend finds numpy and onnxruntime.
    """

    root: Path
    server: Path
    python_backend: Path
    stub: Path
    library_dirs: tuple[Path, ...]
    python_home: Path
    site_packages: Path

    def variables(self) -> dict[str, str]:
        """The environment variables that the server process needs, on top of this process's own."""
        libraries = [str(path) for path in self.library_dirs]
        search = [str(self.python_home / "bin"), os.environ.get("PATH", os.defpath)]
        return {
            "LD_LIBRARY_PATH": os.pathsep.join(libraries + [p for p in [os.environ.get("LD_LIBRARY_PATH")] if p]),
            "PATH": os.pathsep.join(search),
            "OUTSOLE_BACKEND_SITE_PACKAGES": str(self.site_packages),
        }


def is_supported() -> Support:
    """Whether the embedded Triton server can run here: Linux on x86-64 with glibc 2.35 or newer."""
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        return Support(False, f"Triton's server is built for Linux x86-64; this is {system or 'unknown'} {machine}")
    libc, version = platform.libc_ver()
    needed = ".".join(map(str, NEEDED_GLIBC))
    if libc != "glibc":
        return Support(False, f"Triton's server needs glibc {needed}; this system has {libc or 'another C library'}")
    if tuple(int(part) for part in version.split(".")[:2]) < NEEDED_GLIBC:
        return Support(False, f"Triton's server needs glibc {needed}; this system has {version}")
    return Support(True)


def default_environment_path() -> Path:
    """``$OUTSOLE_TRITON_ENV``, else ``build/env/triton`` beside the project."""
    given = os.environ.get(SETTING)
    return Path(given) if given else Path(__file__).resolve().parents[2] / "build/env/triton"


def triton_environment(path: Path | None = None) -> TritonEnvironment:
    """Resolve the server's parts in a virtual environment.

    Args:
        path: The virtual environment; None takes ``default_environment_path()``.

    Raises:
        MissingPart: This machine cannot run the server, or a part is not there; ``remedy`` says what to do.
    """
    support = is_supported()
    if not support:
        raise MissingPart(support.reason, remedy="ONNX Runtime in the process takes the server's place")
    root = (path or default_environment_path()).absolute()
    python = root / "bin/python"
    if not python.exists():
        raise MissingPart(f"no Triton environment at {root}", field=SETTING, remedy=_REMEDY)
    version, library_dir, prefix, packages = _ask(python)
    triton, site = Path(packages) / "pytriton/tritonserver", Path(packages)
    found = TritonEnvironment(
        root=root,
        server=triton / "bin/tritonserver",
        python_backend=triton / "backends/python",
        stub=triton / "python_backend_stubs" / version / "triton_python_backend_stub",
        library_dirs=(site / "nvidia_pytriton.libs", _libpython_dir(version, Path(library_dir), Path(prefix))),
        python_home=Path(prefix),
        site_packages=site,
    )
    parts = (
        found.server,
        found.python_backend,
        found.stub,
        found.library_dirs[0],
        site / "onnxruntime",
        site / "numpy",
    )
    missing = [str(part.relative_to(site)) for part in parts if not part.exists()]
    if missing:
        raise MissingPart(f"the Triton environment lacks {', '.join(missing)}", field=SETTING, remedy=_REMEDY)
    return found


def _libpython_dir(version: str, library_dir: Path, prefix: Path) -> Path:
    """The folder of the shared library that the stub links, of the very interpreter that runs the environment."""
    name = f"libpython{version}.so.1.0"
    candidates = (library_dir, prefix / "lib", *library_dir.glob("*-linux-gnu"))
    for folder in candidates:
        if (folder / name).exists():
            return folder
    raise MissingPart(
        f"this Python has no shared library {name}, which Triton's Python backend links",
        remedy=f"install it (Debian: apt install libpython{version}), or use a Python built with --enable-shared",
    )


@functools.lru_cache(maxsize=8)
def _ask(python: Path) -> tuple[str, str, str, str]:
    try:
        answer = subprocess.run([python, "-I", "-c", _QUESTION], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingPart(f"the interpreter {python} does not run", field=SETTING, remedy=_REMEDY) from error
    version, library_dir, prefix, packages = answer.stdout.splitlines()
    return version, library_dir, prefix, packages
