"""Names of JUnit cases: what a testcase is called after its suites, classname and name.

A case is named `PREFIX.SUITES.CLASSNAME.NAME`. A part that the next part repeats is left out, so
that Surefire's suite `org.acme.LoginTest` with classname `org.acme.LoginTest` is not said twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from ..domain.testcase import MAX_LENGTH

TOOL_NAMES = frozenset({"pytest", "nosetests", "nose2-junit"})
"""Suite names that a runner writes by default: they name the tool, not what was tested."""
UNNAMED = "unnamed"
_STAMP = re.compile(r"-\d{14}$")
_DIGEST_LENGTH = 16


def suite_name(name: str) -> str:
    """Take unittest-xml-reporting's time stamp off a suite's name.

    >>> suite_name("tests.LoginTest-20261122130051")
    'tests.LoginTest'
    """
    return _STAMP.sub("", name)


def parts(path: Iterable[str], *more: str) -> list[str]:
    """Leave out of suites, classname and name what is empty, says nothing, or is said again by the next.

    >>> parts(("pytest",), "tests.test_login", "test_ok")
    ['tests.test_login', 'test_ok']
    >>> parts(("Chrome", "org.acme"), "org.acme.LoginTest")
    ['Chrome', 'org.acme.LoginTest']
    """
    said = [*telling(path), *more]
    following = [*said[1:], ""]
    return [part for part, after in zip(said, following, strict=False) if part and not _repeats(part, after)]


def head(path: Iterable[str]) -> str:
    """Join suites to what stands before a case's name, "" where they say nothing.

    >>> head(("pytest", "Chrome"))
    'Chrome.'
    """
    return "".join(f"{part}." for part in parts(path))


def telling(path: Iterable[str]) -> tuple[str, ...]:
    """Leave out the suites whose names say nothing: empty ones and a tool's own.

    >>> telling(("pytest", "", "unit"))
    ('unit',)
    """
    return tuple(name for name in path if name and name not in TOOL_NAMES)


def tidy(name: str, limit: int = MAX_LENGTH) -> str:
    r"""Make a name printable and at most `limit` characters long, the same way each time.

    White space becomes a blank, other unprintable characters their escape; a name too long is cut
    and ends in 16 hexadecimal digits of its SHA-256, so that two long names stay two.

    >>> tidy("par\u202e[1]\n")
    'par\\u202e[1] '
    """
    if not name.isprintable():
        name = "".join(map(_printable, name))
    if len(name) > limit:
        digest = sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
        name = f"{name[: limit - _DIGEST_LENGTH - 1]}~{digest}"
    return name


def _repeats(part: str, after: str) -> bool:
    return after == part or after.startswith(f"{part}.")


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else char.encode("unicode_escape").decode("ascii")
