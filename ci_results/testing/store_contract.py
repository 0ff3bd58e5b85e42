"""StoreContract: what every store must do, as tests to inherit; each rule is a method named as the rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ..domain.garbled import Garbled
from ..domain.group import Group
from ..domain.job import Job
from ..domain.observation import Observation
from ..domain.page import Committed, Page
from ..domain.result import Result
from ..domain.run import Run
from ..domain.search import Attribute, Order, Search
from ..domain.stored import SourceState
from ..domain.testcase import Testcase
from ..errors import BusyError, NotFoundError, StaleError, StoreError
from ..normalise.normaliser import Normaliser
from ..normalise.signature import signature
from ..query.results import ResultQuery
from ..store.protocol import Store
from .bus_rules import BusRules
from .change_rules import ChangeRules
from .component_rules import ComponentRules
from .decision_rules import EventRules
from .moment_rules import MomentRules
from .newest_rules import NewestRules
from .plan_rules import PlanRules
from .select_rules import SelectRules

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_WORDS = {word: word.upper() for word in ("passed", "failed", "running", "info", "error")}


def result(key: str = "k1", *, source: str = "ci", **fields: Any) -> Result:
    """Return a result of `source`, normalised from an observation with these fields changed."""
    given: dict[str, Any] = {
        "testcase": "ns.case",
        "outcome": "passed",
        "item": "bash-5.2-1.fc40",
        "item_type": "koji_build",
        "time": NOON,
        "run": Run(key="job#1", data={"job": "job"}),
    }
    return Normaliser(source, _WORDS)(Observation(key=key, **(given | fields)))


class StoreContract(
    BusRules, ChangeRules, ComponentRules, EventRules, MomentRules, NewestRules, PlanRules, SelectRules
):
    """Inherit, and say in `open_store` how to open a store on an empty place under `folder`.

    file_backups  whether `backup` writes a file; a store that does not says what to use instead
    """

    file_backups = True

    def open_store(self, folder: Path) -> Store:
        """Open the store that lives under `folder`; opening again gives the same store."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = self.open_store(tmp_path)
        yield store
        store.close()

    def commit(self, store: Store, *results: Result, **fields: Any) -> Committed:
        """Commit a page of these results."""
        return store.commit_page(
            Page(source=results[0].source if results else "ci", results=results, **fields)
        )

    # -- results ---------------------------------------------------------------------------------

    @pytest.mark.demand("S-021", "S-041")
    def test_a_result_comes_back_as_it_was_stored(self, store: Store) -> None:
        given = result(
            note="ž\n<b>", duration_s=1.5, ref_url="https://ci.example/1", scenario="uefi", arch="x86_64",
            data={"tier": ("1", "2")}, parent="build",
        )  # fmt: skip
        assert self.commit(store, given).stored == 1
        (found,) = store.results(ResultQuery())
        assert (found.testcase, found.outcome, found.item, found.item_type) == (
            "ns.case", "PASSED", "bash-5.2-1.fc40", "koji_build",
        )  # fmt: skip
        assert (found.note, found.duration_s, found.ref_url) == ("ž\n<b>", 1.5, "https://ci.example/1")
        assert (found.scenario, found.arch, found.source, found.run, found.key) == (
            "uefi",
            "x86_64",
            "ci",
            "job#1",
            "k1",
        )
        assert found.time == NOON
        assert found.data == {
            "job": ["job"], "tier": ["1", "2"], "parent": ["build"], "item": ["bash-5.2-1.fc40"],
            "type": ["koji_build"], "scenario": ["uefi"], "arch": ["x86_64"],
        }  # fmt: skip
        assert store.result(found.id) == found

    def test_a_failure_that_has_a_text_has_a_signature(self, store: Store) -> None:
        given = [
            ("a", "failed", "boom at 12:00"), ("b", "failed", "boom at 13:30"),
            ("c", "error", "boom at 12:00"),
            ("d", "failed", None), ("e", "passed", "boom"), ("f", "running", "boom"), ("g", "info", "boom"),
        ]  # fmt: skip
        self.commit(store, *(result(key, outcome=word, note=note) for key, word, note in given))
        found = {one.key: one.signature for one in store.results(ResultQuery())}
        assert found["a"] == found["b"] == signature("FAILED", "boom at 12:00")
        assert found["c"] == signature("ERROR", "boom at 12:00")
        assert {found[key] for key in "defg"} == {None}

    def test_a_result_survives_closing_and_opening(self, tmp_path: Path) -> None:
        store = self.open_store(tmp_path)
        self.commit(store, result())
        before = list(store.dump())
        store.close()
        again = self.open_store(tmp_path)
        assert list(again.dump()) == before
        again.close()

    def test_an_unknown_id_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFoundError):
            store.result(4711)
        with pytest.raises(NotFoundError):
            store.quarantined_record(4711)
        with pytest.raises(NotFoundError):
            store.resolve(4711, "gone")

    def test_a_repeat_stores_nothing(self, store: Store) -> None:
        self.commit(store, result())
        dump = list(store.dump())
        assert self.commit(store, result()) == Committed(same=1)
        assert list(store.dump()) == dump

    def test_a_repeat_within_a_page_stores_nothing(self, store: Store) -> None:
        committed = self.commit(store, result(), result())
        assert (committed.stored, committed.same) == (1, 1)

    def test_the_same_key_in_another_run_or_source_is_another_result(self, store: Store) -> None:
        self.commit(store, result(), result(run=Run(key="job#2")), result(run=None))
        assert self.commit(store, result(source="other")).stored == 1
        assert len(store.results(ResultQuery())) == 4

    def test_equal_runs_are_one_whoever_made_the_objects(self, store: Store) -> None:
        self.commit(store, *(result(f"k{n}", run=Run(key="job#1", data={"a": "b"})) for n in range(5)))
        assert store.counts()["runs"] == 1

    def test_what_results_of_a_run_do_not_share_stays_with_each(self, store: Store) -> None:
        arches = (None, "x86_64", "s390x")
        self.commit(store, *(result(f"k{arch}", arch=arch, parent="build") for arch in arches))
        stored = {one.key: one.data.get("arch") for one in store.results(ResultQuery())}
        assert stored == {"kNone": None, "kx86_64": ["x86_64"], "ks390x": ["s390x"]}

    def test_other_content_of_the_same_key_supersedes(self, store: Store) -> None:
        self.commit(store, result(outcome="failed"))
        committed = self.commit(store, result(outcome="passed", time=NOON + timedelta(hours=1)))
        assert (committed.stored, committed.superseding) == (1, 1)
        old, new = sorted(store.results(ResultQuery()), key=lambda one: one.id)
        assert (old.outcome, old.superseded_by, new.superseded_by) == ("FAILED", new.id, None)
        assert [one.id for one in store.results(ResultQuery(latest=True))] == [new.id]

    def test_an_older_state_never_supersedes_a_newer_one(self, store: Store) -> None:
        self.commit(store, result(outcome="passed", time=NOON))
        committed = self.commit(store, result(outcome="failed", time=NOON - timedelta(hours=1)))
        assert (committed.stored, committed.superseding) == (1, 0)
        assert [one.outcome for one in store.results(ResultQuery(latest=True))] == ["PASSED"]

    @pytest.mark.demand("S-057")
    def test_a_finished_run_beats_its_running_row_in_either_order(self, store: Store) -> None:
        later = NOON + timedelta(minutes=5)
        self.commit(
            store, result("a", outcome="running", time=None), result("b", outcome="passed", testcase="ns.b")
        )
        self.commit(
            store, result("a", outcome="passed"), result("b", outcome="running", testcase="ns.b", time=later)
        )
        assert {one.key: one.outcome for one in store.results(ResultQuery(latest=True))} == {
            "a": "PASSED",
            "b": "PASSED",
        }

    def test_a_chain_of_states_leaves_one_current(self, store: Store) -> None:
        for minute, outcome in enumerate(("running", "failed", "passed", "failed")):
            self.commit(store, result(outcome=outcome, time=NOON + timedelta(minutes=minute)))
        assert sum(one.superseded_by is None for one in store.results(ResultQuery())) == 1
        assert store.check() == []

    @pytest.mark.demand("S-140")
    def test_a_time_in_the_future_does_not_shadow_a_later_result(self, store: Store) -> None:
        self.commit(store, result("a", outcome="failed", time=datetime(2099, 1, 1, tzinfo=UTC)))
        self.commit(store, result("b", outcome="passed", time=None))
        assert [one.key for one in store.results(ResultQuery(latest=True))] == ["b"]
        claimed = store.results(ResultQuery())[-1]
        assert claimed.key == "a"
        assert claimed.time.year < 2099

    def test_a_result_without_a_time_has_that_of_its_receipt(self, store: Store) -> None:
        self.commit(store, result(time=None))
        (found,) = store.results(ResultQuery())
        assert abs(found.time - datetime.now(UTC)) < timedelta(minutes=1)

    # -- groups and testcases ----------------------------------------------------------------------

    def test_a_verbatim_result_is_served_as_it_was_given(self, store: Store) -> None:
        data = {"type": ("koji_build",), "item": ("b-1-1", "a-1-1"), "": ("x", "x")}
        given = replace(result(run=None, scenario="uefi", arch="x86_64"), data=data, verbatim=True)
        self.commit(store, given)
        (found,) = store.results(ResultQuery())
        assert list(found.data.items()) == [(name, list(values)) for name, values in data.items()]

    def test_the_answer_names_the_ids_in_order_a_repeat_being_the_stored_one(self, store: Store) -> None:
        first = self.commit(store, result("a"), result("b"), tell_ids=True)
        again = self.commit(store, result("c"), result("a"), result("c"), tell_ids=True)
        assert len(set(first.ids)) == 2
        assert again.ids == (max(again.ids), first.ids[0], max(again.ids))
        assert store.result(again.ids[0]).key == "c"

    def test_a_page_may_describe_testcases_and_groups(self, store: Store) -> None:
        self.commit(store, replace(result(), groups=("g1", "g2")), groups={"g1": {"description": "nightly"}})
        store.commit_page(Page(source="api", groups={"g1": {"ref_url": "https://x"}, "g3": {}}))
        store.commit_page(Page(source="api", ref_urls={"ns.case": "https://t", "ns.new": None}))
        assert [store.group(uuid) for uuid in ("g1", "g2", "g3")] == [
            Group(uuid="g1", description="nightly", ref_url="https://x", results=1),
            Group(uuid="g2", results=1),
            Group(uuid="g3"),
        ]
        store.commit_page(Page(source="api", groups={"g1": {"description": None}}))
        assert store.group("g1").description is None
        assert store.testcase("ns.case") == Testcase(name="ns.case", ref_url="https://t")
        assert store.testcase("ns.new") == Testcase(name="ns.new")
        for ask in (store.group, store.testcase):
            with pytest.raises(NotFoundError):
                ask("nobody")

    # -- questions -------------------------------------------------------------------------------

    @pytest.mark.demand("S-046")
    @pytest.mark.parametrize(
        "asked",
        [
            "bash-0:5.2-1.fc40.x86_64",
            "bash-5.2-1.fc40.x86_64",
            "bash-5.2-1.fc40",
            "bash-0:5.2-1.fc40",
            "bash",
        ],
    )
    def test_an_item_is_found_by_all_its_names(self, store: Store, asked: str) -> None:
        self.commit(store, result(item="bash-0:5.2-1.fc40.x86_64"), result("other", item="zsh-5.9-1.fc40"))
        assert [one.item for one in store.results(ResultQuery(item=asked))] == ["bash-0:5.2-1.fc40.x86_64"]

    @pytest.mark.demand("S-046")
    def test_another_architecture_is_another_item(self, store: Store) -> None:
        self.commit(store, result(item="bash-5.2-1.fc40.x86_64"))
        assert store.results(ResultQuery(item="bash-5.2-1.fc40.s390x")) == []
        assert store.results(ResultQuery(item="bash"))[0].arch == "x86_64"

    @pytest.mark.demand("S-047")
    def test_questions_join_their_conditions(self, store: Store) -> None:
        for n in range(6):
            self.commit(store, result(
                f"k{n}", testcase=f"ns.t{n % 3}", outcome=("passed", "failed")[n % 2],
                time=NOON + timedelta(hours=n), run=Run(key=f"job#{n}"),
            ))  # fmt: skip

        def ask(**fields: Any) -> list[str]:
            return [one.key for one in store.results(ResultQuery(**fields))]

        assert ask() == ["k5", "k4", "k3", "k2", "k1", "k0"]
        assert ask(testcase="ns.t0") == ["k3", "k0"]
        assert ask(testcase="ns.*", limit=2) == ["k5", "k4"]
        assert ask(outcomes=("FAILED",)) == ["k5", "k3", "k1"]
        assert ask(outcomes=("FAILED", "PASSED"), since=NOON + timedelta(hours=4)) == ["k5", "k4"]
        assert ask(run="job#2") == ["k2"]
        assert ask(source="nobody") == []
        assert ask(latest=True) == ["k5", "k4", "k3"]

    @pytest.mark.demand("S-023")
    def test_the_latest_are_one_for_each_architecture_and_scenario(self, store: Store) -> None:
        for number, (arch, scenario) in enumerate(
            [("x86_64", "uefi"), ("x86_64", "bios"), ("s390x", None), ("x86_64", "uefi")]
        ):
            time = NOON + timedelta(minutes=number)
            self.commit(store, result(f"k{number}", arch=arch, scenario=scenario, time=time))
        latest = store.results(ResultQuery(item="bash", latest=True))
        assert [one.key for one in latest] == ["k3", "k2", "k1"]

    def test_paging_gives_every_row_once(self, store: Store) -> None:
        self.commit(store, *(result(f"k{n}") for n in range(23)))
        seen: list[int] = []
        before = None
        while page := store.results(ResultQuery(limit=5, before=before)):
            seen += [one.id for one in page]
            before = (page[-1].time.strftime("%Y-%m-%dT%H:%M:%S.%f"), page[-1].id)
            self.commit(store, result(f"new{len(seen)}", time=None))
        assert len(seen) == len(set(seen)) == 23

    def test_results_of_runs_that_interleave_are_paged_once_each_in_one_order(self, store: Store) -> None:
        """Runs keep what their results share; a walk along runs of one time must not mix up the ids."""
        runs = [Run(key=f"job#{n}", data={"job": "job"}) for n in range(3)]
        told = self.commit(
            store, *(result(f"k{n}", run=runs[n % 3], scenario=f"s{n % 2}") for n in range(20)), tell_ids=True
        ).ids
        assert [store.result(number).key for number in told] == [f"k{n}" for n in range(20)]
        job = (Attribute(key="job", values=("job",)),)
        for order in (Order.NEWEST, Order.OLDEST):
            whole = [fact.id for fact in store.search(Search(attributes=job, order=order))]
            assert whole == sorted(told, reverse=order is Order.NEWEST)
            by_page, by_cursor, after = [], [], None
            for page in range(7):
                asked = Search(attributes=job, order=order, limit=3)
                by_page += [fact.id for fact in store.search(replace(asked, offset=3 * page))]
                rows = store.search(replace(asked, after=after))
                by_cursor += [fact.id for fact in rows]
                after = (rows[-1].rank, rows[-1].id)
            assert by_page == by_cursor == whole

    # -- pages -----------------------------------------------------------------------------------

    def test_page_quarantine_and_cursor_are_one(self, store: Store) -> None:
        bad = Garbled(raw=b"\x00<x", reason="no XML", key="7", position="byte 0")
        with store.lease("ci") as token:
            committed = self.commit(store, result(), quarantine=[bad], cursor="c1", lease=token)
        assert (committed.stored, committed.quarantined, store.cursor("ci")) == (1, 1, "c1")
        (record,) = store.quarantined()
        assert (record.raw, record.reason, record.key, record.position) == (
            b"\x00<x",
            "no XML",
            "7",
            "byte 0",
        )

    def test_the_same_bad_record_is_quarantined_once_and_counted(self, store: Store) -> None:
        bad = Garbled(raw=b"x", reason="bad")
        self.commit(store, quarantine=[bad, bad])
        assert self.commit(store, quarantine=[bad]).quarantined == 0
        (record,) = store.quarantined()
        assert record.seen == 3
        store.resolve(record.id, "stored 1 result")
        assert store.quarantined() == []
        assert store.quarantined(open_only=False)[0].resolution == "stored 1 result"

    def test_what_was_told_of_a_bad_record_stays_with_it(self, store: Store) -> None:
        """The same bytes told of another item are another record: what is read again needs both."""
        bad = Garbled(raw=b"<x", reason="no XML")
        self.commit(store, quarantine=[bad], told={"item": "bash-5.2-1.fc40"})
        self.commit(store, quarantine=[bad], told={"item": "zsh-5.9-1.fc40"})
        self.commit(store, quarantine=[bad], told={"item": "zsh-5.9-1.fc40"})
        records = [(record.told, record.seen) for record in store.quarantined()]
        assert records == [({"item": "bash-5.2-1.fc40"}, 1), ({"item": "zsh-5.9-1.fc40"}, 2)]

    def test_open_records_are_counted_by_source_and_door(self, store: Store) -> None:
        self.commit(store, quarantine=[Garbled(raw=b"a", reason="bad"), Garbled(raw=b"b", reason="bad")])
        self.commit(store, quarantine=[Garbled(raw=b"c", reason="bad")], door="report")
        assert store.quarantined_by_door() == {("ci", "harvest"): 2, ("ci", "report"): 1}
        store.resolve(store.quarantined()[0].id, "dismissed")
        assert store.quarantined_by_door() == {("ci", "harvest"): 1, ("ci", "report"): 1}

    def test_rows_before_a_checkpoint_leave_the_cursor(self, store: Store) -> None:
        self.commit(store, result())
        assert store.cursor("ci") is None

    def test_a_page_read_from_an_old_cursor_is_refused_whole(self, store: Store) -> None:
        self.commit(store, result("a"), cursor="c1")
        with pytest.raises(StaleError):
            self.commit(store, result("b"), cursor="c2", read_from=None)
        assert [one.key for one in store.results(ResultQuery())] == ["a"]
        self.commit(store, result("b"), cursor="c2", read_from="c1")
        assert store.cursor("ci") == "c2"

    def test_a_lease_is_held_by_one(self, store: Store) -> None:
        with store.lease("ci"), store.lease("other"), pytest.raises(BusyError), store.lease("ci"):
            pass
        with store.lease("ci"):
            pass

    def test_a_page_of_a_lost_lease_is_refused_whole(self, store: Store) -> None:
        with store.lease("ci") as lost:
            pass
        with store.lease("ci"), pytest.raises(BusyError):
            self.commit(store, result(), lease=lost)
        assert store.counts()["results"] == 0

    def test_a_refused_page_leaves_no_name_behind(self, store: Store) -> None:
        """A cache filled before the commit once filed results under another item."""
        self.commit(store, result("a"), cursor="c1")
        with pytest.raises(StaleError):
            self.commit(store, result("b", testcase="ns.lost", item="lost-1-1"), cursor="c2")
        self.commit(store, result("c", testcase="ns.kept", item="kept-1-1"))
        self.commit(store, result("d", testcase="ns.lost", item="lost-1-1"))
        assert {one.key: (one.testcase, one.item) for one in store.results(ResultQuery())} == {
            "a": ("ns.case", "bash-5.2-1.fc40"),
            "c": ("ns.kept", "kept-1-1"),
            "d": ("ns.lost", "lost-1-1"),
        }

    def test_a_preview_counts_and_stores_nothing(self, store: Store) -> None:
        self.commit(store, result("a"))
        dump = list(store.dump())
        page = Page(
            source="ci", results=[result("a"), result("b")], quarantine=[Garbled(raw=b"x", reason="bad")]
        )
        assert store.preview_page(page) == Committed(stored=1, same=1, quarantined=1)
        (stored,) = store.results(ResultQuery())
        told = store.preview_page(replace(page, tell_ids=True)).ids
        assert sorted(told) == [0, stored.id]
        assert list(store.dump()) == dump
        self.commit(store, result("b"))
        assert store.results(ResultQuery())[0].testcase == "ns.case"

    def test_every_commit_has_its_seq_and_one_outbox_row(self, store: Store) -> None:
        seqs = [self.commit(store, result(f"k{n}")).seq for n in range(4)]
        assert seqs == sorted(set(seqs))
        assert store.counts()["outbox"] == 4
        assert store.check() == []

    def test_many_writers_lose_and_mix_up_nothing(self, store: Store) -> None:
        def write(worker: int) -> None:
            for n in range(20):
                self.commit(store, result(
                    f"{worker}-{n}", source=f"s{worker}", testcase=f"ns.t{n}", item=f"item{worker}-{n}-1",
                ))  # fmt: skip

        threads = [Thread(target=write, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = store.results(ResultQuery(limit=1000))
        assert len(found) == 160
        assert all(one.key == f"{one.source[1:]}-{one.testcase[4:]}" for one in found)
        assert all(one.item == f"item{one.key}-1" for one in found)
        assert store.check() == []

    # -- sources ---------------------------------------------------------------------------------

    @pytest.mark.demand("S-015")
    def test_a_source_remembers_when_it_was_last_well(self, store: Store) -> None:
        store.register_source(
            SourceState(name="ci", collector="jenkins", url="https://ci.example", owner="qe")
        )
        store.note_attempt("ci", None)
        store.note_attempt("ci", "refused")
        (state,) = store.sources()
        assert (state.collector, state.owner, state.last_error) == ("jenkins", "qe", "refused")
        assert state.last_ok is not None
        assert state.last_try is not None
        assert state.last_try >= state.last_ok

    @pytest.mark.demand("S-125")
    def test_jobs_show_who_publishes_and_who_is_silent(self, store: Store) -> None:
        jobs = [
            Job(name="a", last_build=NOON, last_report=NOON),
            Job(name="b", last_build=NOON),
            Job(name="c", state="disabled"),
        ]
        self.commit(store, jobs=jobs, cursor="c1")
        self.commit(store, jobs=[Job(name="a", last_build=NOON)], cursor="c2", read_from="c1")
        assert {job.job: job.coverage for job in store.jobs()} == {
            "a": "publishes",
            "b": "silent",
            "c": "disabled",
        }

    def test_a_forgotten_source_keeps_its_results(self, store: Store) -> None:
        self.commit(store, result(), cursor="c1", jobs=[Job(name="a")])
        store.forget_source("ci")
        assert (store.cursor("ci"), store.jobs(), store.counts()["results"]) == (None, [], 1)

    # -- care ------------------------------------------------------------------------------------

    def test_the_portable_dump_forgets_the_order_of_arrival(self, tmp_path: Path) -> None:
        dumps = []
        for name, order in (("one", (0, 1, 2)), ("two", (2, 0, 1))):
            store = self.open_store(tmp_path / name)
            for n in order:
                self.commit(store, result(f"k{n}", time=None if n == 1 else NOON))
            dumps.append(list(store.dump(portable=True)))
            store.close()
        assert dumps[0] == dumps[1]

    def test_a_backup_of_the_live_store_is_a_store(self, store: Store, tmp_path: Path) -> None:
        self.commit(store, result())
        target = tmp_path / "copy" / "results.db"
        target.parent.mkdir()
        if not self.file_backups:
            with pytest.raises(StoreError, match="backed up with"):
                store.backup(target)
            return
        store.backup(target)
        self.commit(store, result("later"))
        copy = self.open_store(target.parent)
        assert copy.counts()["results"] == 1
        assert copy.check() == []
        copy.close()

    def test_a_closed_store_says_so(self, tmp_path: Path) -> None:
        store = self.open_store(tmp_path)
        store.close()
        with pytest.raises(StoreError, match="closed"):
            self.commit(store, result())
        with pytest.raises(StoreError, match="closed"):
            store.results(ResultQuery())
