"""What goes where its person goes is a shoe; what stays while people pass is not."""

from __future__ import annotations

import numpy as np

from outsole.video.walkers import Wearing

_LENGTH_PX = 50.0


def _worn(shoes: list[tuple[float, float]], persons: list[tuple[float, float]]) -> Wearing:
    wearing = Wearing()
    for shoe, person in zip(shoes, persons, strict=True):
        wearing.add(np.array(shoe), np.array(person))
    return wearing


def test_one_who_stood_nearly_all_the_time_took_the_shoes_along() -> None:
    came, left = [(200.0 + 40 * step, 300.0) for step in range(2)], [(480.0, 300.0)]
    stood = [(400.0 + step % 3, 300.0) for step in range(200)]
    track = [*came, *stood, *left]
    assert _worn(track, track).is_taken_along(_LENGTH_PX)


def test_what_stays_while_people_pass_was_not_taken_along() -> None:
    passing = [(300.0 + 10 * step, 310.0) for step in range(40)]
    assert not _worn([(400.0, 300.0)] * 40, passing).is_taken_along(_LENGTH_PX)


def test_of_what_never_moved_with_its_person_nothing_is_said() -> None:
    assert not _worn([(400.0, 300.0)] * 9, [(405.0, 310.0)] * 9).is_taken_along(_LENGTH_PX)
    assert not Wearing().is_taken_along(_LENGTH_PX)


def test_two_walks_that_were_one_count_together() -> None:
    stood, left = _worn([(400.0, 300.0)] * 50, [(400.0, 300.0)] * 50), _worn([(600.0, 300.0)], [(600.0, 300.0)])
    stood.join(left)
    assert stood.is_taken_along(_LENGTH_PX)
