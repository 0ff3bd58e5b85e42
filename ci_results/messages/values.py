"""Members of message bodies: of the kind that is asked for, or an InvalidError that names the member."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dateutil import parser as dates

from ..errors import InvalidError, shown

Data = dict[str, str | tuple[str, ...]]


def inside(body: Any, name: str) -> Mapping[str, Any]:
    """Return the object `name`. Raises InvalidError where there is none."""
    value = body.get(name) if isinstance(body, dict | Mapping) else None  # dict first: it is asked faster
    if not isinstance(value, dict | Mapping):
        raise InvalidError(f"{name} is missing or no object: {shown(value)}")
    return value


def maybe_inside(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object `name`, an empty one where nothing is said. Raises InvalidError for anything else."""
    return {} if body.get(name) is None else inside(body, name)


def text(body: Mapping[str, Any], name: str) -> str:
    """Return the text or number `name` as a text. Raises InvalidError where there is none."""
    value = maybe_text(body, name)
    if not value:
        raise InvalidError(f"{name} is missing or empty")
    return value


def maybe_text(body: Mapping[str, Any], name: str) -> str | None:
    """Return the text or number `name` as a text, None where nothing is said. Raises InvalidError."""
    value = body.get(name)
    if isinstance(value, str):
        return value.strip() or None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidError(f"{name} is no text: {shown(value)}")
    return str(value)


def word(body: Mapping[str, Any], name: str) -> str:
    """Return the text `name`; a number is none. Raises InvalidError."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InvalidError(f"{name} is missing or no text: {shown(value)}")
    return value.strip()


def count(body: Mapping[str, Any], name: str) -> int | None:
    """Return the whole number `name`, also one written as a text; None where nothing is said.

    Raises InvalidError for what is no count.
    """
    value = body.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidError(f"{name} is no count: {shown(value)}")
    return value


def link(body: Mapping[str, Any], name: str) -> str | None:
    """Return the http or https address `name`, None where nothing is said. Raises InvalidError."""
    said = maybe_text(body, name)
    if said is not None and not said.startswith(("http://", "https://")):
        raise InvalidError(f"{name} is no address (http or https): {shown(said)}")
    return said


def flag(value: Any) -> bool:
    """Read a yes or no as producers write it: true, "true", "True"; all else is no.

    >>> flag(True), flag("True"), flag("false"), flag(None)
    (True, True, False, False)
    """
    return value is True or (isinstance(value, str) and value.lower() == "true")


def texts(value: Any) -> tuple[str, ...]:
    """Return what a member says as texts, several for a list; () for nothing.

    Objects are written as JSON.

    >>> texts(True), texts([1, {"a": None}, "x"]), texts(None), texts("")
    (('true',), ('1', '{"a": null}', 'x'), (), ())
    """
    if isinstance(value, list):
        return tuple(said for each in value for said in ([_text(each)] if each not in (None, "") else []))
    return () if value is None or value == "" else (_text(value),)


def said(**members: Any) -> Data:
    """Return attributes: what says nothing is left out; a `_` at the end keeps a name that Python has.

    >>> said(nvr="a-1-1", id=3, scratch=False, issuer=None)
    {'nvr': 'a-1-1', 'id': '3', 'scratch': 'false'}
    """
    return attributes({name.rstrip("_"): value for name, value in members.items() if value is not None})


def attributes(members: Mapping[str, Any]) -> Data:
    """Return members as attributes, without those that say nothing; lists as several texts."""
    data: Data = {}
    for name, value in members.items():
        if isinstance(value, str):  # as nearly all do
            if value:
                data[name] = value
        elif values := texts(value):
            data[name] = values if isinstance(value, list) else values[0]
    return data


def when(body: Mapping[str, Any], name: str) -> datetime | None:
    """Return the time `name`; without a zone it is UTC, which is what the producers mean.

    None where nothing is said. Raises InvalidError for what is no time.
    """
    said = maybe_text(body, name)
    if said is None:
        return None
    try:
        time = datetime.fromisoformat(said)
    except ValueError:
        try:
            time = dates.isoparse(said)
        except (ValueError, OverflowError) as err:
            raise InvalidError(f"{name} is no time: {shown(said)}") from err
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return json.dumps(value)
    except RecursionError as err:
        raise InvalidError("a member is nested too deeply") from err
