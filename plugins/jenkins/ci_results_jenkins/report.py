"""A test report's JSON as cases: freestyle and pipeline suites, and the children of a matrix."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from ci_results import Garbled

from .address import configuration
from .model import Build, Case


def cases_of(build: Build, report: Mapping[str, Any]) -> Iterator[Case | Garbled]:
    """Yield the cases of a report in its order; one that cannot be read is yielded as Garbled.

    A matrix lists runs of earlier builds too: only children of this number count.
    """
    yield from _suites(build, report, {})
    for child in report.get("childReports") or ():
        run = child.get("child") or {}
        if run.get("number") == build.number:
            axes = dict(
                part.partition("=")[::2]
                for part in configuration(run.get("url", "")).split(",")
                if "=" in part
            )
            yield from _suites(build, child.get("result") or {}, axes)


def _suites(build: Build, report: Mapping[str, Any], axes: Mapping[str, str]) -> Iterator[Case | Garbled]:
    for suite in report.get("suites") or ():
        blocks = tuple(reversed([str(block) for block in suite.get("enclosingBlockNames") or ()]))
        name = str(suite.get("name") or "")
        if "cases" not in suite:
            yield Garbled(raw=_raw(suite), reason=f"suite {name!r} without cases", key=build.key)
        for record in suite.get("cases") or ():
            try:
                yield Case(
                    build=build, suite=name, classname=record.get("className") or "",
                    name=record["name"], status=record["status"], duration_s=_seconds(record.get("duration")),
                    error=_error(record), blocks=blocks, configuration=axes,
                )  # fmt: skip
            except (KeyError, TypeError, AttributeError) as err:
                yield Garbled(raw=_raw(record), reason=f"case without {err}", key=f"{build.key} {name}")


def _raw(record: Any) -> bytes:
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
