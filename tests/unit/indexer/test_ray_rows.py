"""The end of a Ray dataset."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import ray.data

from indexer.ray_rows import rows_of


def _slow(row: dict[str, Any]) -> dict[str, Any]:
    time.sleep(0.2)
    return row


@pytest.mark.usefixtures("local_ray")
def test_nothing_of_a_dataset_is_at_work_after_an_error_ended_its_reading() -> None:
    dataset = ray.data.range(40, override_num_blocks=40).map(_slow)
    with pytest.raises(ValueError, match="enough"), rows_of(dataset) as rows:
        next(rows)
        raise ValueError("enough")
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("StreamingExecutor")]


@pytest.mark.usefixtures("local_ray")
def test_all_rows_come() -> None:
    with rows_of(ray.data.range(5, override_num_blocks=5).map(_slow)) as rows:
        assert sorted(row["id"] for row in rows) == [0, 1, 2, 3, 4]
