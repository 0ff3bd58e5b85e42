"""Greenwave's own rule types, as it judges them. Obeys COMPAT 3.4, 3.5."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ..domain.asked import Asked, BuildTimeOf, Fetched, LatestOf, Question, RemoteFileOf
from ..domain.decision import Requirement, State
from ..domain.facts import Evidence
from ..domain.policy import Policy
from ..domain.rule import RuleType
from ..domain.weighing import Weighing
from .yaml_tree import Unreadable

FETCHED, MISSING, INVALID = "fetched-gating-yaml", "missing-gating-yaml", "invalid-gating-yaml"
UNREACHED = "failed-fetch-gating-yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestcaseOptions:
    """`valid_since` and `valid_until` bound when the build was made: from the one on, before the other."""

    test_case_name: str
    scenario: str | None = None
    valid_since: datetime | None = None
    valid_until: datetime | None = None


class PassingTestCase(RuleType[TestcaseOptions]):
    """Every latest result of the testcase must pass, of each scenario, architecture and variant."""

    name = "PassingTestCaseRule"
    options = TestcaseOptions
    lenient: ClassVar[bool] = True

    def questions(self, options: TestcaseOptions, asked: Asked) -> Iterable[Question]:
        """Ask for the results, and for the time of the build where the rule is bound to one."""
        if options.valid_since or options.valid_until:
            yield BuildTimeOf(asked.subject)
        yield LatestOf(asked.subject, options.test_case_name)

    def judge(self, options: TestcaseOptions, weighing: Weighing) -> Sequence[Requirement]:
        """One requirement a result."""
        if options.valid_since or options.valid_until:
            question = BuildTimeOf(weighing.subject)
            built = weighing.facts.build_times.get(question)
            if built is None:
                told = "when the subject was built is not known, and the rule is valid for a time only"
                told = weighing.facts.unanswered.get(question, told)
                return [weighing.told(State.UNKNOWN, options.test_case_name, told)]
            if not _valid(options, built):
                return ()
        testcase, scenario = options.test_case_name, options.scenario
        found = weighing.latest(testcase)
        if scenario is not None:
            found = [each for each in found if _in_scenario(each, scenario)]
        if not found:
            return [weighing.missing(testcase, scenario)]
        return weighing.all_tested(found, scenario)

    def testcases(self, options: TestcaseOptions) -> Iterable[str]:
        """The one."""
        return (options.test_case_name,)

    def plain(self, options: TestcaseOptions) -> bool:
        """Where the rule is not bound to a time."""
        return not (options.valid_since or options.valid_until)

    def identity(self, options: TestcaseOptions) -> Hashable:
        """Dates do not count: of two rules that differ in them alone only the first is weighed."""
        return (options.test_case_name, options.scenario)


def _valid(options: TestcaseOptions, built: datetime) -> bool:
    if options.valid_since is not None and built < options.valid_since:
        return False
    return options.valid_until is None or built < options.valid_until


def _in_scenario(result: Evidence, scenario: str) -> bool:
    return result.scenario == scenario or scenario in result.data.get("scenario", ())


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOptions:
    """`sources` are templates of addresses; without any, those of the configuration are used."""

    required: bool = False
    sources: tuple[str, ...] = ()


class Remote(RuleType[RemoteOptions]):
    """What a file in the package's own repository requires; it is fetched before anything is judged."""

    name = "RemoteRule"
    options = RemoteOptions
    lenient: ClassVar[bool] = True

    def questions(self, options: RemoteOptions, asked: Asked) -> Iterable[Question]:
        """Ask for the file; once it is fetched, for what its rules ask."""
        question = RemoteFileOf(asked.subject, options.sources)
        fetched = asked.fetched.get(question)
        if fetched is None:
            yield question
            return
        with suppress(Unreadable):
            for policy in _policies(fetched, asked):
                for rule in policy.rules:
                    yield from rule.type.questions(rule.options, asked._replace(policy=policy))

    def judge(self, options: RemoteOptions, weighing: Weighing) -> Iterator[Requirement]:
        """Say what became of the file, then what its rules say."""
        fetched = weighing.facts.remote_files.get(RemoteFileOf(weighing.subject, options.sources))
        if fetched is None:
            told = "the remote rule file was not fetched"
            yield weighing.told(State.FILE_UNREACHED, UNREACHED, told)
        elif fetched.error is not None:
            yield weighing.told(State.FILE_UNREACHED, UNREACHED, fetched.error, addresses=fetched.tried)
        elif fetched.text is None:
            if options.required:
                told = "there is no remote rule file, and the policy requires one"
                yield weighing.told(State.FILE_MISSING, MISSING, told, addresses=fetched.tried)
        else:
            at = (fetched.url or "",)
            yield weighing.told(State.FETCHED, FETCHED, "fetched", addresses=at)
            try:
                policies = _policies(fetched, weighing.asked)
            except Unreadable as err:
                yield weighing.told(State.FILE_INVALID, INVALID, err.message, addresses=at)
                return
            for policy in policies:
                yield from weighing.apply(policy)


def _policies(fetched: Fetched, asked: Asked) -> list[Policy]:
    """Return the policies of a file that are for this subject and request. Raises Unreadable."""
    if fetched.text is None:
        return []
    policies = asked.read_remote(fetched.url or "", fetched.text)
    return [policy for policy in policies if _applies(policy, asked)]


def _applies(policy: Policy, asked: Asked) -> bool:
    if not policy.covers_version(asked.request.product_version):
        return False
    if policy.subject_types and not set(policy.subject_types) & set(asked.kind.names):
        return False
    if asked.request.policy is not None:
        return True
    contexts = set(policy.decision_contexts)
    return bool(contexts & set(asked.policy.decision_contexts) and contexts & set(asked.contexts))


GREENWAVES: tuple[RuleType[Any], ...] = (PassingTestCase(), Remote())
