"""`ci-results policy simulate` and `promote`, from the outside."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result as Done

from ci_results.domain.delivery import Position
from ci_results.domain.page import Page
from ci_results.domain.recorded import GatingPoint
from ci_results.domain.stored import SourceState
from ci_results.domain.subject import Subject
from ci_results.operations import promote as promoting
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.decision_rules import recorded
from ci_results.testing.store_contract import result

from .test_policy_tools import holds

Ask = Callable[..., Done]
HEAD = "id: push\nproduct_versions: [fedora-*]\ndecision_context: push\nsubject_type: koji_build\nrules:\n"
OLD = f"""{HEAD}- !PassingTestCaseRule {{test_case_name: ns.case}}
# New, watched since May.
- !ExperimentalRule
  rules:
  - !PassingTestCaseRule {{test_case_name: ns.fuzz}}  # ask fuzz-qe
  - !PassingTestCaseRule {{test_case_name: ns.slow}}
"""
EVERY = ("--since", "2026-01-01")


@pytest.fixture
def put(folder: Path) -> Callable[..., None]:
    """Store results: put("bash-5.2-1.fc40", case="failed")."""
    (folder / "ci-results.toml").write_text('store = "sqlite:r.db"\n[gate]\npolicies = ["policies/*.yaml"]\n')
    (folder / "policies").mkdir()
    (folder / "policies" / "push.yaml").write_text(OLD)
    with SqliteStore.open(folder / "r.db") as store:
        store.register_source(SourceState(name="ci", collector="x", owner="base-qe"))

    def store_results(item: str, **outcomes: str) -> None:
        rows = [
            result(f"{item}.{name}", testcase=f"ns.{name}", item=item, outcome=outcome)
            for name, outcome in outcomes.items()
        ]
        with SqliteStore.open(folder / "r.db") as opened:
            opened.commit_page(Page(source="ci", results=rows))

    return store_results


def test_what_flips_is_listed_by_component_and_owner(
    ask: Ask, put: Callable[..., None], folder: Path
) -> None:
    put("bash-5.2-1.fc40", case="passed", fuzz="failed")
    put("bash-5.2-2.fc40", case="passed", fuzz="passed")
    put("zsh-5-1.fc40", case="failed", fuzz="passed")
    put("make-4-1.el9", case="passed")
    put("tool-1-1", case="passed")
    (folder / "new").mkdir()
    new = folder / "new" / "push.yaml"
    new.write_text(f"{HEAD}- !PassingTestCaseRule {{test_case_name: ns.fuzz}}\n")
    told = ask("policy", "simulate", "new", *EVERY)
    assert told.exit_code == 1, told.output
    assert "go -> no-go  bash-5.2-1.fc40  push of fedora-40\n" in told.stdout
    assert "  ns.fuzz: failed (required by new/push.yaml:6)\n" in told.stdout
    assert "no-go -> go  zsh-5-1.fc40  push of fedora-40\n" in told.stdout
    assert "bash-5.2-2.fc40" not in told.stdout
    assert "3 decisions about 5 items, which are the items with results since 2026-01-01" in told.stderr
    assert "1 item left out, whose product version" in told.stderr
    value = holds("policy-simulate", ask("policy", "simulate", new, *EVERY, "--json"))
    assert isinstance(value, dict)
    assert value["effect"] == {"closes": 1, "opens": 1, "others": 0}
    assert value["by_component"] == [
        {"name": "bash", "closes": 1, "opens": 0, "others": 0},
        {"name": "zsh", "closes": 0, "opens": 1, "others": 0},
    ]
    assert value["by_owner"] == [{"name": "base-qe", "closes": 1, "opens": 1, "others": 0}]
    few = holds("policy-simulate", ask("policy", "simulate", new, *EVERY, "--most", 1, "--json"))
    assert isinstance(few, dict)
    assert (len(few["flips"]), few["effect"]["opens"]) == (1, 1)


def test_the_exit_code_says_whether_something_would_be_stopped(
    ask: Ask, put: Callable[..., None], folder: Path
) -> None:
    put("zsh-5-1.fc40", case="failed")
    same = ask("policy", "simulate", "policies", *EVERY)
    assert (same.exit_code, same.stdout) == (0, "")
    (folder / "none.yaml").write_text(HEAD.replace("rules:", "rules: []"))
    assert ask("policy", "simulate", "none.yaml", *EVERY).exit_code == 2
    later = ask("policy", "simulate", "none.yaml", "--since", "2027-01-01")
    assert (later.exit_code, "0 decisions about 0 items" in later.stderr) == (0, True)
    assert ask("policy", "simulate", "none.yaml", *EVERY, "--context", "else").exit_code == 0
    (folder / "bad.yaml").write_text(HEAD + "- !Passing {}\n")
    bad = ask("policy", "simulate", "bad.yaml", *EVERY)
    assert (bad.exit_code, "bad.yaml:6: " in bad.stderr) == (3, True)
    assert ask("policy", "simulate").exit_code == 64


def test_items_without_a_version_are_decided_for_the_one_that_is_named(
    ask: Ask, put: Callable[..., None], folder: Path
) -> None:
    put("tool-1-1", case="passed")
    (folder / "new.yaml").write_text(f"{HEAD}- !PassingTestCaseRule {{test_case_name: ns.none}}\n")
    told = ask("policy", "simulate", "new.yaml", *EVERY, "--product-version", "fedora-40")
    assert (told.exit_code, "go -> wait  tool-1-1" in told.stdout) == (1, True), told.output


@pytest.mark.demand("S-097")
def test_what_would_have_been_blocked_is_shown_and_then_the_file_is_changed(
    ask: Ask, put: Callable[..., None], folder: Path
) -> None:
    for number in range(1, 5):
        put(f"bash-5.2-{number}.fc40", case="passed", fuzz="failed" if number == 2 else "passed")
    words = ("policy", "promote", "--passed", 3, "--of", 4, *EVERY)
    dry = ask(*words, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "policies/push.yaml:10  push    ns.fuzz    3/4     yes" in dry.stdout
    assert "ns.slow: 0 finished results so far, 4 are needed" in dry.stdout
    assert "go -> no-go  bash-5.2-2.fc40  push of fedora-40" in dry.stdout
    assert "+- !PassingTestCaseRule {test_case_name: ns.fuzz}  # ask fuzz-qe" in dry.stdout
    file = folder / "policies" / "push.yaml"
    assert file.read_text() == OLD
    value = holds("policy-promote", ask(*words, "--dry-run", "--json"))
    assert isinstance(value, dict)
    assert (value["written"], [each["ready"] for each in value["candidates"]]) == (False, [True, False])
    os.chmod(file, 0o640)
    done = ask(*words)
    assert (done.exit_code, "1 rule required from now on" in done.stderr) == (0, True)
    assert (
        file.read_text()
        == OLD.replace("  - !PassingTestCaseRule {test_case_name: ns.fuzz}  # ask fuzz-qe\n", "")
        + "- !PassingTestCaseRule {test_case_name: ns.fuzz}  # ask fuzz-qe\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(each.name for each in (folder / "policies").iterdir()) == ["push.yaml"]
    push = ("--product-version", "fedora-40", "--context", "push")
    assert ask("decide", "bash-5.2-2.fc40", *push).exit_code == 1
    none = ask(*words)
    assert (none.exit_code, "ns.slow: 0 finished" in none.stdout) == (1, True)


def test_only_what_is_named_is_promoted(ask: Ask, put: Callable[..., None], folder: Path) -> None:
    put("bash-5.2-1.fc40", fuzz="passed", slow="passed")
    words = ("policy", "promote", "--passed", 1, "--of", 1, *EVERY)
    assert ask(*words, "ns.slow").exit_code == 0
    text = (folder / "policies" / "push.yaml").read_text()
    assert text.endswith("  # ask fuzz-qe\n- !PassingTestCaseRule {test_case_name: ns.slow}\n")
    none = ask(*words, "ns.gone")
    assert (none.exit_code, "no !ExperimentalRule is about that" in none.stderr) == (1, True)
    assert ask("policy", "promote", "--passed", 3, "--of", 2).exit_code == 64


def test_a_file_that_was_changed_meanwhile_is_left_alone(
    ask: Ask, put: Callable[..., None], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("bash-5.2-1.fc40", fuzz="passed")
    file = folder / "policies" / "push.yaml"
    write = promoting.Change.write

    def meanwhile(change: promoting.Change) -> None:
        file.write_text(OLD + "# by somebody else\n")
        write(change)

    monkeypatch.setattr(promoting.Change, "write", meanwhile)
    told = ask("policy", "promote", "--passed", 1, "--of", 1, *EVERY)
    assert (told.exit_code, "was changed meanwhile: do it again" in told.stderr) == (3, True)
    assert file.read_text() == OLD + "# by somebody else\n"


def test_recorded_decisions_are_decided_again_where_there_are_any(
    ask: Ask, put: Callable[..., None], folder: Path
) -> None:
    put("bash-5.2-1.fc40", case="passed")
    put("zsh-5-1.fc40", case="passed")
    point = GatingPoint(Subject("koji_build", "bash-5.2-1.fc40"), "fedora-40", "push")
    with SqliteStore.open(folder / "r.db") as store:
        made = [recorded(number, point, verdict=word) for number, word in ((1, "wait"), (2, "go"))]
        store.decisions.record(store.decisions.begin(), Position(1, 0), "sha256:1", made)
    (folder / "new.yaml").write_text(f"{HEAD}- !PassingTestCaseRule {{test_case_name: ns.none}}\n")
    words = ("policy", "simulate", "new.yaml", "--since", "2020-01-01")
    told = ask(*words)
    assert (told.exit_code, "go -> wait  bash-5.2-1.fc40" in told.stdout) == (1, True), told.output
    assert "1 decision about 1 item, which are the recorded decisions since" in told.stderr
    value = holds("policy-simulate", ask(*words, "--json"))
    assert isinstance(value, dict)
    assert (value["from"], value["decisions"], value["items"]) == ("recorded decisions", 1, 1)
    later = holds("policy-simulate", ask("policy", "simulate", "new.yaml", *EVERY, "--json"))
    assert isinstance(later, dict)
    assert later["from"] == "items with results"  # those decisions are of 2025
