"""How long one prediction takes through the public gRPC API of a whole stack."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from benchmarks.finished import Metrics
from benchmarks.reporting import latency_summary, text_table
from outsole.api import Client
from outsole.commands.stack import LocalStack
from outsole.imaging.canvas import encode_png
from outsole.settings import StackSettings
from outsole.synthesis.shoes import UNSEEN_SEED, plan_models
from outsole.synthesis.wear import make_series
from outsole.synthesis.wear_scans import scan

_WARM_UPS = 5
_WEEKS = 26
_SETTLE_S = 5.0


def measure_latency(*, predictions: int) -> Metrics:
    """Ask for one week of one print at a time.

    Returns:
        ``latency_p50_ms``, ``latency_p95_ms`` of ``PredictWear`` as the caller sees it, ``backward_latency_p50_ms`` of
        ``ReconstructOutsole``, and the median milliseconds of each stage.
    """
    prints = _prints(min(predictions, 20))
    with tempfile.TemporaryDirectory(prefix="outsole-bench-") as folder:
        settings = StackSettings(Path(folder)).on_free_ports()
        with LocalStack(settings, report=lambda phase: click.echo(f"{phase} ...", err=True)) as stack:
            # Ray goes on starting workers for some seconds after it answers.
            time.sleep(_SETTLE_S)
            with Client(stack.target, timeout_s=120.0) as client:
                forward, stages = _asked(client, prints, predictions, backward=False)
                backward, _ = _asked(client, prints, predictions, backward=True)
    click.echo(text_table(("stage", "p50 ms"), [(name, float(np.median(times))) for name, times in stages.items()]))
    there, back = latency_summary(forward), latency_summary(backward)
    return {
        "latency_p50_ms": there.p50_ms,
        "latency_p95_ms": there.p95_ms,
        "backward_latency_p50_ms": back.p50_ms,
        **{f"stage_{name}_p50_ms": float(np.median(times)) for name, times in stages.items()},
    }


def _prints(count: int) -> list[bytes]:
    models = plan_models(count, seed=UNSEEN_SEED)
    return [encode_png(scan(make_series(model, 1).contact(0), n)) for n, model in enumerate(models)]


def _asked(
    client: Client, prints: list[bytes], count: int, *, backward: bool
) -> tuple[list[float], dict[str, list[float]]]:
    """Milliseconds of each call, and of its stages; the first calls load the model and are not counted."""
    ask = client.reconstruct_outsole if backward else client.predict_wear
    times: list[float] = []
    stages: dict[str, list[float]] = {}
    for number in tqdm(range(-_WARM_UPS, count), desc="predictions", unit="call"):
        begun = time.perf_counter()
        answer = ask(prints[number % len(prints)], weeks=(_WEEKS,))
        if number >= 0:
            times.append((time.perf_counter() - begun) * 1e3)
            for name, took in answer.stage_ms.items():
                stages.setdefault(name, []).append(took)
    return times, stages
