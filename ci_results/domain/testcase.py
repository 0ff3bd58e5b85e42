"""Testcase: a namespaced name, at least one dot in it ("dist.rpmlint")."""

from __future__ import annotations

from ..errors import InvalidError, shown

MAX_LENGTH = 1024


def check_testcase(name: str) -> str:
    """Return `name` if it is a namespaced testcase name, e.g. "general.rpmlint".

    Needs text on both sides of the first dot, no control characters, at most 1024 characters.
    Slashes and blanks are allowed. Raises InvalidError otherwise.
    """
    head, dot, tail = name.partition(".")
    if not (head and dot and tail):
        raise InvalidError(f"testcase needs a namespace before a dot: {shown(name)}")
    if len(name) > MAX_LENGTH:
        raise InvalidError(f"testcase is longer than {MAX_LENGTH} characters: {shown(name)}")
    if not name.isprintable():
        raise InvalidError(f"testcase holds unprintable characters: {shown(name)}")
    return name
