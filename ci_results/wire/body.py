"""Bytes of a JSON body to values, exactly: whole numbers of any size, and what only some parsers take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import orjson

MAX_DEPTH = 100
"""Lists and objects within each other; a deeper body is nobody's result, and would exhaust the stack."""


class Unparsable(Exception):  # noqa: N818
    """The body is no JSON, or is nested too deeply."""


def parse(body: bytes) -> Any:
    """Return the value of a JSON text.

    orjson reads it; where it refuses (NaN, lone surrogates), or a number may have lost digits, the
    standard library has the last word. Raises Unparsable.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _exactly(body)
    return _exactly(body) if _floats(value, MAX_DEPTH) else value


def _exactly(body: bytes) -> Any:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise Unparsable(str(err)) from err
    _floats(value, MAX_DEPTH)
    return value


def _floats(value: Any, depth: int) -> int:
    """Count the floats of a value: orjson makes one of a whole number beyond 64 bits.

    Raises Unparsable where it is nested deeper than `depth`.
    """
    if isinstance(value, dict):
        inside: Iterable[Any] = value.values()
    elif isinstance(value, list):
        inside = value
    else:
        return isinstance(value, float)
    if not depth:
        raise Unparsable(f"nested deeper than {MAX_DEPTH}")
    floats = 0
    for each in inside:
        kind = type(each)
        if kind is float:
            floats += 1
        elif kind is not str and kind is not int:
            floats += _floats(each, depth - 1)
    return floats
