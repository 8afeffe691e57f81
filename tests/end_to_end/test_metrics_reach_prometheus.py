"""A real Prometheus scrapes the running stack, and every panel of the dashboard has data."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

from outsole.answers import SearchMode
from outsole.errors import OutsoleError
from outsole.free_ports import free_ports
from outsole.observability import METRICS, render_scrape_config
from tests.end_to_end.stack import GALLERY, PROJECT, Stack, wait_until
from tests.unit.deploy.dashboards import panel_queries

_DATA_LIMIT_S = 90.0
pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is missing; apt-get install prometheus brings it"
)


@pytest.fixture(scope="module")
def prometheus(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Prometheus that scrapes the stack every second."""
    folder = tmp_path_factory.mktemp("prometheus")
    (port,) = free_ports(1, host="127.0.0.1")
    # Milvus Lite exports no metrics: there is no target for it.
    targets = {
        "ray": [f"127.0.0.1:{stack.settings.metrics_port}"],
        "triton": [stack.triton.metrics_url.removeprefix("http://").partition("/")[0]],
    }
    config = render_scrape_config(PROJECT / "deploy/prometheus", folder, targets=targets, scrape_interval_s=1)
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def test_every_panel_of_the_dashboard_has_data(prometheus: str, stack: Stack) -> None:
    def missing() -> list[str]:
        traffic(stack)
        return [f"{title}: {query}" for title, query in panel_queries() if not answered(prometheus, query)]

    wait_until(lambda: not missing(), _DATA_LIMIT_S, every_s=1.0)
    assert not missing()


def test_every_metric_of_the_documents_is_exported(prometheus: str, stack: Stack) -> None:
    def missing() -> list[str]:
        traffic(stack)
        return [metric.exported for metric in METRICS if not any(answered(prometheus, s) for s in metric.series)]

    wait_until(lambda: not missing(), _DATA_LIMIT_S, every_s=1.0)
    assert not missing()


def traffic(stack: Stack) -> None:
    """A search in each mode, an explanation, and a request that fails."""
    with stack.client() as client:
        for mode in SearchMode:
            hits = client.search_print(stack.probe(), gallery=GALLERY, mode=mode).hits
        client.explain_hit(stack.probe(), gallery=GALLERY, item_id=hits[0].item_id)
        with contextlib.suppress(OutsoleError):
            client.search_print(b"no image", gallery=GALLERY)


def answered(prometheus: str, query: str) -> bool:
    """Whether Prometheus has a value for a query; one that is no number is none."""
    address = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            found = json.load(answer)["data"]["result"]
    except OSError:
        return False
    return any(series["value"][1] != "NaN" for series in found)
