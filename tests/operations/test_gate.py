"""Gate: a decision by what a store holds, on both kinds of store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest
from gate_cases import BASH, CASE, HEAD, LATER, TYPES, asked, decided, put, rules, states

from ci_results.decide.text import tell
from ci_results.domain.decision import Verdict
from ci_results.domain.page import Page
from ci_results.domain.plan import Plan, PlanCase
from ci_results.domain.purpose import Purpose
from ci_results.domain.run import Run
from ci_results.domain.stored import SourceState
from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Terms
from ci_results.errors import ConfigError
from ci_results.operations import waive
from ci_results.operations.gate import Gate, decide, load_policies, policy_files
from ci_results.operations.gating import latest
from ci_results.operations.waive import Desk, Wish
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import NOON, result
from ci_results.waive.life import Actor

PAIR = ("ns.a", "ns.b")


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


@pytest.mark.demand("S-075")
def test_only_what_is_required_counts_and_missing_failed_and_running_stay_apart(store: Store) -> None:
    assert decided(store).verdict is Verdict.WAIT
    assert states(decided(store)) == [("ns.case", None, None, "missing")]
    put(store, result("r", outcome="running"), result("other", testcase="ns.other", outcome="failed"))
    assert states(decided(store)) == [("ns.case", None, None, "waiting")]
    put(store, result("f", outcome="failed", time=LATER))
    assert decided(store).verdict is Verdict.NO_GO
    put(store, result("e", outcome="error", time=LATER + timedelta(hours=1)))
    assert decided(store).verdict is Verdict.ERROR
    put(store, result("p", time=LATER + timedelta(hours=2)))
    assert decided(store).verdict is Verdict.GO
    assert decided(store, product_version="rhel-9").verdict is Verdict.NO_POLICY


@pytest.mark.demand("S-113")
def test_what_nobody_published_is_no_evidence_and_no_failure(store: Store) -> None:
    """A run that failed on a master counts once its result came here, by whatever door."""
    store.register_source(SourceState(name="master", collector="jenkins", url="https://jenkins.example"))
    assert "missing   ns.case: no evidence\n" in tell(decided(store))
    assert decided(store).verdict is Verdict.WAIT
    put(store, result("published", source="master", outcome="failed"))
    assert decided(store).verdict is Verdict.NO_GO
    assert "no evidence" not in tell(decided(store))


def test_each_scenario_architecture_and_variant_has_its_latest(store: Store) -> None:
    put(
        store,
        result("1", outcome="failed", scenario="uefi", arch="x86_64"),
        result("2", scenario="uefi", arch="x86_64", time=LATER),
        result("3", outcome="failed", scenario="uefi", arch="aarch64"),
        result("4", scenario="bios", arch="x86_64"),
        result("5", outcome="failed", scenario="bios", arch="x86_64", data={"variant": ("Server",)}),
    )
    assert states(decided(store)) == [
        ("ns.case", "bios", "x86_64", "failed"), ("ns.case", "bios", "x86_64", "passed"),
        ("ns.case", "uefi", "aarch64", "failed"), ("ns.case", "uefi", "x86_64", "passed"),
    ]  # fmt: skip


def test_evidence_brings_what_proves_it(store: Store) -> None:
    put(store, result("1", outcome="failed", note="boom", ref_url="https://ci.example/1", data={"t": ("1",)}))
    (each,) = decided(store).requirements
    assert each.result is not None
    found = store.result(each.result.id)
    assert (each.result.build_url, each.result.note) == ("https://ci.example/1", "boom")
    assert each.result.signature == found.signature is not None
    assert each.result.data == found.data
    assert decided(store).as_of == store.waivers.seq() == found.seq


def test_what_a_glob_matches_is_read_and_nothing_else(store: Store) -> None:
    put(store, result("a", testcase="t.a1"), result("b", testcase="t.b1", outcome="failed"),
        result("c", testcase="t-t.a1", outcome="failed"))  # fmt: skip
    for glob in ("t.[a]?", "t.a*", "?.a1"):
        made = decided(store, f'- !ResultsRule {{testcases: ["{glob}"], at_least: 1}}\n')
        assert made.verdict is Verdict.GO, glob
    assert decided(store, '- !ResultsRule {testcases: ["t.*"], at_least: 1}\n').verdict is Verdict.NO_GO


def test_a_build_goes_by_all_the_names_that_its_results_have(store: Store) -> None:
    put(
        store,
        result("1", item_type="brew-build", outcome="failed"),
        result("2", item="bash-libs-5.2-1.fc40", item_type="rpm", time=LATER,
               data={"original_spec_nvr": (BASH.identifier,)}),
        result("3", item="bash-5.2-2.fc40", outcome="failed", time=LATER),
    )  # fmt: skip
    (each,) = decided(store).requirements
    assert (each.result and each.result.outcome, each.state) == ("PASSED", "passed")


@pytest.mark.demand("S-073")
def test_what_the_errata_tool_said_is_no_evidence_and_hides_none(store: Store) -> None:
    store.register_source(SourceState(name="import-et", collector="import"))
    put(store, result("et", source="import-et", time=LATER, run=Run(key="et#1")))
    assert states(decided(store)) == [("ns.case", None, None, "missing")]
    put(store, result("ours", outcome="failed"))
    assert states(decided(store)) == [("ns.case", None, None, "failed")]
    put(store, result("new", time=NOON + timedelta(minutes=1)))
    (each,) = decided(store).requirements
    assert (each.state, each.result and each.result.imported) == ("passed", False)


def test_our_results_are_found_behind_more_of_the_errata_tool_than_a_page_holds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest, "PAGE", 2)
    store.register_source(SourceState(name="import-et", collector="import"))
    put(store, result("ours", outcome="failed"))
    put(store, *(
        result(f"et{n}", source="import-et", time=LATER + timedelta(minutes=n), run=Run(key=f"e#{n}"))
        for n in range(5)
    ))  # fmt: skip
    assert states(decided(store)) == [("ns.case", None, None, "failed")]


def test_copies_of_another_resultsdb_are_told_and_a_rule_may_leave_them_out(store: Store) -> None:
    store.register_source(SourceState(name="old", collector="import"))
    put(store, result("copy", source="old"))
    (each,) = decided(store).requirements
    assert each.result is not None
    assert each.result.imported
    made = decided(store, "- !ResultsRule {testcases: [ns.case], imported: false}\n")
    assert made.verdict is Verdict.WAIT


@pytest.mark.demand("S-061", "S-067")
def test_a_waiver_opens_the_gate_for_its_purpose_and_no_result_changes(store: Store) -> None:
    put(store, result("1", outcome="failed"))
    (before,) = decided(store).requirements
    terms = Terms(
        subject_type=BASH.type, subject=BASH.identifier, testcase="ns.case", product_version="f40",
        purpose=Purpose("advisory", "RHSA-2026:1234"),
    )  # fmt: skip
    (done,) = waive.grant(
        Desk(store=store), [Wish(terms=terms, comment="infra")], Actor(username="dev1", via="cli")
    )
    assert decided(store).verdict is Verdict.NO_GO
    made = decided(store, purposes=frozenset({Purpose("advisory", "RHSA-2026:1234")}))
    (after,) = made.requirements
    assert (made.verdict, after.waiver and after.waiver.id, after.result) == ("go", done.id, before.result)
    assert made.as_of == done.last or made.as_of == store.waivers.seq()
    waive.withdraw(Desk(store=store), done.id, Actor(username="dev1", via="cli"), "mended")
    assert decided(store, purposes=frozenset({Purpose("advisory", "RHSA-2026:1234")})).verdict == "no-go"


@pytest.mark.demand("S-133")
def test_a_plan_requires_its_testcases(store: Store) -> None:
    text = "- !ManualPlanRule {plan: beta}\n"
    assert decided(store, text).verdict is Verdict.ERROR
    plan = Plan(name="beta", item="bash-*", item_type="koji_build",
                cases=(PlanCase(testcase="m.a"), PlanCase(testcase="m.b")))  # fmt: skip
    store.save_plan(plan, "lead", before=0)
    put(store, result("1", testcase="m.a"))
    made = decided(store, text)
    assert (made.verdict, made.progress.done, made.progress.required) == ("wait", 1, 2)
    put(store, result("2", testcase="m.b"))
    assert decided(store, text).verdict is Verdict.GO


@pytest.mark.demand("S-095")
def test_a_question_in_sql_opens_and_closes_the_gate(store: Store) -> None:
    select = "select testcase, note from latest_result where item = :item and note like '%segfault%'"
    text = f'- !SelectRule {{name: gate.no_crash, select: "{select}"}}\n'
    put(store, result("1", note="fine"), result("2", item="zsh-1-1.fc40", note="a segfault"))
    assert decided(store, text).verdict is Verdict.GO
    put(store, result("3", outcome="failed", note="Segfault in main", time=LATER))
    (each,) = decided(store, text).requirements
    assert (each.state, each.said) == ("failed", "no rows expected, found: ns.case, Segfault in main")
    broken = '- !SelectRule {name: gate.odd, select: "select no_such_thing from result"}\n'
    (each,) = decided(store, broken).requirements
    assert (decided(store, broken).verdict, each.said) == (Verdict.ERROR, each.said)
    assert "the SELECT failed" in str(each.said)
    assert "no_such_thing" in str(each.said)


@pytest.mark.parametrize(
    "rule",
    [
        "- !RemoteRule {required: false, sources: ['https://src.example/{pkg_name}/gating.yaml']}\n",
        "- !PassingTestCaseRule {test_case_name: ns.case, valid_since: 2026-01-01}\n",
    ],
)
def test_what_was_not_read_is_an_error_and_never_opens_the_gate(store: Store, rule: str) -> None:
    put(store, result("1"))
    assert decided(store, rule).verdict is Verdict.ERROR


def test_what_is_stored_while_facts_are_read_does_not_count(store: Store) -> None:
    class Changing:
        """The store, where a commit comes in before each question for results."""

        def __init__(self) -> None:
            self.number = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def newest(self, *words: Any, **more: Any) -> Any:
            self.number += 1
            put(store, result(f"n{self.number}", outcome="failed", time=LATER + timedelta(self.number)))
            return store.newest(*words, **more)

    put(store, result("1"))
    changing: Any = Changing()
    more = Subject("koji_build", "glibc-2.40-1.fc40")
    as_of = store.waivers.seq()
    one = "- !PassingTestCaseRule {test_case_name: ns.case}\n"
    made = decided(changing, one, subjects=(more, BASH))
    assert changing.number == 1
    assert (made.as_of, [each.verdict for each in made.subjects]) == (as_of, ["wait", "go"])
    assert decided(store).verdict is Verdict.NO_GO


def test_a_time_gone_by_is_decided_by_what_results_claim_to_have_been_there(store: Store) -> None:
    put(
        store,
        result("1"),
        result("run", testcase="ns.run", outcome="running"),
        result("2", outcome="failed", time=LATER),
        result("run", testcase="ns.run", time=LATER),
    )
    two = f"{CASE}- !PassingTestCaseRule {{test_case_name: ns.run}}\n"
    then = [
        states(decided(store, two, when=moment)) for moment in (NOON - timedelta(microseconds=1), NOON, LATER)
    ]
    assert [[state for *_, state in each] for each in then] == [
        ["missing", "missing"], ["passed", "waiting"], ["failed", "passed"]
    ]  # fmt: skip
    assert states(decided(store, two)) == then[2]
    assert decided(store, two, when=NOON).now == NOON


def test_a_time_gone_by_has_the_waivers_of_then(store: Store) -> None:
    put(store, result("1", outcome="failed"))
    desk, actor = Desk(store=store), Actor(username="dev1", via="cli")
    before = datetime.now(UTC)
    terms = Terms(subject_type=BASH.type, subject=BASH.identifier, testcase="ns.case", product_version="f40")
    (given,) = waive.grant(desk, [Wish(terms=terms, comment="infra")], actor)
    between = datetime.now(UTC)
    waive.withdraw(desk, given.id, actor, "no")
    verdicts = [decided(store, when=moment).verdict for moment in (before, between, datetime.now(UTC))]
    assert verdicts == [Verdict.NO_GO, Verdict.GO, Verdict.NO_GO]


def test_what_is_told_as_of_now_alone_is_not_guessed_for_a_time_gone_by(store: Store) -> None:
    put(store, result("1"))
    text = "- !SelectRule {name: gate.none, select: \"select key from result where outcome = 'FAILED'\"}\n"
    assert decided(store, text).verdict is Verdict.GO
    (each,) = decided(store, text, when=LATER).requirements
    assert (each.state, each.said) == ("unknown", "it is told as of now alone: leave the time out")


def test_every_decision_is_of_one_commit_while_others_write(store: Store) -> None:
    """Both testcases always come in one page with one outcome: nobody may see one without the other."""
    stop = Event()
    seqs: dict[int, str] = {}

    def write() -> None:
        for number in count():
            outcome = "passed" if number % 2 else "failed"
            time = NOON + timedelta(seconds=number)
            page = [result(f"{name}{number}", testcase=name, outcome=outcome, time=time) for name in PAIR]
            seqs[store.commit_page(Page(source="ci", results=page)).seq] = outcome
            if stop.is_set():
                return

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(write)
        while not seqs:
            sleep(0.01)
        made = [
            decided(store, f'- !ResultsRule {{testcases: ["ns.*", {", ".join(PAIR)}]}}\n') for _ in range(60)
        ]
        stop.set()
        writing.result()
    assert len({each.as_of for each in made}) > 1
    for each in made:
        found = {one.result.outcome for one in each.requirements if one.result}
        assert found == {seqs[each.as_of].upper()}


def test_the_proof_names_who_answers_and_the_message_that_brought_a_result(store: Store) -> None:
    put(store, result("1", outcome="failed", data={"message_id": ("6a1e-77",)}, ref_url="https://ci/1"))
    owners = {"ns.case": "qe@example.com", "ns.gone": "the others"}
    policies = rules(CASE + "- !PassingTestCaseRule {test_case_name: ns.gone}\n")
    made = decide(Gate(store=store, policies=policies, owner_of=owners.get), asked())
    failed, missing = made.requirements
    assert failed.result is not None
    assert (failed.owner, missing.owner) == ("qe@example.com", "the others")
    assert (failed.result.message_id, failed.result.build_url) == ("6a1e-77", "https://ci/1")
    told = tell(made)
    assert "message 6a1e-77" in told
    assert "; owner the others" in told


def test_the_clock_is_the_gates(store: Store) -> None:
    put(store, result("1"))
    text = "- !ResultsRule {testcases: [ns.case], max_age: 1d}\n"
    young = Gate(store=store, policies=rules(text), now=lambda: NOON + timedelta(hours=1))
    assert decide(young, asked()).verdict is Verdict.GO
    old = replace(young, now=lambda: NOON + timedelta(days=2))
    assert decide(old, asked()).verdict is Verdict.WAIT


# -- files -----------------------------------------------------------------------------------------


def test_files_are_read_in_order_each_once(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for name in ("b", "a"):
        (tmp_path / "p" / f"{name}.yaml").write_text(HEAD.replace("id: x", f"id: {name}") + CASE)
    (tmp_path / "p" / "c.yaml").mkdir()
    assert [each.name for each in policy_files(["p/*.yaml"], tmp_path)] == ["a.yaml", "b.yaml"]
    assert [each.name for each in policy_files(["p/b.yaml", "*/*.yaml"], tmp_path)] == ["b.yaml", "a.yaml"]
    chosen = load_policies(["p/*.yaml"], tmp_path, TYPES)
    assert [each.id for each in chosen.policies] == ["a", "b"]


def test_what_cannot_be_loaded_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="write \\[gate\\] policies"):
        load_policies([], tmp_path, TYPES)
    with pytest.raises(ConfigError, match=r"policies: no file is .*gone"):
        load_policies(["gone/*.yaml"], tmp_path, TYPES)
    (tmp_path / "x.yaml").write_text(HEAD + CASE + "- !ResultsRule {testcase: [a.b]}\n")
    with pytest.raises(ConfigError, match=r"x\.yaml:7: "):
        load_policies(["x.yaml"], tmp_path, TYPES)
