"""Who says that something is not waived ends the waivers that say it is, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ci_results.domain.purpose import Purpose
from ci_results.domain.waiver import Standing, Step, Terms
from ci_results.errors import ForbiddenError, InvalidError, StaleError
from ci_results.operations.audit import verify
from ci_results.operations.waive import Desk, Wish, grant, request, request_each
from ci_results.store.sqlite import SqliteStore
from ci_results.waive.life import Actor
from ci_results.waive.rules import People, Rule, Rules

TERMS = Terms(subject_type="koji_build", subject="bash-5-1", testcase="slow.x", product_version="fedora-40")
RULES = Rules(
    rules=(
        Rule(testcases=("slow.*",), approvals=1),
        Rule(testcases=("ours.*",), request=People(users=frozenset({"dev1"}))),
    )
)
DEV, OTHER = Actor(username="dev1", via="cli"), Actor(username="dev2", via="cli")
BACK = Wish(terms=replace(TERMS, waived=False), comment="a real regression")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with SqliteStore.open(tmp_path / "results.db") as store:
        yield Desk(store=store, rules=RULES)


@pytest.mark.demand("S-065")
def test_it_ends_requests_that_wait_too_in_the_same_commit(desk: Desk) -> None:
    (waits,) = request(desk, [Wish(terms=TERMS, comment="infra")], DEV)
    (back,) = request(desk, [BACK], OTHER)
    (ended,) = desk.store.waivers.these([waits.id])
    assert desk.standing(ended) is Standing.WITHDRAWN
    assert ended.closed is not None
    assert (ended.closed.act.username, ended.closed.act.comment) == ("dev2", "a real regression")
    assert ended.closed.seq == back.first.seq
    assert not verify(desk.store.waivers, {}).problems


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "bash-5-2"},
        {"testcase": "free.x"},
        {"scenario": "uefi"},
        {"arch": "s390x"},
        {"product_version": "fedora-41"},
        {"purpose": Purpose("advisory", "RHSA-2026:1234")},
        {"subject_type": "compose"},
    ],
    ids=str,
)
def test_what_is_about_something_else_goes_on(desk: Desk, other: dict[str, object]) -> None:
    free = replace(TERMS, testcase="free.y")
    (one,) = grant(desk, [Wish(terms=replace(free, **other), comment="infra")], DEV)  # type: ignore[arg-type]
    request(desk, [Wish(terms=replace(free, waived=False), comment="no")], OTHER)
    assert desk.standing(desk.store.waivers.waiver(one.id)) is Standing.ACTIVE


def test_who_may_not_waive_takes_nothing_back(desk: Desk) -> None:
    terms = replace(TERMS, testcase="ours.x")
    (one,) = grant(desk, [Wish(terms=terms, comment="infra")], DEV)
    with pytest.raises(ForbiddenError):
        request(desk, [Wish(terms=replace(terms, waived=False), comment="no")], OTHER)
    assert desk.standing(desk.store.waivers.waiver(one.id)) is Standing.ACTIVE


def test_one_request_does_not_say_both(desk: Desk) -> None:
    free = replace(TERMS, testcase="free.y")
    yes, no = Wish(terms=free, comment="yes"), Wish(terms=replace(free, waived=False), comment="no")
    with pytest.raises(InvalidError, match="ask for one"):
        request_each(desk, [(yes, DEV), (no, OTHER)])
    assert desk.store.waivers.head().id == 0
    made = request_each(desk, [(no, DEV), (no, OTHER), (yes, OTHER)])
    assert [waiver.username for waiver in made] == ["dev1", "dev2", "dev2"]


def test_a_waiver_that_moves_on_meanwhile_is_looked_at_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = grant(desk, [Wish(terms=replace(TERMS, testcase="free.y"), comment="infra")], DEV)
    log, stale = desk.store.waivers, ["once"]
    append = log.append

    def interrupted(acts: object, seen: object = None) -> object:
        if stale:
            raise StaleError(stale.pop())
        return append(acts, seen)  # type: ignore[arg-type]

    monkeypatch.setattr(log, "append", interrupted)
    request(desk, [Wish(terms=replace(one.terms, waived=False), comment="no")], OTHER)
    assert desk.standing(log.waiver(one.id)) is Standing.WITHDRAWN
    assert [event.act.step for event in log.of_waiver(one.id)] == [Step.GRANT, Step.WITHDRAW]
