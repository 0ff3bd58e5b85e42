"""Facts of one decision: what rules ask for is gathered, the store is read at one commit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime

from ...decide.judge import questions
from ...decide.policy_set import PolicySet
from ...domain.asked import Fetched, Needs, PlanOf, RemoteFileOf, Request
from ...domain.facts import Facts
from ...domain.plan import Plan
from ...domain.subject import Subject
from ...domain.waiver import Waiver, WaiverEvent
from ...errors import InvalidError, NotFoundError
from ...store.identity import to_us
from ...store.protocol import Store
from .latest import Results
from .outside import Outside
from .trends import Trends

_NOW_ALONE = "it is told as of now alone: leave the time out"

FILES = 500
"""Remote rule files of one decision, each of which may have to be fetched."""


def read_facts(
    store: Store,
    policies: PolicySet,
    request: Request,
    now: datetime,
    outside: Outside | None = None,
    owner_of: Callable[[str], str | None] | None = None,
) -> Facts:
    """Read what a decision needs: first what is outside, then the store as it stands after one commit.

    Where the request names a time in the past: results by the times that they claim, waivers as they
    stood then. Plans, and what is outside, are those of now; a SELECT of a rule has no answer.
    """
    needs, fetched = _asked(policies, request, outside)
    times, unanswered = ({}, {}) if outside is None else outside.build_times(needs.build_times)
    until = None if request.when is None else to_us(request.when)
    alone = len(needs.latest) == 1 and not needs.plans
    only = request.subjects[0].identifier if alone else None
    with store.at_one_commit(only) as moment:
        results = Results(store, policies.subject_types, until)
        plans = {each: _plan(store, each.plan) for each in needs.plans}
        names: Mapping[Subject, Set[str]] = _names(needs, plans) if plans else needs.latest
        waivers = _waivers(store, names) if moment.waivers else {subject: [] for subject in names}
        seq = moment.seq
        if request.when is not None:
            seq, now = _seq_then(waivers.values(), request.when, seq), request.when
        facts = Facts(
            as_of=seq,
            now=now,
            latest=results.latest_of_each(names, needs.like),
            waivers=waivers,
            expectations=store.expectations.of(names) if moment.expectations else {},
            plans=plans,
            build_times=times,
            remote_files=fetched,
            unanswered=unanswered,
        )
        if needs.beyond:
            facts = _with_more(facts, needs, request, store, Trends(results, policies))
    return facts if owner_of is None else facts._replace(owners=_owners(owner_of, needs, names, facts))


def _with_more(facts: Facts, needs: Needs, request: Request, store: Store, trends: Trends) -> Facts:
    """Add what rules need that look beyond the latest results of a subject."""
    found = facts._replace(
        histories=trends.histories(needs.histories),
        baselines=trends.baselines(needs.baselines),
        unanswered={**facts.unanswered, **trends.unanswered},
    )
    if request.when is None:
        return found._replace(selects={each: store.select(each) for each in needs.selects})
    return found._replace(unanswered={**found.unanswered, **dict.fromkeys(needs.selects, _NOW_ALONE)})


def _asked(
    policies: PolicySet, request: Request, outside: Outside | None
) -> tuple[Needs, dict[RemoteFileOf, Fetched]]:
    """Ask the rules; what a file says that they need is told once it is there."""
    fetched: dict[RemoteFileOf, Fetched] = {}
    while True:
        needs = questions(policies, request, fetched)
        missing = [each for each in needs.remote_files if each not in fetched]
        if outside is None or not missing:
            return needs, fetched
        if len(fetched) + len(missing) > FILES:
            raise InvalidError(
                f"a decision that needs more than {FILES} remote rule files: ask for fewer subjects"
            )
        fetched |= outside.files(missing)


def _names(needs: Needs, plans: Mapping[PlanOf, Plan | None]) -> dict[Subject, set[str]]:
    """Return the testcases of each subject, with those that plans require."""
    names = {subject: set(testcases) for subject, testcases in needs.latest.items()}
    for each, plan in plans.items():
        if plan is not None:
            names.setdefault(each.subject, set()).update(case.testcase for case in plan.cases)
    return names


def _owners(
    owner_of: Callable[[str], str | None],
    needs: Needs,
    names: Mapping[Subject, Collection[str]],
    facts: Facts,
) -> dict[str, str]:
    """Return who answers for the testcases that a decision may name."""
    told = {each.testcase for each in needs.histories}
    told.update(*names.values(), *facts.latest.values(), *(each.latest for each in facts.baselines.values()))
    return {name: owner for name in sorted(told) if (owner := owner_of(name)) is not None}


def _plan(store: Store, name: str) -> Plan | None:
    try:
        return store.plan(name).plan
    except NotFoundError:
        return None


def _seq_then(found: Iterable[Sequence[Waiver]], when: datetime, seq: int) -> int:
    """Return a commit after which these waivers stood as they did at a time; events are in its order."""
    events = (event for waivers in found for waiver in waivers for event in _turns(waiver))
    return min((event.seq for event in events if event.time > when), default=seq + 1) - 1


def _turns(waiver: Waiver) -> Iterator[WaiverEvent]:
    yield waiver.first
    yield from (event for event in (waiver.opened, waiver.closed) if event is not None)


def _waivers(store: Store, subjects: Collection[Subject]) -> dict[Subject, list[Waiver]]:
    """Return the waivers of each subject in whatever state, the newest first."""
    found: dict[str, list[Waiver]] = {subject.identifier: [] for subject in subjects}
    for waiver in store.waivers.of_subjects(list(found)):
        found[waiver.terms.subject].append(waiver)
    return {subject: found[subject.identifier] for subject in subjects}
