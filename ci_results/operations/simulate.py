"""Simulate: what other policies would decide of what was decided or tested lately; nothing is written."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from ..decide.concerned import product_versions
from ..decide.judge import judge
from ..decide.policy_set import PolicySet
from ..decide.text import named
from ..domain.asked import Request
from ..domain.decision import Decision, Requirement, Verdict
from ..domain.subject import Subject
from ..query.results import ResultQuery
from ..store.protocol import Store
from .export import all_results
from .gate import Gate, read_facts

_FEW = 5
_PAGE = 1_000


class Replayed(NamedTuple):
    """One thing to decide again: a subject at one gate; `time`: when it was decided or tested."""

    subject: Subject
    product_version: str
    context: str
    time: datetime


class Flip(NamedTuple):
    """A verdict that the candidate changes, and the requirements that make the difference.

    owners   who answers for their testcases, where known
    because  "ns.case: failed (required by new/f40.yaml:8)", a few
    """

    replayed: Replayed
    component: str
    before: Verdict
    after: Verdict
    owners: tuple[str, ...]
    because: tuple[str, ...]

    @property
    def closes(self) -> bool:
        """Whether what may pass now would be stopped."""
        return self.before is Verdict.GO

    @property
    def opens(self) -> bool:
        """Whether what is stopped now would pass."""
        return self.after is Verdict.GO


class Effect(NamedTuple):
    """How many flips close a gate, open one, or are from one closed state to another."""

    closes: int = 0
    opens: int = 0
    others: int = 0

    def plus(self, flip: Flip) -> Effect:
        """Count one more."""
        if flip.closes:
            return self._replace(closes=self.closes + 1)
        return self._replace(opens=self.opens + 1) if flip.opens else self._replace(others=self.others + 1)


@dataclass(slots=True)
class Simulated:
    """What came of a simulation: counts of all of it, and its first flips.

    source           what was decided again: "items with results"
    without_version  items left out, because nothing tells their product version
    """

    source: str = ""
    replayed: int = 0
    items: int = 0
    without_version: int = 0
    effect: Effect = field(default_factory=Effect)
    by_component: dict[str, Effect] = field(default_factory=dict)
    by_owner: dict[str, Effect] = field(default_factory=dict)
    verdicts: Counter[tuple[Verdict, Verdict]] = field(default_factory=Counter)
    flips: list[Flip] = field(default_factory=list)


def simulate(
    gate: Gate,
    candidate: PolicySet,
    replayed: Iterable[Replayed],
    *,
    most: int = 1_000,
    counted: Simulated | None = None,
    told: Callable[[Simulated], None] = lambda _: None,
) -> Simulated:
    """Decide each by the policies of `gate` and by `candidate`, both by the same facts of now.

    most  so many flips are kept; counts are of all
    told  is called after each with what came of it so far

    Memory: the flips kept, and a count for each component and owner that flips.
    """
    both = PolicySet(
        [*gate.policies.policies, *candidate.policies],
        gate.policies.types,
        gate.policies.subject_types.types,
        gate.policies.settings,
    )
    reader, owners = replace(gate, policies=both), _Owners(gate.store)
    found = counted or Simulated()
    for each in replayed:
        request = Request(
            subjects=(each.subject,), product_version=each.product_version, contexts=(each.context,)
        )
        facts = read_facts(reader, request)
        before, after = (judge(one, request, facts) for one in (gate.policies, candidate))
        found.replayed += 1
        found.verdicts[before.verdict, after.verdict] += 1
        if before.verdict is not after.verdict:
            _count(found, _flip(each, before, after, gate.policies, owners), most)
        told(found)
    return found


def lately_decided(
    store: Store, since: datetime, *, contexts: Iterable[str] = (), counted: Simulated | None = None
) -> Iterator[Replayed]:
    """Yield each gating point of which a decision was recorded since then, once, the newest first.

    Memory: 16 bytes, and what a set needs to hold them, for each.
    """
    wanted, counts, seen, before = frozenset(contexts), counted or Simulated(), _Seen(), None
    items = _Seen()
    while page := store.decisions.points(before, limit=_PAGE):
        for number, point, at in page:
            if at < since:
                return
            before = number
            if seen.new(point.key) and (not wanted or point.context in wanted):
                counts.items += items.new("\0".join(point.subject))
                yield Replayed(point.subject, point.product_version, point.context, at)


class _Seen:
    """Texts that were there already, by 16 bytes each."""

    def __init__(self) -> None:
        self._marks: set[bytes] = set()

    def new(self, text: str) -> bool:
        """Say whether this one is new, and remember it."""
        mark = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if mark in self._marks:
            return False
        self._marks.add(mark)
        return True


def lately_tested(
    store: Store,
    policies: Iterable[PolicySet],
    since: datetime,
    *,
    product_version: str | None = None,
    contexts: Iterable[str] = (),
    counted: Simulated | None = None,
) -> Iterator[Replayed]:
    """Yield each item with results since then, newest first, at each gate that some policy has for it.

    product_version  of items whose names do not tell theirs; None: they are left out, and counted
    contexts         only these gates; () = all

    Memory: 16 bytes, and what a set needs to hold them, for each item.
    """
    sets, wanted, counts = tuple(policies), frozenset(contexts), counted or Simulated()
    seen = _Seen()
    for result in all_results(store, ResultQuery(since=since)):
        subject = sets[0].subject_types.subject(result.item_type, result.item)
        if not seen.new("\0".join(subject)):
            continue
        kind = sets[0].subject_types.find(subject.type)
        gates = [
            policy
            for each in sets
            for policy in each.policies
            if set(policy.subject_types) & set(kind.names)
            and (not wanted or wanted & set(policy.decision_contexts))
        ]
        if not gates:
            continue
        counts.items += 1
        versions = product_versions(kind, subject.identifier) or (
            [product_version] if product_version else []
        )
        if not versions:
            counts.without_version += 1
        for version in versions:
            names = {
                context
                for policy in gates
                if policy.covers_version(version)
                for context in policy.decision_contexts
                if not wanted or context in wanted
            }
            for context in sorted(names):
                yield Replayed(subject, version, context, result.time)


def _flip(
    replayed: Replayed, before: Decision, after: Decision, policies: PolicySet, owners: _Owners
) -> Flip:
    blocking = after.blockers or before.blockers
    kind = policies.subject_types.find(replayed.subject.type)
    return Flip(
        replayed=replayed,
        component=kind.package(replayed.subject.identifier) or replayed.subject.identifier,
        before=before.verdict,
        after=after.verdict,
        owners=tuple(sorted({owner for each in blocking if (owner := owners.of(each))})),
        because=tuple(f"{named(each)}: {each.state} (required by {each.place})" for each in blocking[:_FEW]),
    )


def _count(found: Simulated, flip: Flip, most: int) -> None:
    found.effect = found.effect.plus(flip)
    found.by_component[flip.component] = found.by_component.get(flip.component, Effect()).plus(flip)
    for owner in flip.owners or ("",):
        found.by_owner[owner] = found.by_owner.get(owner, Effect()).plus(flip)
    if len(found.flips) < most:
        found.flips.append(flip)


class _Owners:
    """Who answers for requirements: the owner of the testcase, else of the source of its result."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owners = {state.name: state.owner for state in store.sources()}

    def of(self, each: Requirement) -> str | None:
        if each.owner or each.result is None:
            return each.owner
        return self._owners.get(self._store.result(each.result.id).source)
