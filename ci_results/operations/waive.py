"""Waive: ask for a waiver, decide about it, take it back; what command line, API and pages all call.

Who may not is refused, and the attempt is kept in the chain. Decisions are not made here: a waiver is a
fact, and whoever asks for a decision next finds it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ..decide.subject_types import BUILT_IN as SUBJECT_TYPES
from ..domain.facts import Evidence
from ..domain.outcome import GOOD, UNFINISHED
from ..domain.purpose import PurposeKind
from ..domain.stored import StoredResult
from ..domain.subject import Subject, SubjectType, SubjectTypes
from ..domain.user import check_user_name
from ..domain.waiver import Act, Standing, Step, Terms, Waiver
from ..errors import ConflictError, ForbiddenError, InvalidError, StaleError
from ..query.waivers import Stage, WaiverQuery
from ..store.identity import to_us
from ..store.protocol import Store
from ..waive import life
from ..waive.covers import NO_FAILURE, NO_TEXT, Target, matches, suspended
from ..waive.folding import fold
from ..waive.life import Actor
from ..waive.purposes import BUILT_IN
from ..waive.rules import NO_RULES, Rule, Rules
from ..waive.standing import standing
from ..waive.terms import checked_comment, checked_terms, storable_comment
from .take_back import ended_by

log = logging.getLogger(__name__)

SOON = timedelta(hours=48)
WATCHED = 200
"""Waivers whose failures an inbox looks at, the newest."""

_TRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where waivers are asked for: the store, the rules, the kinds of purpose by name, the clock.

    types  of subjects: they say which results are a subject's, as they do for decisions
    """

    store: Store
    rules: Rules = NO_RULES
    types: SubjectTypes = field(default_factory=lambda: SubjectTypes(SUBJECT_TYPES))
    kinds: Mapping[str, PurposeKind] = field(default_factory=lambda: {kind.name: kind for kind in BUILT_IN})
    now: Callable[[], datetime] = lambda: _now()

    def standing(self, waiver: Waiver) -> Standing:
        """Say how a waiver stands now."""
        return standing(waiver, max(self.store.waivers.seq(), waiver.last), self.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for, and why.

    broad  it shall cover several failures, of several scenarios or architectures
    """

    terms: Terms
    comment: str
    broad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The newest results that lie in the scope of a waiver now.

    waived      those that it would waive
    good        those that need none
    unfinished  those that are not done
    changed     of `waived`, those that fail otherwise than when it was asked for
    places      scenarios and architectures of `waived`, each once
    """

    waived: tuple[StoredResult, ...] = ()
    good: tuple[StoredResult, ...] = ()
    unfinished: tuple[StoredResult, ...] = ()
    changed: tuple[StoredResult, ...] = ()
    places: tuple[tuple[str | None, str | None], ...] = ()

    @property
    def signatures(self) -> tuple[str, ...]:
        """The signatures of what would be waived; () for a test that still runs, which nobody can know."""
        if not self.waived:
            return () if self.unfinished else (NO_FAILURE,)
        return tuple(sorted({one.signature or NO_TEXT for one in self.waived}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What waits for somebody: requests, waivers that end soon, waivers whose failure changed."""

    pending: tuple[Waiver, ...]
    expiring: tuple[Waiver, ...]
    suspended: tuple[Waiver, ...]


def preview(desk: Desk, terms: Terms) -> Preview:
    """Say which results a waiver with these terms meets now; changes nothing."""
    from .gating.latest import Results  # which brings half the house

    kind = desk.types.find(terms.subject_type)
    latest = Results(desk.store, desk.types).latest(Subject(kind.id, terms.subject), [terms.testcase])
    targets = {one.id: _target(terms, kind, one) for one in latest.get(terms.testcase, ())}
    here = [one for one in desk.store.stored(list(targets)) if matches(terms, targets[one.id])]
    waived = tuple(one for one in here if one.outcome not in GOOD | UNFINISHED)
    return Preview(
        waived=waived,
        good=tuple(one for one in here if one.outcome in GOOD),
        unfinished=tuple(one for one in here if one.outcome in UNFINISHED),
        changed=tuple(one for one in waived if suspended(terms, targets[one.id])),
        places=tuple(dict.fromkeys((targets[one.id].scenario, targets[one.id].arch) for one in waived)),
    )


def foreseen(desk: Desk, wish: Wish) -> Terms:
    """Return the terms that a waiver would be kept with. Raises InvalidError where it would be refused."""
    rule = desk.rules.of(wish.terms.testcase)
    return _bound(desk, replace(wish, terms=_checked(desk, wish.terms, rule, False)), rule, False)


def request(desk: Desk, wishes: Sequence[Wish], actor: Actor, *, as_peer: bool = False) -> list[Waiver]:
    """Ask for waivers, all or none; those that need no approval count at once.

    `as_peer`: asked by a client of WaiverDB, which cannot say `lenient` nor `broad`, and may send a blank
    comment. Raises InvalidError, and ForbiddenError after keeping the attempt.
    """
    return request_each(desk, [(wish, actor) for wish in wishes], as_peer=as_peer)


def request_each(desk: Desk, asked: Sequence[tuple[Wish, Actor]], *, as_peer: bool = False) -> list[Waiver]:
    """Ask for waivers, each in somebody's name, all or none. See `request`."""
    return _begin(desk, asked, life.request, as_peer)


def grant(desk: Desk, wishes: Sequence[Wish], actor: Actor) -> list[Waiver]:
    """Waive at once, all or none. Raises ForbiddenError where an approval is needed."""
    return _begin(desk, [(wish, actor) for wish in wishes], life.grant, False)


def approve(desk: Desk, number: int, actor: Actor, comment: str, *, anyway: bool = False) -> Waiver:
    """Approve a request. `anyway`: also where the failure has changed since it was made.

    Raises ForbiddenError after keeping the attempt, ConflictError where there is nothing to approve.
    """

    def step(waiver: Waiver, stands: Standing, rule: Rule) -> Act:
        found = life.approve(waiver, actor, comment, rule, stands)
        if not anyway and preview(desk, waiver.terms).changed:
            raise ConflictError(
                f"the failure changed since {waiver.name} was requested; look at it with: ci-results waiver"
                f" show {waiver.name}, then approve it with --anyway, or reject it"
            )
        return found

    return _take(desk, number, actor, comment, Step.APPROVE, step)


def reject(desk: Desk, number: int, actor: Actor, comment: str) -> Waiver:
    """Close a request. Raises as `approve` does."""

    def step(waiver: Waiver, stands: Standing, rule: Rule) -> Act:
        return life.reject(waiver, actor, comment, rule, stands)

    return _take(desk, number, actor, comment, Step.REJECT, step)


def withdraw(desk: Desk, number: int, actor: Actor, comment: str) -> Waiver:
    """End a waiver or a request. Raises as `approve` does."""

    def step(waiver: Waiver, stands: Standing, rule: Rule) -> Act:
        return life.withdraw(waiver, actor, comment, rule, stands)

    return _take(desk, number, actor, comment, Step.WITHDRAW, step)


def inbox(desk: Desk, limit: int = 50) -> Inbox:
    """Say what waits for somebody, at most `limit` of each."""
    waivers, seq, now = desk.store.waivers, desk.store.waivers.seq(), desk.now()
    newest = waivers.find(WaiverQuery(stage=Stage.ACTIVE, seq=seq, now=to_us(now), limit=WATCHED))
    bound = [one for one in newest if one.terms.signatures and not one.terms.lenient]
    return Inbox(
        pending=tuple(waivers.pending(seq, now, limit)),
        expiring=tuple(waivers.expiring(now, now + SOON, limit)),
        suspended=tuple(one for one in bound if preview(desk, one.terms).changed)[:limit],
    )


def announce_expired(desk: Desk, limit: int = 500) -> list[Waiver]:
    """Append an event for each waiver that ended by itself, so that followers hear of it; at most `limit`.

    Nothing depends on it: who does not call it opens and closes nothing.
    """
    for _ in range(_TRIES):
        due = desk.store.waivers.due(desk.now(), limit)
        try:
            desk.store.waivers.append(
                [life.expire(waiver, "ticker") for waiver in due], {waiver.id: waiver.last for waiver in due}
            )
        except StaleError:
            continue
        return due
    return []


def _begin(
    desk: Desk,
    asked: Sequence[tuple[Wish, Actor]],
    begin: Callable[[Terms, Actor, str, Rule], Act],
    as_peer: bool,
) -> list[Waiver]:
    acts = []
    for wish, actor in asked:
        _check_names(actor)
        comment = (storable_comment if as_peer else checked_comment)(wish.comment)
        rule = desk.rules.of(wish.terms.testcase)
        terms = _checked(desk, wish.terms, rule, as_peer)
        attempt = life.act(actor, Step.REQUEST, comment, terms=terms)
        with_failure = _bound(desk, replace(wish, terms=terms), rule, as_peer)
        acts.append(
            _audited(desk, actor, attempt, lambda: begin(with_failure, actor, comment, rule))  # noqa: B023
        )
    actors = [actor for _wish, actor in asked]
    for _ in range(_TRIES):
        ends, seen = ended_by(desk, acts, actors)
        try:
            events = desk.store.waivers.append([*acts, *ends], seen)
        except StaleError:
            continue
        return fold(events[: len(acts)])
    raise ConflictError("waivers of this change faster than one can take them back: try again")


def _checked(desk: Desk, terms: Terms, rule: Rule, as_peer: bool) -> Terms:
    """Return terms that a waiver may have, under the one name of the subject's type: koji_build."""
    if not as_peer:
        terms = replace(terms, subject_type=desk.types.find(terms.subject_type).id)
    return checked_terms(terms, rule, desk.kinds, desk.rules.products, desk.now())


def _bound(desk: Desk, wish: Wish, rule: Rule, as_peer: bool) -> Terms:
    """Return the terms, bound to the failures that they meet now. Raises InvalidError where they may not."""
    terms = wish.terms
    if not terms.waived:
        return terms
    met = preview(desk, terms)
    if met.unfinished and not rule.unfinished:
        one = met.unfinished[0]
        raise InvalidError(
            f"{terms.testcase} is {one.outcome} for {terms.subject}: wait for its result, then waive that"
        )
    if len(met.places) > 1 and not wish.broad and not as_peer:
        listed = ", ".join(_variant(one) for one in met.waived)
        raise InvalidError(
            f"this would waive {len(met.waived)} failures ({listed}): name one with --scenario or --arch,"
            " or say --broad"
        )
    lenient = terms.lenient or rule.lenient or (as_peer and desk.rules.peers_lenient)
    return replace(terms, lenient=lenient, signatures=met.signatures)


def _take(
    desk: Desk,
    number: int,
    actor: Actor,
    comment: str,
    kind: Step,
    step: Callable[[Waiver, Standing, Rule], Act],
) -> Waiver:
    """Take a step on a waiver as it is; should it move on meanwhile, decide anew."""
    _check_names(actor)
    comment = checked_comment(comment)
    for _ in range(_TRIES):
        waiver = desk.store.waivers.waiver(number)
        stands, rule = desk.standing(waiver), desk.rules.of(waiver.terms.testcase)
        attempt = life.act(actor, kind, comment, waiver=waiver.id)
        taken = _audited(desk, actor, attempt, lambda: step(waiver, stands, rule))  # noqa: B023
        try:
            desk.store.waivers.append([taken], {waiver.id: waiver.last})
        except StaleError:
            continue
        return desk.store.waivers.waiver(number)
    raise ConflictError(f"W-{number} changes faster than one can decide about it: try again")


def _audited(desk: Desk, actor: Actor, attempt: Act, step: Callable[[], Act]) -> Act:
    """Return the act of `step`; one that is not allowed is kept as an attempt before its error goes on."""
    try:
        if actor.proxied_by is not None and actor.proxied_by not in desk.rules.superusers:
            raise ForbiddenError(f"user {actor.proxied_by} does not have the proxyuser ability")
        return step()
    except ForbiddenError as err:
        desk.store.waivers.append([life.refused(attempt, err)])
        log.warning("waiver refused", extra={"user": actor.username, "step": str(attempt.step)})
        raise


def _check_names(actor: Actor) -> None:
    """Raise InvalidError where somebody cannot be called so."""
    for name in sorted(actor.persons):
        check_user_name(name)


def _target(terms: Terms, kind: SubjectType, result: Evidence) -> Target:
    """Return what a result of the subject says, as the target of a waiver."""
    return Target(
        subject_type=kind.id, subject=terms.subject, testcase=result.testcase, aliases=frozenset(kind.names),
        scenario=result.scenario, arch=result.arch, outcome=result.outcome, signature=result.signature,
    )  # fmt: skip


def _variant(result: StoredResult) -> str:
    return " ".join(filter(None, (result.outcome, result.scenario, result.arch)))


def _now() -> datetime:
    return datetime.now(UTC)
