"""Manual tests: record what a person found, and say how far a plan has got for an item."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from ..domain.itemtype import ItemType
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.page import Page
from ..domain.plan import Plan, PlanCase, PlanVersion
from ..domain.progress import Progress, progress, worst
from ..domain.search import Attribute, Search
from ..domain.stored import Fact
from ..domain.user import check_user_name
from ..errors import InvalidError, shown
from ..normalise.normaliser import Normaliser
from ..query.results import ResultQuery
from ..store.protocol import Store
from .manual_plans import ITEM_TYPES

SOURCE = DOOR = "manual"
METHOD = "manual"
RECENT = 200
"""Manual results that are looked at for items that a plan is being worked on for."""

HISTORY = 1_000
"""Results that the histories of all cases of one plan and item show, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a person says that they found.

    actor     who; `verified`: somebody vouches for that (a token, a proxy), else they only say so
    once      names this finding: the same again stores nothing more
    """

    testcase: str
    item: str
    item_type: str
    outcome: str
    actor: str
    verified: bool
    comment: str | None = None
    ref_url: str | None = None
    once: str = field(default_factory=lambda: secrets.token_hex(12))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStatus:
    """How one required testcase stands for an item.

    outcome  the worst of its newest results, one of each scenario and architecture; None = there is none
    results  those, the newest first
    """

    case: PlanCase
    outcome: str | None
    results: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatus:
    """How far a plan has got for an item."""

    version: PlanVersion
    item: str
    cases: tuple[CaseStatus, ...]

    @property
    def progress(self) -> Progress:
        """The counts."""
        return progress(case.outcome for case in self.cases)


def record(
    said: Finding,
    store: Store,
    *,
    vocabulary: Collection[str] = (),
    item_types: Mapping[str, ItemType] = ITEM_TYPES,
) -> int:
    """Store a finding as a result like any other, for good; return its id. A correction is a further one.

    `vocabulary` are outcomes beside those that everybody knows. Raises InvalidError for what breaks
    a rule, ReusedKeyError where other words came under the same `once`.
    """
    words = [*map(str, Outcome), *vocabulary]
    if said.outcome not in words:
        raise InvalidError(f"outcome {shown(said.outcome)} is none of {', '.join(dict.fromkeys(words))}")
    check_user_name(said.actor)
    vouched = "true" if said.verified else "false"
    seen = Observation(
        key=f"{said.actor}{'' if said.verified else '?'}/{said.once}",
        testcase=said.testcase,
        outcome=said.outcome,
        item=said.item,
        item_type=said.item_type,
        note=said.comment or None,
        ref_url=said.ref_url or None,
        data={"method": METHOD, "actor": said.actor, "actor_verified": vouched},
    )
    result = Normaliser(SOURCE, {}, item_types, vocabulary)(seen)
    page = Page(source=SOURCE, results=[result], door=DOOR, tell_ids=True, once=True)
    (number,) = store.commit_page(page).ids
    return number


def plan_status(version: PlanVersion, item: str, store: Store) -> PlanStatus:
    """Say how far a plan has got for `item`; the results are those of whoever and whatever gave them."""
    found: dict[str, list[Fact]] = defaultdict(list)
    asked = _asked(version.plan, item)
    for fact in store.latest(asked, ("scenario", "arch")):
        found[fact.testcase].append(fact)
    cases = tuple(
        CaseStatus(
            case=case,
            outcome=worst(fact.outcome for fact in found[case.testcase]),
            results=tuple(found[case.testcase]),
        )
        for case in version.plan.cases
    )
    return PlanStatus(version=version, item=item, cases=cases)


def items_of(plan: Plan, store: Store, limit: int) -> list[str]:
    """Return the items that a plan is for: its own, or those that have the newest manual results of it."""
    if plan.is_for_one:
        return [plan.item]
    attributes = (_is("method", METHOD), _is("type", plan.item_type))
    search = Search(testcases=plan.testcases, attributes=attributes, limit=RECENT)
    items = dict.fromkeys(attributes_of(fact).get("item", "") for fact in store.search(search))
    return [item for item in items if plan.applies_to(plan.item_type, item)][:limit]


def statuses(plans: Iterable[PlanVersion], store: Store, item: str | None, limit: int) -> list[PlanStatus]:
    """Say how far plans have got: for `item`, or for each that they are for."""
    return [
        plan_status(version, one, store)
        for version in plans
        for one in (items_of(version.plan, store, limit) if item is None else [item])
    ]


def requiring(testcase: str, item: str, plans: Iterable[PlanVersion]) -> list[PlanVersion]:
    """Return the plans that require a testcase of an item, of whatever type."""
    return [
        version
        for version in plans
        if testcase in version.plan.testcases and version.plan.applies_to(version.plan.item_type, item)
    ]


def history(plan: Plan, item: str, store: Store) -> dict[str, list[Fact]]:
    """Return by testcase all results for an item, the newest first, 1,000 at most."""
    found: dict[str, list[Fact]] = defaultdict(list)
    for fact in store.search(_asked(plan, item)):
        found[fact.testcase].append(fact)
    return found


def vouched(store: Store, item: str) -> frozenset[int]:
    """Return which results of an item somebody recorded here whom we knew.

    Their data say so, and data are believed of our own source alone: a client may post any.
    """
    found = store.results(ResultQuery(item=item, source=SOURCE, limit=HISTORY))
    return frozenset(one.id for one in found if one.data.get("actor_verified") == ["true"])


def attributes_of(fact: Fact) -> dict[str, str]:
    """Return a result's attributes, its run's among them, the first value of each."""
    data = (orjson.loads(fact.shared) if fact.shared else {}) | (orjson.loads(fact.own) if fact.own else {})
    return {name: values[0] for name, values in data.items() if values}


def _asked(plan: Plan, item: str) -> Search:
    attributes = (_is("item", item), _is("type", plan.item_type))
    return Search(testcases=plan.testcases, attributes=attributes, limit=HISTORY)


def _is(key: str, value: str) -> Attribute:
    return Attribute(key=key, values=(value,))
