"""User: who asks, as far as we know."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InvalidError, shown

MAX_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who asks.

    groups  those that are known; None = the directory is to be asked
    strict  what they submit obeys the rules of our own doors: namespaced testcase, item of known type
    """

    name: str
    groups: frozenset[str] | None = frozenset()
    strict: bool = False

    @property
    def source(self) -> str:
        """Whom results are said to come from; a configured source has no colon in its name."""
        return "api" if self is ANONYMOUS else f"api:{self.name}"


ANONYMOUS = User(name="anonymous")
"""Nobody we know. Permissions may name it like any other."""


def check_user_name(name: object) -> str:
    """Return `name` if somebody may be called so: printable, 1 to 255 characters. Raises InvalidError."""
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidError(f"not the name of a user: {shown(name)}")
    return name
