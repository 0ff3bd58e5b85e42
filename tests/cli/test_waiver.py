"""`ci-results waiver`, `inbox` and `audit` from the outside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from jsonschema import Draft202012Validator

from ci_results.cli.published import published
from ci_results.domain.waiver import Terms
from ci_results.operations import waive
from ci_results.operations.schema_check import whole
from ci_results.operations.waive import Desk, Wish
from ci_results.serve.auth.tokens import digest
from ci_results.store.opening import open_store
from ci_results.waive.life import Actor

Ask = Callable[..., Result]

CONFIG = """
store = "sqlite:r.db"

[waive]
products = "products.csv"
superusers = ["boss"]

[[waive.rules]]
testcases = ["dist.*"]
approvals = 1
approve = { users = ["rm1"], groups = ["releng"] }
max_days = 30
"""
JUNIT = '<testsuite name="s"><testcase classname="a" name="b"><failure>{}</failure></testcase></testsuite>'
BASH = ("bash-5.2-1.fc40", "dist.s.a.b", "--product-version", "fedora-40")


@pytest.fixture
def asking(ask: Ask, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call the command line as somebody: asking("dev1", "waiver", "list")."""
    (folder / "ci-results.toml").write_text(CONFIG)
    (folder / "products.csv").write_text("product_version\nfedora-40\nfedora-41\n")

    def call(user: str, *words: str) -> Result:
        monkeypatch.setattr("ci_results.cli.caller._of_this_machine", lambda: user)
        return ask(*words)

    return call


def report(asking: Callable[..., Result], folder: Path, text: str) -> None:
    (folder / "j.xml").write_text(JUNIT.format(text))
    done = asking("ci", "report", "--item", BASH[0], "--namespace", "dist", "j.xml")
    assert done.exit_code == 0


def comment(text: str) -> tuple[str, str]:
    return "--comment", text


def test_a_dry_run_foresees_the_end_and_what_would_be_refused(
    asking: Callable[..., Result], folder: Path
) -> None:
    report(asking, folder, "assert 1 == 2")
    dry = ("waiver", "request", *BASH, *comment("x"), "--dry-run")
    told = asking("dev1", *dry)
    assert (told.exit_code, "1 approval of others needed" in told.stderr) == (0, True)
    assert "ends          never" not in told.stdout  # a rule says 30 days
    assert "failure       1-" in told.stdout
    late = asking("dev1", *dry, "--expires", "90d")
    assert (late.exit_code, "lasts 30 days at most" in late.stderr, "covers" in late.stdout) == (
        3,
        True,
        True,
    )
    again = asking("dev1", "waiver", "request", *BASH, *comment("x"), "--expires", "90d")
    assert (again.exit_code, "lasts 30 days at most" in again.stderr) == (3, True)


def test_what_takes_waivers_back_is_not_told_as_one(asking: Callable[..., Result], folder: Path) -> None:
    report(asking, folder, "assert 1 == 2")
    terms = Terms(
        subject_type="koji_build",
        subject=BASH[0],
        testcase="free.b",
        product_version="fedora-40",
        waived=False,
    )
    with closing(open_store(f"sqlite:{folder / 'r.db'}")) as store:
        waive.request(Desk(store=store), [Wish(terms=terms, comment="no")], Actor(username="dev1", via="api"))
    assert "W-1     active, not waived" in asking("dev1", "waiver", "list").stdout
    assert "NOT waived" in asking("dev1", "waiver", "show", "W-1").stdout


@pytest.mark.demand("S-062", "S-063")
def test_who_decides_is_who_calls_or_shows_a_token_whatever_the_environment_says(
    asking: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(asking, folder, "assert 1 == 2")
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "rm1")
    assert asking("dev1", "waiver", "request", *BASH, *comment("infra")).exit_code == 0
    refused = asking("dev1", "waiver", "approve", "W-1", *comment("mine"))
    assert (refused.exit_code, "User dev1" in refused.stderr) == (1, True)
    with (folder / "ci-results.toml").open("a") as config:
        config.write(f'[[auth.tokens]]\nname = "rm1"\nsha256 = "{digest("cir_of-rm1")}"\n')
    monkeypatch.setenv("CI_RESULTS_TOKEN", "cir_of-rm1")
    approved = asking("dev1", "waiver", "approve", "W-1", "--json", *comment("flaky"))
    assert approved.exit_code == 0, approved.stderr
    step = json.loads(approved.stdout)["steps"][-1]
    assert (step["username"], step["via"]) == ("rm1", "cli:token")


