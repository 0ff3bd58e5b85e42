"""Questions, then the verdict: policies and a request say what to read, and with it what is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..domain.asked import (
    Asked,
    BaselineOf,
    BuildTimeOf,
    Fetched,
    HistoryOf,
    LatestLike,
    LatestOf,
    Needs,
    PlanOf,
    Question,
    RemoteFileOf,
    Request,
    SelectOf,
)
from ..domain.decision import Decision, Requirement, State, SubjectDecision, Verdict, worst
from ..domain.facts import Evidence, Facts
from ..domain.policy import Policy
from ..domain.purpose import Purpose
from ..domain.subject import Subject, unique
from ..domain.waiver import Standing, Waiver
from ..domain.weighing import Weighing
from ..errors import PluginError, shown
from ..waive.covers import Setting, Target, covers
from ..waive.standing import standing
from .policy_set import PolicySet

_NOTHING: Mapping[Any, Any] = {}
_NO_NAMES: Set[str] = frozenset()


def questions(
    policies: PolicySet, request: Request, fetched: Mapping[RemoteFileOf, Fetched] = _NOTHING
) -> Needs:
    """Say what must be read to decide. Where remote files are needed, fetch them and ask again with them."""
    return _Asking(policies, request, fetched).needs()


def judge(policies: PolicySet, request: Request, facts: Facts) -> Decision:
    """Decide: the same policies, request and facts give the same decision, to the byte."""
    judging = _Judging(policies, request, facts)
    subjects = tuple(judging.decide(subject, request.contexts) for subject in unique(request.subjects))
    verdict = worst(each.verdict for each in subjects)
    if verdict is Verdict.GO and not any(each.policies for each in subjects):
        verdict = Verdict.NO_POLICY
    return Decision(
        request=request,
        verdict=verdict,
        subjects=subjects,
        as_of=facts.as_of,
        now=facts.now,
        digest=policies.digest,
    )


class _Asking:
    """Gathers what the rules of a request ask."""

    def __init__(
        self, policies: PolicySet, request: Request, fetched: Mapping[RemoteFileOf, Fetched]
    ) -> None:
        self._policies, self._request, self._fetched = policies, request, fetched
        self._visited: set[tuple[Subject, tuple[str, ...]]] = set()

    def needs(self) -> Needs:
        latest: dict[Subject, Set[str]] = dict.fromkeys(self._request.subjects, _NO_NAMES)
        more: dict[Subject, set[str]] = {}
        like: dict[Subject, set[str]] = {}
        others: dict[type[Question], dict[Any, None]] = {}
        for subject in list(latest):
            for question in self.ask(subject, self._request.contexts, latest):
                if isinstance(question, LatestOf):
                    more.setdefault(question.subject, set()).add(question.testcase)
                elif isinstance(question, LatestLike):
                    more.setdefault(question.subject, set())
                    like.setdefault(question.subject, set()).add(question.pattern)
                else:
                    others.setdefault(type(question), {})[question] = None
        for subject, names in more.items():
            latest[subject] = latest.get(subject, _NO_NAMES) | names
        if not others:
            return Needs(latest, like)
        return Needs(
            latest,
            like,
            plans=tuple(others.get(PlanOf, ())),
            histories=tuple(others.get(HistoryOf, ())),
            baselines=tuple(others.get(BaselineOf, ())),
            selects=tuple(others.get(SelectOf, ())),
            build_times=tuple(others.get(BuildTimeOf, ())),
            remote_files=tuple(others.get(RemoteFileOf, ())),
        )

    def ask(
        self,
        subject: Subject,
        contexts: tuple[str, ...],
        latest: dict[Subject, Set[str]] | None = None,
    ) -> Iterator[Question]:
        """Yield the questions of all rules for a subject, once a subject and contexts.

        latest  takes the testcases of rules that ask for the latest results, instead of questions for them
        """
        if (subject, contexts) in self._visited:
            return
        self._visited.add((subject, contexts))
        for asked in asked_of(self._policies, self._request, subject, contexts, self._fetched, self.ask):
            policy = asked.policy
            if policy.excludes(asked.package) or policy.spares(asked.package):
                continue
            if latest is not None:
                latest[subject] = latest[subject] | policy.plain if latest[subject] else policy.plain
            for rule in policy.rules if latest is None else policy.others:
                try:
                    yield from rule.type.questions(rule.options, asked)
                except Exception as err:
                    told = f"{rule}: its questions broke: {type(err).__name__}: {shown(str(err))}"
                    raise PluginError(told) from err


def asked_of(
    policies: PolicySet,
    request: Request,
    subject: Subject,
    contexts: tuple[str, ...],
    fetched: Mapping[RemoteFileOf, Fetched] = _NOTHING,
    questions_of: Callable[[Subject, tuple[str, ...]], Iterable[Question]] = lambda *_: (),
) -> list[Asked]:
    """Return what the rules of each policy that is for `subject` see, in load order."""
    kind = policies.subject_types.find(subject.type)
    if request.policy is not None and contexts == request.contexts:
        applicable: tuple[Policy, ...] = (request.policy,)
    else:
        applicable = policies.applicable(kind, contexts, request.product_version)
    package = kind.package(subject.identifier)
    common = (fetched, policies.read_remote, questions_of)
    return [Asked(subject, kind, package, request, contexts, policy, *common) for policy in applicable]


@dataclass(slots=True)
class _Judging:
    """One decision while it is made; what was decided for a subject in some contexts is kept."""

    policies: PolicySet
    request: Request
    facts: Facts
    decided: dict[tuple[Subject, tuple[str, ...]], SubjectDecision] = field(default_factory=dict)

    def decide(self, subject: Subject, contexts: tuple[str, ...]) -> SubjectDecision:
        found = self.decided.get((subject, contexts))
        if found is None:
            found = self.decided[subject, contexts] = self._decide(subject, contexts)
        return found

    def _decide(self, subject: Subject, contexts: tuple[str, ...]) -> SubjectDecision:
        each_asked = asked_of(self.policies, self.request, subject, contexts, self.facts.remote_files)
        if not each_asked:
            spared = self.policies.subject_types.find(subject.type).ignore_missing_policy
            verdict = Verdict.GO if spared else Verdict.NO_POLICY
            return SubjectDecision(subject=subject, verdict=verdict, policies=(), requirements=())
        find = _Waivers(self, each_asked[0]).find
        once = _Once()
        requirements: list[Requirement] = []
        for asked in each_asked:
            weighing = Weighing(
                asked, self.facts, self.policies.settings.states, find, once.apply, self.decide
            )
            requirements += once.apply(asked.policy, weighing)
        return SubjectDecision(
            subject=subject,
            verdict=worst(each.verdict for each in requirements if each.state is not State.PASSED),
            policies=tuple(asked.policy for asked in each_asked),
            requirements=tuple(requirements),
        )


class _Once:
    """Weighs policies one after another for one subject, each rule once."""

    def __init__(self) -> None:
        self._seen: set[Any] = set()

    def apply(self, policy: Policy, weighing: Weighing) -> Sequence[Requirement]:
        """Return what a policy requires."""
        package = weighing.asked.package
        if policy.excludes(package):
            told = f"package {package} is excluded"
            return [weighing.told(State.EXCLUDED, "excluded", told, waivable=False)]
        if policy.spares(package):
            return ()
        outer = weighing.rule
        found = weighing.weigh(policy.rules, self._seen)
        weighing.rule = outer
        return found


class _Waivers:
    """The waivers of one subject, by testcase, and the one place where decisions ask whether one counts."""

    def __init__(self, judging: _Judging, asked: Asked) -> None:
        self._judging, self._asked = judging, asked
        self._by_testcase: dict[str, list[Waiver]] = {}
        self._ignored = judging.request.ignore_waivers
        for waiver in judging.facts.waivers.get(asked.subject, ()):
            if waiver.id not in self._ignored or not waiver.terms.waived:
                self._by_testcase.setdefault(waiver.terms.testcase, []).append(waiver)

    @cached_property
    def _setting(self) -> Setting:
        request, facts = self._judging.request, self._judging.facts
        return Setting(
            product_version=request.product_version,
            purposes=request.purposes | {Purpose("context", context) for context in self._asked.contexts},
            unfinished=self._judging.policies.settings.waive_unfinished,
            seq=facts.as_of,
            now=facts.now,
        )

    def find(
        self, subject: Subject, testcase: str, scenario: str | None, result: Evidence | None
    ) -> tuple[Waiver | None, tuple[tuple[Waiver, str], ...]]:
        """Return the newest waiver that counts, or None and why each of the others does not.

        One that says "not waived" while it is active takes back those before it for the same scenario,
        architecture and purpose, as WaiverDB's clients expect it.
        """
        waivers = self._by_testcase.get(testcase)
        if not waivers:
            return None, ()
        target = Target(
            subject_type=subject.type,
            subject=subject.identifier,
            testcase=testcase,
            scenario=scenario,
            arch=None if result is None else result.arch,
            outcome=None if result is None else result.outcome,
            signature=None if result is None else result.signature,
            aliases=frozenset(self._asked.kind.aliases),
        )
        refused = []
        taken_back: dict[tuple[object, ...], Waiver] = {}
        for waiver in waivers:
            terms = waiver.terms
            scope = (terms.product_version, terms.scenario, terms.arch, terms.purpose)
            if scope in taken_back:
                refused.append((waiver, f"{waiver.name} was taken back by {taken_back[scope].name}"))
                continue
            coverage = covers(waiver, target, self._setting)
            if coverage.covered:
                return waiver, ()
            if waiver.id not in self._ignored:
                refused.append((waiver, coverage.reason))
            if not terms.waived and self._active(waiver):
                taken_back[scope] = waiver
        return None, tuple(refused)

    def _active(self, waiver: Waiver) -> bool:
        return standing(waiver, self._setting.seq, self._setting.now) is Standing.ACTIVE
