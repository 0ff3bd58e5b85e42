"""Bundles: what is in one, that it is the same each time, and that every alteration is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.domain.page import Page
from ci_results.domain.plan import Plan, PlanCase
from ci_results.domain.purpose import Purpose
from ci_results.domain.waiver import Terms
from ci_results.errors import InvalidError, NotFoundError
from ci_results.operations import waive
from ci_results.operations.bundling import sealing, tables
from ci_results.operations.bundling.gathering import Bundled, Wanted, bundle
from ci_results.operations.bundling.sealing import keygen, read_private, read_public
from ci_results.operations.bundling.verifying import Verified, verify
from ci_results.operations.follow import Following, follow_once
from ci_results.operations.gate import Gate
from ci_results.operations.waive import Desk, Wish
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import NOON, result
from ci_results.waive.life import Actor

TYPES = {kind.name: kind for kind in RULE_TYPES}
POLICY = b"""\
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.case}
- !PassingTestCaseRule {test_case_name: ns.other}
- !ManualPlanRule {plan: beta}
"""
FILES = [("policies/push.yaml", POLICY)]
BASH, ZSH = "bash-5.2-1.fc40", "zsh-5-1.fc40"
ADVISORY = "FEDORA-2026-1a2b3c4d5e"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:{tmp_path / 'r.db'}"
    if request.param == "postgresql":
        place: Callable[[str], str] = request.getfixturevalue("postgresql")
        url = place("bundle")
    opened = open_store(url)
    fill(opened)
    yield opened
    opened.close()


def fill(store: Store) -> None:
    rows = [
        result("1", outcome="failed", note="boom", arch="x86_64"),
        result("2", testcase="ns.other"),
        result("3", testcase="ns.manual"),
        result("4", item=ZSH, outcome="failed"),
        result("5", item="make-4-1.fc40"),
    ]
    for one in rows:
        store.commit_page(Page(source="ci", results=[one]))
    cases = (PlanCase(testcase="ns.manual"),)
    store.save_plan(Plan(name="beta", item_type="koji_build", item="*", cases=cases), "rm1", before=0)
    desk = Desk(store=store)
    for item, purpose in ((ZSH, None), (BASH, Purpose("advisory", ADVISORY)), (BASH, None)):
        terms = Terms(
            subject_type="koji_build", subject=item, testcase="ns.case", product_version="fedora-40",
            purpose=purpose,
        )  # fmt: skip
        waive.request(desk, [Wish(terms=terms, comment="infra")], Actor(username="dev1", via="test"))
    waive.withdraw(desk, 3, Actor(username="rm1", via="test"), "no")


def made(store: Store, folder: Path, *names: str, keys: tuple[Path, ...] = (), **more: Any) -> Path:
    """Return a bundle as it was at one moment."""
    file = folder / "e.sqlite"
    done(store, file, Wanted(names=names or (BASH,), **more), keys)
    return file


def done(store: Store, file: Path, wanted: Wanted, keys: tuple[Path, ...] = ()) -> Bundled:
    gate = Gate(store=store, policies=load(FILES, TYPES), now=lambda: NOON + timedelta(days=400))
    return bundle(gate, wanted, FILES, file, keys)


def ask(file: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def alter(file: Path, sql: str) -> Path:
    connection = sqlite3.connect(file)
    connection.executescript(sql)
    connection.commit()
    connection.close()
    return file


@pytest.mark.demand("S-062", "S-092")
def test_all_that_a_decision_rests_on_is_in_it(store: Store, tmp_path: Path) -> None:
    file = made(store, tmp_path)
    assert ask(file, "select item, testcase, outcome, note from result order by id") == [
        (BASH, "ns.case", "FAILED", "boom"),
        (BASH, "ns.other", "PASSED", None),
        (BASH, "ns.manual", "PASSED", None),
    ]
    assert ask(file, "select id, purpose, standing, username from waiver order by id") == [
        (2, f"advisory:{ADVISORY}", "active", "dev1"),
        (3, None, "withdrawn", "dev1"),
    ]
    assert ask(file, "select id, waiver, step from waiver_event order by id") == [
        (2, 2, "grant"), (3, 3, "grant"), (4, 3, "withdraw"),
    ]  # fmt: skip
    assert ask(file, "select file, text from policy_file") == [("policies/push.yaml", POLICY.decode())]
    assert ask(file, "select id, line from policy") == [("push", 1)]
    assert ask(file, "select name, version, actor from plan") == [("beta", 1, "rm1")]
    ((verdict, context, proof),) = ask(file, "select verdict, decision_context, proof from decision")
    assert (verdict, context) == ("no-go", "push")
    assert orjson.loads(proof)["progress"]["failed"] == 1
    assert ask(file, "select id from active_waiver") == [(2,)]
    assert len(ask(file, "select * from latest_result")) == 3
    assert verify(file).problems == ()


def test_decisions_that_changed_are_in_it_each_as_it_was(store: Store, tmp_path: Path) -> None:
    gate = Gate(store=store, policies=load(FILES, TYPES), now=lambda: NOON + timedelta(days=400))
    follow_once(Following(gate=lambda: gate))
    store.commit_page(Page(source="ci", results=[result("6", item=BASH, arch="x86_64")]))
    follow_once(Following(gate=lambda: gate))
    file = made(store, tmp_path)
    changes = ask(file, "select subject, number, old_verdict, verdict, proof from recorded_decision")
    assert [each[:4] for each in changes] == [(BASH, 1, None, "no-go"), (BASH, 2, "no-go", "go")]
    assert orjson.loads(changes[1][4])["verdict"] == "go"
    assert verify(file).problems == ()


def test_an_advisory_is_its_builds_and_opens_what_is_waived_for_it(store: Store, tmp_path: Path) -> None:
    file = made(store, tmp_path, ADVISORY, builds=(ZSH,))
    assert ask(file, "select subject from subject") == [(BASH,), (ZSH,)]
    assert ask(file, "select subject, verdict, purposes from decision") == [
        (BASH, "go", f'["advisory:{ADVISORY}"]'),
        (ZSH, "wait", f'["advisory:{ADVISORY}"]'),
    ]
    with pytest.raises(NotFoundError, match="nothing is known of 'FEDORA-2026-5e4d3c2b1a'"):
        made(store, tmp_path, "FEDORA-2026-5e4d3c2b1a")
    with pytest.raises(NotFoundError):
        made(store, tmp_path, "bash")


def test_the_same_store_and_moment_give_the_same_bytes(store: Store, tmp_path: Path) -> None:
    private, _, _ = keygen(tmp_path / "k")
    first = made(store, tmp_path, keys=(private,)).read_bytes()
    assert made(store, tmp_path, keys=(private,)).read_bytes() == first
    assert [each.name for each in tmp_path.iterdir() if "e.sqlite" in each.name] == ["e.sqlite"]


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    private, _, _ = keygen(tmp_path / "k")
    with SqliteStore.open(tmp_path / "s.db") as opened:
        fill(opened)
        return made(opened, tmp_path, keys=(private,))


def checked(file: Path) -> Verified:
    return verify(file, [read_public(file.parent / "k.pub")])


def test_a_signed_bundle_is_whole(sealed: Path) -> None:
    found = checked(sealed)
    assert (found.problems, found.trusted) == ((), found.signers)
    assert found.rows["result"] == 3
    _, public, _ = keygen(sealed.parent / "other")
    other = verify(sealed, [read_public(public)])
    assert other.trusted == ()
    assert "none of the keys given signed this" in other.problems[0]
    both = verify(sealed, [read_public(public), read_public(sealed.parent / "k.pub")])
    assert (both.problems, len(both.trusted)) == ((), 1)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("update result set outcome = 'PASSED' where id = 1", "result: row 1 was altered"),
        ("update result set seq = seq || 'x' where id = 2", "result: row 2 was altered"),
        ("update result set note = x'00' where id = 2", "result: row 2 was altered"),
        ("delete from result where id = 1", "result: row 1 is missing"),
        ("insert into result select 99, time, outcome, testcase, item, item_type, scenario, arch, duration_s,"
         " note, ref_url, source, run, key, data, seq, superseded_by, signature from result where id = 1",
         "result: row 99 was added"),
        ("update waiver set standing = 'active' where id = 3", "waiver: row 3 was altered"),
        ("update waiver_event set comment = 'real' where id = 2", "waiver_event: row 2 was altered"),
        ("update waiver_event set username = 'rm2' where id = 4", "waiver_event: row 4 shows other values"),
        ("update waiver_event set said = replace(said, 'infra', 'fraud') where id = 2",
         "waiver_event: row 2 was altered: its hash is not that of what it says"),
        ("update waiver_event set hash = before where id = 2", "waiver_event: row 2 was altered: its hash"),
        ("update waiver_event set said = '[' where id = 2", "waiver_event: row 2 was altered: its hash"),
        ("delete from waiver_event where id = 4", "waiver_event: row 4 is missing"),
        ("update policy_file set text = ''", "policy_file: row policies/push.yaml was altered"),
        ("update policy set digest = 'sha256:0'", "policy: row policies/push.yaml 1 was altered"),
        ("update decision set verdict = 'go'", "decision: row 1 was altered"),
        ("update decision set proof = '{}'", "decision: row 1 was altered"),
        ("update plan set cases = '[]'", "plan: row beta 1 was altered"),
        ("update subject set subject = 'bash-5.2-2.fc40'", "row koji_build bash-5.2-1.fc40 is missing"),
        ("update bundle set value = '9' where key = 'as_of'", "bundle: row as_of was altered"),
        ("drop view latest_result; create view latest_result as select * from result",
         "latest_result was altered in the schema"),
        ("drop view approval", "approval is missing from the schema"),
        ("create table more (x)", "more was added to the schema"),
        ("create trigger t after insert on plan begin select 1; end", "t was added to the schema"),
        ("drop table plan", "plan is missing from the schema"),
    ],
)  # fmt: skip
def test_every_alteration_names_its_row(sealed: Path, sql: str, told: str) -> None:
    found = checked(alter(sealed, sql))
    assert any(told in each for each in found.problems), found.problems
    assert found.trusted  # the seal itself is whole, and so says what was there


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("update _seal set envelope = replace(envelope, '\"sig\":\"', '\"sig\":\"AA')",
         "none of the keys given"),
        ("update _seal set envelope = '{}'", "the seal cannot be read"),
        ("update _seal set envelope = x'00'", "the seal cannot be read"),
        ("update _seal set envelope = null", "the seal cannot be read"),
        ("update _seal set envelope = '[]'", "the seal cannot be read"),
        ("delete from _seal", "it has 0 seals"),
        ("insert into _seal select * from _seal", "it has 2 seals"),
        ("update _seal set envelope = json_set(envelope, '$.payloadType', 'x')", "the seal cannot be read"),
        ("update _seal set envelope = json_set(envelope, '$.payload', 'e30=')", "the seal cannot be read"),
        ("update _seal set envelope = json_set(envelope, '$.signatures', json('[]'))",
         "none of the keys given"),
        ("update _seal set envelope = json_set(envelope, '$.signatures', json('[{\"keyid\":5,\"sig\":[]}]'))",
         "the seal cannot be read"),
    ],
)  # fmt: skip
def test_an_altered_seal_is_told(sealed: Path, sql: str, told: str) -> None:
    found = checked(alter(sealed, sql))
    assert any(told in each for each in found.problems), found.problems
    assert found.trusted == ()


def test_who_alters_a_row_and_seals_it_anew_is_found_by_the_key(sealed: Path) -> None:
    alter(sealed, "update result set outcome = 'PASSED' where id = 1")
    connection = tables.read(sealed)
    rows = {each.name: list(tables.rows_of(connection, each)) for each in tables.TABLES}
    statement = sealing.state(rows, tables.schema(connection), ["x"])
    connection.close()
    private, _, _ = keygen(sealed.parent / "evil")
    tables.write(sealed, rows, sealing.seal(statement, [private]))
    assert verify(sealed).problems == ()
    assert "none of the keys given signed this" in checked(sealed).problems[0]


def test_events_are_compared_with_what_was_published(sealed: Path) -> None:
    hashes = dict(ask(sealed, "select id, hash from waiver_event"))
    befores = {number - 1: hash_ for number, hash_ in ask(sealed, "select id, before from waiver_event")}
    assert verify(sealed, (), hashes | befores).problems == ()
    assert verify(sealed, (), hashes | {2: "0" * 64}).problems == (
        "waiver_event: row 2 is not the one that was published with that number",
        "waiver_event: row 3 follows another event than was published",
    )


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x"
    with pytest.raises(InvalidError, match="cannot be read"):
        verify(file)
    file.write_bytes(b"junk")
    with pytest.raises(InvalidError, match="no SQLite file"):
        verify(file)
    file.write_bytes(b"SQLite format 3\0" + b"junk" * 999)
    with pytest.raises(InvalidError, match="is no whole bundle"):
        verify(file)
    file.unlink()
    with pytest.raises(InvalidError, match="it has no seal"):
        verify(alter(file, "create table x (y)"))


def test_a_bundle_that_was_cut_is_refused(sealed: Path) -> None:
    whole = sealed.read_bytes()
    for size in (4096, len(whole) // 2, len(whole) - 1):
        sealed.write_bytes(whole[:size])
        with pytest.raises(InvalidError, match="is no whole bundle"):
            checked(sealed)


def test_flipped_bytes_never_pass(sealed: Path) -> None:
    whole = sealed.read_bytes()
    first = checked(sealed)
    for place in range(100, len(whole), 397):
        sealed.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found = checked(sealed)
        except InvalidError:
            continue
        assert found.problems or replace(found, problems=()) == replace(first, problems=())  # unused space


def test_keys_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    private, public, _ = keygen(tmp_path / "k")
    assert private.stat().st_mode & 0o077 == 0
    with pytest.raises(InvalidError, match="is there already"):
        keygen(tmp_path / "k")
    with pytest.raises(InvalidError, match="no private key"):
        read_private(public)
    with pytest.raises(InvalidError, match="no public key"):
        read_public(private)
    with pytest.raises(NotFoundError, match="bundle keygen"):
        read_private(tmp_path / "gone")
