"""JSON Schemas of dataclasses, as `--json` prints them: times are texts, tuples are lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from .schemas import Schema, list_of

TIME: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$",
    "description": "UTC, e.g. 2026-01-02T03:04:05Z.",
}
_PLAIN: Mapping[object, Schema] = {
    str: {"type": "string"},
    bytes: {"type": "string", "description": "Bytes; what is no UTF-8 is U+FFFD."},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    datetime: TIME,
    object: {},
}


def of_dataclass(kind: type, *, sparse: bool = False) -> Schema:
    """Return the schema of what `kind` is printed as; `sparse`: fields that have a default may be left out.

    >>> from ci_results.domain.checkpoint import Checkpoint
    >>> of_dataclass(Checkpoint)["properties"]["cursor"]
    {'type': 'string'}
    """
    hints = get_type_hints(kind)
    needed = [
        each.name
        for each in fields(kind)
        if not sparse or (each.default is MISSING and each.default_factory is MISSING)
    ]
    about = (kind.__doc__ or "").partition("\n")[0]
    return {
        "type": "object",
        "description": about,
        "required": needed,
        "properties": {each.name: _of(hints[each.name], sparse) for each in fields(kind)},
    }


def _of(hint: Any, sparse: bool) -> Schema:
    """Return the schema of one type hint. Raises TypeError for one that JSON has nothing for."""
    if hint is Any:
        return {}
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _either([_of(each, sparse) for each in inner])
    if is_dataclass(hint) and isinstance(hint, type):
        return of_dataclass(hint, sparse=sparse)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [str(each.value) for each in hint]}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(inner[1], sparse)}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return list_of(_of(inner[0], sparse))
    raise TypeError(f"no JSON schema for {hint!r}")


def _either(several: Sequence[Schema]) -> Schema:
    types = [each["type"] for each in several if set(each) == {"type"}]
    if len(types) == len(several):
        return {"type": types}
    return {"anyOf": list(several)}
