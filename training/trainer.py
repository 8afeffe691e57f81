"""The trainer of every system: steps, checkpoints, log, curve, result. A resumed run is the same run.

The batch of a step, its noise and its rate depend on the seed and the step alone; what else a run remembers is in
``checkpoint.pt``. On a CPU, a run that was stopped and resumed ends with the same weights as one that was not.
"""

from __future__ import annotations

import errno
import math
import signal
import threading
import time
import traceback
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from outsole.errors import InvalidInput, MissingPart, OutsoleError, PreconditionFailed
from training.checkpoints import (
    CHECKPOINT_FILE,
    Checkpoint,
    check_settings,
    fill,
    load_checkpoint,
    run_folder,
    save_checkpoint,
)
from training.memory import keep_freed_memory
from training.run_files import Log, RunResult, make_result, usable_cores
from training.system import Batch, Preset, Setting, StepDataset, System, fingerprint

SAVE_EVERY_S = 60.0
# A seed a step, far enough apart that runs with neighbouring seeds share none.
_SEED_STRIDE = 1_000_003


class TrainingStopped(Exception):
    """The run was told to stop, finished its step and saved; the same command goes on with it."""


@dataclass(frozen=True)
class Run:
    """A run that has ended.

    Attributes:
        network: In evaluation mode, on the device it was trained on.
        log: Rows of ``log.jsonl``: step, loss and its parts, rate, seconds.
        result: What ``result.json`` says.
    """

    network: nn.Module
    log: tuple[Mapping[str, float], ...]
    result: RunResult


def train(
    system: System,
    preset_name: str,
    *,
    folder: Path,
    device: str = "auto",
    resume: bool = True,
    minutes: float | None = None,
) -> Run:
    """Train a system, or go on with a run, and evaluate it.

    Args:
        system: What learns.
        preset_name: One of its presets.
        folder: Of the run; made where it is missing. ``checkpoint.pt``, ``log.jsonl``, ``loss.png``, ``result.json``.
        device: ``auto`` (CUDA where there is one), ``cpu`` or ``cuda``. With CUDA the loss runs in bfloat16 autocast.
        resume: Go on with the folder's checkpoint where there is one; False replaces it after the first save.
        minutes: Stop learning after this time in this sitting and evaluate what there is; a later call goes on.

    Raises:
        InvalidInput: Unknown preset or device, a folder that cannot be written, data that cannot be learned from.
        MissingPart: CUDA was asked for and is not there.
        PreconditionFailed: The run was begun with other settings, the loss is not finite, or the disk is full; the
            last checkpoint is kept.
        DataCorrupt: The checkpoint cannot be read.
        TrainingStopped: SIGINT or SIGTERM came; the run is saved.
    """
    keep_freed_memory()
    preset = system.preset(preset_name)
    target = _device(device)
    if minutes is not None and not 0 < minutes < math.inf:
        raise InvalidInput(f"is {minutes}", field="minutes", remedy="more than 0")
    sitting = _Sitting(system, preset, fingerprint(system, preset_name), folder=run_folder(folder), device=target)
    sitting.begin(resume=resume)
    with _told_to_stop() as stop:
        sitting.learn(stop, seconds=math.inf if minutes is None else 60.0 * minutes)
    return sitting.end()


