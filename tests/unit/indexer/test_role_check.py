"""The stage that doubts roles: which pictures it names."""

from __future__ import annotations

import numpy as np

from indexer.role_check import DeclaredPicture, RoleDoubt, check_roles
from outsole.answers import Role
from outsole.synthesis.prints import clean_impression
from outsole.synthesis.treads import make_tread


def test_only_doubtful_pictures_are_named_in_their_order() -> None:
    sole = clean_impression(make_tread(1, height_px=300), 1)
    blank = np.full((60, 40), 200, np.uint8)
    pictures = [
        DeclaredPicture("b", Role.SOLE, blank),
        DeclaredPicture("c", Role.SOLE, sole),
        DeclaredPicture("a", Role.BOX, blank),
    ]
    assert check_roles(iter(pictures)) == (
        RoleDoubt("b", Role.SOLE, "the picture is blank"),
        RoleDoubt("a", Role.BOX, "the picture is blank"),
    )
