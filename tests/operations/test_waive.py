"""Waive: ask, decide, take back, on a store; what may not be is kept as an attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.domain.asked import Request
from ci_results.domain.page import Page
from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Act, Standing, Step, Terms, Turn, Waiver
from ci_results.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from ci_results.operations import waive
from ci_results.operations.audit import export, read_published, verify
from ci_results.operations.gate import Gate, decide
from ci_results.operations.waive import Desk, Wish
from ci_results.query.waivers import WaiverFilter, WaiverQuery
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import NOON, result
from ci_results.waive.covers import NO_FAILURE, NO_TEXT
from ci_results.waive.life import Actor
from ci_results.waive.rules import People, Rule, Rules

TERMS = Terms(
    subject_type="koji_build", subject="bash-5.2-1.fc40", testcase="ns.case", product_version="fedora-40"
)
RULES = Rules(
    rules=(Rule(approvals=1, approve=People(users=frozenset({"rm1", "rm2"}))),),
    superusers=frozenset({"bot"}),
)


def who(username: str, proxied_by: str | None = None) -> Actor:
    return Actor(username=username, proxied_by=proxied_by, via="cli")


DEV1, RM1, RM2, EVE = who("dev1"), who("rm1"), who("rm2"), who("eve")


@pytest.fixture
def desk(store: SqliteStore) -> Desk:
    return Desk(store=store, rules=RULES)


def failed(desk: Desk, key: str = "k1", note: str | None = "assert 1 == 2", **fields: Any) -> None:
    """Store a result that failed."""
    one = result(key, note=note, **({"outcome": "failed"} | fields))
    desk.store.commit_page(Page(source="ci", results=[one]))


def asked(desk: Desk, actor: Actor = DEV1, comment: str = "infra 4711", **terms: Any) -> Waiver:
    (found,) = waive.request(desk, [Wish(terms=replace(TERMS, **terms), comment=comment)], actor)
    return found


def attempts(desk: Desk) -> list[tuple[str, str | None, str]]:
    """Return who was refused what."""
    return [
        (event.act.username, event.act.proxied_by, str(event.act.step))
        for event in desk.store.waivers.events()
        if event.act.refused
    ]


# -- asking ----------------------------------------------------------------------------------------


@pytest.mark.demand("S-060", "S-061", "S-063")
def test_a_waiver_goes_from_request_to_approval_and_changes_no_result(desk: Desk) -> None:
    failed(desk)
    before = desk.store.result(1)
    waiver = asked(desk)
    assert desk.standing(waiver) is Standing.PENDING
    opened = waive.approve(desk, waiver.id, RM1, "flaky, bug 4711")
    assert (desk.standing(opened), opened.approved_by, opened.terms.signatures) == (
        Standing.ACTIVE, ("rm1",), (before.signature,),
    )  # fmt: skip
    assert desk.store.result(1) == before
    assert verify(desk.store.waivers, {}).problems == ()
    assert desk.store.check() == []


@pytest.mark.demand("S-063")
@pytest.mark.parametrize("step", [waive.approve, waive.reject], ids=["approve", "reject"])
def test_who_may_not_is_refused_and_the_attempt_is_kept(
    desk: Desk, step: Callable[[Desk, int, Actor, str], Waiver]
) -> None:
    waiver = asked(desk)
    with pytest.raises(ForbiddenError, match="User eve may not"):
        step(desk, waiver.id, EVE, "let me")
    assert attempts(desk) == [("eve", None, step.__name__)]
    assert desk.standing(desk.store.waivers.waiver(waiver.id)) is Standing.PENDING


@pytest.mark.demand("S-063")
def test_nobody_approves_their_own_not_even_through_somebody(desk: Desk) -> None:
    mine = asked(desk, RM1)
    for actor in (RM1, who("rm1", "bot")):
        with pytest.raises(ForbiddenError, match="nobody approves their own"):
            waive.approve(desk, mine.id, actor, "fine")
    through = asked(desk, who("dev1", "bot"))
    with pytest.raises(ForbiddenError, match="nobody approves their own"):
        waive.approve(desk, through.id, who("rm1", "bot"), "fine")
    assert len(attempts(desk)) == 3


def test_only_superusers_act_in_the_name_of_others(desk: Desk) -> None:
    with pytest.raises(ForbiddenError, match="user eve does not have the proxyuser ability"):
        asked(desk, who("dev1", "eve"))
    assert attempts(desk) == [("dev1", "eve", "request")]
    waiver = asked(desk, who("dev1", "bot"))
    assert (waiver.username, waiver.proxied_by) == ("dev1", "bot")


def test_a_request_that_is_refused_is_kept_with_what_was_asked(desk: Desk) -> None:
    rules = Rules(rules=(Rule(request=People(users=frozenset({"dev1"}))),))
    with pytest.raises(ForbiddenError, match=r"User eve may not waive ns\.case: dev1 may"):
        asked(replace(desk, rules=rules), EVE)
    (event,) = desk.store.waivers.events()
    assert (event.act.waiver, event.act.terms) == (None, TERMS)
    assert desk.store.waivers.find(WaiverQuery(seq=9, now=0)) == []


def test_several_waivers_are_asked_for_together_or_not_at_all(desk: Desk) -> None:
    wishes = [Wish(terms=replace(TERMS, testcase=f"t.{n}"), comment="side tag") for n in range(3)]
    found = waive.request(desk, wishes, DEV1)
    assert [one.terms.testcase for one in found] == ["t.0", "t.1", "t.2"]
    assert len({one.first.seq for one in found}) == 1
    with pytest.raises(InvalidError):
        waive.request(desk, [*wishes, Wish(terms=replace(TERMS, subject=""), comment="x")], DEV1)
    assert desk.store.waivers.head().id == 3


@pytest.mark.demand("S-064")
def test_every_step_needs_a_comment(desk: Desk) -> None:
    waiver = asked(desk)
    with pytest.raises(InvalidError, match="say why"):
        asked(desk, comment=" ")
    for step in (waive.approve, waive.reject, waive.withdraw):
        with pytest.raises(InvalidError, match="say why"):
            step(desk, waiver.id, RM1, "\n")
    assert waive.request(desk, [Wish(terms=TERMS, comment=" ")], DEV1, as_peer=True)[0].comment == " "


@pytest.mark.parametrize("name", ["", " ", "a\0", "\x1b[2J", "x" * 256])
def test_nobody_is_called_so(desk: Desk, name: str) -> None:
    for actor in (who(name), who("dev1", name)):
        with pytest.raises(InvalidError, match="not the name of a user"):
            asked(desk, actor)
    assert desk.store.waivers.head().id == 0


# -- deciding --------------------------------------------------------------------------------------


@pytest.mark.demand("S-063")
def test_the_second_of_two_approvers_learns_who_was_first(desk: Desk) -> None:
    waiver = asked(desk)
    waive.approve(desk, waiver.id, RM1, "fine")
    with pytest.raises(ConflictError, match="W-1 was approved already by rm1"):
        waive.approve(desk, waiver.id, RM2, "fine")
    assert attempts(desk) == []


@pytest.mark.demand("S-063")
def test_who_decides_while_another_does_decides_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    waiver = asked(desk)
    log = desk.store.waivers
    append = log.append

    def overtaken(acts: list[Act], seen: dict[int, int] | None = None) -> Any:
        monkeypatch.setattr(log, "append", append)
        append([Act(step=Step.REJECT, username="rm2", comment="no", via="api", waiver=1, turn=Turn.CLOSES)])
        return append(acts, seen)

    monkeypatch.setattr(log, "append", overtaken)
    with pytest.raises(ConflictError, match="W-1 was rejected by rm2"):
        waive.approve(desk, waiver.id, RM1, "fine")
    assert log.waiver(1).opened is None


@pytest.mark.demand("S-065")
def test_another_takes_a_waiver_back(desk: Desk) -> None:
    waiver = asked(desk)
    waive.approve(desk, waiver.id, RM1, "fine")
    withdrawn = waive.withdraw(desk, waiver.id, RM2, "a real regression")
    assert desk.standing(withdrawn) is Standing.WITHDRAWN
    assert withdrawn.closed is not None
    assert withdrawn.closed.act.username == "rm2"


def test_a_waiver_that_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="ci-results waiver list"):
        waive.approve(desk, 7, RM1, "fine")


def test_an_approval_after_the_failure_changed_needs_another_look(desk: Desk) -> None:
    failed(desk)
    waiver = asked(desk)
    failed(desk, note="segmentation fault", time=NOON + timedelta(hours=1))
    with pytest.raises(ConflictError, match="the failure changed since W-1 was requested; look at it with"):
        waive.approve(desk, waiver.id, RM1, "fine")
    assert waive.approve(desk, waiver.id, RM1, "fine", anyway=True).opened is not None


# -- what it covers --------------------------------------------------------------------------------


def test_a_preview_says_what_a_waiver_meets(desk: Desk) -> None:
    failed(desk, "a", arch="x86_64")
    failed(desk, "b", arch="s390x", outcome="passed", note=None)
    failed(desk, "c", arch="aarch64", outcome="running", note=None)
    failed(desk, "d", item="bash-5.2-2.fc40", run=None)
    failed(desk, "e", testcase="ns.other", run=None)
    met = waive.preview(desk, TERMS)
    assert [one.key for one in met.waived] == ["a"]
    assert [one.key for one in met.good] == ["b"]
    assert [one.key for one in met.unfinished] == ["c"]
    assert waive.preview(desk, replace(TERMS, arch="s390x")).waived == ()
    assert desk.store.waivers.head().id == 0


@pytest.mark.parametrize("kind", ["brew-build", "koji_build"])
def test_builds_are_the_same_by_any_name_of_their_type(desk: Desk, kind: str) -> None:
    failed(desk, item_type="brew-build")
    assert len(waive.preview(desk, replace(TERMS, subject_type=kind)).waived) == 1
    assert waive.preview(desk, replace(TERMS, subject_type="compose")).waived == ()


@pytest.mark.demand("S-066")
def test_a_test_that_is_not_done_is_not_waived_unless_the_rule_says_so(desk: Desk) -> None:
    failed(desk, outcome="running", note=None)
    with pytest.raises(InvalidError, match=r"ns\.case is RUNNING for .*: wait for its result"):
        asked(desk)
    assert asked(replace(desk, rules=Rules(rules=(Rule(unfinished=True),)))).opened is not None


def test_a_broad_waiver_has_to_say_so(desk: Desk) -> None:
    failed(desk, "a", arch="x86_64", note="one")
    failed(desk, "b", arch="s390x", note="two")
    with pytest.raises(
        InvalidError, match=r"would waive 2 failures \(FAILED s390x, FAILED x86_64\).*--broad"
    ):
        asked(desk)
    assert len(asked(desk, arch="s390x").terms.signatures) == 1
    (broad,) = waive.request(desk, [Wish(terms=TERMS, comment="all of it", broad=True)], DEV1)
    assert len(broad.terms.signatures) == 2


def test_the_peers_waivers_are_lenient_and_broad_unless_configured(desk: Desk) -> None:
    failed(desk, "a", arch="x86_64")
    failed(desk, "b", arch="s390x")
    wish = Wish(terms=TERMS, comment="x")
    assert waive.request(desk, [wish], DEV1, as_peer=True)[0].terms.lenient
    strict = replace(desk, rules=replace(RULES, peers_lenient=False))
    assert not waive.request(strict, [wish], DEV1, as_peer=True)[0].terms.lenient


def test_a_rule_may_make_waivers_lenient(desk: Desk) -> None:
    failed(desk)
    assert asked(replace(desk, rules=Rules(rules=(Rule(lenient=True),)))).terms.lenient
    assert not asked(desk).terms.lenient


# -- inbox and ends --------------------------------------------------------------------------------


def test_the_inbox_has_what_waits_for_somebody(desk: Desk) -> None:
    failed(desk)
    now = datetime.now(UTC)
    free = replace(desk, rules=Rules())
    waiting = asked(desk)
    soon = asked(free, testcase="t.soon", expires_at=now + timedelta(hours=1))
    asked(free, testcase="t.later", expires_at=now + timedelta(days=9))
    changed = asked(free)
    asked(free, lenient=True)
    failed(desk, note="segmentation fault", time=NOON + timedelta(hours=1))
    found = waive.inbox(desk)
    assert [one.id for one in found.pending] == [waiting.id]
    assert [one.id for one in found.expiring] == [soon.id]
    assert [one.id for one in found.suspended] == [changed.id]


def test_an_end_is_announced_once_and_changes_nothing(desk: Desk) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    free = replace(desk, rules=Rules())
    waiver = asked(free, expires_at=end)
    assert waive.announce_expired(free) == []
    late = replace(free, now=lambda: end)
    assert late.standing(waiver) is Standing.EXPIRED  # not announced so far
    assert [one.id for one in waive.announce_expired(late)] == [waiver.id]
    assert waive.announce_expired(late) == []
    after = desk.store.waivers.waiver(waiver.id)
    assert replace(after, last=waiver.last) == waiver
    with pytest.raises(ConflictError, match="expired at"):
        waive.withdraw(late, waiver.id, RM1, "too late")


# -- audit -----------------------------------------------------------------------------------------


@pytest.mark.demand("S-062")
def test_an_export_shows_later_that_nothing_was_changed_or_cut(desk: Desk) -> None:
    asked(desk)
    lines = list(export(desk.store.waivers))
    published = read_published(lines, "waivers.jsonl")
    waive.approve(desk, 1, RM1, "fine")
    assert verify(desk.store.waivers, published).problems == ()
    other = {1: "f" * 64, 9: "e" * 64}
    assert verify(desk.store.waivers, other).problems == (
        "waiver event 1 is not the one that was published with that number",
        "waiver event 9 was published, the chain ends with 2: events are cut off",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "x, line 1: no JSON"),
        (b"[1]", "no object with id and hash"),
        (b'{"id": true, "hash": ""}', "no object with id and hash"),
        (b'{"id": 1, "hash": "a"}\n{"id": 1, "hash": "b"}', "x, line 2: event 1 has two hashes"),
    ],
)
def test_an_export_that_is_none_is_told_by_its_line(line: bytes, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        read_published(line.splitlines(), "x")


def test_waivers_of_a_subject_are_found(desk: Desk) -> None:
    waiver = asked(desk)
    query = WaiverQuery(filters=[WaiverFilter(subject=TERMS.subject)], seq=9, now=0)
    assert desk.store.waivers.find(query) == [waiver]


@pytest.mark.demand("S-062")
def test_an_export_is_checked_as_the_document_says(desk: Desk) -> None:
    said = 'ž "quoted" \\ \n </script> \x7f \u2028 💥'
    asked(desk, comment=said, expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    waive.approve(desk, 1, RM1, "fine")
    document = (Path(__file__).parents[2] / "docs" / "waivers.md").read_text(encoding="utf-8")
    told: dict[str, Any] = {}
    exec(document.split("```python\n")[1].split("```")[0], told)  # noqa: S102 (of our own documentation)
    lines = [line.decode() for line in export(desk.store.waivers)]
    told["check"](lines)
    with pytest.raises(AssertionError, match="1"):
        told["check"]([lines[0].replace("quoted", "Quoted"), lines[1]])


# -- a waiver and a decision see the same results ----------------------------------------------------

OPEN = Rules()
NVR = {"original_spec_nvr": (TERMS.subject,)}


PASSING = "!PassingTestCaseRule {test_case_name: ns.case}"


def passes(desk: Desk, rule: str = PASSING) -> str:
    """Return what is decided, and why the newest waiver does not count."""
    text = (
        "id: p\nproduct_versions: [fedora-40]\ndecision_context: push\nsubject_type: koji_build\n"
        f"rules: [{rule}]\n"
    )
    policies = load([("p.yaml", text.encode())], {kind.name: kind for kind in RULE_TYPES})
    request = Request(
        subjects=(Subject(TERMS.subject_type, TERMS.subject),),
        product_version="fedora-40",
        contexts=("push",),
    )
    made = decide(Gate(store=desk.store, policies=policies), request)
    why = [why for each in made.requirements for _waiver, why in each.refused]
    return f"{made.verdict} {' | '.join(why)}".strip()


@pytest.mark.demand("S-066")
def test_results_under_another_name_of_the_subject_are_its_results(store: SqliteStore) -> None:
    desk = Desk(store=store, rules=OPEN)
    elsewhere: dict[str, Any] = {"item": "bash-libs-5.2-1.fc40", "item_type": "rpm", "data": NVR}
    failed(desk, "k1", **elsewhere, outcome="running", note=None)
    with pytest.raises(InvalidError, match=r"RUNNING for bash.*: wait for its result"):
        asked(desk)
    failed(desk, "k1", **elsewhere)
    given = asked(desk)
    assert given.terms.signatures == (store.result(2).signature,)
    assert passes(desk) == "go"
    failed(desk, "k2", note="segfault", **elsewhere)
    assert passes(desk) == "no-go W-1 is suspended: the failure changed since it was given"


@pytest.mark.demand("S-077")
def test_failures_of_several_variants_are_waived_together(store: SqliteStore) -> None:
    desk = Desk(store=store, rules=OPEN)
    for number, (variant, note) in enumerate((("Client", "alpha"), ("Server", "beta"))):
        failed(desk, f"k{number}", note=note, data={"system_variant": (variant,)})
    assert len(waive.preview(desk, TERMS).waived) == 2
    asked(desk)  # no option tells them apart, so it is not broad
    assert passes(desk) == "go"


def test_a_waiver_of_what_has_not_failed_is_suspended_when_it_does(store: SqliteStore) -> None:
    desk = Desk(store=store, rules=OPEN)
    given = asked(desk)
    assert given.terms.signatures == (NO_FAILURE,)
    assert passes(desk) == "go"
    failed(desk)
    assert passes(desk) == (
        "no-go W-1 is suspended: it was given when nothing had failed, and the result is FAILED now"
    )
    asked(desk, lenient=True)
    assert passes(desk) == "go"


def test_a_rate_that_is_too_low_is_waived_though_the_last_result_passed(store: SqliteStore) -> None:
    desk = Desk(store=store, rules=OPEN)
    for hour, outcome in enumerate(("failed", "passed")):
        time = NOON + timedelta(hours=hour)
        failed(desk, f"k{hour}", outcome=outcome, note=None, time=time, run=None)
    rate = "!PassRateRule {testcase: ns.case, rate: 1, last: 2}"
    assert passes(desk, rate) == "no-go"
    assert asked(desk).terms.signatures == (NO_FAILURE,)
    assert passes(desk, rate) == "go"


def test_a_failure_without_a_text_is_another_one_than_one_with_a_text(store: SqliteStore) -> None:
    desk = Desk(store=store, rules=OPEN)
    failed(desk, note=None)
    assert asked(desk).terms.signatures == (NO_TEXT,)
    failed(desk, "k2", note=None)
    assert passes(desk) == "go"
    failed(desk, "k3", note="segfault")
    assert passes(desk) == "no-go W-1 is suspended: the failure changed since, and has a text now"


def test_a_waiver_is_kept_under_the_type_s_own_name(store: SqliteStore) -> None:
    desk = Desk(store=store, rules=OPEN)
    failed(desk)
    assert asked(desk, subject_type="brew-build").terms.subject_type == "koji_build"
    assert passes(desk) == "go"
