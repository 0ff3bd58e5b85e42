"""Testcase: a namespaced name, at least one dot in it ("dist.rpmlint")."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import InvalidError, shown

MAX_LENGTH = 1024


class Testcase(NamedTuple):
    """A testcase as it is stored, and where it is described."""

    name: str
    ref_url: str | None = None


def check_testcase(name: str) -> str:
    """Return `name` if it is a namespaced testcase name, e.g. "general.rpmlint".

    Needs text on both sides of the first dot, no control characters, at most 1024 characters.
    Slashes and blanks are allowed. Raises InvalidError otherwise.
    """
    if not 0 < name.find(".") < len(name) - 1:
        raise InvalidError(f"testcase needs a namespace before a dot: {shown(name)}")
    if len(name) > MAX_LENGTH:
        raise InvalidError(f"testcase is longer than {MAX_LENGTH} characters: {shown(name)}")
    if not name.isprintable():
        raise InvalidError(f"testcase holds unprintable characters: {shown(name)}")
    return name
