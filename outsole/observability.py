"""Every metric that Outsole exports, in one frozen table, and the scrape targets of a running stack.

Services build their instruments from ``METRICS``; ``docs/METRICS.md`` and the dashboards are compared with it by tests.
Only the standard library is imported.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from outsole.errors import InvalidInput

MetricKind = Literal["histogram", "counter", "gauge"]

STAGES: Final = (
    *("receive", "decode", "canvas", "find", "crop", "encode", "candidates", "rerank", "group"),
    *("refine", "pictures", "tracks", "order", "lay", "predict", "report"),
)
QUEUED_STAGES: Final = ("encode", "candidates", "rerank", "tracks", "predict")
DEPENDENCIES: Final = ("triton", "milvus")

# Ray derives a histogram's sum from the middle of each bucket and quantiles are interpolated within one: the buckets
# are therefore close together around the latencies that are promised (25 ms of overhead, 700 ms a probe).
LATENCY_BOUNDARIES_MS: Final = (
    1.0,
    2.0,
    3.0,
    5.0,
    7.5,
    10.0,
    15.0,
    20.0,
    30.0,
    40.0,
    50.0,
    75.0,
    100.0,
    150.0,
    200.0,
    300.0,
) + (400.0, 500.0, 600.0, 700.0, 850.0, 1000.0, 1500.0, 2000.0, 3000.0, 5000.0, 10000.0, 30000.0)


@dataclass(frozen=True)
class Metric:
    """The definition of one metric.

    Attributes:
        name: Name given to ``ray.serve.metrics``; Prometheus sees it as ``exported``.
        kind: Type of the instrument.
        unit: Unit of its values; "1" for a pure number.
        labels: Tag keys. Their values are few: never a case, image or query id.
        meaning: One sentence for the documents and the ``# HELP`` line.
        boundaries: Upper bucket bounds of a histogram, ascending, in ``unit``; empty otherwise.
    """

    name: str
    kind: MetricKind
    unit: str
    labels: tuple[str, ...]
    meaning: str
    boundaries: tuple[float, ...] = ()

    @property
    def exported(self) -> str:
        """Name that Prometheus sees: Ray adds a prefix, and keeps a counter's ``_total`` as it is."""
        return f"ray_{self.name}"

    @property
    def series(self) -> tuple[str, ...]:
        """Names of all time series that Prometheus stores for it."""
        if self.kind == "histogram":
            return tuple(f"{self.exported}{suffix}" for suffix in ("_bucket", "_count", "_sum"))
        return (self.exported,)


@dataclass(frozen=True)
class ForeignMetric:
    """A metric of another part that the dashboards and alerts rely on.

    Attributes:
        name: Name that Prometheus sees.
        source: Who exports it.
        unit: Unit of its values; "1" for a pure number.
        meaning: One sentence for the documents.
    """

    name: str
    source: Literal["ray", "triton", "prometheus"]
    unit: str
    meaning: str


def _latency(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, "histogram", "ms", labels, meaning, LATENCY_BOUNDARIES_MS)


METRICS: Final = (
    _latency("outsole_stage_latency_ms", ("stage",), "Time that one request spent working in a stage of its way."),
    _latency("outsole_queue_wait_ms", ("stage",), "Time that one request waited before a stage took it up."),
    _latency("outsole_request_latency_ms", ("method", "mode"), "Time from receipt to answer of one request."),
    Metric("outsole_requests_total", "counter", "1", ("method", "code"), "Requests answered, by gRPC status code."),
    Metric("outsole_errors_total", "counter", "1", ("method", "code"), "Requests answered with an error."),
    Metric("outsole_items_searched_total", "counter", "1", ("mode",), "Gallery items that were compared closely."),
    Metric("outsole_edition_loaded", "gauge", "1", ("gallery", "edition"), "1 while this edition answers, else 0."),
    Metric("outsole_edition_items", "gauge", "1", ("gallery",), "Items in the edition that answers for a gallery."),
    Metric("outsole_dependency_up", "gauge", "1", ("dependency",), "1 while the dependency answers, else 0."),
)

FOREIGN_METRICS: Final = (
    ForeignMetric("up", "prometheus", "1", "1 while the target of a scrape answers, else 0."),
    ForeignMetric("nv_inference_request_success", "triton", "1", "Requests that a model answered."),
    ForeignMetric("nv_inference_request_failure", "triton", "1", "Requests that a model failed."),
    ForeignMetric("nv_inference_count", "triton", "1", "Images inferred; a batch of n counts n."),
    ForeignMetric("nv_inference_exec_count", "triton", "1", "Batches executed; a batch of n counts 1."),
    ForeignMetric("nv_inference_queue_duration_us", "triton", "us", "Cumulative time that requests waited."),
    ForeignMetric("nv_inference_compute_infer_duration_us", "triton", "us", "Cumulative time in the model itself."),
    ForeignMetric("nv_inference_pending_request_count", "triton", "1", "Requests that wait for a batch now."),
    ForeignMetric("ray_serve_deployment_replica_healthy", "ray", "1", "1 for each healthy replica, else 0."),
    ForeignMetric("ray_serve_replica_processing_queries", "ray", "1", "Requests that a replica works on now."),
    ForeignMetric("ray_serve_deployment_queued_queries", "ray", "1", "Requests that wait for a replica now."),
    ForeignMetric("ray_component_rss_bytes", "ray", "bytes", "Resident memory of one of Ray's processes."),
)

_BY_NAME: Final = {metric.name: metric for metric in METRICS}


def metric(name: str) -> Metric:
    """Return the definition of a metric of our own.

    Raises:
        InvalidInput: The table has no metric of that name.
    """
    try:
        return _BY_NAME[name]
    except KeyError as error:
        raise InvalidInput(f"no metric is called {name!r}", field="name", remedy="define it in METRICS") from error


def render_scrape_config(
    source: Path, destination: Path, *, targets: Mapping[str, Sequence[str]], scrape_interval_s: int = 5
) -> Path:
    """Put a Prometheus configuration for running processes into a directory.

    Args:
        source: The ``deploy/prometheus`` directory.
        destination: Directory to write to; made where missing.
        targets: Job (``ray``, ``triton``, ``milvus``) -> addresses ``host:port``; a job left out is not scraped.
        scrape_interval_s: Seconds between two scrapes, 1 or more.

    Returns:
        The path of the configuration file written, for ``prometheus --config.file``.

    Raises:
        InvalidInput: A job is unknown to the configuration, or the interval is under one second.
    """
    config = (source / "prometheus.yml").read_text(encoding="utf-8")
    unknown = sorted(set(targets) - set(re.findall(r"job_name: (\w+)", config)))
    if unknown:
        raise InvalidInput(f"no job is called {unknown[0]!r}", field="targets", remedy="use a job of prometheus.yml")
    if scrape_interval_s < 1:
        raise InvalidInput(f"{scrape_interval_s} is too short", field="scrape_interval_s", remedy="at least 1")
    folder = destination / "targets"
    folder.mkdir(parents=True, exist_ok=True)
    for job, addresses in targets.items():
        (folder / f"{job}.json").write_text(json.dumps([{"targets": list(addresses)}], indent=2) + "\n", "utf-8")
    shutil.copyfile(source / "alerts.yml", destination / "alerts.yml")
    rendered = destination / "prometheus.yml"
    interval = rf"\g<1>{scrape_interval_s}s"
    rendered.write_text(re.sub(r"(scrape_interval: |scrape_timeout: )\d+s", interval, config), "utf-8")
    return rendered
