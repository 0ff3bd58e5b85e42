"""`ci-results decide` and `policy` from the outside."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result as Done
from forge import forge
from jsonschema import Draft202012Validator

from ci_results.cli.published import published
from ci_results.domain.page import Page
from ci_results.operations.schema_check import whole
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

Ask = Callable[..., Done]

POLICY = """\
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
excluded_packages: [kernel]
rules:
- !PassingTestCaseRule {test_case_name: ns.case}
- !PassingTestCaseRule {test_case_name: ns.other}
"""
BASH = "bash-5.2-1.fc40"
PUSH = ("--product-version", "fedora-40", "--context", "push")


@pytest.fixture
def put(folder: Path) -> Callable[..., None]:
    """Store a result: put("k1", outcome="failed")."""
    (folder / "ci-results.toml").write_text('store = "sqlite:r.db"\n[gate]\npolicies = ["policies/*.yaml"]\n')
    (folder / "policies").mkdir()
    (folder / "policies" / "push.yaml").write_text(POLICY)

    def store(key: str, **fields: object) -> None:
        with SqliteStore.open(folder / "r.db") as opened:
            opened.commit_page(Page(source="ci", results=[result(key, **fields)]))

    return store


def holds(name: str, done: Done) -> object:
    """Return the JSON that was printed, after holding it to its schema."""
    value: object = json.loads(done.stdout)
    schema = whole(f"cli/{name}", published())
    assert [each.message for each in Draft202012Validator(schema).iter_errors(value)] == []
    return value


@pytest.mark.demand("S-078")
def test_each_verdict_has_its_exit_code(ask: Ask, put: Callable[..., None]) -> None:
    absent = ask("decide", BASH, *PUSH)
    assert (absent.exit_code, "no store r.db yet" in absent.stderr) == (3, True)
    put("o", testcase="ns.other")
    waits = ask("decide", BASH, *PUSH)
    assert (waits.exit_code, waits.stdout.startswith("WAIT: push of fedora-40\n1 of 2 done")) == (2, True)
    put("1", outcome="failed")
    closed = ask("decide", BASH, *PUSH)
    assert (closed.exit_code, closed.stdout.startswith("NO-GO: ")) == (1, True)
    put("2", outcome="error")
    assert ask("decide", BASH, *PUSH).exit_code == 3
    put("3")
    opened = ask("decide", BASH, *PUSH)
    assert (opened.exit_code, opened.stdout.splitlines()[0], opened.stderr) == (
        0,
        "GO: push of fedora-40",
        "",
    )
    other = ask("decide", BASH, "--product-version", "rhel-9", "--context", "push")
    assert (other.exit_code, "next: ci-results policy explain" in other.stderr) == (4, True)
    assert ask("decide", BASH).exit_code == 64


@pytest.mark.demand("S-076", "S-077")
def test_the_command_that_is_printed_waives_and_opens_the_gate(ask: Ask, put: Callable[..., None]) -> None:
    put("o", testcase="ns.other")
    put("1", outcome="failed", scenario="uefi 2", arch="x86_64")
    put("2", scenario="bios", arch="x86_64")
    closed = ask("decide", BASH, *PUSH)
    (command,) = re.findall(r"waive it: ci-results (.+)", closed.stdout)
    assert "--scenario 'uefi 2' --arch x86_64" in command
    done = ask(*shlex.split(command.replace("WHY", "'infra 4711'")))
    assert (done.exit_code, "active" in done.stderr) == (0, True), done.stderr
    opened = ask("decide", BASH, *PUSH)
    assert opened.exit_code == 0
    assert "failed, and waived: W-1" in opened.stdout
    assert "infra 4711" in opened.stdout


def test_the_command_that_is_printed_is_for_the_purpose_that_was_asked_for(
    ask: Ask, put: Callable[..., None]
) -> None:
    put("o", testcase="ns.other")
    put("1", outcome="failed")
    for purpose in ("advisory:FEDORA-2026-1a2b3c4d5e", "image:ami-1"):
        told = ask("decide", BASH, *PUSH, "--purpose", purpose).stdout
        assert f"--purpose {shlex.quote(purpose)} --comment WHY" in told
    (command,) = re.findall(r"waive it: ci-results (.+)", told)
    assert ask(*shlex.split(command)).exit_code == 0
    assert ask("decide", BASH, *PUSH, "--purpose", "image:ami-1").exit_code == 0
    assert ask("decide", BASH, *PUSH).exit_code == 1


@pytest.mark.demand("S-078")
def test_a_gate_that_nobody_knows_is_never_silently_open(ask: Ask, put: Callable[..., None]) -> None:
    put("o", testcase="ns.other")
    put("1")
    assert ask("decide", BASH, *PUSH).exit_code == 0
    for more in ((), ("--json",)):
        told = ask("decide", BASH, *PUSH, "--context", "pusch", *more)
        assert (told.exit_code, told.stdout) == (4, "")
        assert "no policy is for pusch; did you mean push; contexts are push" in told.stderr
        assert "next: ci-results policy explain --product-version fedora-40" in told.stderr


def test_a_misspelt_product_version_is_told_the_nearest(
    ask: Ask, put: Callable[..., None], folder: Path
) -> None:
    put("1")
    (folder / "products.csv").write_text("product_version\nfedora-40\nrhel-9\n")
    config = folder / "ci-results.toml"
    config.write_text(config.read_text() + '\n[waive]\nproducts = "products.csv"\n')
    told = ask("decide", BASH, "--product-version", "fedroa-40", "--context", "push")
    assert (told.exit_code, "did you mean fedora-40?" in told.stderr) == (4, True)
    assert (
        "did you mean" not in ask("decide", BASH, "--product-version", "rhel-9", "--context", "push").stderr
    )


def test_a_run_that_goes_on_has_no_such_command(ask: Ask, put: Callable[..., None]) -> None:
    put("o", testcase="ns.other")
    put("1", outcome="running")
    told = ask("decide", BASH, *PUSH)
    assert (told.exit_code, "waiting   ns.case" in told.stdout, "waive it" in told.stdout) == (2, True, False)


def test_what_passed_is_shown_where_it_is_asked_for(ask: Ask, put: Callable[..., None]) -> None:
    put("o", testcase="ns.other")
    assert "ns.other" not in ask("decide", BASH, *PUSH).stdout
    assert "passed    ns.other" in ask("decide", BASH, *PUSH, "--explain").stdout


def test_a_rule_that_cannot_be_judged_is_an_error_and_can_be_waived(
    ask: Ask, put: Callable[..., None], folder: Path
) -> None:
    head = POLICY.partition("- !")[0]
    (folder / "policies" / "push.yaml").write_text(
        head + "- !RemoteRule {required: true, sources: ['https://src.example/{pkg_name}/gating.yaml']}\n"
    )
    put("1")
    told = ask("decide", BASH, *PUSH)
    assert (told.exit_code, told.stdout.startswith("ERROR: push of fedora-40\n")) == (3, True)
    assert "  file not reached failed-fetch-gating-yaml: no system is configured that knows" in told.stdout
    (command,) = re.findall(r"waive it: ci-results (.+)", told.stdout)
    assert ask(*shlex.split(command)).exit_code == 0
    assert ask("decide", BASH, *PUSH).exit_code == 0


def test_the_configuration_says_who_may_be_asked_and_who_answers_for_what(
    ask: Ask, put: Callable[..., None], folder: Path
) -> None:
    head = POLICY.partition("- !")[0]
    (folder / "policies" / "push.yaml").write_text(head + "- !RemoteRule {required: true}\n")
    gating = "decision_context: push\nrules: [!PassingTestCaseRule {test_case_name: own.case}]\n"
    config = folder / "ci-results.toml"
    before = config.read_text()
    put("1")
    with forge() as server:
        server.build(BASH)
        server.files["/bash.git/c0ffee.yaml"] = gating.encode()
        gate = f"""remote_rule_policies = {{ koji_build = "{server.url}/{{pkg_name}}.git/{{rev}}.yaml" }}
            builds = {{ kind = "koji", url = "{server.koji}" }}
            remote = {{ attempts = 1 }}
        """
        owner = (
            '[source.team]\ncollector = "jenkins"\nurl = "https://x"\nowns = ["own.*"]\nowner = "the team"\n'
        )
        config.write_text(before.replace("[gate]\n", f"[gate]\n{gate}\n") + owner)
        told = ask("decide", BASH, *PUSH)
    assert (told.exit_code, told.stdout.startswith("WAIT: push of fedora-40\n")) == (2, True), told.output
    assert f"required by {server.url}/bash.git/c0ffee.yaml:2" in told.stdout
    assert "; owner the team\n" in told.stdout


def test_a_decision_is_printed_as_json(ask: Ask, put: Callable[..., None]) -> None:
    put("1", outcome="failed")
    done = ask("decide", BASH, "zsh-5-1.fc40", *PUSH, "--purpose", "advisory:RHSA-2026:0001", "--json")
    value = holds("decide", done)
    assert isinstance(value, dict)
    assert (done.exit_code, value["verdict"], value["purposes"]) == (1, "no-go", ["advisory:RHSA-2026:0001"])
    assert [each["verdict"] for each in value["subjects"]] == ["no-go", "wait"]
    first = value["subjects"][0]["requirements"][0]
    assert (first["rule"]["file"], first["rule"]["line"]) == ("policies/push.yaml", 7)


def test_a_bad_file_is_told_with_its_line_and_decides_nothing(
    ask: Ask, put: Callable[..., None], folder: Path
) -> None:
    put("1")
    (folder / "policies" / "a.yaml").write_text(POLICY + "- !PassingRule {test_case_name: a.b}\n")
    done = ask("decide", BASH, *PUSH)
    assert (done.exit_code, "policies/a.yaml:9: " in done.stderr, done.stdout) == (3, True, "")
    (folder / "ci-results.toml").write_text('store = "sqlite:r.db"\n')
    assert (ask("decide", BASH, *PUSH).exit_code, ask("policy", "lint").exit_code) == (3, 3)


def test_lint_tells_all_that_is_wrong(ask: Ask, put: Callable[..., None], folder: Path) -> None:
    put("1")
    put("2", testcase="ns.othr")
    odd = ask("policy", "lint")
    assert odd.exit_code == 2
    assert (
        "policies/push.yaml:8: warning: testcase 'ns.other' never reported; did you mean ns.othr"
        in odd.stdout
    )
    (folder / "bad.yaml").write_text(POLICY + "- !PassingRule {}\n---\nid: y\n")
    bad = ask("policy", "lint", "bad.yaml", "--json")
    value = holds("policy-lint", bad)
    assert isinstance(value, list)
    assert (bad.exit_code, {(each["level"], each["line"]) for each in value}) == (
        1, {("error", 9), ("error", 11)},
    )  # fmt: skip
    put("3", testcase="ns.other")
    good = ask("policy", "lint", "policies/push.yaml")
    assert (good.exit_code, good.stdout, good.stderr) == (0, "", "1 file: 0 errors, 0 warnings\n")
    assert ask("policy", "lint", "gone.yaml").exit_code == 3


@pytest.mark.demand("S-100")
def test_the_rules_in_force_are_listed_with_their_places(ask: Ask, put: Callable[..., None]) -> None:
    told = ask("policy", "explain", *PUSH)
    assert told.exit_code == 0
    assert "policies/push.yaml:7  push    !PassingTestCaseRule  ns.case" in told.stdout
    value = holds("policy-explain", ask("policy", "explain", *PUSH, "--package", "kernel", "--json"))
    assert isinstance(value, list)
    assert [(each["rule"], each["line"]) for each in value] == [(None, 1)]
    assert "package kernel is in its excluded_packages" in value[0]["passed_over"]
    none = ask("policy", "explain", "--product-version", "rhel-9")
    assert (none.exit_code, "contexts are push" in none.stderr) == (1, True)
