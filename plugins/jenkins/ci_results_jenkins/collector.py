"""The collector: one head request, one for each job that moved, one for each new report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from ci_results import (
    Checkpoint,
    CollectError,
    Collector,
    Garbled,
    Observation,
    Report,
    Run,
    Seen,
    SourceGarbledError,
    SourceSession,
    SourceUnavailableError,
    read_junit,
)

from . import asking, checking, naming, questions
from .address import artifact_url, build_url
from .asking import Step, raw_of
from .head import JobHead, inventory, jobs_of
from .model import Build, Case, build_of
from .observing import BUILD, observe_build, observe_cases, run_of
from .options import Options
from .report import cases_of
from .state import State

BUILDS_A_CHECKPOINT = 50

OUTCOMES = {
    "success": "PASSED", "unstable": "FAILED", "failure": "FAILED", "aborted": "ERROR",
    "not_built": "NEEDS_INSPECTION", "vanished": "ERROR",
    "passed": "PASSED", "fixed": "PASSED", "failed": "FAILED", "regression": "FAILED", "skipped": "INFO",
}  # fmt: skip
"""Results of builds, then statuses of cases; FIXED and REGRESSION speak of earlier builds too."""


_ODD = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What a team's function raises for a build it did not expect: that build is quarantined."""


class Jenkins(Collector[Options]):
    """Builds and their reports, by job and number; subclass it for a master of your own."""

    name: ClassVar[str] = "jenkins"
    options: ClassVar[type[Options]] = Options
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    # -- what a team overrides -------------------------------------------------------------------

    def item_from(self, build: Build) -> tuple[str, str] | None:
        """Return what `build` tested and its type, ("bash-5.2-1.el10", "koji_build"); None = not known.

        The source's item rules say so here; a team that knows better overrides this.
        """
        return naming.find_item(build)

    def testcase_from(self, case: Case) -> str:
        """Return the testcase of `case`, e.g. "baseos.tier1.test_login"; the source's template by default."""
        return naming.case_testcase(case)

    # -- the contract ----------------------------------------------------------------------------

    def check(self, options: Options, http: SourceSession) -> Iterator[str]:
        """Yield what a harvest would meet: version, jobs, permission, samples without an item."""
        yield from checking.check(self.item_from, options, http)

    def harvest(self, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        """Yield builds in order of job and number; see the module."""
        state = State(cursor)
        heads = jobs_of(options, http)
        for head in heads:
            known = state.of(head.name)
            if known is not None and head.following < known.next:
                state.restart(head.name)
        reported: dict[str, datetime] = {}
        since_checkpoint = 0
        for ask, answer in http.get_each(asking.asks(heads, state, options, http)):
            step, answer = asking.found(ask.about, answer, options, http)
            yield from self._observe(step, answer, options, http, reported)
            since_checkpoint += 1
            asking.move_on(state, step, answer)
            if step.ends_job or since_checkpoint >= BUILDS_A_CHECKPOINT:
                yield Checkpoint(state.cursor())
                since_checkpoint = 0
        yield Checkpoint(state.cursor(), inventory(heads, reported))

    def reread(
        self, options: Options, record: Garbled, http: SourceSession
    ) -> Iterator[Observation | Garbled]:
        """Read a build again that had no item or no readable report; a lost record is asked for."""
        job, _, number = (record.key or "").rpartition("#")
        if not (job and number.isdigit()):
            raise SourceGarbledError(f"{record.key}: no build; the next harvest reads the job again")
        try:
            kept = json.loads(record.raw)
        except ValueError:
            kept = http.get_json(f"{build_url(options.url, job, int(number))}api/json", tree=questions.BUILD)
        build = build_of(job, kept, options)
        answer = None
        if build.cases and not build.running:
            url = f"{build_url(options.url, job, build.number)}testReport/api/json"
            answer = http.get_json(url, tree=questions.REPORT)
        head = JobHead(name=job, following=build.number + 1, disabled=False, last_build=build.ended)
        yield from self._observe(Step(head, build), answer, options, http, {})

    # -- observing -------------------------------------------------------------------------------

    def _observe(
        self, step: Step, answer: Any, options: Options, http: SourceSession, reported: dict[str, datetime]
    ) -> Iterator[Observation | Garbled]:
        if step.trouble is not None:
            yield Garbled(raw=step.raw or step.trouble.encode(), reason=step.trouble, key=step.key)
        build = step.build
        if build is None:
            if isinstance(answer, CollectError) and answer.status != 404:
                yield Garbled(raw=str(answer).encode(), reason=f"{step.key}: {answer}", key=step.key)
            elif isinstance(answer, CollectError) and step.seen_running and step.missing is not None:
                yield _vanished(step.head.name, step.missing, options)
            return
        try:
            item = self.item_from(build)
        except _ODD as err:
            yield Garbled(raw=raw_of(build.record), reason=f"item_from: {_said(err)}", key=build.key)
            return
        if item is None:
            if options.fallback == "quarantine":
                yield Garbled(
                    raw=raw_of(build.record),
                    reason=f"no rule finds an item: {naming.missed(build)}",
                    key=build.key,
                )
                return
            item = (build.key, "ci_build")
        run = run_of(build)
        yield observe_build(build, run, item, naming.build_testcase(build))
        if isinstance(answer, CollectError):
            yield Garbled(raw=str(answer).encode(), reason=f"report of {build.key}: {answer}", key=build.key)
        elif answer is not None:
            if build.ended is not None and build.cases:
                reported[build.job] = build.ended
            yield from observe_cases(build, run, item, cases_of(build, answer), self.testcase_from)
        elif not build.running and build.cases is None and options.artifacts:
            yield from self._artifacts(build, run, item, options, http, reported)

    def _artifacts(
        self,
        build: Build,
        run: Run,
        item: tuple[str, str],
        options: Options,
        http: SourceSession,
        reported: dict[str, datetime],
    ) -> Iterator[Observation | Garbled]:
        """Read the build's JUnit artifacts; their keys begin with the artifact's path."""
        for path in build.artifacts:
            if not fnmatchcase(f"/{path}", f"/{options.artifacts}") and not fnmatchcase(
                path, options.artifacts or ""
            ):
                continue
            about = Report(
                item=item[0],
                item_type=item[1],
                prefix=naming.build_testcase(build),
                run=run,
                time=build.ended,
            )
            if build.ended is not None:
                reported[build.job] = build.ended
            try:
                with http.get_stream(artifact_url(options.url, build.job, build.number, path)) as stream:
                    for seen in read_junit(stream, about):
                        yield _under(path, seen)
            except SourceUnavailableError:
                raise
            except CollectError as err:
                yield Garbled(
                    raw=str(err).encode(), reason=f"artifact {path} of {build.key}: {err}", key=build.key
                )


def _said(err: Exception) -> str:
    return f"{type(err).__name__}: {err}"


def _vanished(job: str, number: int, options: Options) -> Observation:
    """Return the end of a build that was seen running and is no more: nobody knows how it ended."""
    key = f"{job}#{number}"
    run = Run(key=key, ref_url=build_url(options.url, job, number), data={"job": job, "build": str(number)})
    return Observation(
        key=BUILD,
        testcase=naming.testcase_of_job(job, options),
        outcome="vanished",
        item=key,
        item_type="ci_build",
        note="seen running, then gone from the master",
        run=run,
    )


def _under(path: str, seen: Observation | Garbled) -> Observation | Garbled:
    """Put the artifact's path before a key, so that two files of one build never mix."""
    if isinstance(seen, Garbled):
        return replace(seen, key=f"{path} {seen.key or ''}".strip())
    parent = BUILD if seen.parent is None else f"{path}::{seen.parent}"
    return replace(seen, key=f"{path}::{seen.key}", parent=parent)
