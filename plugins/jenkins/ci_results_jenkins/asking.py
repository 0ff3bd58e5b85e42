"""What is asked of each job that moved, in order, and how far its progress goes with each answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ci_results import (
    Ask,
    CollectError,
    SourceGarbledError,
    SourceRefusedError,
    SourceSession,
    SourceUnavailableError,
)

from . import questions
from .address import build_url, job_url
from .head import JobHead
from .model import Build, build_of
from .options import Options
from .state import Progress, State

ONE_BY_ONE = 1000
"""So many of the newest numbers are asked singly where a job's list of builds breaks the master."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an answer is about: a build to observe, a number that is missing, or the end of a job's builds.

    trouble  what could not be read, for the quarantine; raw: as it came
    """

    head: JobHead
    build: Build | None = None
    missing: int | None = None
    seen_running: bool = False
    trouble: str | None = None
    raw: bytes = b""

    @property
    def key(self) -> str:
        """Return what this is called in the quarantine: "rpm/openssl#12", or its job where it is no build."""
        number = self.missing if self.build is None else self.build.number
        return self.head.name if number is None else f"{self.head.name}#{number}"

    @property
    def ends_job(self) -> bool:
        """Whether this is the last step of its job."""
        return self.build is None and self.missing is None


def asks(heads: Sequence[JobHead], state: State, options: Options, http: SourceSession) -> Iterator[Ask]:
    """Yield what is to be asked of each new build, in order of job and number; `about` is its Step.

    A job's end is a step of its own, which asks nothing. Raises CollectError where all of the master
    is away or refuses.
    """
    moved = [head for head in heads if _moved(head, state.of(head.name))]
    for ask, answer in http.get_each(_ask_builds(head, state.of(head.name), options) for head in moved):
        head: JobHead = ask.about
        if concerns_all(answer):
            raise answer
        if isinstance(answer, SourceRefusedError):
            gone = answer.status == 404
            yield Ask(None, about=Step(head, trouble=None if gone else str(answer)))
        elif isinstance(answer, CollectError) and answer.status != 500:
            yield Ask(None, about=Step(head, trouble=str(answer)))
        else:
            yield from _of_job(head, answer, state.of(head.name), options)


def found(step: Step, answer: Any, options: Options, http: SourceSession) -> tuple[Step, Any]:
    """Return the step and answer of a build that its job did not list but that is there when asked itself.

    Its report is asked for here. Any other step and answer come back as they are; an answer that
    concerns all of the master is raised.
    """
    if concerns_all(answer):
        raise answer
    if step.missing is None or step.trouble is not None or not isinstance(answer, Mapping):
        return step, answer
    ask = ask_build(step.head, step.missing, answer, options)
    if ask.url is None:
        return ask.about, None
    try:
        return ask.about, http.get_json(ask.url, **ask.params)
    except CollectError as err:
        if concerns_all(err):
            raise
        return ask.about, err


def ask_build(head: JobHead, number: int, record: Mapping[str, Any], options: Options) -> Ask:
    """Return the ask for a build's report, or one that only keeps its place where there is none to read."""
    try:
        build = build_of(head.name, {"number": number} | dict(record), options)
    except SourceGarbledError as err:
        return Ask(None, about=Step(head, missing=number, trouble=str(err), raw=raw_of(record)))
    if build.running or not build.cases:
        return Ask(None, about=Step(head, build))
    url = f"{build_url(options.url, head.name, number)}testReport/api/json"
    return Ask(url, {"tree": questions.REPORT}, Step(head, build))


def move_on(state: State, step: Step, answer: Any) -> None:
    """Note in the state that a step is done; a job that could not be read stays where it was."""
    if step.ends_job:
        if step.trouble is None:
            progress = state.begin(step.head.name)
            progress.next = max(progress.next, step.head.following)
        return
    number = step.missing if step.build is None else step.build.number
    progress = state.begin(step.head.name)
    if number is not None:
        progress.next = max(progress.next, number + 1)
        progress.open.discard(number)
        if step.build is not None and step.build.running:
            progress.open.add(number)


def concerns_all(answer: object) -> bool:
    """Say whether an error concerns all of the master: it is away, or shows a login page."""
    if isinstance(answer, SourceRefusedError):
        return answer.status not in (403, 404)
    return isinstance(answer, SourceUnavailableError)


def raw_of(record: object) -> bytes:
    """Return a record as it is kept in the quarantine."""
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _moved(head: JobHead, known: Progress | None) -> bool:
    """Say whether a job has builds to read; one whose only open build is still running has none."""
    if known is None:
        return head.following > 1
    return head.following > known.next or bool(known.open - {head.running})


def _ask_builds(head: JobHead, known: Progress | None, options: Options) -> Ask:
    """Return the ask for the newest builds down to the oldest to read.

    An old build that still runs does not make the list long: it is asked itself.
    """
    oldest, following = (1, 1) if known is None else (known.oldest, known.next)
    count = head.following - oldest
    if known is not None and count > questions.NEWEST:
        count = head.following - following
    url = f"{job_url(options.url, head.name)}api/json"
    return Ask(url if count else None, {"tree": questions.builds(count)}, head)


def _of_job(head: JobHead, answer: Any, known: Progress | None, options: Options) -> Iterator[Ask]:
    """Yield an ask for each build of a job, and for each number that is missing from its list."""
    listed: dict[int, Mapping[str, Any]] = {}
    for record in _records(answer):
        if isinstance(record, Mapping) and isinstance(record.get("number"), int):
            listed[record["number"]] = record
        else:
            yield Ask(None, about=Step(head, trouble="build without a number", raw=raw_of(record)))
    open_numbers = set() if known is None else known.open
    following = 1 if known is None else known.next
    numbers = {number for number in listed if number >= following} | open_numbers
    if isinstance(answer, CollectError):
        numbers |= set(range(max(following, head.following - ONE_BY_ONE), head.following))
    elif known is not None and head.following - following <= questions.NEWEST:
        numbers |= set(range(following, head.following))  # gaps, each confirmed once
    for number in sorted(numbers):
        if number in listed:
            yield ask_build(head, number, listed[number], options)
        else:
            url = f"{build_url(options.url, head.name, number)}api/json"
            step = Step(head, missing=number, seen_running=number in open_numbers)
            yield Ask(url, {"tree": questions.BUILD}, step)
    if isinstance(answer, CollectError) and head.following - following > ONE_BY_ONE:
        said = f"{answer}; builds below {head.following - ONE_BY_ONE} are not read"
        yield Ask(None, about=replace(Step(head), trouble=said))
    yield Ask(None, about=Step(head))


def _records(answer: Any) -> Sequence[Any]:
    """Return the builds of a job's answer; what is no list is its one odd record."""
    if answer is None or isinstance(answer, CollectError):
        return ()
    records = (answer.get("builds") or answer.get("allBuilds")) if isinstance(answer, Mapping) else answer
    return records if isinstance(records, list) else (records,) if records else ()
