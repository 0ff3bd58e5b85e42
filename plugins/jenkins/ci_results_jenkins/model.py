"""Build and Case: what a master says of them, typed; what a team's plugin works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from ci_results import SourceGarbledError

from .options import Options

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_MS = 10**12
"""Thirty years: what lasts longer, or is no number, has no duration."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """One build.

    job         full name of its job: "rpm/f42/openssl"
    result      SUCCESS UNSTABLE FAILURE ABORTED NOT_BUILT, or None while it runs
    running     it has not ended, whatever `result` says
    ended       aware time; None while it runs
    name        display name: "#5 bash-5.2-1.el10"
    parameters  name to value, as texts; secrets are not among them
    upstream    (project, number) of builds that started it
    artifacts   relative paths
    cases, skipped  as the report counts them; None = it has no report
    options     of the source
    """

    job: str
    number: int
    result: str | None
    running: bool
    began: datetime
    ended: datetime | None
    duration_s: float | None
    name: str
    description: str
    parameters: Mapping[str, str]
    causes: tuple[str, ...]
    upstream: tuple[tuple[str, int], ...]
    artifacts: tuple[str, ...]
    cases: int | None
    skipped: int
    failed: int
    options: Options = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> str:
        """Return what the run is called in results: "rpm/f42/openssl#12"."""
        return f"{self.job}#{self.number}"

    @property
    def ran(self) -> int | None:
        """Return how many cases were executed; None = it has no report."""
        return None if self.cases is None else self.cases - self.skipped


class Case(NamedTuple):
    """One case of a build's report.

    blocks         stages of the pipeline around it, outermost first
    configuration  axes of the matrix run: {"ARCH": "x86_64"}
    status         PASSED FIXED FAILED REGRESSION SKIPPED
    """

    build: Build
    suite: str
    classname: str
    name: str
    status: str
    duration_s: float | None
    error: str | None
    blocks: tuple[str, ...] = ()
    configuration: Mapping[str, str] = MappingProxyType({})


def build_of(job: str, record: Mapping[str, Any], options: Options) -> Build:
    """Read one element of a job's `builds`. Raises SourceGarbledError that names what is missing."""
    try:
        actions = [action for action in record.get("actions") or () if action]
        report = next((action for action in actions if "totalCount" in action), None)
        running = bool(record["building"])
        began = _EPOCH + timedelta(milliseconds=record["timestamp"])
        duration = record.get("duration") or 0
        duration = duration if 0 < duration < _LONGEST_MS else 0
        causes = [cause for action in actions for cause in action.get("causes") or ()]
        return Build(
            job=job,
            number=_whole(record["number"]),
            result=record.get("result"),
            running=running or not record.get("result"),
            began=began,
            ended=None if running else began + timedelta(milliseconds=duration),
            duration_s=None if running else duration / 1000,
            name=str(record.get("displayName") or f"#{record['number']}"),
            description=str(record.get("description") or ""),
            parameters=_parameters(actions),
            causes=tuple(dict.fromkeys(str(cause.get("shortDescription", "")) for cause in causes)),
            upstream=tuple(
                (cause["upstreamProject"], cause["upstreamBuild"])
                for cause in causes
                if "upstreamProject" in cause
            ),
            artifacts=tuple(artifact["relativePath"] for artifact in record.get("artifacts") or ()),
            cases=None if report is None else _whole(report["totalCount"] or 0),
            skipped=0 if report is None else _whole(report.get("skipCount") or 0),
            failed=0 if report is None else _whole(report.get("failCount") or 0),
            options=options,
            record=record,
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as err:
        raise SourceGarbledError(f"build of {job}: {type(err).__name__}: {err}") from err


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"no whole number: {value!r}")
    return value


def _parameters(actions: list[dict[str, Any]]) -> dict[str, str]:
    """Return parameters as texts; a password has no value and is left out."""
    return {
        str(one["name"]): str(one["value"]).lower() if isinstance(one["value"], bool) else str(one["value"])
        for action in actions
        for one in action.get("parameters") or ()
        if one.get("value") is not None
    }
