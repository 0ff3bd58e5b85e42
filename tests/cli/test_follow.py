"""`event` and `follow` on the command line: from an event to a line in the feed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import Ask

POLICY = """
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: baseos.tier1}
"""
EVENT = {
    "id": "b1", "source": "koji", "type": "build.complete", "time": "2026-03-01T12:00:00Z", "owner": "jdoe",
    "subject_type": "koji_build", "subject_identifier": "bash-5.2-1.fc40",
}  # fmt: skip
ASKED = ("bash-5.2-1.fc40", "--product-version", "fedora-40", "--context", "push")


@pytest.fixture
def here(folder: Path) -> Path:
    (folder / "p.yaml").write_text(POLICY)
    (folder / "event.json").write_text(json.dumps(EVENT))
    (folder / "ci-results.toml").write_text(
        'store = "sqlite:r.db"\n[gate]\npolicies = ["p.yaml"]\n'
        '[sink.feed]\nkind = "jsonlines"\npath = "feed.jsonl"\n'
    )
    return folder


def report(ask: Ask, folder: Path) -> None:
    (folder / "t.xml").write_text('<testsuite name="s"><testcase name="tier1"/></testsuite>')
    words = ("--item", "bash-5.2-1.fc40", "--testcase-prefix", "baseos")
    done = ask("report", "t.xml", *words)
    assert done.exit_code == 0, done.output


@pytest.mark.demand("S-012", "S-053", "S-136")
def test_from_a_build_that_is_done_to_the_message_nobody_does_anything(ask: Ask, here: Path) -> None:
    told = ask("event", "event.json")
    assert told.exit_code == 0
    assert re.search(r"bash-5.2-1.fc40 +baseos.tier1 +2026-03-02T12:00:00Z +jdoe", told.stdout)
    assert "1 event stored, 0 known already, 1 result expected" in told.stderr
    decided = ask("decide", *ASKED)
    assert decided.exit_code == 2
    assert "expected since 2026-03-01 12:00 UTC" in decided.stdout
    assert "by build.complete b1; overdue since 2026-03-02 12:00 UTC" in decided.stdout
    assert "owner jdoe" in decided.stdout
    assert ask("follow", "--once").exit_code == 0
    report(ask, here)
    followed = ask("follow", "--once", "--json")
    assert json.loads(followed.stdout)["recorded"] >= 0
    assert ask("deliver").exit_code == 0
    lines = [json.loads(line) for line in (here / "feed.jsonl").read_text().splitlines()]
    verdicts = [line["verdict"] for line in lines if line["event"] == "decision"]
    assert verdicts[0] == "wait"


def test_an_event_sent_again_is_known(ask: Ask, here: Path) -> None:
    ask("event", "event.json")
    again = ask("event", "-", "--json", input=json.dumps([EVENT]))
    (event,) = json.loads(again.stdout)
    assert (event["new"], event["expected"][0]["testcase"]) == (False, "baseos.tier1")
    other = ask("event", "-", input=json.dumps({**EVENT, "owner": "rm"}))
    assert other.exit_code == 3
    assert "id of its own" in other.stderr


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "is no JSON"),
        ("{}", "Field required"),
        ("[]", "1 to 1000 events"),
        (json.dumps({**EVENT, "time": "noon"}), "time with its zone|must be a time"),
        (json.dumps({**EVENT, "testcases": ["nodot"]}), "namespace"),
    ],
)
def test_an_event_that_is_wrong_is_told_what_is(ask: Ask, here: Path, said: str, told: str) -> None:
    done = ask("event", "-", input=said)
    assert done.exit_code not in (0, 2)
    assert re.search(told, done.stderr)
    assert "Traceback" not in done.output


def test_without_policies_an_event_says_that_nothing_is_expected(ask: Ask, here: Path) -> None:
    (here / "ci-results.toml").write_text('store = "sqlite:r.db"\n')
    done = ask("event", "event.json")
    assert done.exit_code == 0
    assert "no policy names testcases" in done.stderr
    assert ask("follow", "--once").exit_code == 3


def test_no_store_and_broken_policies_are_errors_with_what_to_do(ask: Ask, here: Path) -> None:
    assert ask("follow", "--once").exit_code == 3
    ask("event", "event.json")
    (here / "p.yaml").write_text("id: x\n")
    done = ask("follow", "--once")
    assert done.exit_code == 3
    assert "p.yaml:1" in done.stderr
