"""Whatever people do to waivers: nothing counts outside its scope, purpose or time."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ci_results.domain.purpose import Purpose
from ci_results.domain.waiver import Standing, Step, Terms
from ci_results.errors import ConflictError, ForbiddenError, InvalidError
from ci_results.operations import waive
from ci_results.operations.audit import verify
from ci_results.operations.waive import Desk, Wish
from ci_results.query.waivers import Stage, WaiverQuery
from ci_results.store.identity import to_us
from ci_results.store.sqlite import SqliteStore
from ci_results.waive.covers import Setting, Target, covers
from ci_results.waive.life import Actor
from ci_results.waive.rules import People, Rule, Rules

USERS = ("rm1", "dev1", "rm2", "rm1", "dev1", "rm2", "dev2", "bot")
"""Few of them often, so that they meet."""
RULES = Rules(
    rules=(
        Rule(testcases=("free.*",), max_days=10),
        Rule(testcases=("one.*",), approvals=1, approve=People(users=frozenset({"rm1", "rm2"}))),
        Rule(testcases=("two.*",), approvals=2, request=People(users=frozenset({"dev1", "rm1"}))),
    ),
    superusers=frozenset({"bot"}),
)
TESTCASES = ("free.a", "one.a", "two.a")
PURPOSES = (None, Purpose("advisory", "RHSA-2026:1234"), Purpose("product", "fedora-40"))

users = st.builds(
    Actor, username=st.sampled_from(USERS),
    proxied_by=st.sampled_from((None, None, None, None, "bot", "bot", "dev1")),
    via=st.just("cli"),
)  # fmt: skip
terms = st.builds(
    Terms, subject_type=st.just("koji_build"), subject=st.sampled_from(("bash-1-1", "bash-1-2")),
    testcase=st.sampled_from(TESTCASES), product_version=st.sampled_from(("fedora-40", "fedora-41")),
    scenario=st.sampled_from((None, "uefi")), arch=st.sampled_from((None, "s390x")),
    purpose=st.sampled_from(PURPOSES), waived=st.sampled_from((True, True, True, False)),
)  # fmt: skip
targets = st.builds(
    Target, subject_type=st.just("koji_build"), subject=st.sampled_from(("bash-1-1", "bash-1-2")),
    testcase=st.sampled_from(TESTCASES), scenario=st.sampled_from((None, "uefi", "bios")),
    arch=st.sampled_from((None, "s390x", "x86_64")), outcome=st.sampled_from((None, "FAILED", "RUNNING")),
)  # fmt: skip


class Lives(RuleBasedStateMachine):
    """People ask, decide and take back, the clock goes on; the invariants look at everything."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = SqliteStore.open(Path(self.folder.name) / "results.db")
        self.late = timedelta()
        self.desk = Desk(store=self.store, rules=RULES, now=self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.late

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(actor=users, said=terms, hours=st.sampled_from((None, 1, 48, 24 * 30)))
    def ask(self, actor: Actor, said: Terms, hours: int | None) -> None:
        end = None if hours is None else self.now() + timedelta(hours=hours)
        wish = Wish(terms=Terms(**{**_fields(said), "expires_at": end}), comment="why")
        with suppress(ForbiddenError, InvalidError):
            waive.request(self.desk, [wish], actor)

    @rule(
        step=st.sampled_from((waive.approve, waive.approve, waive.reject, waive.withdraw)),
        actor=users, which=st.sampled_from((0, 0, 0, 1, 2, 9)),
    )  # fmt: skip
    def decide(self, step: object, actor: Actor, which: int) -> None:
        waivers = self.every()
        if waivers:
            with suppress(ForbiddenError, ConflictError):
                step(self.desk, waivers[which % len(waivers)].id, actor, "because")  # type: ignore[operator]

    @rule(actors=st.lists(users, min_size=2, max_size=4))
    def approve_the_newest(self, actors: list[Actor]) -> None:
        for actor in actors:
            self.decide(waive.approve, actor, 0)

    @rule(hours=st.integers(1, 40))
    def wait(self, hours: int) -> None:
        self.late += timedelta(hours=hours)

    @rule()
    def announce(self) -> None:
        waive.announce_expired(self.desk)

    def every(self) -> list:  # type: ignore[type-arg]
        return self.store.waivers.find(WaiverQuery(seq=10**9, now=0))

    @rule(at=targets, version=st.sampled_from(("fedora-40", "fedora-41")), purposes=st.sets(
        st.sampled_from([one for one in PURPOSES if one]), max_size=2
    ))  # fmt: skip
    def nothing_counts_outside_its_scope_purpose_or_time(
        self, at: Target, version: str, purposes: set[Purpose]
    ) -> None:
        seq, now = self.store.waivers.seq(), self.now()
        setting = Setting(product_version=version, purposes=frozenset(purposes), seq=seq, now=now)
        for waiver in self.every():
            said = waiver.terms
            counts = (
                (said.subject, said.testcase) == (at.subject, at.testcase)
                and said.scenario in (None, at.scenario)
                and said.arch in (None, at.arch)
                and said.product_version == version
                and said.purpose in (None, Purpose("product", version), *purposes)
                and said.waived
                and waiver.opened is not None
                and waiver.closed is None
                and (said.expires_at is None or now < said.expires_at)
                and at.outcome != "RUNNING"
            )
            assert covers(waiver, at, setting).covered is counts

    @invariant()
    def a_waiver_counts_with_its_approvals_by_others_alone(self) -> None:
        for waiver in self.every():
            needed = RULES.of(waiver.terms.testcase).approvals if waiver.terms.waived else 0
            if waiver.opened is None:
                assert len(waiver.approvals) < needed
                continue
            assert len(waiver.approvals) == needed
            persons = [waiver.first.act.persons, *(event.act.persons for event in waiver.approvals)]
            assert len(frozenset().union(*persons)) == sum(map(len, persons)), (
                "one person had two hands in it"
            )
            if waiver.terms.testcase == "one.a" and needed:
                assert set(waiver.approved_by) <= {"rm1", "rm2"}
            assert waiver.terms.testcase != "two.a" or waiver.username in ("dev1", "rm1")

    @invariant()
    def each_step_has_its_comment_and_the_chain_is_whole(self) -> None:
        assert verify(self.store.waivers, {}).problems == ()
        for event in self.store.waivers.events():
            assert event.act.comment
            assert event.act.proxied_by in (None, "bot") or event.act.refused
            assert not (event.act.refused and event.act.turn)
            assert event.act.step is not Step.EXPIRE or event.act.turn is None

    @invariant()
    def sql_says_what_standing_says(self) -> None:
        seq, now = self.store.waivers.seq(), self.now()
        for stage, stands in ((Stage.ACTIVE, Standing.ACTIVE), (Stage.PENDING, Standing.PENDING)):
            found = self.store.waivers.find(WaiverQuery(stage=stage, seq=seq, now=to_us(now)))
            assert all(self.desk.standing(one) is stands for one in found)
            missed = {one.id for one in self.every()} - {one.id for one in found}
            assert all(self.desk.standing(self.store.waivers.waiver(one)) is not stands for one in missed)


def _fields(said: Terms) -> dict[str, object]:
    return {name: getattr(said, name) for name in Terms.__slots__}


@pytest.mark.demand("S-063", "S-066", "S-067", "S-069")
@pytest.mark.timeout(120)
def test_waivers_live_by_the_rules_whatever_people_do() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=100, stateful_step_count=30, deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )  # fmt: skip
