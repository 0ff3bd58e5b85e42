"""An Observation as JSON and back: how one that was refused is kept until the mapping is mended. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from ..domain.observation import Observation
from ..domain.run import Run
from ..errors import InvalidError, shown

_NAMES = tuple(field.name for field in fields(Observation))


def to_raw(seen: Observation) -> bytes:
    """Return `seen` as UTF-8 JSON, e.g. {"key": "7", "testcase": "a.b", ...}; empty fields are left out.

    A field of a wrong type is kept as it is where JSON can say it, else as its repr.
    """
    values: dict[str, Any] = {name: getattr(seen, name) for name in _NAMES}
    if isinstance(seen.time, datetime):
        values["time"] = seen.time.isoformat()
    if isinstance(seen.run, Run):
        values["run"] = {"key": seen.run.key, "ref_url": seen.run.ref_url, "data": _named(seen.run.data)}
    values["data"] = _named(seen.data)
    kept = {name: value for name, value in values.items() if value not in (None, {})}
    said = json.dumps(kept, ensure_ascii=False, sort_keys=True, default=repr)
    return said.encode("utf-8", "surrogatepass")


def from_raw(raw: bytes) -> Observation:
    """Read what `to_raw` wrote. Raises InvalidError."""
    try:
        values = json.loads(raw.decode("utf-8", "surrogatepass"))
        if values.get("time") is not None:
            values["time"] = datetime.fromisoformat(values["time"])
        if values.get("run") is not None:
            run = values["run"]
            values["run"] = Run(key=run["key"], ref_url=run.get("ref_url"), data=_texts(run.get("data", {})))
        values["data"] = _texts(values.get("data", {}))
        return Observation(**values)
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError, KeyError, TypeError) as err:
        raise InvalidError(f"not an observation: {shown(raw)}: {err}") from err


def _named(data: object) -> object:
    return {str(name): value for name, value in data.items()} if isinstance(data, Mapping) else data


def _texts(data: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    return {key: value if isinstance(value, str) else tuple(value) for key, value in data.items()}
