"""Weighing: what a rule sees of one subject, and how it says what it found; here waivers come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    state_of   the state that an outcome means ("NEEDS_INSPECTION" -> State.FAILED)
    rule       the rule that is judged now; `blocking` whether it stands in the way or informs only
    """

    __slots__ = (
        *("_apply", "_find_waiver", "_ignored", "_latest", "_verdict_of"),
        *("asked", "blocking", "facts", "policy", "rule", "state_of", "subject"),
    )

    def __init__(
        self,
        asked: Asked,
        facts: Facts,
        state_of: Callable[[str], State],
        find_waiver: FindWaiver,
        apply: Callable[[Policy, Weighing], Sequence[Requirement]],
        verdict_of: Callable[[Subject, tuple[str, ...]], SubjectDecision],
    ) -> None:
        self.asked = asked
        self.facts = facts
        self.state_of = state_of
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
            return self.weigh(rule)
        finally:
            self.rule, self.blocking = before

    def weigh(self, rule: Rule) -> list[Requirement]:
        """Weigh one rule after another; the core calls it, rule types call `judge`."""
        self.rule = rule
        try:
            found = rule.type.judge(rule.options, self)
            return found if type(found) is list else list(found)
        except Exception as err:  # noqa: BLE001 (around a plugin: its fault must not be ours)
            self.rule = rule
            told = f"rule type {rule.type.name} broke: {type(err).__name__}: {shown(str(err))}"
            return [self.told(State.UNKNOWN, rule.type.name, told, waivable=False)]

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
        state = state or self.state_of(result.outcome)
        testcase, subject = result.testcase, self.subject
        (waiver, refused), owner = _UNWAIVED, None
        if state is not State.PASSED:
            waiver, refused = self._find_waiver(subject, testcase, result.scenario, result)
            owner = self.facts.owners.get(testcase)
        return _made(
            (
                state, testcase, subject, self.rule, self.policy, scenario, result, waiver, refused,
                None, (), None, self.blocking, None, owner, (),
            )
        )  # fmt: skip

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