@pytest.mark.demand("S-063", "S-064", "S-077")
def test_a_waiver_is_asked_for_looked_at_approved_and_taken_back(
    asking: Callable[..., Result], folder: Path
) -> None:
    report(asking, folder, "assert 1 == 2")
    asked = asking("dev1", "waiver", "request", *BASH, "--expires", "14d", *comment("infra 4711"))
    assert asked.exit_code == 0, asked.stderr
    assert "covers        FAILED  result 1" in asked.stdout
    assert "W-1: pending" in asked.stderr
    assert "next: ci-results waiver approve W-1 --comment WHY" in asked.stderr

    own = asking("dev1", "waiver", "approve", "W-1", *comment("mine"))
    assert (own.exit_code, "rm1, members of releng may" in own.stderr) == (1, True)

    inbox = asking("rm1", "inbox")
    assert inbox.stderr.startswith("1 request · 0 expiring in 48 h · 0 suspended")
    assert "next: ci-results waiver show W-1" in inbox.stderr

    shown = asking("rm1", "waiver", "show", "W-1").stdout
    for said in ("W-1  pending", "infra 4711", "approve refused", "FAILED  result 1", "fedora-40", "1-"):
        assert said in shown

    approved = asking("rm1", "waiver", "approve", "1", *comment("flaky"))
    assert approved.exit_code == 0
    assert "W-1: active, approved by rm1 (≠ dev1 ✔)" in approved.stderr
    again = asking("rm1", "waiver", "approve", "1", *comment("flaky"))
    assert (again.exit_code, "approved already by rm1" in again.stderr) == (1, True)
    assert "W-1     active" in asking("dev1", "waiver", "list").stdout

    withdrawn = asking("rm1", "waiver", "withdraw", "w-1", *comment("a real regression"))
    assert (withdrawn.exit_code, "W-1: withdrawn" in withdrawn.stderr) == (0, True)
    assert asking("dev1", "waiver", "list").stderr.startswith("0 waivers")
    (one,) = json.loads(asking("dev1", "waiver", "list", "--state", "any", "--json").stdout)
    assert (one["state"], one["approved_by"], [step["step"] for step in one["steps"]]) == (
        "withdrawn", ["rm1"], ["request", "approve", "withdraw"],
    )  # fmt: skip


def test_a_request_is_rejected(asking: Callable[..., Result]) -> None:
    asked = asking("dev1", "waiver", "request", *BASH, *comment("x"), "--json")
    assert json.loads(asked.stdout)["state"] == "pending"
    rejected = asking("rm1", "waiver", "reject", "W-1", *comment("real"), "--json")
    assert json.loads(rejected.stdout)["state"] == "rejected"
    assert asking("rm1", "inbox", "--json").stdout.count("[]") == 3


def test_what_needs_no_approval_is_granted_at_once(asking: Callable[..., Result]) -> None:
    for verb in ("grant", "request"):
        done = asking(
            "dev1", "waiver", verb, "x-1-1", "free.a", "--product-version", "fedora-40", *comment("x")
        )
        assert (done.exit_code, ": active" in done.stderr) == (0, True)
    refused = asking("dev1", "waiver", "grant", *BASH, *comment("x"))
    assert refused.exit_code == 1
    assert "needs one approval: request it; rm1, members of releng can approve it" in refused.stderr


