"""Rules of ours about work that has an order: plans of manual tests, and tiers of builds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..domain.asked import Asked, PlanOf, Question
from ..domain.decision import Requirement, State, Verdict
from ..domain.plan import PlanCase
from ..domain.rule import RuleType
from ..domain.subject import Subject
from ..domain.weighing import Weighing


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualPlanOptions:
    """Key of !ManualPlanRule: the name of the plan."""

    plan: str


class ManualPlan(RuleType[ManualPlanOptions]):
    """Every testcase that a plan of manual tests requires must have a result, and pass."""

    name = "ManualPlanRule"
    options = ManualPlanOptions

    def questions(self, options: ManualPlanOptions, asked: Asked) -> Iterable[Question]:
        """Ask for the plan, and with it for the results of its testcases."""
        yield PlanOf(asked.subject, options.plan)

    def judge(self, options: ManualPlanOptions, weighing: Weighing) -> Sequence[Requirement]:
        """One requirement, of one part a testcase: progress counts those."""
        plan = weighing.facts.plans.get(PlanOf(weighing.subject, options.plan))
        name = f"plan {options.plan}"
        if plan is None:
            return [weighing.told(State.UNKNOWN, name, "there is no plan of this name")]
        identifier = weighing.subject.identifier
        if not any(plan.applies_to(kind, identifier) for kind in weighing.asked.kind.names):
            told = f"the plan is for {plan.item_type} {plan.item}, which this is not"
            return [weighing.told(State.UNKNOWN, name, told)]
        parts = [self._part(case, weighing) for case in plan.cases]
        return [weighing.some(name, len(parts), parts)]

    def _part(self, case: PlanCase, weighing: Weighing) -> Requirement:
        results = weighing.latest(case.testcase)
        tested = [weighing.tested(each) for each in results] or [weighing.missing(case.testcase)]
        parts = [part._replace(owner=part.owner or case.owner) for part in tested]
        return parts[0] if len(parts) == 1 else weighing.some(case.testcase, len(parts), parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierOptions:
    """Keys of !TierRule.

    scope             "tier": the whole tier before must be good; "closure": what this part needs, alone
    decision_context  what "good" means: the policies of this context say so
    """

    scope: str
    decision_context: str


_FEW = 3
_SCOPES = ("tier", "closure")


class Tier(RuleType[TierOptions]):
    """What is built before must be good, by the graph that the request brings."""

    name = "TierRule"
    options = TierOptions

    def questions(self, options: TierOptions, asked: Asked) -> Iterator[Question]:
        """Ask whatever decides for the builds that must be good."""
        tiers = asked.request.tiers
        for part in self._before(options, asked) or ():
            subject = tiers.nodes[part].subject if tiers is not None else None
            if subject is not None:
                yield from asked.questions_of(subject, (options.decision_context,))

    def _before(self, options: TierOptions, asked: Asked) -> tuple[str, ...] | None:
        """Return the parts that must be good; None where that cannot be told."""
        tiers = asked.request.tiers
        name = None if tiers is None else tiers.name_of(asked.subject)
        if tiers is None or name is None:
            return None
        return tiers.closure(name) if options.scope == "closure" else tiers.tier_before(name)

    def judge(self, options: TierOptions, weighing: Weighing) -> Sequence[Requirement]:
        """One requirement, of one part for each build that must be good: what of it is not, in words."""
        tiers, before = weighing.asked.request.tiers, self._before(options, weighing.asked)
        name = "tier-gate"
        if tiers is None:
            return [weighing.told(State.UNKNOWN, name, "the request brings no graph of tiers")]
        if before is None:
            return [weighing.told(State.UNKNOWN, name, "the graph of tiers has no such build")]
        parts = [self._part(part, tiers.nodes[part].subject, options, weighing) for part in before]
        if not parts:
            return [weighing.told(State.PASSED, name, "nothing is built before it")]
        return [weighing.some(name, len(parts), parts)]

    def _part(
        self, part: str, subject: Subject | None, options: TierOptions, weighing: Weighing
    ) -> Requirement:
        if subject is None:
            return weighing.told(State.MISSING, part, f"{part} is not built yet", waivable=False)
        decided = weighing.decision_of(subject, (options.decision_context,))
        verdict = decided.verdict if decided.policies else Verdict.NO_POLICY
        said = f"{part} ({subject.identifier}) is {verdict} in {options.decision_context}"
        blockers = [each for each in decided.requirements if each.verdict is not Verdict.GO]
        if blockers:
            said += ": " + ", ".join(f"{each.testcase} {each.state}" for each in blockers[:_FEW])
        return weighing.told(_STATES[verdict], part, said, waivable=False)._replace(subject=subject)

    def check(self, options: TierOptions) -> Iterator[str]:
        """Look at the words."""
        if options.scope not in _SCOPES:
            yield f"scope: must be one of {', '.join(_SCOPES)}"


_STATES = {
    Verdict.GO: State.PASSED,
    Verdict.NO_GO: State.FAILED,
    Verdict.WAIT: State.WAITING,
    Verdict.ERROR: State.ERRORED,
    Verdict.NO_POLICY: State.UNKNOWN,
}
