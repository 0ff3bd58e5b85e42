"""The life of a waiver: who may take which step when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ci_results.domain.waiver import Act, Standing, Step, Turn, Waiver
from ci_results.errors import ConflictError, ForbiddenError
from ci_results.waive import life
from ci_results.waive.life import Actor
from ci_results.waive.rules import People, Rule

from .making import LATER, TERMS, event, granted, requested

DEV, OTHER = People(users=frozenset({"dev1"})), People(groups=frozenset({"releng"}))
ONE = Rule(approvals=1, request=DEV, approve=OTHER)
TWO = replace(ONE, approvals=2)
OPEN = Rule()


def who(username: str, *groups: str, proxied_by: str | None = None) -> Actor:
    return Actor(username=username, groups=frozenset(groups), proxied_by=proxied_by, via="cli")


RM1, RM2, EVE = who("rm1", "releng"), who("rm2", "releng"), who("eve")
DEV1 = who("dev1")


def stepped(
    function: Any, waiver: Waiver, actor: Actor, rule: Rule = ONE, stands: Standing | None = None
) -> Act:
    found = stands or (Standing.PENDING if waiver.opened is None else Standing.ACTIVE)
    act = function(waiver, actor, "looked at it", rule, found)
    assert isinstance(act, Act)
    assert (act.waiver, act.username, act.comment, act.refused) == (
        waiver.id, actor.username, "looked at it", None,
    )  # fmt: skip
    return act


@pytest.mark.demand("S-063")
def test_a_request_does_nothing_yet_and_a_grant_opens() -> None:
    asked = life.request(TERMS, DEV1, "infra", ONE)
    assert (asked.step, asked.turn, asked.terms, asked.waiver) == (Step.REQUEST, None, TERMS, None)
    for begin in (life.request, life.grant):
        given = begin(TERMS, DEV1, "infra", OPEN)
        assert (given.step, given.turn) == (Step.GRANT, Turn.OPENS)


def test_to_grant_what_needs_approval_is_refused_and_says_who_can() -> None:
    said = "a waiver of dist.rpmlint needs one approval: request it; members of releng can approve it"
    with pytest.raises(ForbiddenError, match=said):
        life.grant(TERMS, DEV1, "infra", ONE)
    with pytest.raises(ForbiddenError, match="needs 2 approvals"):
        life.grant(TERMS, DEV1, "infra", TWO)


def test_to_say_that_something_is_not_waived_needs_no_approval() -> None:
    assert life.request(replace(TERMS, waived=False), DEV1, "c", TWO).turn is Turn.OPENS


@pytest.mark.demand("S-063")
def test_the_last_approval_that_is_needed_opens() -> None:
    asked = requested()
    assert stepped(life.approve, asked, RM1).turn is Turn.OPENS
    first = stepped(life.approve, asked, RM1, TWO)
    assert first.turn is None
    half = replace(asked, approvals=(event(2, Step.APPROVE, username="rm1"),), last=2)
    assert stepped(life.approve, half, RM2, TWO).turn is Turn.OPENS


def test_an_approval_opens_where_none_is_needed_any_more() -> None:
    assert stepped(life.approve, requested(), RM1, replace(ONE, approvals=0)).turn is Turn.OPENS


@pytest.mark.demand("S-063")
def test_nobody_approves_their_own() -> None:
    everybody = Rule(approvals=1)
    through = event(1, Step.REQUEST, terms=TERMS, username="dev1", proxied_by="bot")
    by_proxy = replace(requested(), first=through)
    for waiver, actor in (
        (requested(), DEV1),
        (requested(), who("rm1", "releng", proxied_by="dev1")),
        (by_proxy, who("bot")),
        (by_proxy, DEV1),
        (by_proxy, who("rm1", proxied_by="bot")),
    ):
        with pytest.raises(
            ForbiddenError, match=r"nobody approves their own waiver: W-1 was requested by dev1"
        ):
            stepped(life.approve, waiver, actor, everybody)


@pytest.mark.demand("S-063")
def test_nobody_approves_twice() -> None:
    half = replace(requested(), approvals=(event(2, Step.APPROVE, username="rm1", proxied_by="bot"),), last=2)
    for actor in (RM1, who("bot", "releng"), who("rm2", "releng", proxied_by="bot")):
        with pytest.raises(ConflictError, match=r"W-1 has the approval of rm1 \(through bot\): another one"):
            stepped(life.approve, half, actor, TWO)


@pytest.mark.demand("S-063")
@pytest.mark.parametrize("step", [life.approve, life.reject], ids=["approve", "reject"])
def test_who_is_no_approver_may_not(step: Any) -> None:
    with pytest.raises(
        ForbiddenError, match=r"User eve may not \w+ a waiver of dist.rpmlint: members of releng may"
    ):
        stepped(step, requested(), EVE)


def test_who_may_not_request_may_not() -> None:
    with pytest.raises(ForbiddenError, match=r"User eve may not request a waiver of dist.rpmlint: dev1 may"):
        life.request(TERMS, EVE, "c", ONE)
    with pytest.raises(ForbiddenError, match=r"User eve may not waive dist.rpmlint: dev1 may"):
        life.request(TERMS, EVE, "c", replace(ONE, approvals=0))


OPENED = replace(
    requested(), approvals=(event(2, Step.APPROVE, username="rm1"),),
    opened=event(2, Step.APPROVE, username="rm1", turn=Turn.OPENS), last=2,
)  # fmt: skip
CLOSED = replace(requested(), closed=event(2, Step.REJECT, username="rm2", turn=Turn.CLOSES), last=2)


@pytest.mark.parametrize("step", [life.approve, life.reject], ids=["approve", "reject"])
@pytest.mark.parametrize(
    ("waiver", "stands", "said"),
    [
        pytest.param(OPENED, Standing.ACTIVE, "was approved already by rm1", id="approved"),
        pytest.param(granted(), Standing.ACTIVE, "was granted already, by dev1", id="granted"),
        pytest.param(CLOSED, Standing.REJECTED, "was rejected by rm2", id="rejected"),
        pytest.param(
            requested(expires_at=LATER), Standing.EXPIRED, "expired at 2026-03-08T12:00:00Z", id="expired"
        ),
    ],
)
@pytest.mark.demand("S-063")
def test_what_is_decided_is_decided(step: Any, waiver: Waiver, stands: Standing, said: str) -> None:
    with pytest.raises(ConflictError, match=said):
        stepped(step, waiver, RM1, ONE, stands)


@pytest.mark.demand("S-063")
def test_a_rejected_request_is_closed() -> None:
    assert stepped(life.reject, requested(), RM1).turn is Turn.CLOSES


@pytest.mark.demand("S-065")
@pytest.mark.parametrize(
    "actor",
    [
        pytest.param(DEV1, id="who made it"),
        pytest.param(RM1, id="an approver"),
        pytest.param(who("dev1", proxied_by="bot"), id="who made it, through a bot"),
    ],
)
@pytest.mark.parametrize("waiver", [requested(), OPENED], ids=["a request", "a waiver"])
def test_a_waiver_is_taken_back_by_its_author_or_another_who_may(actor: Actor, waiver: Waiver) -> None:
    assert stepped(life.withdraw, waiver, actor).turn is Turn.CLOSES


def test_a_stranger_takes_nothing_back() -> None:
    with pytest.raises(ForbiddenError, match="User eve may not withdraw W-1: dev1 made it"):
        stepped(life.withdraw, OPENED, EVE)


def test_what_has_ended_is_not_taken_back() -> None:
    with pytest.raises(ConflictError, match="W-1 was rejected by rm2: there is nothing to withdraw"):
        stepped(life.withdraw, CLOSED, DEV1, ONE, Standing.REJECTED)


def test_an_attempt_is_kept_with_its_reason_and_does_nothing() -> None:
    attempt = life.act(EVE, Step.APPROVE, "let me", waiver=1)
    kept = life.refused(attempt, ForbiddenError("no"))
    assert kept == replace(attempt, refused="no")
    assert kept.turn is None
