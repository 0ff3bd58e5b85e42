"""CI-Metrics: one Jenkins job on one build, counts for each executor. See docs/messages.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..domain.envelope import Envelope
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.run import Run
from ..errors import InvalidError, shown
from .values import Data, attributes, count, link, maybe_text, said, text, when

TOPIC = "VirtualTopic.eng.platformci.tier1.result"
"""Where they are sent since 2017; before that they were told by a header."""

_HEADER = "ci-metricsdata"
_NOTHING = "nothing executed"
_UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class MetricsOptions:
    """How results are called where a message does not say: the team of "team.job.executor"."""

    team: str = "unassigned"


class CiMetrics:
    """Reads CI-Metrics: a result for each executor, then one for the job, whose parts they are."""

    name: ClassVar[str] = "ci_metrics"
    version: ClassVar[int] = 1
    options: ClassVar[type[MetricsOptions]] = MetricsOptions
    outcomes: ClassVar[dict[str, str]] = {_NOTHING: Outcome.NEEDS_INSPECTION}

    def recognises(self, envelope: Envelope) -> bool:
        """Say whether the topic or the header CI_TYPE tells so, and it has tests."""
        told = envelope.topic == TOPIC or envelope.headers.get("CI_TYPE") == _HEADER
        return told and isinstance(envelope.body, Mapping) and "tests" in envelope.body

    def read(self, options: MetricsOptions, envelope: Envelope) -> Iterator[Observation]:
        """Yield a result for each executor, then that of the job."""
        body = envelope.body
        if not isinstance(body, Mapping):
            raise InvalidError(f"no object under {envelope.topic}")
        build = (link(body, "jenkins_build_url") or link(body, "job_link_back") or "").strip()
        if not build:
            raise InvalidError("jenkins_build_url is missing or empty")
        shared = _Shared(options, envelope, body, build)
        tests = _tests(body.get("tests"))
        words = []
        for number, test in enumerate(tests):
            word = _outcome(test)
            words.append(word)
            yield shared.executor(number, test, word)
        yield shared.job(words)


class _Shared:
    """What the results of one message have in common."""

    def __init__(
        self, options: MetricsOptions, envelope: Envelope, body: Mapping[str, Any], build: str
    ) -> None:
        job = maybe_text(body, "job_name") or text(body, "job_names")
        task = maybe_text(body, "brew_task_id")
        kind = "koji_build" if task else _UNKNOWN
        self._base = f"{maybe_text(body, 'team') or options.team}.{job}"
        self._item = maybe_text(body, "component") or _UNKNOWN
        self._kind = f"{kind}_scratch" if body.get("build_type") == "scratch" else kind
        self._time = (
            when(body, "completion_time") if body.get("completion_time") else when(body, "complete_time")
        ) or envelope.time
        self._ref = f"{build.rstrip('/')}/console"
        self._note = maybe_text(body, "note")
        self._data: Data = said(
            recipients=[each.strip() for each in (maybe_text(body, "recipients") or "").split(",")],
            CI_tier=body.get("CI_tier"),
            job_name=job,
            artifact=body.get("artifact"),
            brew_task_id=task,
            testcase_url=link(body, "jenkins_job_url"),
            CI_infra_failure=body.get("CI_infra_failure"),
            CI_infra_failure_desc=body.get("CI_infra_failure_desc"),
        )
        self._run = Run(key=build, ref_url=build)

    def executor(self, number: int, test: Mapping[str, Any], word: str) -> Observation:
        executor = maybe_text(test, "executor") or _UNKNOWN
        return self._observation(
            f"{number} {executor}",
            f"{self._base}.{executor}",
            word,
            attributes(test),
            maybe_text(test, "arch"),
        )

    def job(self, words: list[str]) -> Observation:
        """Return the result of the job: FAILED where any failed, PASSED where all did and something ran."""
        worst = Outcome.FAILED if Outcome.FAILED in words else _NOTHING
        if words and all(word == Outcome.PASSED for word in words):
            worst = Outcome.PASSED
        return self._observation("overall", self._base, worst, {}, None)

    def _observation(self, key: str, testcase: str, word: str, data: Data, arch: str | None) -> Observation:
        told = [_NOTHING] if word == _NOTHING else []
        return Observation(
            key=key,
            testcase=testcase,
            outcome=word,
            item=self._item,
            item_type=self._kind,
            time=self._time,
            ref_url=self._ref,
            note="\n".join([*told, *([self._note] if self._note else [])]) or None,
            arch=arch,
            parent=None if key == "overall" else "overall",
            data=data | self._data,
            run=self._run,
        )


def _tests(value: Any) -> list[Mapping[str, Any]]:
    """Return the tests; one producer sent a bare object. Raises InvalidError for anything else."""
    tests = [value] if isinstance(value, Mapping) else value
    if not isinstance(tests, list) or not all(isinstance(each, Mapping) for each in tests):
        raise InvalidError(f"tests is no list of objects: {shown(value)}")
    return tests


def _outcome(test: Mapping[str, Any]) -> str:
    """Judge one executor: nothing that ran is nothing that passed, and a count that is missing is no zero."""
    failed, executed, passed = (count(test, name) for name in ("failed", "executed", "passed"))
    if failed is None or failed > 0:
        return Outcome.FAILED
    if executed == 0 or (executed is None and passed == 0):
        return _NOTHING
    return Outcome.PASSED
