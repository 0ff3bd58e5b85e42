"""The head request: which jobs a master has, and how far each has come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ci_results import Job, SourceGarbledError, SourceSession

from . import questions
from .address import job_url
from .options import Options

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHead:
    """A job as the head request sees it."""

    name: str
    following: int
    disabled: bool
    last_build: datetime | None

    @property
    def state(self) -> str:
        """Return its state in words of the coverage page."""
        if self.disabled:
            return "disabled"
        return "never built" if self.following == 1 else "active"


def jobs_of(options: Options, http: SourceSession) -> list[JobHead]:
    """Return the wanted jobs of the master, by name: one request, and one for each deeper folder."""
    found: list[JobHead] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        answer = http.get_json(f"{job_url(options.url, folder)}api/json", tree=questions.head())
        if not isinstance(answer, Mapping):
            raise SourceGarbledError(f"{options.url}: no job list: {str(answer)[:80]}")
        for record, level in _walk(answer.get("jobs") or (), 1):
            name = http.field(record, "fullName")
            if "nextBuildNumber" in record:
                if options.wants(name):
                    found.append(_head(name, record))
            elif "color" not in record and level == questions.LEVELS:
                folders.append(name)
    return sorted(found, key=lambda one: one.name)


def inventory(heads: Sequence[JobHead], reported: Mapping[str, datetime]) -> tuple[Job, ...]:
    """Return all jobs for coverage; `reported` = ends of newest builds with a report, by job."""
    return tuple(
        Job(name=one.name, state=one.state, last_build=one.last_build, last_report=reported.get(one.name))
        for one in heads
    )


def _walk(records: Sequence[Any], level: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    for record in records:
        yield record, level
        yield from _walk(record.get("jobs") or (), level + 1)


def _head(name: str, record: Mapping[str, Any]) -> JobHead:
    last = record.get("lastCompletedBuild") or {}
    ended = None
    if "timestamp" in last:
        ended = _EPOCH + timedelta(milliseconds=last["timestamp"] + (last.get("duration") or 0))
    return JobHead(
        name=name,
        following=int(record["nextBuildNumber"]),
        disabled=str(record.get("color", "")).startswith("disabled"),
        last_build=ended,
    )
