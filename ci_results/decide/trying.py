"""Try policies: decide each trial by its own facts, and say where the decision is not the expected one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..domain.asked import BaselineOf, Fetched, HistoryOf, Needs, Request, SelectOf
from ..domain.decision import Decision, Requirement
from ..domain.facts import Baseline, Evidence, Facts, Selected
from ..domain.outcome import UNFINISHED
from ..domain.policy import Place, globs
from ..domain.subject import Subject
from .judge import judge, questions
from .policy_set import PolicySet
from .text import named
from .trials import Expected, Trial

_AS_OF = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A trial and the decision of it; `problems` say what is not as expected, each with its line."""

    trial: Trial
    decision: Decision
    problems: tuple[tuple[Place, str], ...]


def try_policies(policies: PolicySet, trial: Trial) -> Tried:
    """Decide one trial: a pure function, so that it says the same on every machine at every time."""
    request = Request(
        subjects=(policies.subject_types.subject(*trial.subject),),
        product_version=trial.product_version,
        contexts=trial.contexts,
        purposes=trial.purposes,
        tiers=trial.tiers,
        baseline=trial.baseline,
    )
    decision = judge(policies, request, _Known(policies, trial).facts(request))
    return Tried(trial=trial, decision=decision, problems=tuple(_problems(trial, decision)))


class _Known:
    """Answers the questions of rules from what a trial says."""

    def __init__(self, policies: PolicySet, trial: Trial) -> None:
        self._policies, self._trial = policies, trial
        newest = sorted(trial.results, key=lambda one: (one[1].time, one[1].id), reverse=True)
        self._results = [(item, result) for item, result in newest if result.time <= trial.now]
        self._selects = {
            rule.options.select: rule.options.name
            for policy in policies.policies
            for rule in policy.rules
            if rule.type.name == "SelectRule"
        }

    def facts(self, request: Request) -> Facts:
        trial, fetched = self._trial, {}
        needs = questions(self._policies, request)
        if needs.remote_files:
            text = None if trial.remote_file is None else trial.remote_file.encode()
            fetched = {
                each: Fetched(text=text, url=None if text is None else "remote_file", tried=("remote_file",))
                for each in needs.remote_files
            }
            needs = questions(self._policies, request, fetched)
        waivers = {
            subject: [each for each in trial.waivers if each.terms.subject == subject.identifier]
            for subject in needs.subjects
        }
        return Facts(
            as_of=_AS_OF,
            now=trial.now,
            latest={subject: self._latest(subject.identifier) for subject in needs.subjects},
            waivers=waivers,
            plans={each: trial.plans.get(each.plan) for each in needs.plans},
            histories={each: self._history(each) for each in needs.histories},
            baselines={each: self._baseline(each) for each in needs.baselines},
            selects=dict(self._selected(needs)),
            build_times={} if trial.built is None else dict.fromkeys(needs.build_times, trial.built),
            remote_files=fetched,
        )

    def _latest(self, identifier: str) -> dict[str, list[Evidence]]:
        found: dict[str, list[Evidence]] = {}
        seen = set()
        for item, one in self._results:
            key = (one.testcase, one.scenario, one.arch, one.variant)
            if item == identifier and key not in seen:
                seen.add(key)
                found.setdefault(one.testcase, []).append(one)
        return found

    def _history(self, asked: HistoryOf) -> Sequence[Evidence]:
        wanted = set(self._family(asked.subject)) if asked.component else {asked.subject.identifier}
        return [
            one
            for item, one in self._results
            if item in wanted
            and one.testcase == asked.testcase
            and one.outcome not in UNFINISHED
            and asked.scenario in (None, one.scenario)
        ][: asked.last]

    def _baseline(self, asked: BaselineOf) -> Baseline:
        others = [item for item in self._family(asked.subject) if item != asked.subject.identifier]
        found = asked.baseline or (others[0] if others else None)
        if found is None:
            return Baseline(None)
        wanted = globs(asked.patterns)
        return Baseline(found, {name: each for name, each in self._latest(found).items() if wanted(name)})

    def _family(self, subject: Subject) -> Iterable[str]:
        """Return the items of the same component, by their newest results."""
        package = self._policies.subject_types.find(subject.type).package
        own = package(subject.identifier)
        items = dict.fromkeys(item for item, _ in self._results)
        return [item for item in items if own is not None and package(item) == own]

    def _selected(self, needs: Needs) -> Iterator[tuple[SelectOf, Selected]]:
        for each in needs.selects:
            name = self._selects.get(each.select)
            answer = self._trial.selects.get(name) if name is not None else None
            yield each, answer or Selected(error=f"the test says no rows for it: selects: {{{name}: []}}")


def _problems(trial: Trial, decision: Decision) -> Iterator[tuple[Place, str]]:
    blockers = decision.blockers
    if decision.verdict is not trial.verdict:
        because = "; ".join(map(_told, blockers)) or "nothing blocks"
        if decision.verdict == "no-policy":
            because = "no policy is for it"
        yield trial.verdict_at, f"verdict is {decision.verdict}, expected {trial.verdict}: {because}"
    if trial.blockers is not None:
        yield from _compared("blocker", trial.blockers, blockers, trial)
    if trial.informational is not None:
        closed = [each for each in decision.informational if not each.satisfied]
        yield from _compared("informational", trial.informational, closed, trial)


def _compared(
    what: str, expected: Sequence[Expected], found: Sequence[Requirement], trial: Trial
) -> Iterator[tuple[Place, str]]:
    for each in expected:
        if not any(_is(each, one) for one in found):
            there = "; ".join(map(_told, found)) or "there is none"
            yield each.place, f"{what} {each} is not there: {there}"
    for one in found:
        if not any(_is(each, one) for each in expected):
            yield trial.place, f"{what} was not expected: {_told(one)}"


def _is(expected: Expected, found: Requirement) -> bool:
    result = found.result
    scenario = found.scenario if result is None else result.scenario
    return (
        expected.testcase == found.testcase
        and expected.state in (None, str(found.state))
        and expected.scenario in (None, scenario)
        and expected.arch in (None, None if result is None else result.arch)
    )


def _told(each: Requirement) -> str:
    return f"{named(each)}: {each.state} (required by {each.place})"
