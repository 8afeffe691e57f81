from __future__ import annotations

import pytest

from outsole.errors import InvalidInput, NotFound
from training.registry import SYSTEMS, find_system


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_registered_system_is_there_under_its_name_with_its_presets(name: str) -> None:
    system = find_system(name)
    assert system.name == name
    assert set(system.presets) - {"short"} == {"smoke", "cpu", "gpu"}
    assert {variant.name for variant in system.variants.values()} == {f"{name}:{key}" for key in system.variants}


def test_an_unknown_system_names_the_known_ones() -> None:
    with pytest.raises(NotFound, match=r"one of .*crisp_lite"):
        find_system("crisp_heavy")


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no variant 'square'"):
        find_system("crisp_lite:square")
