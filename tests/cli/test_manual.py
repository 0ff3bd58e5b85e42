"""Plans are imported, findings recorded, and progress told, on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ci_results.serve.auth.tokens import digest

Ask = Callable[..., Result]
ITEM = "Fedora-44-20260301.0"
TABLE = "testcase,title,owner\ndesktop.login,Log in,qe\ndesktop.print,Print,\ndesktop.sound,Hear,\n"


@pytest.fixture
def planned(ask: Ask, folder: Path) -> Ask:
    (folder / "beta.csv").write_text(TABLE)
    done = ask("manual", "plan", "import", "beta.csv", "--item", ITEM, "--item-type", "compose")
    assert done.exit_code == 0, done.stderr
    return ask


def record(ask: Ask, case: str, outcome: str, *more: str) -> Result:
    return ask("manual", "record", case, "--item", ITEM, "--outcome", outcome, *more)


def told(ask: Ask, *more: str) -> Any:
    (found,) = json.loads(ask("manual", "status", "--json", *more).stdout)
    return found


@pytest.mark.demand("S-133")
def test_an_import_says_what_became_of_it(ask: Ask, folder: Path) -> None:
    (folder / "beta.csv").write_text(TABLE)
    wanted = ("manual", "plan", "import", "beta.csv", "--item", ITEM, "--item-type", "compose")
    first, again = ask(*wanted), ask(*wanted)
    assert first.stdout == f"plan beta version 1: new, 3 testcases for {ITEM} (compose)  +3 -0\n"
    assert "next: ci-results manual status --plan beta" in first.stderr
    assert again.stdout.startswith("plan beta version 1: same")
    (folder / "beta.csv").write_text("testcase\ndesktop.login\ndesktop.dark\n")
    dry = ask(*wanted, "--dry-run")
    assert dry.stdout == "+ desktop.dark\n- desktop.print\n- desktop.sound\n"
    changed = ask(*wanted)
    assert changed.stdout == f"plan beta version 2: changed, 2 testcases for {ITEM} (compose)  +1 -2\n"
    shown = json.loads(ask("manual", "plan", "show", "beta", "--version", "1", "--json").stdout)
    assert [case["testcase"] for case in shown["cases"]] == [
        "desktop.login",
        "desktop.print",
        "desktop.sound",
    ]
    assert [each["version"] for each in shown["versions"]] == [2, 1]
    (listed,) = json.loads(ask("manual", "plan", "list", "--json").stdout)
    assert (listed["plan"], listed["version"], listed["required"]) == ("beta", 2, 2)
    assert "beta" in ask("manual", "plan", "list").stdout
    assert "Log in" not in ask("manual", "plan", "show", "beta").stdout


@pytest.mark.demand("S-133")
def test_a_bad_row_stores_nothing_and_is_told_with_its_line(ask: Ask, folder: Path) -> None:
    (folder / "beta.csv").write_text("testcase,title\ndesktop.login,x\n,y\nlogin,z\n")
    done = ask("manual", "plan", "import", "beta.csv", "--item", ITEM, "--item-type", "compose")
    assert done.exit_code == 3
    assert "nothing is imported" in done.stderr
    assert "line 3: names no testcase" in done.stderr
    assert "line 4: testcase needs a namespace" in done.stderr
    assert "no store" in ask("manual", "plan", "list").stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["beta.csv"], 3, "nothing says what item the plan is for: give --item"),
        (["beta.csv", "--item", "x"], 3, "is no NVR"),
        (["beta.csv", "--item", ITEM, "--item-type", "nonsense"], 3, "item type 'nonsense' is not known"),
        (["beta.csv", "--item", ITEM, "--name", "a/b"], 3, "plan name 'a/b'"),
        (["gone.csv", "--item", ITEM], 3, "cannot be read"),
        (["-"], 64, "give --name"),
    ],
)
def test_an_import_that_cannot_be_says_why(
    ask: Ask, folder: Path, words: list[str], code: int, said: str
) -> None:
    (folder / "beta.csv").write_text(TABLE)
    done = ask("manual", "plan", "import", *words)
    assert done.exit_code == code
    assert said in done.stderr


def test_the_file_may_say_what_the_plan_is_for(ask: Ask, folder: Path) -> None:
    (folder / "beta.csv").write_text(f"testcase,item,type\na.b,{ITEM},compose\nc.d,{ITEM},compose\n")
    assert ask("manual", "plan", "import", "beta.csv").exit_code == 0
    (folder / "two.csv").write_text("testcase,item\na.b,x-1-1\nc.d,y-1-1\n")
    assert "the rows name several items (x-1-1, y-1-1)" in ask("manual", "plan", "import", "two.csv").stderr


def test_standard_input_is_a_plan(ask: Ask) -> None:
    done = ask("manual", "plan", "import", "-", "--name", "beta", "--item", "bash-5.2-1.fc44", input=TABLE)
    assert done.exit_code == 0, done.stderr


@pytest.mark.demand("S-133", "S-135")
def test_what_is_recorded_is_a_result_with_its_person_and_counts_at_once(planned: Ask) -> None:
    first = record(
        planned, "desktop.login", "passed", "--comment", "all well", "--link", "https://b.example/1"
    )
    assert first.exit_code == 0, first.stderr
    assert "(not verified)" in first.stdout
    assert "beta: waiting: 1 of 3 done (33.3 %): 1 passed, 2 missing" in first.stdout
    (one,) = json.loads(planned("result", "list", "--json").stdout)
    assert one["data"]["method"] == ["manual"]
    assert one["data"]["actor"][0]
    assert one["data"]["actor_verified"] == ["false"]
    assert (one["note"], one["ref_url"], one["source"]) == ("all well", "https://b.example/1", "manual")
    assert (one["item"], one["item_type"]) == (ITEM, "compose")


@pytest.mark.demand("S-133")
def test_a_correction_is_a_further_result(planned: Ask) -> None:
    record(planned, "desktop.login", "FAILED", "--comment", "no")
    record(planned, "desktop.login", "PASSED", "--comment", "oh, yes")
    assert len(json.loads(planned("result", "list", "--json").stdout)) == 2
    login = told(planned)["cases"][0]
    assert (login["outcome"], [each["note"] for each in login["results"]]) == ("PASSED", ["oh, yes"])


@pytest.mark.demand("S-135")
def test_the_exit_code_tells_passed_failed_and_waiting_apart(planned: Ask) -> None:
    assert planned("manual", "status").exit_code == 2
    record(planned, "desktop.login", "PASSED")
    record(planned, "desktop.print", "PASSED")
    waiting = planned("manual", "status")
    assert waiting.exit_code == 2
    assert (
        "[####################..........] waiting: 2 of 3 done (66.6 %): 2 passed, 1 missing"
        in waiting.stdout
    )
    assert "missing  desktop.sound  Hear" in waiting.stdout
    assert "desktop.login" not in waiting.stdout
    assert "desktop.login" in planned("manual", "status", "--cases").stdout
    assert f"next: ci-results manual record desktop.sound --item {ITEM} --outcome PASSED" in waiting.stderr
    record(planned, "desktop.sound", "FAILED")
    failed = planned("manual", "status", "--item", ITEM)
    assert failed.exit_code == 1
    assert "failed: 3 of 3 done (100 %): 2 passed, 1 failed" in failed.stdout
    record(planned, "desktop.sound", "PASSED")
    assert planned("manual", "status", "--plan", "beta").exit_code == 0
    counts = told(planned)["progress"]
    assert {name: counts[name] for name in ("required", "done", "passed", "failed", "percent")} == {
        "required": 3, "done": 3, "passed": 3, "failed": 0, "percent": 100.0,
    }  # fmt: skip


def test_a_result_of_no_plan_is_recorded_and_said_so(planned: Ask) -> None:
    done = planned("manual", "record", "a.b", "--item", "bash-5.2-1.fc44", "--outcome", "INFO")
    assert done.exit_code == 0
    assert "no plan requires this testcase of bash-5.2-1.fc44 (koji_build)" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["login", "--outcome", "PASSED"], "namespace"),
        (["a.b", "--outcome", "fine"], "outcome 'FINE' is none of PASSED"),
        (["a.b", "--outcome", "PASSED", "--link", "javascript:x"], "not http"),
        (["a.b", "--outcome", "PASSED", "--item-type", "ami"], "is no AMI"),
    ],
)
def test_a_finding_that_breaks_a_rule_is_refused(planned: Ask, words: list[str], said: str) -> None:
    done = planned("manual", "record", *words, "--item", ITEM)
    assert done.exit_code == 3
    assert said in done.stderr
    assert json.loads(planned("result", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no plan yet; import one with: ci-results manual plan import FILE"),
        (["--plan", "gamma"], "no plan gamma; list them with: ci-results manual plan list"),
    ],
)
def test_where_there_is_no_plan_the_status_is_an_error(
    ask: Ask, folder: Path, words: list[str], said: str
) -> None:
    ask("manual", "record", "a.b", "--item", "bash-5.2-1.fc44", "--outcome", "INFO")
    done = ask("manual", "status", *words)
    assert done.exit_code == 3
    assert said in done.stderr


def test_a_plan_of_many_items_tells_of_those_that_are_worked_on(ask: Ask, folder: Path) -> None:
    (folder / "beta.csv").write_text(TABLE)
    ask("manual", "plan", "import", "beta.csv", "--item", "Fedora-44-*", "--item-type", "compose")
    begun = ask("manual", "status")
    assert begun.exit_code == 2
    assert "nobody has begun: name an item with --item" in begun.stderr
    for number in (1, 2):
        ask(
            "manual",
            "record",
            "desktop.login",
            "--item",
            f"Fedora-44-2026030{number}.0",
            "--outcome",
            "PASSED",
        )
    found = json.loads(ask("manual", "status", "--json").stdout)
    assert {each["item"] for each in found} == {"Fedora-44-20260301.0", "Fedora-44-20260302.0"}
    assert "no plan applies to x" in ask("manual", "status", "--item", "x").stderr


TOKEN = "cir_of-rm1"


@pytest.fixture
def ruled(planned: Ask, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """rm1 shows a token, and may speak for desktop.print alone."""
    (folder / "ci-results.toml").write_text(
        f'[[auth.tokens]]\nname = "rm1"\nsha256 = "{digest(TOKEN)}"\n'
        '[[permissions]]\ntestcases = ["desktop.print"]\nusers = ["rm1"]\n'
    )
    monkeypatch.setenv("CI_RESULTS_TOKEN", TOKEN)
    return planned


@pytest.mark.demand("S-133")
def test_a_token_says_who_records(ruled: Ask) -> None:
    done = record(ruled, "desktop.print", "PASSED")
    assert done.exit_code == 0, done.stderr
    assert "by rm1\n" in done.stdout
    result = told(ruled)["cases"][1]["results"][0]
    assert (result["actor"], result["actor_verified"]) == ("rm1", True)


def test_permissions_hold_for_who_shows_a_token(ruled: Ask, folder: Path) -> None:
    refused = record(ruled, "desktop.login", "PASSED")
    assert refused.exit_code == 1
    assert "User rm1 is not authorized" in refused.stderr
    (folder / "beta.csv").write_text("testcase\ndesktop.print\n")
    taken = ruled("manual", "plan", "import", "beta.csv", "--item", ITEM, "--item-type", "compose")
    assert taken.exit_code == 1
    assert "desktop.login" in taken.stderr
    assert told(ruled)["version"] == 1


def test_a_token_that_nobody_knows_is_refused(ruled: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_RESULTS_TOKEN", "cir_other")
    refused = record(ruled, "desktop.print", "PASSED")
    assert refused.exit_code == 3
    assert "not known here" in refused.stderr
