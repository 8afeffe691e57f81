"""Checkpoints of a run: whole or not there at all, and never executed when they are read.

``checkpoint.pt`` is a plain ``torch.save`` file of tensors, numbers and text. A new one is written under another name
and takes the old one's place when it is on the disk, so that a full disk or a cut wire costs at most a minute's work.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from outsole.errors import DataCorrupt, InvalidInput, NotFound, PreconditionFailed
from training.system import Setting, System

CHECKPOINT_FILE = "checkpoint.pt"
_FORMAT = 1
_KEYS = {"format", "step", "seconds", "settings", "network", "optimiser", "digest"}
_START_OVER = "start over with --fresh, which replaces it"
_MEBI = 1024.0**2


@dataclass(frozen=True)
class Checkpoint:
    """A run as it stands after a step.

    Attributes:
        step: Steps done.
        seconds: Time spent on them, over all sittings.
        settings: The run's fingerprint; see ``training.system.fingerprint``.
        network: The network's state, name -> tensor.
        optimiser: The optimiser's state; empty where only the network was saved.
    """

    step: int
    seconds: float
    settings: Mapping[str, Setting]
    network: Mapping[str, torch.Tensor]
    optimiser: Mapping[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write ``checkpoint.pt`` into a folder that exists; returns its path.

    Raises:
        PreconditionFailed: It could not be written, for example for want of space. The one before is untouched.
    """
    path = folder / CHECKPOINT_FILE
    record = {
        "format": _FORMAT,
        "step": checkpoint.step,
        "seconds": checkpoint.seconds,
        "settings": dict(checkpoint.settings),
        "network": dict(checkpoint.network),
        "optimiser": dict(checkpoint.optimiser),
        "digest": _digest(checkpoint),
    }
    # By way of memory: torch hides what the operating system says when it writes to a file itself.
    data = io.BytesIO()
    torch.save(record, data)
    try:
        write_whole(path, data.getbuffer())
    except OSError as error:
        size = f"{data.getbuffer().nbytes / _MEBI:.1f} MiB"
        kept = "the one before is kept" if path.exists() else "there is none before it"
        message = f"the checkpoint of step {checkpoint.step} ({size}) cannot be written to {folder}: {error.strerror}"
        remedy = f"{kept}; make room there and run the same command again"
        raise PreconditionFailed(message, field="output", remedy=remedy) from error
    return path


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU; nothing in it is executed.

    Raises:
        NotFound: There is no such file.
        DataCorrupt: It is cut short or changed, or no checkpoint of this program.
    """
    if not path.is_file():
        raise NotFound(f"there is no checkpoint {path}", field="checkpoint")
    record = _record(path)
    try:
        checkpoint = Checkpoint(
            step=int(record["step"]),
            seconds=float(record["seconds"]),
            settings=dict(record["settings"]),
            network=dict(record["network"]),
            optimiser=dict(record["optimiser"]),
        )
        whole = _digest(checkpoint) == record["digest"]
    except (AttributeError, TypeError, ValueError) as error:
        raise _corrupt(path, "holds something else than a run") from error
    if not whole:
        raise _corrupt(path, "was changed after it was written")
    return checkpoint


def load_network(network: nn.Module, path: Path) -> Checkpoint:
    """Load a checkpoint's weights into a network, and return the checkpoint.

    Raises:
        NotFound, DataCorrupt: As ``load_checkpoint``.
        PreconditionFailed: The weights are of another network.
    """
    checkpoint = load_checkpoint(path)
    fill(network, checkpoint, path)
    return checkpoint


def beginning_with(system: System, checkpoint: Path) -> System:
    """The system whose weights begin as those of a checkpoint of the same network; its hash is part of the settings.

    Raises:
        NotFound: The file does not exist.
        DataCorrupt, PreconditionFailed: It is no checkpoint, or of another network; raised where the network is built.
    """
    if not checkpoint.is_file():
        raise NotFound(f"{checkpoint} is no file", field="begin_with", remedy="checkpoint.pt of a run")

    def build() -> nn.Module:
        network = system.build()
        load_network(network, checkpoint)
        return network

    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    return dataclasses.replace(system, build=build, settings=dict(system.settings) | {"begins_with": digest[:16]})


def fill(network: nn.Module, checkpoint: Checkpoint, path: Path) -> None:
    """Load the weights of a checkpoint that was read from ``path`` into a network."""
    try:
        network.load_state_dict(dict(checkpoint.network))
    except RuntimeError as error:
        made_by = checkpoint.settings.get("system", "another system")
        message = f"{path} holds other weights than the network has; it was made by {made_by}"
        raise PreconditionFailed(message, field="checkpoint", remedy=_START_OVER) from error


def check_settings(found: Mapping[str, Setting], wanted: Mapping[str, Setting], folder: Path) -> None:
    """Refuse to go on with a run that was begun with other settings.

    Raises:
        PreconditionFailed: One differs; the message names it with both values.
    """
    for name in sorted(set(found) | set(wanted)):
        if name not in found or name not in wanted or found[name] != wanted[name]:
            before, now = found.get(name, "nothing"), wanted.get(name, "nothing")
            raise PreconditionFailed(
                f"the run in {folder} was begun with {name} = {before}, now it is {now}",
                field=name,
                remedy="go on with the old value, name another --output, or start over with --fresh",
            )


def run_folder(folder: Path) -> Path:
    """Make a run's folder where it is missing.

    Raises:
        InvalidInput: It cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be made: {error.strerror}", field="output") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidInput(f"{folder} cannot be written to", field="output", remedy="name another with --output")
    return folder


def write_whole(path: Path, data: bytes | memoryview) -> None:
    """Write a file under another name, flush it to the disk, then rename it: a reader sees the old or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _record(path: Path) -> dict[str, Any]:
    # Read first, so that what the disk says is not taken for what torch says of the bytes.
    data = io.BytesIO(path.read_bytes())
    try:
        record = torch.load(data, map_location="cpu", weights_only=True)
    except Exception as error:  # What torch raises for bytes that are no checkpoint, nobody has listed.
        raise _corrupt(path, "cannot be read") from error
    if not isinstance(record, dict) or set(record) != _KEYS or record["format"] != _FORMAT:
        raise _corrupt(path, "is no checkpoint of this program")
    return record


def _corrupt(path: Path, what: str) -> DataCorrupt:
    return DataCorrupt(f"{path} {what}", field="checkpoint", remedy=_START_OVER)


def _digest(checkpoint: Checkpoint) -> str:
    """SHA-256 over every name and tensor: torch does not notice a flipped bit in its own files."""
    digest = hashlib.sha256()
    whole = {"network": checkpoint.network, "optimiser": checkpoint.optimiser}
    header = {"step": checkpoint.step, "seconds": checkpoint.seconds, "settings": dict(checkpoint.settings)}
    for name, value in (*_leaves("", header), *_leaves("", whole)):
        digest.update(f"{name}=".encode())
        if isinstance(value, torch.Tensor):
            flat = value.detach().cpu().contiguous().reshape(-1)
            digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
            digest.update(np.ascontiguousarray(flat.view(torch.uint8).numpy()).data)
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def _leaves(prefix: str, value: object) -> Iterator[tuple[str, object]]:
    """Every value of nested mappings and lists, with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{prefix}/{key}", inner)
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _leaves(f"{prefix}/{i}", inner)
    else:
        yield prefix, value
