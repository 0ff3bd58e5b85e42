"""A test report's JSON as cases: freestyle and pipeline suites, and the children of a matrix."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ci_results import Garbled

from .address import configuration
from .model import Build, Case

_ODD = (KeyError, TypeError, AttributeError, ValueError)
"""What reading a record fails with that has another shape than it should."""


def cases_of(build: Build, report: object) -> Iterator[Case | Garbled]:
    """Yield the cases of a report in its order; whatever cannot be read is yielded as Garbled.

    A matrix lists runs of earlier builds too: only children of this number count.
    """
    if not isinstance(report, Mapping):
        yield Garbled(raw=_raw(report), reason="the report is no object", key=build.key)
        return
    yield from _suites(build, report, {})
    for child in _listed(report, "childReports"):
        try:
            if child["child"]["number"] != build.number:
                continue
            axes = dict(
                part.partition("=")[::2]
                for part in configuration(child["child"]["url"]).split(",")
                if "=" in part
            )
            result: Mapping[str, Any] = child["result"]
            if not isinstance(result, Mapping):
                raise TypeError("its result is no object")
        except _ODD as err:
            yield _garbled(build, child, "run of a matrix", err)
            continue
        yield from _suites(build, result, axes)


def _suites(build: Build, report: Mapping[str, Any], axes: Mapping[str, str]) -> Iterator[Case | Garbled]:
    for suite in _listed(report, "suites"):
        try:
            blocks = tuple(reversed([str(block) for block in suite.get("enclosingBlockNames") or ()]))
            name = str(suite.get("name") or "")
            cases = suite["cases"] or ()
            if not isinstance(cases, Sequence):
                raise TypeError("cases is no list")
        except _ODD as err:
            yield _garbled(build, suite, "suite", err)
            continue
        for record in cases:
            try:
                yield Case(
                    build=build, suite=name, classname=_text(record.get("className") or ""),
                    name=_text(record["name"]), status=_text(record["status"]),
                    duration_s=_seconds(record.get("duration")), error=_error(record), blocks=blocks,
                    configuration=axes,
                )  # fmt: skip
            except _ODD as err:
                yield _garbled(build, record, f"case of suite {name!r}", err)


def _listed(record: Mapping[str, Any], name: str) -> Sequence[Any]:
    """Return the list `name`, whatever else stands there as its one entry, so that it is told."""
    found = record.get(name) or ()
    return found if isinstance(found, Sequence) and not isinstance(found, str) else (found,)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no text: {value!r}")
    return value


def _garbled(build: Build, record: object, what: str, err: Exception) -> Garbled:
    said = f"no {err}" if isinstance(err, KeyError) else str(err)
    return Garbled(raw=_raw(record), reason=f"{what}: {said}", key=build.key)


def _raw(record: object) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _seconds(value: object) -> float | None:
    """Return a duration; what is no number (NaN, negative) says nothing."""
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        return None
    return float(value)


def _error(record: Mapping[str, Any]) -> str | None:
    details, trace = record.get("errorDetails"), record.get("errorStackTrace")
    if not details or (trace and details in trace):
        return trace or record.get("skippedMessage")
    return f"{details}\n{trace}" if trace else str(details)