class _Sitting:
    """One process's part of a run: the network, the optimiser and the step that they stand at."""

    def __init__(
        self, system: System, preset: Preset, settings: Mapping[str, Setting], *, folder: Path, device: torch.device
    ) -> None:
        self.system, self.preset, self.settings = system, preset, settings
        self.folder, self.device = folder, device
        torch.manual_seed(preset.seed)
        built: Any = system.build()
        # Convolutions of small networks on a CPU are many times slower in the other layout.
        self.network: nn.Module = built.to(device=device, memory_format=torch.channels_last)
        self.groups = system.rates(self.network, preset)
        self.optimiser = torch.optim.AdamW(self.groups)
        self.peak_rates = [float(group["lr"]) for group in self.optimiser.param_groups]
        self.log = Log(folder, system.title)
        self.step = 0
        self.saved_step = -1
        self.seconds_before = 0.0
        self.started_s = self.saved_s = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent learning, over all sittings."""
        return self.seconds_before + time.monotonic() - self.started_s

    def begin(self, *, resume: bool) -> None:
        """Take up the folder's checkpoint, where there is one and it is wanted."""
        path = self.folder / CHECKPOINT_FILE
        if resume and path.exists():
            found = load_checkpoint(path)
            check_settings(found.settings, self.settings, self.folder)
            fill(self.network, found, path)
            self._fill_optimiser(found)
            self.step = self.saved_step = found.step
            self.seconds_before = found.seconds
        self.log.begin(self.step)

    def _fill_optimiser(self, found: Checkpoint) -> None:
        try:
            self.optimiser.load_state_dict(dict(found.optimiser))
        except (KeyError, ValueError) as error:
            message = f"the optimiser of the run in {self.folder} has other parameters than {self.system.name} has now"
            raise PreconditionFailed(message, field="checkpoint", remedy="start over with --fresh") from error

    def learn(self, stop: threading.Event, *, seconds: float) -> None:
        """Learn to the last step, to the time limit, or until told to stop; saved in any case."""
        self.network.train()
        self.started_s = self.saved_s = time.monotonic()
        bar = tqdm(desc=self.system.name, unit="step", initial=self.step, total=self.preset.steps)
        with closing(_batches(self.system, self.preset, start=self.step, device=self.device)) as batches, bar:
            for batch in batches:
                parts = self._learn_from(batch)
                bar.set_postfix(loss=f"{parts['loss']:.4f}", refresh=False)
                bar.update()
                if stop.is_set() or time.monotonic() - self.started_s > seconds:
                    break
                if time.monotonic() - self.saved_s > SAVE_EVERY_S:
                    self.save()
        if self.saved_step != self.step:
            self.save()
        # The evaluation is no part of the time that the run took to learn.
        self.seconds_before, self.started_s = self.seconds, time.monotonic()
        if stop.is_set():
            text = f"stopped after step {self.step} of {self.preset.steps}; the same command goes on from there"
            raise TrainingStopped(text)

    def save(self) -> None:
        """Write log, curve and checkpoint; rows of the log beyond the checkpoint are dropped when a run goes on."""
        state = self.network.state_dict()
        record = Checkpoint(self.step, self.seconds, self.settings, state, self.optimiser.state_dict())
        try:
            with _room_needed(self.folder):
                self.log.save()
        finally:
            save_checkpoint(self.folder, record)
        self.saved_step, self.saved_s = self.step, time.monotonic()

    def end(self) -> Run:
        """Evaluate and write the result."""
        learned_s = self.seconds_before
        self.network.eval()
        with torch.no_grad():
            metrics = dict(self.system.evaluate(self.network, self.preset))
        result = make_result(
            self.system, self.settings, metrics=metrics, network=self.network, steps=self.step, seconds=learned_s
        )
        with _room_needed(self.folder):
            result.write(self.folder)
        return Run(self.network, tuple(self.log.rows), result)

    def _learn_from(self, batch: Batch) -> dict[str, float]:
        """One step of the optimiser; returns the loss and its parts."""
        rate = _rate_factor(self.step, self.preset)
        for group, peak in zip(self.optimiser.param_groups, self.peak_rates, strict=True):
            group["lr"] = peak * rate
        # What the network draws in this step (dropout, masks) must not depend on the steps before a restart.
        torch.manual_seed(self.preset.seed * _SEED_STRIDE + self.step)
        on_device = {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            losses = self.system.loss(self.network, on_device)
        parts = {name: float(value.detach()) for name, value in losses.items()}
        self._must_be_finite("loss", parts["loss"])
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(losses["loss"])
        self._must_be_finite("gradient", float(_clipped_norm(self.groups, self.preset.gradient_norm)))
        self.optimiser.step()
        self.step += 1
        self.log.add({"step": self.step, **parts, "rate": max(self.peak_rates) * rate, "seconds": self.seconds})
        return parts

    def _must_be_finite(self, name: str, value: float) -> None:
        if math.isfinite(value):
            return
        kept = f"the checkpoint of step {self.saved_step} is kept" if self.saved_step >= 0 else "nothing was saved yet"
        message = f"the {name} at step {self.step + 1} of {self.system.name} is {value}; {kept}"
        raise PreconditionFailed(message, field=name, remedy="lower the preset's rates and start over with --fresh")


class _Reported(torch.utils.data.Dataset[Batch | Exception]):
    """Hands errors over as values: raised in another process they would lose their field and remedy.

    And the loader would hold on to them, and they to the loader: its processes, which hear no signal, would never end.
    """

    def __init__(self, inner: StepDataset) -> None:
        self._inner = inner

    def __getitem__(self, step: int) -> Batch | Exception:
        try:
            return self._inner[step]
        except OutsoleError as error:
            return error
        except Exception:
            return RuntimeError(f"the batch of step {step} cannot be made\n{traceback.format_exc()}")


def _batches(system: System, preset: Preset, *, start: int, device: torch.device) -> Generator[Batch, None, None]:
    """The batches of the steps from ``start`` on, made in other processes."""
    dataset = system.dataset(preset)
    if len(dataset) < preset.steps:
        message = f"{system.name} has batches for {len(dataset)} steps, the preset asks for {preset.steps}"
        raise InvalidInput(message, field="preset.steps")
    workers = min(preset.workers, max(1, usable_cores() - 1))
    loader = DataLoader(
        _Reported(dataset),
        batch_size=None,
        sampler=range(start, preset.steps),
        num_workers=workers,
        pin_memory=device.type == "cuda",
        worker_init_fn=_begin_worker,
    )
    for batch in loader:
        if isinstance(batch, Exception):
            raise batch
        yield batch


def _begin_worker(_: int) -> None:
    """A worker ends when its trainer does: a signal to all of them must not take the batch of the last step away."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Threads of the parent do not live in a fork of it.
    cv2.setNumThreads(0)


def _rate_factor(step: int, preset: Preset) -> float:
    """Linear from 0 over the first steps, then half a cosine down to 0 (Loshchilov and Hutter, ICLR 2017, eq. 5)."""
    if step < preset.warmup_steps:
        return (step + 1) / (preset.warmup_steps + 1)
    done = (step - preset.warmup_steps) / max(1, preset.steps - preset.warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * done))


def _clipped_norm(groups: Sequence[Mapping[str, Any]], longest: float) -> torch.Tensor:
    """Shorten the gradient to ``longest``; returns the length that it had."""
    parameters = [parameter for group in groups for parameter in group["params"]]
    return torch.nn.utils.clip_grad_norm_(parameters, longest)


def _device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise InvalidInput(f"is {name!r}", field="device", remedy="auto, cpu or cuda")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise MissingPart("torch finds no CUDA device", field="device", remedy="--device cpu, or a CUDA build of torch")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


@contextmanager
def _room_needed(folder: Path) -> Iterator[None]:
    """Turn a full disk into one clear sentence; the checkpoint is written before anything else is."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        message = f"{folder} has no room for log, curve and result: {error.strerror}; the checkpoint is kept"
        raise PreconditionFailed(message, field="output", remedy="make room and run the same command again") from error


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one interrupts. Only the main thread hears them."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def hear(_: int, __: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
