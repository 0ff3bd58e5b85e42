"""WaiverContract: what every store must do for waivers, as tests to inherit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ..domain.purpose import Purpose
from ..domain.waiver import Act, Standing, Step, Terms, Turn, Waiver
from ..errors import NotFoundError, StaleError
from ..query.waivers import Stage, WaiverFilter, WaiverQuery
from ..store.identity import to_us
from ..store.protocol import Store
from ..store.waivers import WaiverLog
from ..waive.chain import START, faults
from ..waive.standing import standing

TERMS = Terms(
    subject_type="koji_build", subject="bash-5.2-1.fc40", testcase="dist.rpmlint", product_version="fedora-40"
)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def grant(username: str = "dev1", **terms: Any) -> Act:
    """Return an act that begins a waiver which counts at once."""
    said = replace(TERMS, **terms)
    return Act(
        step=Step.GRANT, username=username, comment="infra", via="cli", turn=Turn.OPENS, terms=said
    )  # fmt: skip


def request(username: str = "dev1", **terms: Any) -> Act:
    """Return an act that asks for a waiver."""
    return replace(grant(username, **terms), step=Step.REQUEST, turn=None)


def step(waiver: int, kind: Step, turn: Turn | None = None, **fields: Any) -> Act:
    """Return a step on a waiver."""
    given: dict[str, Any] = {"username": "rm1", "comment": "looked at it", "via": "api"}
    return Act(step=kind, waiver=waiver, turn=turn, **(given | fields))


def any_acts(lot: random.Random, log: WaiverLog) -> list[Act]:
    """Return some acts that may be appended to `log`, of every kind."""
    begin = lot.choice((grant, request))
    said = begin(
        lot.choice(("dev1", "dev2")), subject=lot.choice(("bash-5.2-1.fc40", "zsh-5-1")),
        testcase=lot.choice(("dist.rpmlint", "dist.rpmdiff")), scenario=lot.choice((None, "uefi")),
        arch=lot.choice((None, "s390x")), purpose=lot.choice((None, Purpose("advisory", "RHSA-2026:1234"))),
        product_version=lot.choice(("fedora-40", "fedora-41")), signatures=lot.choice(((), ("1-aa", "1-bb"))),
        waived=lot.random() < 0.9, lenient=lot.random() < 0.5,
        expires_at=lot.choice((None, FAR, datetime(2026, 12, 1, tzinfo=UTC))),
    )  # fmt: skip
    acts = [said]
    if log.head().id:
        waivers = log.find(WaiverQuery(seq=10**9, now=0))
        chosen = lot.choice(waivers) if waivers else None
        if chosen is not None and chosen.closed is None:
            if chosen.opened is None:
                acts.append(
                    lot.choice(
                        (
                            step(chosen.id, Step.APPROVE, Turn.OPENS, proxied_by="bot"),
                            step(chosen.id, Step.APPROVE),
                            step(chosen.id, Step.REJECT, Turn.CLOSES),
                        )
                    )
                )
            else:
                acts.append(
                    lot.choice((step(chosen.id, Step.WITHDRAW, Turn.CLOSES), step(chosen.id, Step.EXPIRE)))
                )
        if chosen is not None and lot.random() < 0.3:
            acts.append(step(chosen.id, Step.APPROVE, username="eve", refused="User eve may not"))
    return acts


class WaiverContract:
    """Inherit, and say in `open_store` how to open a store on an empty place under `folder`."""

    def open_store(self, folder: Path) -> Store:
        """Open the store that lives under `folder`; opening again gives the same store."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = self.open_store(tmp_path)
        yield store
        store.close()

    @pytest.fixture
    def log(self, store: Store) -> WaiverLog:
        return store.waivers

    def found(self, log: WaiverLog, **asked: Any) -> list[int]:
        """Return the ids that a query asks for, long after everything was stored."""
        given: dict[str, Any] = {"seq": 10**9, "now": to_us(datetime.now(UTC))}
        return [waiver.id for waiver in log.find(WaiverQuery(**(given | asked)))]

    # -- events ------------------------------------------------------------------------------------

    @pytest.mark.demand("S-060", "S-062")
    def test_a_waiver_comes_back_as_it_was_said(self, log: WaiverLog) -> None:
        said = grant(
            scenario="uefi", arch="s390x", purpose=Purpose("advisory", "RHSA-2026:1234"), lenient=True,
            signatures=("1-aa", "1-bb"), expires_at=FAR,
        )  # fmt: skip
        said = replace(said, proxied_by="bot", comment="ž <b>\n")
        (event,) = log.append([said])
        assert (event.id, event.act) == (1, replace(said, waiver=1))
        waiver = log.waiver(1)
        assert waiver == Waiver(id=1, terms=event.act.terms or TERMS, first=event, opened=event, last=1)
        assert (waiver.name, waiver.username, waiver.proxied_by, waiver.granted_seq) == (
            "W-1", "dev1", "bot", event.seq,
        )  # fmt: skip

    @pytest.mark.demand("S-063")
    def test_the_steps_of_a_waiver_are_its_life(self, log: WaiverLog) -> None:
        log.append([request(), request("dev2")])
        log.append([step(1, Step.APPROVE)], {1: 1})
        opened = log.append([step(1, Step.APPROVE, Turn.OPENS, username="rm2")], {1: 3})
        closed = log.append([step(1, Step.WITHDRAW, Turn.CLOSES)], {1: 4})
        waiver = log.waiver(1)
        assert (waiver.approved_by, waiver.last) == (("rm1", "rm2"), 5)
        assert ([waiver.opened], [waiver.closed]) == (opened, closed)
        assert log.waiver(2).opened is None
        assert [event.act.step for event in log.of_waiver(1)] == [
            Step.REQUEST, Step.APPROVE, Step.APPROVE, Step.WITHDRAW,
        ]  # fmt: skip

    def test_what_was_refused_is_kept_and_does_nothing(self, log: WaiverLog) -> None:
        log.append([request()])
        before = log.waiver(1)
        log.append([step(1, Step.APPROVE, username="eve", refused="User eve may not approve")])
        log.append([replace(request("eve"), refused="User eve may not request")])
        assert log.waiver(1) == replace(before, last=2)
        assert [event.act.refused for event in log.events()] == [
            None, "User eve may not approve", "User eve may not request",
        ]  # fmt: skip
        assert self.found(log) == [1]
        with pytest.raises(NotFoundError):
            log.waiver(3)

    def test_several_acts_are_stored_together_or_not_at_all(self, log: WaiverLog) -> None:
        log.append([request()])
        with pytest.raises(StaleError):
            log.append([grant(), step(1, Step.APPROVE, Turn.OPENS)], {1: 7})
        assert log.head().id == 1
        events = log.append([grant(), step(1, Step.APPROVE, Turn.OPENS)], {1: 1})
        assert [(event.id, event.seq) for event in events] == [(2, events[0].seq), (3, events[0].seq)]
        assert log.of_commit(events[0].seq) == events

    def test_who_comes_second_is_told_to_read_again(self, log: WaiverLog) -> None:
        log.append([request()])
        log.append([step(1, Step.APPROVE, Turn.OPENS)], {1: 1})
        with pytest.raises(StaleError, match="W-1 has moved on since event 1"):
            log.append([step(1, Step.REJECT, Turn.CLOSES)], {1: 1})

    def test_nothing_to_append_is_no_commit(self, log: WaiverLog) -> None:
        assert log.append([]) == []
        assert (log.head(), log.seq()) == (START, 0)

    def test_an_unknown_waiver_is_not_found_and_says_what_to_do(self, log: WaiverLog) -> None:
        with pytest.raises(NotFoundError, match="no waiver W-7; see: ci-results waiver list"):
            log.waiver(7)

    def test_waivers_survive_closing_and_opening(self, tmp_path: Path) -> None:
        store = self.open_store(tmp_path)
        store.waivers.append([grant(), request()])
        before = list(store.dump()), list(store.waivers.events()), store.waivers.head()
        store.close()
        again = self.open_store(tmp_path)
        assert (list(again.dump()), list(again.waivers.events()), again.waivers.head()) == before
        assert again.check() == []
        again.close()

    # -- order -------------------------------------------------------------------------------------

    def test_each_append_is_a_commit_among_those_of_results_with_its_row_in_the_outbox(
        self, store: Store
    ) -> None:
        from .store_contract import StoreContract, result

        commit = StoreContract().commit
        first = commit(store, result("a")).seq
        (event,) = store.waivers.append([grant()])
        second = commit(store, result("b")).seq
        assert (first, event.seq, second) == (1, 2, 3)
        assert store.counts()["outbox"] == 3
        assert store.waivers.seq() == 3
        waiting = store.outbox.after(store.outbox.begin("far"), 9)
        assert [one.key for one in waiting.batch] == ["a", "b"]
        assert [position.result for position in waiting.positions] == [1, 2]
        assert store.check() == []

    def test_time_never_goes_back(self, log: WaiverLog, monkeypatch: pytest.MonkeyPatch) -> None:
        ahead = to_us(FAR)
        monkeypatch.setattr("ci_results.store.waivers._now", lambda: ahead)
        log.append([grant()])
        monkeypatch.setattr("ci_results.store.waivers._now", lambda: ahead - 60_000_000)
        (event,) = log.append([grant()])
        assert event.time == FAR

    # -- the chain ---------------------------------------------------------------------------------

    @pytest.mark.demand("S-062")
    def test_the_chain_is_sound_and_ends_with_the_head(self, log: WaiverLog) -> None:
        lot = random.Random(5)
        for _ in range(30):
            log.append(any_acts(lot, log))
        events = list(log.events())
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert list(faults(events, log.head(), {event.id: event.hash for event in events})) == []
        assert log.head() == (events[-1].id, events[-1].hash)
        assert log.silent() == 0

    def test_events_are_read_in_batches(self, log: WaiverLog, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ci_results.store.waivers.BATCH", 3)
        log.append([grant() for _ in range(8)])
        assert [event.id for event in log.events()] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert [event.id for event in log.events(after=5)] == [6, 7, 8]

    # -- questions ---------------------------------------------------------------------------------

    def test_what_counts_is_found_by_subject_and_testcase(self, log: WaiverLog) -> None:
        log.append(
            [grant(), grant(testcase="dist.rpmdiff"), grant(subject="zsh-5-1"), request(), grant("dev2")]
        )
        log.append([step(5, Step.WITHDRAW, Turn.CLOSES)], {5: 5})
        now, seq = datetime.now(UTC), log.seq()

        def active(subjects: list[str], testcases: list[str] | None = None, at: int = seq) -> list[int]:
            return [waiver.id for waiver in log.active(subjects, testcases, at, now)]

        assert active(["bash-5.2-1.fc40"]) == [2, 1]
        assert active(["bash-5.2-1.fc40", "zsh-5-1", "no"]) == [3, 2, 1]
        assert active(["bash-5.2-1.fc40"], ["dist.rpmlint", "no"]) == [1]
        assert active(["bash-5.2-1.fc40"], []) == []
        assert active(["bash-5.2-1.fc40"], ["dist.rpmlint"], at=1) == [5, 1]
        assert active(["bash-5.2-1.fc40"], at=0) == []
        assert active([]) == []

    def test_a_list_is_the_newest_first_and_filtered(self, log: WaiverLog) -> None:
        log.append([
            grant(), grant("dev2", product_version="fedora-41"), grant(scenario="uefi"),
            replace(grant(testcase="dist.rpmdiff"), proxied_by="bot"), grant(subject_type="compose"),
            grant(purpose=Purpose("advisory", "RHSA-2026:1234")), grant(arch="s390x"),
        ])  # fmt: skip

        def of(**asked: Any) -> list[int]:
            return self.found(log, filters=[WaiverFilter(**asked)])

        assert self.found(log) == [7, 6, 5, 4, 3, 2, 1]
        assert of(username="dev2") == [2]
        assert of(product_version="fedora-41") == [2]
        assert of(scenario="uefi") == [3]
        assert of(testcase="dist.rpmdiff") == of(proxied_by="bot") == [4]
        assert of(subject_type="compose", subject="bash-5.2-1.fc40") == [5]
        assert of(purpose="advisory:RHSA-2026:1234") == [6]
        assert of(subject="bash-5.2-1") == []
        assert of() == [7, 6, 5, 4, 3, 2, 1]
        assert self.found(log, plain=True) == [5, 4, 3, 2, 1]
        time = to_us(log.waiver(1).first.time)
        assert of(since=time) == of(until=time) == of(since=time, until=time) == [7, 6, 5, 4, 3, 2, 1]
        assert of(since=time + 1) == of(until=time - 1) == []

    def test_filters_are_alternatives_however_many(self, log: WaiverLog) -> None:
        log.append([grant(testcase=f"t.{n}") for n in range(250)])
        many = [WaiverFilter(testcase=f"t.{n}", subject="bash-5.2-1.fc40") for n in range(0, 250, 2)]
        assert self.found(log, filters=many) == list(range(249, 0, -2))
        assert self.found(log, filters=[*many[:2], WaiverFilter(testcase="t.1"), WaiverFilter()]) == [3, 2, 1]

    def test_a_list_is_paged_and_counted(self, log: WaiverLog) -> None:
        log.append([grant() for _ in range(7)])
        assert self.found(log, limit=3) == [7, 6, 5]
        assert self.found(log, limit=3, offset=6) == [1]
        assert self.found(log, limit=3, offset=7) == self.found(log, limit=0) == []
        query = WaiverQuery(filters=[WaiverFilter(username="dev1")], seq=10**9, now=0, limit=3)
        assert log.count(query) == 7

    @pytest.mark.demand("S-065")
    def test_what_another_made_obsolete_can_be_left_out(self, log: WaiverLog) -> None:
        log.append([
            grant(), grant("dev2"), grant(product_version="fedora-41"), grant(scenario="uefi"), grant(),
            grant(subject_type="compose"), request(), grant(testcase="dist.rpmdiff"),
        ])  # fmt: skip
        both = ("username", "product_version")
        assert self.found(log, obsolete_by=both, stage=Stage.OPENED) == [8, 6, 5, 4, 3, 2]
        assert self.found(log, obsolete_by=(), stage=Stage.OPENED) == [8, 6, 5, 4]
        one = [WaiverFilter(username="dev2")]
        assert self.found(log, obsolete_by=(), filters=one) == []
        assert self.found(log, obsolete_by=both, filters=one) == [2]

    @pytest.mark.demand("S-065", "S-067")
    def test_only_what_is_told_makes_obsolete(self, log: WaiverLog) -> None:
        bound = Purpose("advisory", "RHSA-2026:1234")
        log.append([
            grant(), grant(purpose=bound), grant(arch="s390x"),
            grant(expires_at=datetime(2020, 1, 1, tzinfo=UTC)),
            grant(testcase="dist.rpmdiff"), grant(testcase="dist.rpmdiff"),
        ])  # fmt: skip
        log.append([step(6, Step.WITHDRAW, Turn.CLOSES)], {6: 6})
        asked = {"obsolete_by": (), "plain": True}
        assert self.found(log, stage=Stage.ACTIVE, **asked) == [5, 1]
        assert self.found(log, stage=Stage.OPENED, **asked) == [6, 4]

    def test_sql_and_standing_agree_at_every_moment(self, log: WaiverLog) -> None:
        lot = random.Random(7)
        for _ in range(60):
            log.append(any_acts(lot, log))
        every = {waiver.id: waiver for waiver in log.find(WaiverQuery(seq=10**9, now=0))}
        moments = [datetime.now(UTC), datetime(2026, 12, 1, tzinfo=UTC), FAR - timedelta(microseconds=1), FAR]
        for seq in range(0, log.seq() + 1, 3):
            for now in moments:
                stands = {number: standing(waiver, seq, now) for number, waiver in every.items()}
                for stage, wanted in ((Stage.ACTIVE, Standing.ACTIVE), (Stage.PENDING, Standing.PENDING)):
                    found = self.found(log, stage=stage, seq=seq, now=to_us(now))
                    assert found == [number for number, it in stands.items() if it is wanted], (seq, now)
                active = log.active(["bash-5.2-1.fc40", "zsh-5-1"], None, seq, now)
                assert [waiver.id for waiver in active] == [
                    number for number, it in stands.items() if it is Standing.ACTIVE
                ]

    def test_the_end_of_a_waiver_is_announced_once_in_the_order_of_ends(self, log: WaiverLog) -> None:
        now = datetime.now(UTC)
        ends = [now + timedelta(hours=hours) for hours in (3, 1, 2, 1, 9)]
        log.append([
            *(grant(expires_at=end) for end in ends), request(expires_at=ends[1]), grant(expires_at=ends[1]),
        ])  # fmt: skip
        log.append([step(7, Step.WITHDRAW, Turn.CLOSES)], {7: 7})
        later = now + timedelta(hours=4)
        assert [one.id for one in log.due(now, 9)] == []
        assert [one.id for one in log.due(later, 2)] == [2, 4]
        log.append([step(2, Step.EXPIRE), step(4, Step.EXPIRE)])
        assert [one.id for one in log.due(later, 9)] == [3, 1]
        log.append([step(3, Step.EXPIRE), step(1, Step.EXPIRE)])
        assert log.due(later, 9) == []
        assert [one.id for one in log.expiring(later, later + timedelta(hours=48), 9)] == [5]

    def test_requests_that_wait_are_listed(self, log: WaiverLog) -> None:
        log.append([request(), grant(), request(), request()])
        log.append([step(3, Step.REJECT, Turn.CLOSES)], {3: 3})
        assert [one.id for one in log.pending(log.seq(), datetime.now(UTC), 9)] == [4, 1]
        assert [one.id for one in log.pending(log.seq(), datetime.now(UTC), 1)] == [4]

    def test_hostile_texts_come_back_unchanged(self, log: WaiverLog) -> None:
        texts = ["' or 1=1 --", '"}', "%", "💥", "a" * 1024, "ž" * 1024, "\\", ":x ?", "a:b"]
        for text in texts:
            log.append([grant(subject=text, testcase=text, scenario=text, purpose=Purpose("context", text))])
            (waiver,) = log.active([text], [text], log.seq(), datetime.now(UTC))
            assert (waiver.terms.subject, waiver.terms.testcase, waiver.terms.purpose) == (
                text, text, Purpose("context", text),
            )  # fmt: skip
            assert len(self.found(log, filters=[WaiverFilter(subject=text)])) == 1
