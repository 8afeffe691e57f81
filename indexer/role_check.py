"""The stage that doubts declared roles: it names the pictures that a person should look at, and changes none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Role
from outsole.imaging.roles import role_doubt


@dataclass(frozen=True)
class DeclaredPicture:
    """A decoded picture and what its feed says that it shows.

    Attributes:
        item_id: The picture's id.
        role: As declared.
        gray: uint8 [H, W].
    """

    item_id: str
    role: Role
    gray: NDArray[np.uint8]


@dataclass(frozen=True)
class RoleDoubt:
    """A picture that is hardly what it is declared to be.

    Attributes:
        item_id, role: As in `DeclaredPicture`.
        reason: One sentence for a person.
    """

    item_id: str
    role: Role
    reason: str


def check_roles(pictures: Iterable[DeclaredPicture]) -> tuple[RoleDoubt, ...]:
    """Doubt the roles of pictures, one at a time: a stream of any length needs the memory of one.

    Returns:
        The doubts in the order of the pictures; see `outsole.imaging.roles.role_doubt` for what cannot be told.
    """
    reasons = ((picture, role_doubt(picture.gray, picture.role)) for picture in pictures)
    return tuple(RoleDoubt(picture.item_id, picture.role, reason) for picture, reason in reasons if reason)
