"""Roles, and who is asking."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Each may do what the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def covers(self, needed: "Role") -> bool:
        return self.rank >= needed.rank


def lower(one: Role, other: Role) -> Role:
    return min(one, other, key=lambda role: role.rank)


@dataclass(frozen=True, slots=True)
class Principal:
    """`name` is for people and the audit log. `user_id` is None for a token that belongs to nobody,

    `session_id` where no browser is logged in.
    """

    user_id: int | None
    name: str
    role: Role
    session_id: int | None = None


SHELL = Principal(None, "command line", Role.OWNER)
NOBODY = Principal(None, "", Role.VIEWER)
