"""Rules of ours that look beyond the latest results: a pass rate, and failures that are new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..domain.asked import Asked, BaselineOf, HistoryOf, LatestLike, LatestOf, Question
from ..domain.decision import Requirement, State
from ..domain.facts import Evidence
from ..domain.policy import globs, is_glob
from ..domain.rule import RuleType
from ..domain.weighing import Weighing
from .picking import Picking

_MOST = 1_000
_OVER = ("item", "component")


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRateOptions:
    """Keys of !PassRateRule: of the `last` finished results, at least the share `rate` passed.

    over   "item": results of the subject itself; "component": of all items of its component
    least  how many results there must be before the rate says anything; 0 = `last` of them
    """

    testcase: str
    rate: float
    last: int
    over: str = "item"
    least: int = 0
    scenario: str | None = None


class PassRate(RuleType[PassRateOptions]):
    """A testcase must pass often enough; one failure alone does not block."""

    name = "PassRateRule"
    options = PassRateOptions

    def questions(self, options: PassRateOptions, asked: Asked) -> Iterable[Question]:
        """Ask for the last results, and for the latest, which may be on its way."""
        yield self._history(options, asked)
        yield LatestOf(asked.subject, options.testcase)

    def _history(self, options: PassRateOptions, asked: Asked) -> HistoryOf:
        component = options.over == "component"
        return HistoryOf(asked.subject, options.testcase, options.last, component, options.scenario)

    def judge(self, options: PassRateOptions, weighing: Weighing) -> Sequence[Requirement]:
        """One requirement, with the results that it counted as parts."""
        question = self._history(options, weighing.asked)
        found = weighing.facts.histories.get(question)
        if found is None:
            told = weighing.facts.unanswered.get(question, "its history was not read")
            return [weighing.told(State.UNKNOWN, options.testcase, told)]
        ignored = weighing.asked.request.ignore_results
        results = [each for each in found if each.id not in ignored][: options.last]
        states = [weighing.state_of(each.outcome) for each in results]
        passed, least = states.count(State.PASSED), options.least or options.last
        told = f"{passed} of the last {len(results)} passed, {options.rate:.0%} needed"
        if len(results) < least:
            state = self._on_its_way(options, weighing)
            return [weighing.told(state, options.testcase, f"{told}; {least} results needed")]
        state = State.PASSED if passed >= options.rate * len(results) else State.FAILED
        if state is State.FAILED and State.FAILED not in states:
            state = State.ERRORED
        return [weighing.told(state, options.testcase, told, result=results[0])]

    def _on_its_way(self, options: PassRateOptions, weighing: Weighing) -> State:
        running = (weighing.state_of(each.outcome) for each in weighing.latest(options.testcase))
        return State.WAITING if State.WAITING in running else State.MISSING

    def testcases(self, options: PassRateOptions) -> Iterable[str]:
        """The one."""
        return (options.testcase,)

    def check(self, options: PassRateOptions) -> Iterator[str]:
        """Look at the numbers."""
        if not 0 < options.rate <= 1:
            yield "rate: must be more than 0 and at most 1, as in 0.9"
        if not 1 <= options.last <= _MOST:
            yield f"last: must be 1 to {_MOST}"
        if not 0 <= options.least <= options.last:
            yield "least: must be 0 to `last`"
        if options.over not in _OVER:
            yield f"over: must be one of {', '.join(_OVER)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoNewFailuresOptions:
    """Keys of !NoNewFailuresRule.

    testcases  names or globs of what is compared
    baseline   "previous": the item of the same component before this one; "request": the one that the
               request names; else an identifier of the subject's type
    """

    testcases: tuple[str, ...]
    baseline: str = "previous"


class NoNewFailures(RuleType[NoNewFailuresOptions]):
    """What passed on the baseline item must pass here too; what failed there already may fail."""

    name = "NoNewFailuresRule"
    options = NoNewFailuresOptions

    def questions(self, options: NoNewFailuresOptions, asked: Asked) -> Iterable[Question]:
        """Ask for the results of both items."""
        yield from Picking(testcases=options.testcases).questions(asked.subject)
        if (baseline := self._baseline(options, asked)) is not None:
            yield baseline
            for testcase in options.testcases:
                if is_glob(testcase):
                    yield LatestLike(asked.subject, testcase)

    def _baseline(self, options: NoNewFailuresOptions, asked: Asked) -> BaselineOf | None:
        item = asked.request.baseline if options.baseline == "request" else options.baseline
        if item is None:
            return None
        return BaselineOf(asked.subject, None if item == "previous" else item, options.testcases)

    def judge(self, options: NoNewFailuresOptions, weighing: Weighing) -> Sequence[Requirement]:
        """One requirement for each result that the baseline passed, and one for the comparison."""
        name = f"no new failures in {', '.join(options.testcases)}"
        question = self._baseline(options, weighing.asked)
        if question is None:
            told = "the request names no baseline item to compare with"
            return [weighing.told(State.UNKNOWN, name, told)]
        baseline = weighing.facts.baselines.get(question)
        if baseline is None or baseline.identifier is None:
            asked_for = question.baseline or "an item of the component before this one"
            told = weighing.facts.unanswered.get(question, asked_for)
            return [weighing.told(State.UNKNOWN, name, f"there is no baseline to compare with: {told}")]
        parts: list[Requirement] = []
        wanted = globs(options.testcases)
        for testcase, before in sorted(baseline.latest.items()):
            if wanted(testcase):
                parts += self._compared(testcase, before, weighing)
        if not parts:
            told = f"nothing of it passed on {baseline.identifier}, so nothing can be new"
            return [weighing.told(State.PASSED, name, told)]
        whole = weighing.some(name, len(parts), parts)
        good = sum(part.satisfied for part in parts)
        return [whole._replace(said=f"{good} of {len(parts)} that passed on {baseline.identifier} pass")]

    def _compared(
        self, testcase: str, before: Sequence[Evidence], weighing: Weighing
    ) -> Iterator[Requirement]:
        now = {_variant(result): result for result in weighing.latest(testcase)}
        for old in before:
            if weighing.state_of(old.outcome) is State.PASSED:
                new = now.get(_variant(old))
                if new is not None:
                    yield weighing.tested(new)
                else:
                    yield weighing.missing(testcase, old.scenario, f"it passed in result {old.id}")

    def testcases(self, options: NoNewFailuresOptions) -> Iterable[str]:
        """Names and globs."""
        return options.testcases

    def monotonic(self, options: NoNewFailuresOptions) -> bool:
        """A result that passes on the baseline makes a failure here a new one."""
        return False

    def check(self, options: NoNewFailuresOptions) -> Iterator[str]:
        """Look for names."""
        if not options.testcases:
            yield "testcases: name at least one"


def _variant(result: Evidence) -> tuple[str | None, str | None, str | None]:
    return result.scenario, result.arch, result.variant
