"""Which field of an observation is not of its type: a plugin may have quoted an int or a list as it came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..domain.observation import Observation
from ..domain.run import Run
from ..errors import InvalidError, shown

_TEXTS = ("key", "testcase", "outcome", "item", "item_type")
_MAYBE_TEXTS = ("ref_url", "note", "scenario", "arch", "parent")


def check_types(seen: Observation) -> None:
    """Raise InvalidError that names the first field of another type than Observation declares."""
    for name in _TEXTS:
        _check(name, getattr(seen, name), str, "text")
    for name in _MAYBE_TEXTS:
        _check(name, getattr(seen, name), (str, type(None)), "text")
    _check("time", seen.time, (datetime, type(None)), "time")
    _check("duration_s", seen.duration_s, (int, float, type(None)), "number of seconds")
    _check("run", seen.run, (Run, type(None)), "Run")
    _check_data(seen.data)
    if seen.run is not None:
        _check("the run's key", seen.run.key, str, "text")
        _check("the run's ref_url", seen.run.ref_url, (str, type(None)), "text")
        _check_data(seen.run.data)


def _check_data(data: object) -> None:
    if not isinstance(data, Mapping):
        raise InvalidError(f"data is no mapping of names to texts: {shown(data)}")
    for name, value in data.items():
        _check("a name in data", name, str, "text")
        for text in value if isinstance(value, tuple | list) else (value,):
            _check(f"data {shown(name)}", text, str, "text; write it as one")


def _check(name: str, value: object, kinds: type | tuple[type, ...], wanted: str) -> None:
    if not isinstance(value, kinds):
        raise InvalidError(f"{name} is no {wanted}: {shown(value)}")
