"""The end of a Ray dataset."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import ray.data

from indexer.ray_values import values_of


def _slow(row: dict[str, Any]) -> dict[str, Any]:
    time.sleep(0.2)
    return row


@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize("blocks", [pytest.param(40, id="under way"), pytest.param(4, id="done")])
def test_nothing_of_a_dataset_is_at_work_after_an_error_ended_its_reading(blocks: int) -> None:
    before = set(threading.enumerate())
    dataset = ray.data.range(blocks, override_num_blocks=blocks).map(_slow)
    with pytest.raises(ValueError, match="enough"), values_of(dataset, "id") as values:
        next(values)
        # More are done meanwhile, and a thread waits until they are taken.
        time.sleep(1.0)
        raise ValueError("enough")
    # Ray never ends the thread that fetches ahead; it was given nothing to fetch.
    assert {thread.name for thread in set(threading.enumerate()) - before} <= {"Prefetcher"}


@pytest.mark.usefixtures("local_ray")
def test_all_values_come() -> None:
    with values_of(ray.data.range(5, override_num_blocks=5).map(_slow), "id") as values:
        assert sorted(values) == [0, 1, 2, 3, 4]
