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
    """Return `seen` as UTF-8 JSON, e.g. {"key": "7", "testcase": "a.b", ...}; empty fields are left out."""
    values: dict[str, Any] = {name: getattr(seen, name) for name in _NAMES}
    if seen.time is not None:
        values["time"] = seen.time.isoformat()
    if seen.run is not None:
        values["run"] = {"key": seen.run.key, "ref_url": seen.run.ref_url, "data": dict(seen.run.data)}
    values["data"] = dict(seen.data)
    kept = {name: value for name, value in values.items() if value not in (None, {})}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")


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


def _texts(data: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    return {key: value if isinstance(value, str) else tuple(value) for key, value in data.items()}
