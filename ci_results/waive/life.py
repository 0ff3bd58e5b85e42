"""The life of a waiver: who may take which step when. Each function returns the act, or says why not.

ForbiddenError means that this person may not: the attempt is kept. ConflictError means that nobody
may any more: look at how the waiver stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.waiver import Act, Standing, Step, Terms, Turn, Waiver, WaiverEvent
from ..errors import ConflictError, ForbiddenError
from .rules import People, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who takes a step.

    username    whose step it is, and their groups
    proxied_by  who takes it in their name; None = they themselves
    via         the door: "cli", "api", "page", and how it knew them where that matters: "api:token"
    """

    username: str
    groups: frozenset[str] = frozenset()
    proxied_by: str | None = None
    via: str

    @property
    def persons(self) -> frozenset[str]:
        """All who have a hand in the step."""
        return frozenset({self.username} if self.proxied_by is None else {self.username, self.proxied_by})


def act(actor: Actor, step: Step, comment: str, **fields: object) -> Act:
    """Return the act of `actor`; `fields` are further ones of Act."""
    return Act(
        step=step, username=actor.username, proxied_by=actor.proxied_by, via=actor.via, comment=comment,
        **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def request(terms: Terms, actor: Actor, comment: str, rule: Rule) -> Act:
    """Ask for a waiver; where no approval is needed that is a grant. To say "not waived" needs none."""
    if not rule.approvals or not terms.waived:
        return grant(terms, actor, comment, rule)
    _permit(rule.request, actor, f"request a waiver of {terms.testcase}")
    return act(actor, Step.REQUEST, comment, terms=terms)


def grant(terms: Terms, actor: Actor, comment: str, rule: Rule) -> Act:
    """Waive at once, which is possible where no approval is needed."""
    if rule.approvals and terms.waived:
        raise ForbiddenError(
            f"a waiver of {terms.testcase} needs {_approvals(rule)}: request it;"
            f" {_whom(rule.approve)} can approve it"
        )
    _permit(rule.request, actor, f"waive {terms.testcase}")
    return act(actor, Step.GRANT, comment, terms=terms, turn=Turn.OPENS)


def approve(waiver: Waiver, actor: Actor, comment: str, rule: Rule, stands: Standing) -> Act:
    """Approve a request; with the last approval that is needed it counts."""
    _permit(rule.approve, actor, f"approve a waiver of {waiver.terms.testcase}")
    if actor.persons & waiver.first.act.persons:
        raise ForbiddenError(
            f"nobody approves their own waiver: {waiver.name} was requested by {_who(waiver.first)};"
            f" {_whom(rule.approve)} can approve it"
        )
    _still_pending(waiver, stands)
    for event in waiver.approvals:
        if actor.persons & event.act.persons:
            raise ConflictError(f"{waiver.name} has the approval of {_who(event)}: another one is needed")
    complete = len(waiver.approvals) + 1 >= rule.approvals
    return act(
        actor, Step.APPROVE, comment, waiver=waiver.id, turn=Turn.OPENS if complete else None
    )  # fmt: skip


def reject(waiver: Waiver, actor: Actor, comment: str, rule: Rule, stands: Standing) -> Act:
    """Close a request without opening it."""
    _permit(rule.approve, actor, f"reject a waiver of {waiver.terms.testcase}")
    _still_pending(waiver, stands)
    return act(actor, Step.REJECT, comment, waiver=waiver.id, turn=Turn.CLOSES)


def withdraw(waiver: Waiver, actor: Actor, comment: str, rule: Rule, stands: Standing) -> Act:
    """Take a waiver or a request back: who made it may, and whoever may request or approve one like it."""
    if not actor.persons & waiver.first.act.persons and not (
        _may(rule.request, actor) or _may(rule.approve, actor)
    ):
        raise ForbiddenError(
            f"User {actor.username} may not withdraw {waiver.name}: {_who(waiver.first)} made it;"
            f" {_whom(rule.approve)} can as well"
        )
    if stands not in (Standing.ACTIVE, Standing.PENDING):
        raise ConflictError(f"{waiver.name} {_told(waiver, stands)}: there is nothing to withdraw")
    return act(actor, Step.WITHDRAW, comment, waiver=waiver.id, turn=Turn.CLOSES)


def expire(waiver: Waiver, via: str) -> Act:
    """Announce that a waiver has expired; it did so by itself."""
    end = waiver.terms.expires_at
    return act(
        Actor(username="ci-results", via=via),
        Step.EXPIRE,
        f"expired at {end:%Y-%m-%dT%H:%M:%SZ}",
        waiver=waiver.id,
    )


def refused(attempt: Act, err: ForbiddenError) -> Act:
    """Return an attempt as it is kept."""
    return Act(
        step=attempt.step, username=attempt.username, proxied_by=attempt.proxied_by, via=attempt.via,
        comment=attempt.comment, waiver=attempt.waiver, terms=attempt.terms, refused=str(err),
    )  # fmt: skip


def _may(people: People | None, actor: Actor) -> bool:
    return people is None or people.has(actor.username, actor.groups)


def _permit(people: People | None, actor: Actor, what: str) -> None:
    if not _may(people, actor):
        raise ForbiddenError(f"User {actor.username} may not {what}: {_whom(people)} may")


def _still_pending(waiver: Waiver, stands: Standing) -> None:
    if stands is not Standing.PENDING:
        raise ConflictError(f"{waiver.name} {_told(waiver, stands)}: there is nothing to approve or reject")


def _told(waiver: Waiver, stands: Standing) -> str:
    """Say how a waiver stands, and who saw to it: "was approved already by rm1"."""
    if stands is Standing.EXPIRED:
        return f"expired at {waiver.terms.expires_at:%Y-%m-%dT%H:%M:%SZ}"
    if stands is Standing.ACTIVE and waiver.opened is not None:
        if waiver.opened.act.step is Step.GRANT:
            return f"was granted already, by {_who(waiver.opened)}"
        return f"was approved already by {', '.join(map(_who, waiver.approvals))}"
    if waiver.closed is not None:
        return f"was {stands} by {_who(waiver.closed)}"
    return f"is {stands}"


def _who(event: WaiverEvent) -> str:
    proxy = event.act.proxied_by
    return event.act.username if proxy is None else f"{event.act.username} (through {proxy})"


def _whom(people: People | None) -> str:
    return "anybody else" if people is None else str(people)


def _approvals(rule: Rule) -> str:
    return "one approval" if rule.approvals == 1 else f"{rule.approvals} approvals"