def test_a_dry_run_shows_and_does_nothing(asking: Callable[..., Result], folder: Path) -> None:
    report(asking, folder, "assert 1 == 2")
    shown = asking("dev1", "waiver", "request", *BASH, *comment("x"), "--dry-run")
    assert (shown.exit_code, "covers        FAILED  result 1" in shown.stdout) == (0, True)
    told = asking("dev1", "waiver", "request", *BASH, *comment("x"), "--dry-run", "--json")
    assert [one["id"] for one in json.loads(told.stdout)["waived"]] == [1]
    assert json.loads(told.stdout)["decisions"] is None
    assert "turns         unknown: no policy is configured" in shown.stdout
    assert asking("dev1", "waiver", "list", "--state", "any").stderr.startswith("0 waivers")


POLICY = """\
id: push
product_versions: [fedora-*]
decision_contexts: [push_testing, push_stable]
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: dist.s.a.b}
"""


@pytest.mark.demand("S-063")
def test_what_a_waiver_would_turn_is_foreseen_before_it_is_asked_for_and_approved(
    asking: Callable[..., Result], folder: Path
) -> None:
    (folder / "push.yaml").write_text(POLICY)
    (folder / "ci-results.toml").write_text(CONFIG + '\n[gate]\npolicies = ["push.yaml"]\n')
    report(asking, folder, "assert 1 == 2")
    shown = asking("dev1", "waiver", "request", *BASH, *comment("x"), "--dry-run")
    assert "turns         push_stable of fedora-40: no-go → go" in shown.stdout
    asking("dev1", "waiver", "request", *BASH, *comment("x"))
    told = asking("rm1", "waiver", "preview", "W-1", "--json")
    decisions = json.loads(told.stdout)["decisions"]
    assert [(each["decision_context"], each["without"], each["granted"]) for each in decisions] == [
        ("push_stable", "no-go", "go"), ("push_testing", "no-go", "go"),
    ]  # fmt: skip
    assert decisions[0]["waives"] == ["dist.s.a.b, which is failed"]
    schema = whole("cli/waiver-preview", published())
    assert [each.message for each in Draft202012Validator(schema).iter_errors(json.loads(told.stdout))] == []
    asked = asking("rm1", "waiver", "preview", "W-1")
    assert "W-1  pending" in asked.stdout
    assert "ci-results waiver approve W-1 --comment WHY" in asked.stderr
    other = asking("dev1", "waiver", "request", BASH[0], "dist.other", *BASH[2:], *comment("x"), "--dry-run")
    assert "turns         no decision" in other.stdout
    turned = "turns         push_stable of fedora-40: no-go → go"
    assert turned in asking("dev1", "waiver", "show", "W-1").stdout
    assert turned in asking("rm1", "waiver", "approve", "W-1", *comment("flaky")).stdout
    assert turned in asking("dev1", "waiver", "show", "W-1").stdout
    (folder / "push.yaml").write_text("rules: [")
    broken = asking("dev1", "waiver", "show", "W-1")
    assert (broken.exit_code, "turns         unknown: " in broken.stdout) == (0, True)


