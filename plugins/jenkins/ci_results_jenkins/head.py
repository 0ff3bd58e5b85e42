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
    """A job as the head request sees it.

    following  number that its next build will have
    running    number of its newest build, if that still runs
    """

    name: str
    following: int
    disabled: bool = False
    last_build: datetime | None = None
    running: int | None = None

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
        for record, level in _walk(answer.get("jobs"), 1):
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


def _walk(records: object, level: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    if not isinstance(records or [], list):
        raise SourceGarbledError(f"the list of jobs is no list: {str(records)[:80]}")
    for record in records or []:  # type: ignore[attr-defined]
        yield record, level
        if isinstance(record, Mapping):
            yield from _walk(record.get("jobs"), level + 1)


def _head(name: str, record: Mapping[str, Any]) -> JobHead:
    following = record["nextBuildNumber"]
    if not isinstance(following, int) or following < 1:
        raise SourceGarbledError(f"{name}: nextBuildNumber is no number of a build: {str(following)[:80]}")
    return JobHead(
        name=name,
        following=following,
        disabled=str(record.get("color", "")).startswith("disabled"),
        last_build=_ended(record.get("lastCompletedBuild")),
        running=_running(record.get("lastBuild")),
    )


def _running(build: object) -> int | None:
    number = build.get("number") if isinstance(build, Mapping) and build.get("building") is True else None
    return number if isinstance(number, int) else None


def _ended(build: object) -> datetime | None:
    """Return when a build ended; None where that cannot be read: it is only for people."""
    try:
        return _EPOCH + timedelta(milliseconds=build["timestamp"] + (build.get("duration") or 0))  # type: ignore
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        return None
