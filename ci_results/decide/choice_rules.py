"""Rules of ours that count results: all, any, at least n of m; with conditions on which results count."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..domain.asked import Asked, Question
from ..domain.decision import Requirement, State
from ..domain.facts import Evidence
from ..domain.policy import is_glob
from ..domain.rule import RuleType
from ..domain.weighing import Weighing
from .picking import Picking


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsOptions(Picking):
    """Keys of !ResultsRule; docs/policies.md tells them.

    outcomes  words that pass here, instead of PASSED and INFO: ["PASSED", "NEEDS_INSPECTION"]
    at_least  how many results must be there at all
    """

    outcomes: tuple[str, ...] = ()
    at_least: int = 1


class Results(RuleType[ResultsOptions]):
    """Every result that counts must pass, and each testcase that is named must have one.

    "All" of a set of testcases; also how a policy lets NEEDS_INSPECTION pass, or counts no old results.
    """

    name = "ResultsRule"
    options = ResultsOptions

    def questions(self, options: ResultsOptions, asked: Asked) -> Iterable[Question]:
        """Ask for the results."""
        return options.questions(asked.subject)

    def judge(self, options: ResultsOptions, weighing: Weighing) -> Iterator[Requirement]:
        """One requirement a result; one for each that is not there."""
        count = 0
        for testcase, results in options.pick(weighing).items():
            count += len(results)
            for result in results:
                yield self._tested(options, result, weighing)
            if not results and testcase in options.testcases:
                yield weighing.missing(testcase, options.scenario, options.why_not(testcase, weighing))
        named = sum(not is_glob(testcase) for testcase in options.testcases)
        if count < options.at_least and (named < len(options.testcases) or named < options.at_least):
            several = ", ".join(options.testcases)
            told = f"{count} results of {several}, at least {options.at_least} needed"
            yield weighing.told(State.MISSING, several, told)

    def _tested(self, options: ResultsOptions, result: Evidence, weighing: Weighing) -> Requirement:
        if not options.outcomes:
            return weighing.tested(result, options.scenario)
        state = weighing.state_of(result.outcome)
        if result.outcome in options.outcomes:
            state = State.PASSED
        elif state is State.PASSED:
            state = State.FAILED
        return weighing.tested(result, options.scenario, state)

    def testcases(self, options: ResultsOptions) -> Iterable[str]:
        """Names and globs."""
        return options.testcases

    def identity(self, options: ResultsOptions) -> Hashable:
        """All of it."""
        return repr(options)

    def monotonic(self, options: ResultsOptions) -> bool:
        """Not where a passed result may not count, or not pass."""
        return not options.picky and not options.outcomes

    def check(self, options: ResultsOptions) -> Iterator[str]:
        """Look at the numbers."""
        if not options.testcases:
            yield "testcases: name at least one"
        if options.at_least < 1:
            yield "at_least: must be 1 or more"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeastOptions:
    """Keys of !AtLeastRule: `at_least` of `testcases` must pass; 1 is "any"."""

    at_least: int
    testcases: tuple[str, ...]
    scenario: str | None = None


class AtLeast(RuleType[AtLeastOptions]):
    """At least n of m testcases must pass; one passes if every latest result of it does."""

    name = "AtLeastRule"
    options = AtLeastOptions

    def questions(self, options: AtLeastOptions, asked: Asked) -> Iterable[Question]:
        """Ask for the results."""
        return Picking(testcases=options.testcases).questions(asked.subject)

    def judge(self, options: AtLeastOptions, weighing: Weighing) -> Sequence[Requirement]:
        """One requirement, of one part a testcase."""
        picking = Picking(testcases=options.testcases, scenario=options.scenario)
        parts = [
            self._part(testcase, results, options, weighing)
            for testcase, results in picking.pick(weighing).items()
        ]
        name = f"at least {options.at_least} of {', '.join(options.testcases)}"
        return [weighing.some(name, options.at_least, parts)]

    def _part(
        self, testcase: str, results: Sequence[Evidence], options: AtLeastOptions, weighing: Weighing
    ) -> Requirement:
        if not results:
            return weighing.missing(testcase, options.scenario)
        tested = [weighing.tested(result, options.scenario) for result in results]
        return tested[0] if len(tested) == 1 else weighing.some(testcase, len(tested), tested)

    def testcases(self, options: AtLeastOptions) -> Iterable[str]:
        """Those it chooses from."""
        return options.testcases

    def check(self, options: AtLeastOptions) -> Iterator[str]:
        """Look at the numbers."""
        if len(set(options.testcases)) != len(options.testcases):
            yield "testcases: one is given twice"
        if any(map(is_glob, options.testcases)):
            yield "testcases: a glob cannot be counted before it has results; name them"
        if not 1 <= options.at_least <= len(options.testcases):
            yield f"at_least: must be 1 to {len(options.testcases)}, the number of testcases"