def test_a_changed_failure_is_told_everywhere(asking: Callable[..., Result], folder: Path) -> None:
    report(asking, folder, "assert 1 == 2")
    asking("dev1", "waiver", "request", *BASH, *comment("x"))
    asking("rm1", "waiver", "approve", "1", *comment("x"))
    report(asking, folder, "segmentation fault")
    assert "W-1  active  suspended" in asking("dev1", "waiver", "show", "1").stdout
    told = json.loads(asking("dev1", "waiver", "show", "1", "--json").stdout)
    assert told["covers"] == [{"result": 3, "changed": True}]
    assert "1 suspended (failure changed)" in asking("dev1", "inbox").stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("waiver", "show", "X-1"), 64, "is no waiver; write W-118"),
        (("waiver", "show", "7"), 1, "no waiver W-7; see: ci-results waiver list"),
        (
            ("waiver", "request", *BASH[:2], "--product-version", "fedroa-40", "--comment", "x"),
            3,
            "did you mean",
        ),
        (("waiver", "request", *BASH, "--comment", " "), 3, "a comment is missing: say why"),
        (("waiver", "request", *BASH), 64, "Missing option '--comment'"),
        (("waiver", "request", *BASH, "--comment", "x", "--expires", "soon"), 64, "neither a time"),
        (("waiver", "request", *BASH, "--comment", "x", "--expires", "31d"), 3, "lasts 30 days at most"),
        (("waiver", "request", *BASH, "--comment", "x", "--expires", "9" * 18 + "w"), 64, "neither a time"),
        (("waiver", "request", *BASH, "--comment", "x", "--purpose", "x"), 3, "not KIND:VALUE"),
        (("waiver", "request", *BASH, "--comment", "x", "--as", "rm1"), 1, "proxyuser ability"),
        (("audit", "verify", "--head", "x"), 64, "--head needs ID:HASH"),
    ],
)
def test_what_cannot_be_is_told(
    asking: Callable[..., Result], words: tuple[str, ...], code: int, said: str
) -> None:
    asking("dev1", "db", "create")
    done = asking("dev1", *words)
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_a_superuser_acts_for_others(asking: Callable[..., Result]) -> None:
    done = asking("boss", "waiver", "request", *BASH, "--as", "dev1", *comment("x"), "--json")
    told = json.loads(done.stdout)
    assert (told["username"], told["proxied_by"]) == ("dev1", "boss")


def test_an_end_is_announced_once(asking: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    asking("dev1", "waiver", "request", *BASH, *comment("x"), "--expires", "1h")
    asking("rm1", "waiver", "approve", "1", *comment("x"))
    assert "0 ends announced" in asking("ci", "waiver", "announce").stderr
    late = datetime.now(UTC) + timedelta(hours=2)
    monkeypatch.setattr("ci_results.operations.waive._now", lambda: late)
    told = asking("ci", "waiver", "announce", "--json")
    assert [one["state"] for one in json.loads(told.stdout)] == ["expired"]
    assert "0 ends announced" in asking("ci", "waiver", "announce").stderr
    assert "expired at" in asking("ci", "waiver", "show", "1").stdout


@pytest.mark.demand("S-062")
def test_an_audit_names_the_row_that_was_altered_and_what_was_cut_off(
    asking: Callable[..., Result], folder: Path
) -> None:
    for n in range(3):
        asking("dev1", "waiver", "request", *BASH, *comment(f"reason {n}"))
    whole = asking("dev1", "audit", "verify")
    assert (whole.exit_code, "3 events, the chain is whole; its head is 3:" in whole.stderr) == (0, True)
    assert asking("dev1", "audit", "export", "-o", "kept.jsonl").exit_code == 0
    assert len(asking("dev1", "audit", "export").stdout.splitlines()) == 3
    head = whole.stderr.split("its head is ")[1].split()[0]

    with sqlite3.connect(folder / "r.db") as connection:  # somebody with the file, and without scruples
        connection.execute("drop trigger _waiver_event_no_update")
        connection.execute("drop trigger _waiver_event_no_delete")
        connection.execute("update _waiver_event set comment = 'reason 7' where id = 2")
    connection.close()
    altered = asking("dev1", "audit", "verify")
    assert altered.exit_code == 1
    assert altered.stdout == "waiver event 2 was altered: its hash is not that of what it says\n"

    with sqlite3.connect(folder / "r.db") as connection:
        connection.execute("update _waiver_event set comment = 'reason 1' where id = 2")
        connection.execute("delete from _waiver_event where id = 3")
        hashed = connection.execute("select hash from _waiver_event where id = 2").fetchone()[0]
        connection.execute("update _waiver_head set id = 2, hash = ?", (hashed,))
        connection.execute("delete from _outbox where seq = 3")
    connection.close()
    assert asking("dev1", "audit", "verify").exit_code == 0  # the file alone does not tell
    for against in (("--against", "kept.jsonl"), ("--head", head)):
        cut = asking("dev1", "audit", "verify", *against, "--json")
        assert cut.exit_code == 1
        assert json.loads(cut.stdout)["problems"] == [
            "waiver event 3 was published, the chain ends with 2: events are cut off"
        ]
