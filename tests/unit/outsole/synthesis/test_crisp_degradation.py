"""CriSp's degradations: deterministic, switchable, masks that fit, a held-out half that differs."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.synthesis.crisp_degradation import OUTSIDE_GRAY, CrispDegradation, degrade
from outsole.synthesis.looks import LOOKS, Spread
from outsole.synthesis.noise import step
from outsole.synthesis.shoes import make_instance, plan_models

SOLE = make_instance(plan_models(1, seed=1)[0], 1, height_px=192)
CONTACT = step(SOLE.depth - np.float32(0.62), 0.2)
OFF = CrispDegradation(occlusion=False, erasure=False, noise=False, crop="full")


def test_the_same_seed_gives_the_same_print_and_held_out_another() -> None:
    first, again = (degrade(CONTACT, SOLE.inside, 3, others=[CONTACT]) for _ in range(2))
    assert np.array_equal(first.gray, again.gray)
    held = degrade(CONTACT, SOLE.inside, 3, plan=CrispDegradation(held_out=True), others=[CONTACT])
    assert not np.array_equal(first.gray, held.gray)


def test_with_everything_off_the_clean_print_stays_in_its_place() -> None:
    made = degrade(CONTACT, SOLE.inside, 1, plan=OFF)
    assert np.array_equal(made.mask, SOLE.inside)
    assert made.rotation_deg == 0 and made.shift_px == (0.0, 0.0)
    assert np.corrcoef(made.gray.ravel(), CONTACT.ravel())[0, 1] < -0.999


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("held_out", [False, True])
def test_every_look_keeps_size_and_a_mask_on_the_sole(look: str, *, held_out: bool) -> None:
    for seed in range(4):
        plan = CrispDegradation(look=look, held_out=held_out)
        made = degrade(CONTACT, SOLE.inside, seed, plan=plan, others=[CONTACT])
        assert made.gray.shape == made.mask.shape == CONTACT.shape
        assert made.gray.dtype == np.uint8
        assert made.mask.any()
        assert not (made.mask & ~SOLE.inside).any()
        assert made.look == look


def test_beyond_the_crop_there_is_plain_grey_and_no_mask() -> None:
    made = degrade(CONTACT, SOLE.inside, 2, plan=CrispDegradation(crop="heel"))
    assert made.crop == "heel"
    assert (made.gray[:40] == OUTSIDE_GRAY).all()
    assert not made.mask[:40].any()


def test_rotation_and_shift_stay_within_their_limits() -> None:
    plan = CrispDegradation(rotation_limit_deg=10, shift_limit=0.1)
    made = [degrade(CONTACT, SOLE.inside, seed, plan=plan) for seed in range(8)]
    assert all(abs(print_.rotation_deg) <= 10 and abs(print_.shift_px[1]) <= 19.2 for print_ in made)
    assert len({print_.rotation_deg for print_ in made}) == 8


def test_held_out_values_never_fall_into_the_range_of_training() -> None:
    rng = np.random.default_rng(1)
    spread = Spread(2.0, 4.0)
    training = [spread.draw(rng, held_out=False) for _ in range(200)]
    held = [spread.draw(rng, held_out=True) for _ in range(200)]
    assert min(training) >= 2.29 and max(training) <= 3.71
    assert all(2.0 <= value <= 2.21 or 3.79 <= value <= 4.0 for value in held)


@pytest.mark.parametrize(
    "settings", [{"look": "snow"}, {"crop": "half"}, {"rotation_limit_deg": 181.0}, {"shift_limit": -0.1}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        CrispDegradation(**settings)  # type: ignore[arg-type]


def test_a_picture_without_a_sole_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no sole"):
        degrade(CONTACT, np.zeros_like(SOLE.inside), 1)
