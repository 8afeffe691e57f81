"""Every benchmark writes the same record, and its table can be read in a terminal."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks.reporting import BenchmarkResult, commit_of, describe_machine, latency_summary, make_result, text_table
from outsole.errors import InvalidInput


def test_the_json_has_the_five_parts_and_a_flat_metrics_object(tmp_path: Path) -> None:
    path = tmp_path / "out" / "r.json"
    make_result("fid300", inputs={"data": "d", "rotations": 9}, metrics={"cmc_rank1": 74.3}).write(path)
    record = json.loads(path.read_text(encoding="utf-8"))
    assert set(record) == {"name", "machine", "commit", "inputs", "metrics"}
    assert record["metrics"] == {"cmc_rank1": 74.3}
    assert [entry.name for entry in path.parent.iterdir()] == ["r.json"]


def test_a_metric_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"metrics\.a"):
        BenchmarkResult("n", describe_machine(), "c", {}, {"a": float("nan")})


def test_the_machine_says_processor_cores_memory_and_interpreter() -> None:
    machine = describe_machine()
    assert machine.cpu
    assert machine.cores >= 1
    assert machine.memory_gib > 0
    assert f"Python {machine.python}" in str(machine)


def test_percentiles_of_one_to_a_hundred_are_interpolated() -> None:
    summary = latency_summary([float(value) for value in range(1, 101)])
    assert (summary.p50_ms, summary.p95_ms) == pytest.approx((50.5, 95.05))
    assert summary.p99_ms == pytest.approx(99.01)


@pytest.mark.parametrize("latencies", [[], [-1.0], [float("inf")]])
def test_latencies_that_cannot_be_are_refused(latencies: list[float]) -> None:
    with pytest.raises(InvalidInput, match="latencies_ms"):
        latency_summary(latencies)


def test_the_commit_is_marked_where_files_differ(tmp_path: Path) -> None:
    assert commit_of(tmp_path / "absent") == "unknown"
    (tmp_path / "a").write_text("1")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.hooksPath=/dev/null"]
    for arguments in (["init", "-q"], ["add", "a"], [*identity, "commit", "-qm", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    clean = commit_of(tmp_path)
    assert len(clean) == 12
    (tmp_path / "a").write_text("2")
    assert commit_of(tmp_path) == f"{clean}+dirty"


def test_the_table_aligns_numbers_to_the_right_and_words_to_the_left() -> None:
    table = text_table(["stage", "p50 ms"], [["encode", 60.123], ["rerank", 402.0]])
    assert table.splitlines() == ["stage   p50 ms", "------  ------", "encode   60.12", "rerank  402.00"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidInput, match="rows"):
        text_table(["a"], [["b", "c"]])
