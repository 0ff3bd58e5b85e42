"""Plan the work of tiers: what to build next, what to test, what to mend, and what has to wait for what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..domain.decision import SubjectDecision, Verdict, worst
from ..domain.subject import Subject
from ..domain.tiers import Tiers
from ..errors import InvalidError, shown
from .explain import effective
from .policy_set import PolicySet


class Scope(StrEnum):
    """What has to be good before a part is built: the whole tier before, or only what it needs."""

    TIER = "tier"
    CLOSURE = "closure"


class Do(StrEnum):
    """What is to be done with a part."""

    NOTHING = "nothing"  # it is good
    BUILD = "build"
    TEST = "test"  # it is built; results are on their way or have to be made
    MEND = "mend"  # a required test failed or broke
    WAIT = "wait"  # what has to be good before is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part of a plan.

    build    what stands for it, None where it has to be built
    before   what has to be good before it is built
    gate     whether it may be built: go where all of `before` is good
    waits_for  those of `before` that are not
    testcases  what its build has to pass; `run` = those of them that have no finished result yet
    blockers "ns.case: failed", of what failed or broke
    """

    part: str
    tier: int
    build: Subject | None
    do: Do
    gate: Verdict
    verdict: Verdict | None
    before: tuple[str, ...]
    waits_for: tuple[str, ...]
    testcases: tuple[str, ...]
    run: tuple[str, ...]
    blockers: tuple[str, ...]


def affected(tiers: Tiers, changed: Collection[str]) -> frozenset[str]:
    """Return the parts that need one of these, directly or not: they are to be built again."""
    return frozenset(
        name for name in tiers.nodes if name not in changed and set(tiers.closure(name)) & set(changed)
    )


def chosen(tiers: Tiers, parts: Iterable[str], changed: Iterable[str], scope: Scope) -> tuple[str, ...]:
    """Return the parts that a plan is about, in the order in which they are built.

    parts    with all that has to be good before each
    changed  with all that needs them; neither = the whole graph

    Raises InvalidError for a part that is not in the graph.
    """
    named, touched = tuple(parts), tuple(changed)
    for name in (*named, *touched):
        if name not in tiers.nodes:
            raise InvalidError(f"{shown(name)} is no part of the graph; parts are {', '.join(tiers.nodes)}")
    if not named and not touched:
        wanted = set(tiers.nodes)
    else:
        wanted = set(touched) | affected(tiers, touched)
        waiting = list(named)
        while waiting:
            name = waiting.pop()
            wanted.add(name)
            waiting += [one for one in before(tiers, name, scope) if one not in wanted]
    place = {name: number for number, name in enumerate(tiers.order)}
    return tuple(sorted(wanted, key=lambda name: (tiers.nodes[name].tier, place[name])))


def before(tiers: Tiers, name: str, scope: Scope) -> tuple[str, ...]:
    """Return what has to be good before a part is built."""
    return tiers.closure(name) if scope is Scope.CLOSURE else tiers.tier_before(name)


def plan(
    tiers: Tiers,
    order: Iterable[str],
    scope: Scope,
    decided: Mapping[str, SubjectDecision],
    required: Callable[[str, Subject | None], tuple[str, ...]],
    rebuilt: Collection[str] = (),
) -> list[Step]:
    """Return what is to be done with each part of `order`.

    decided   by part, what is decided of its build; at least of all that `order` has to wait for
    required  part and its build -> the testcases that it has to pass
    rebuilt   parts whose build is outdated: they are as if not built
    """

    def verdict(name: str) -> Verdict | None:
        found = decided.get(name)
        if found is None or name in rebuilt:
            return None
        return found.verdict if found.policies else Verdict.NO_POLICY

    return [_step(tiers, name, scope, decided, required, verdict) for name in order]


def _step(
    tiers: Tiers,
    name: str,
    scope: Scope,
    decided: Mapping[str, SubjectDecision],
    required: Callable[[str, Subject | None], tuple[str, ...]],
    verdict: Callable[[str], Verdict | None],
) -> Step:
    node, own = tiers.nodes[name], verdict(name)
    needed = before(tiers, name, scope)
    gate = worst(verdict(one) or Verdict.WAIT for one in needed)
    if own is None:
        do = Do.BUILD if gate is Verdict.GO else Do.WAIT
    elif own is Verdict.GO:
        do = Do.NOTHING
    else:
        do = Do.TEST if own is Verdict.WAIT else Do.MEND
    build = node.subject if own is not None else None
    testcases = required(name, build)
    blocking = (
        [each for each in decided[name].requirements if each.verdict is not Verdict.GO]
        if own is not None
        else []
    )
    unfinished = {each.testcase for each in blocking if each.verdict is Verdict.WAIT}
    return Step(
        part=name,
        tier=node.tier,
        build=build,
        do=do,
        gate=gate,
        verdict=own,
        before=needed,
        waits_for=tuple(one for one in needed if verdict(one) is not Verdict.GO),
        testcases=testcases,
        run=testcases if own is None else tuple(sorted(unfinished)),
        blockers=tuple(
            f"{each.testcase}: {each.state}" for each in blocking if each.verdict is not Verdict.WAIT
        )
        or (("no policy is for it",) if own is Verdict.NO_POLICY else ()),
    )


def required_of(
    policies: PolicySet, product_version: str, context: str
) -> Callable[[str, Subject | None], tuple[str, ...]]:
    """Return what the policies of a context require of a part, by its build, else by its name."""

    def required(name: str, build: Subject | None) -> tuple[str, ...]:
        kind = policies.subject_types.find("koji_build" if build is None else build.type)
        package = name if build is None else kind.package(build.identifier)
        rules = effective(
            policies, kind, product_version=product_version, contexts=(context,), package=package
        )
        blocking = [
            each.rule
            for each in rules
            if each.rule is not None and not each.passed_over and each.rule.type.name != "ExperimentalRule"
        ]
        names = (name for rule in blocking for name in rule.type.testcases(rule.options))
        return tuple(dict.fromkeys(names))

    return required
