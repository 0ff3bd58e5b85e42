"""Validation of JSON bodies and queries in the form of the peers: pydantic's types, messages and order.

A reader takes a value and returns it converted, or raises Wrong. Every failing field is listed, in
the order of the table. Obeys COMPAT, "Common".
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ERRORS_URL = "https://errors.pydantic.dev/2.11/v/"
_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})
_INTEGER = re.compile(r"\s*[+-]?\d{1,4000}(\.0*)?\s*", re.ASCII)

Read = Callable[[Any], Any]


class Wrong(Exception):  # noqa: N818 (an event of reading, told to the client, never an error of ours)
    """One value that is not as it should be: pydantic's type and message, and where inside the field."""

    def __init__(self, kind: str, message: str, *at: str | int, value: object = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.at, self.value = kind, message, at, value


class RefusedBody(Exception):  # noqa: N818
    """A body or query with these problems; the answer is `{"validation_error": problems}`."""

    def __init__(self, problems: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("; ".join(str(problem["msg"]) for problem in problems))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table.

    read      takes its value and returns it converted, or raises Wrong
    required  it must be there; an optional one takes null, where it is nullable
    schema    what it takes, as JSON Schema, for the document of the API
    """

    read: Read
    required: bool = False
    schema: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    nullable: bool = True


def check(given: Mapping[str, Any], table: Mapping[str, Field]) -> dict[str, Any]:
    """Return the fields of `table` that `given` has, converted; others are ignored. Raises RefusedBody."""
    found: dict[str, Any] = {}
    problems: list[Mapping[str, Any]] = []
    for name, field in table.items():
        if name not in given:
            if field.required:
                problems.append(problem(Wrong("missing", "Field required"), (name,), given))
            continue
        value = given[name]
        if value is None and not field.required and field.nullable:
            found[name] = None
            continue
        try:
            found[name] = field.read(value)
        except Wrong as wrong:
            problems.append(problem(wrong, (name, *wrong.at), wrong.value if wrong.at else value))
    if problems:
        raise RefusedBody(problems)
    return found


def problem(wrong: Wrong, loc: Sequence[str | int], value: object) -> dict[str, Any]:
    """Return one problem as it is told."""
    return {
        "type": wrong.kind,
        "loc": list(loc),
        "msg": wrong.message,
        "input": value,
        "url": ERRORS_URL + wrong.kind,
    }


def rule(message: str) -> Wrong:
    """Return what breaks a rule of our own or of a peer's validator."""
    return Wrong("value_error", f"Value error, {message}")


def text(value: Any) -> str:
    """Read a text that can be stored: no NUL, no lone surrogate (PostgreSQL takes neither)."""
    if not isinstance(value, str):
        raise Wrong("string_type", "Input should be a valid string")
    if "\0" in value:
        raise rule("must not contain NUL")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise rule("must not contain lone surrogates") from None
    return value


def text_of(least: int = 0, most: int | None = None) -> Read:
    """Return a reader of texts of so many characters."""

    def read(value: Any) -> str:
        found = text(value)
        if len(found) < least:
            raise Wrong("string_too_short", f"String should have at least {_characters(least)}")
        if most is not None and len(found) > most:
            raise Wrong("string_too_long", f"String should have at most {_characters(most)}")
        return found

    return read


def integer(value: Any) -> int:
    """Read an integer: 12, 12.0, "12"."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if value.is_integer():
            return int(value)
        raise Wrong("int_from_float", "Input should be a valid integer, got a number with a fractional part")
    if isinstance(value, str):
        if _INTEGER.fullmatch(value):
            return int(value.strip().partition(".")[0])
        raise Wrong("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
    raise Wrong("int_type", "Input should be a valid integer")


def boolean(value: Any) -> bool:
    """Read true, 1, "yes" and their like."""
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, (str, int)) else ""
    if isinstance(value, float) and value in (0.0, 1.0):
        word = str(int(value))
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    if isinstance(value, (str, int, float)):
        raise Wrong("bool_parsing", "Input should be a valid boolean, unable to interpret input")
    raise Wrong("bool_type", "Input should be a valid boolean")


def refused(given: Any, model: str, *loc: str | int) -> dict[str, Any]:
    """Return the problem of a value at `loc` that is no object, where pydantic has a model of that name."""
    return problem(
        Wrong("model_type", f"Input should be a valid dictionary or instance of {model}"), loc, given
    )


def mapping(value: Any) -> Mapping[str, Any]:
    """Read an object."""
    if not isinstance(value, dict):
        raise Wrong("dict_type", "Input should be a valid dictionary")
    return value


def list_of(read: Read) -> Read:
    """Return a reader of lists; the first element that is wrong is told with its index."""

    def read_all(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Wrong("list_type", "Input should be a valid list")
        found = []
        for index, each in enumerate(value):
            try:
                found.append(read(each))
            except Wrong as wrong:
                inner = wrong.value if wrong.at else each
                raise Wrong(wrong.kind, wrong.message, index, *wrong.at, value=inner) from None
        return found

    return read_all


def _characters(number: int) -> str:
    return f"{number} character{'' if number == 1 else 's'}"
