"""Weighing: what a rule sees of one subject, and how it says what it found; here waivers come in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import shown
from .asked import Asked
from .decision import Requirement, State, SubjectDecision
from .facts import Evidence, Facts
from .policy import Policy, Rule
from .subject import Subject

if TYPE_CHECKING:
    from .waiver import Waiver

    Waived = tuple[Waiver | None, tuple[tuple[Waiver, str], ...]]
    FindWaiver = Callable[[Subject, str, str | None, Evidence | None], Waived]

_UNWAIVED: Any = (None, ())
_made = partial(tuple.__new__, Requirement)


class Weighing:
    """One rule, while it is judged. It is the core's; a rule calls its methods and keeps none of it.

    asked      the subject, its type and package, the request, the policy
    subject    what is decided about
    facts      all that was read
    rule       the rule that is judged now; `blocking` whether it stands in the way or informs only
    """

    __slots__ = (
        *("_apply", "_find_waiver", "_ignored", "_latest", "_states", "_verdict_of"),
        *("asked", "blocking", "facts", "policy", "rule", "subject"),
    )

    def __init__(
        self,
        asked: Asked,
        facts: Facts,
        states: Mapping[str, State],
        find_waiver: FindWaiver,
        apply: Callable[[Policy, Weighing], Sequence[Requirement]],
        verdict_of: Callable[[Subject, tuple[str, ...]], SubjectDecision],
    ) -> None:
        self.asked = asked
        self.facts = facts
        self._states = states
        self.policy: Policy = asked.policy
        self.rule: Rule | None = None
        self.blocking = True
        self._find_waiver = find_waiver
        self._apply = apply
        self._verdict_of = verdict_of
        self.subject: Subject = asked.subject
        self._ignored = asked.request.ignore_results
        self._latest = facts.latest.get(asked.subject, {})

    def judge(self, rule: Rule, *, blocking: bool | None = None) -> list[Requirement]:
        """Weigh a rule within this one. A rule type that breaks is told, and closes the gate."""
        before = self.rule, self.blocking
        if blocking is not None:
            self.blocking = blocking
        try:
            return self.weigh((rule,), set())
        finally:
            self.rule, self.blocking = before

    def weigh(self, rules: Iterable[Rule], seen: set[Hashable]) -> list[Requirement]:
        """Weigh those that are not among what was `seen`; the core calls it, rule types call `judge`."""
        found: list[Requirement] = []
        for rule in rules:
            if rule.identity in seen:
                continue
            seen.add(rule.identity)
            self.rule = rule
            try:
                made = rule.type.judge(rule.options, self)
                found += made if type(made) is list else list(made)
            except Exception as err:  # noqa: BLE001 (around a plugin: its fault must not be ours)
                self.rule = rule
                told = f"rule type {rule.type.name} broke: {type(err).__name__}: {shown(str(err))}"
                found.append(self.told(State.UNKNOWN, rule.type.name, told, waivable=False))
        return found

    def state_of(self, outcome: str) -> State:
        """Return what an outcome means ("NEEDS_INSPECTION" -> State.FAILED), failed for an unknown word."""
        return self._states.get(outcome, State.FAILED)

    def apply(self, policy: Policy) -> Sequence[Requirement]:
        """Weigh all rules of a policy that a rule brought along, but for those weighed already."""
        before, self.policy = self.policy, policy
        try:
            return self._apply(policy, self)
        finally:
            self.policy = before

    def decision_of(self, subject: Subject, contexts: tuple[str, ...]) -> SubjectDecision:
        """Decide for another subject, in these contexts, by the same facts."""
        return self._verdict_of(subject, contexts)

    def latest(self, testcase: str) -> Sequence[Evidence]:
        """Return the subject's latest results of a testcase, without those that the request ignores."""
        found = self._latest.get(testcase, ())
        ignored = self._ignored
        return [each for each in found if each.id not in ignored] if ignored and found else found

    def all_latest(self) -> dict[str, Sequence[Evidence]]:
        """Return the subject's latest results of all testcases that were read, by testcase."""
        return {testcase: self.latest(testcase) for testcase in self._latest}

    def tested(
        self, result: Evidence, scenario: str | None = None, state: State | None = None
    ) -> Requirement:
        """Require that this result passes; its outcome says how it stands, unless `state` does."""
        return self.all_tested((result,), scenario, state)[0]

    def all_tested(
        self, results: Iterable[Evidence], scenario: str | None = None, state: State | None = None
    ) -> list[Requirement]:
        """Require the same of each of these results."""
        passed, subject, states = State.PASSED, self.subject, self._states
        found = []
        for result in results:
            stands, testcase = state or states.get(result.outcome, State.FAILED), result.testcase
            (waiver, refused), owner = _UNWAIVED, None
            if stands is not passed:
                waiver, refused = self._find_waiver(subject, testcase, result.scenario, result)
                owner = self.facts.owners.get(testcase)
            found.append(
                _made(
                    (
                        stands, testcase, subject, self.rule, self.policy, scenario, result, waiver, refused,
                        None, (), None, self.blocking, None, owner, (),
                    )
                )
            )  # fmt: skip
        return found

    def missing(self, testcase: str, scenario: str | None = None, said: str | None = None) -> Requirement:
        """Require a result that is not there."""
        subject = self.subject
        expected = self.facts.expectations.get((subject, testcase))
        waiver, refused = self._find_waiver(subject, testcase, scenario, None)
        return Requirement(
            *(
                State.MISSING,
                testcase,
                subject,
                self.rule,
                self.policy,
                scenario,
                None,
                waiver,
                refused,
                said,
            ),
            blocking=self.blocking,
            expected=expected,
            owner=(expected and expected.owner) or self.facts.owners.get(testcase),
        )

    def told(
        self,
        state: State,
        name: str,
        said: str,
        parts: Sequence[Requirement] = (),
        *,
        result: Evidence | None = None,
        waivable: bool = True,
        addresses: tuple[str, ...] = (),
    ) -> Requirement:
        """Require what no single result tells; `name` takes the testcase's place, for waivers too."""
        waived = _UNWAIVED
        if waivable and state not in (State.PASSED, State.EXCLUDED, State.FETCHED):
            waived = self._find_waiver(self.subject, name, None, result)
        return Requirement(
            *(
                state,
                name,
                self.subject,
                self.rule,
                self.policy,
                None,
                result,
                waived[0],
                waived[1],
                said,
            ),
            parts=tuple(parts),
            blocking=self.blocking,
            owner=self.facts.owners.get(name),
            addresses=addresses,
        )

    def some(self, name: str, needed: int, parts: Sequence[Requirement]) -> Requirement:
        """Require that `needed` of these pass or are waived; `name` says what they are together."""
        satisfied = sum(part.satisfied for part in parts)
        hopeful = sum(part.state in (State.WAITING, State.MISSING) for part in parts if not part.satisfied)
        broken = sum(part.state in (State.ERRORED, State.UNKNOWN) for part in parts if not part.satisfied)
        if satisfied >= needed:
            state = State.PASSED
        elif satisfied + hopeful + broken < needed:
            state = State.FAILED
        elif satisfied + hopeful < needed:
            state = State.ERRORED
        elif any(part.state is State.WAITING for part in parts if not part.satisfied):
            state = State.WAITING
        else:
            state = State.MISSING
        said = f"{satisfied} of {len(parts)} passed or waived, {needed} needed"
        return Requirement(
            *(state, name, self.subject, self.rule, self.policy),
            said=said,
            parts=tuple(parts),
            needed=needed,
            blocking=self.blocking,
        )
