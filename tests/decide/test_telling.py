"""One decision, told as text, as our JSON, and as Greenwave's; and what lint and explain say."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from ci_results.decide.explain import effective
from ci_results.decide.gating_file import validate
from ci_results.decide.lint import lint
from ci_results.decide.text import tell
from ci_results.decide.yaml_tree import Unreadable
from ci_results.domain.decision import Requirement
from ci_results.domain.facts import Expectation
from ci_results.domain.subject import Subject
from ci_results.wire import decision_json

from .making import BASH, NOW, decide, facts, passing, policies, read, result, waiver

RULES = (
    passing("t.good", "t.bad", "t.gone", "t.waived", "t.slow")
    + """
!AtLeastRule {at_least: 2, testcases: [t.x, t.y, t.z]}
!ExperimentalRule {rules: [!PassingTestCaseRule {test_case_name: t.new}]}
"""
)
KNOWN = facts(
    result("t.good", number=1),
    result("t.bad", "FAILED", 2, arch="aarch64", build_url="https://ci/bad/14", data={"message_id": ["m-2"]}),
    result("t.waived", "FAILED", 3),
    result("t.slow", "RUNNING", 4, time=NOW - timedelta(minutes=14)),
    result("t.x", number=5),
    result("t.new", "FAILED", 6),
    waivers=[waiver("t.waived"), waiver("t.bad", 8, purpose="advisory:FEDORA-2026-1")],
    expectations={
        (BASH, "t.gone"): Expectation(NOW - timedelta(minutes=22), NOW - timedelta(minutes=4), "koji build")
    },
    owners={"t.gone": "desktop-qe", "t.bad": "baseos-qe"},
)


def command(requirement: Requirement) -> str:
    return f"waive {requirement.subject.identifier} {requirement.testcase}"


@pytest.mark.demand("S-051", "S-053", "S-064", "S-077")
def test_the_text_names_what_blocks_why_it_is_required_and_what_would_open_the_gate() -> None:
    assert (
        tell(decide(RULES, KNOWN), command)
        == """\
NO-GO: push of fedora-40
3 of 6 done (50 %): 1 passed, 1 failed, 1 waiting, 2 missing, 1 waived
  failed    t.bad (aarch64)
            result 2 FAILED, 60 min ago, https://ci/bad/14, message m-2
            not waived: W-8 is for advisory:FEDORA-2026-1 only
            required by a.yaml:9 (policy gate); owner baseos-qe
            waive it: waive bash-5.2-1.fc40 t.bad
  missing   t.gone: no evidence
            expected since 2026-03-01 11:38 UTC, 22 min ago, by koji build; overdue since 2026-03-01 11:56 UTC
            required by a.yaml:10 (policy gate); owner desktop-qe
            waive it: waive bash-5.2-1.fc40 t.gone
  waived    t.waived
            result 3 FAILED, 60 min ago
            failed, and waived: W-7 by rm1: infra
            required by a.yaml:11 (policy gate)
  waiting   t.slow
            result 4 RUNNING, 14 min ago
            required by a.yaml:12 (policy gate)
            waive it: waive bash-5.2-1.fc40 t.slow
  missing   at least 2 of t.x, t.y, t.z: 1 of 3 passed or waived, 2 needed
            required by a.yaml:13 (policy gate)
            missing   t.y: no evidence
                      required by a.yaml:13 (policy gate)
                      waive it: waive bash-5.2-1.fc40 t.y
            missing   t.z: no evidence
                      required by a.yaml:13 (policy gate)
                      waive it: waive bash-5.2-1.fc40 t.z
  failed    t.new (only informs)
            result 6 FAILED, 60 min ago
            required by a.yaml:14 (policy gate)

opens if
  t.bad (aarch64) passes or is waived
  and t.gone passes or is waived
  and t.slow passes
  and 1 of t.y, t.z pass or are waived

as of commit 100, 2026-03-01 12:00 UTC; policies """
        + decide(RULES, KNOWN).digest[:19]
        + "\n"
    )


def test_the_text_says_go_no_policy_and_several_subjects() -> None:
    zsh = Subject("koji_build", "zsh-5-1.fc40")
    chosen = policies(passing("t.a"))
    known = facts(result("t.a"), others={zsh: []})
    assert tell(decide(chosen, known)).splitlines()[:2] == [
        "GO: push of fedora-40",
        "1 of 1 done (100 %): 1 passed",
    ]
    assert "    result" not in tell(decide(chosen, known))
    assert "passed    t.a" in tell(decide(chosen, known), verbose=True)
    none = tell(decide(chosen, known, contexts=("else",)))
    assert none.startswith("NO POLICY: else of fedora-40\nnothing is required\n")
    assert "no policy is for koji_build in else of fedora-40" in none
    both = tell(decide(chosen, known, subjects=(BASH, zsh))).splitlines()
    assert both[0] == "WAIT: push of fedora-40"
    assert [line for line in both if "koji_build" in line] == [
        "GO: koji_build bash-5.2-1.fc40",
        "WAIT: koji_build zsh-5-1.fc40",
    ]


def test_words_of_others_cannot_move_the_cursor_of_a_terminal() -> None:
    hostile = result("t.a", "FAILED", build_url="https://ci/\x1b[2J\nGO: all is well")
    text = tell(decide(passing("t.a"), facts(hostile)))
    assert "https://ci/\ufffd[2J\ufffdGO: all is well" in text
    assert text.replace("\n", "").isprintable()


@pytest.mark.demand("S-092")
def test_the_json_holds_the_whole_proof() -> None:
    told = decision_json.decision(decide(RULES, KNOWN))
    assert (told["verdict"], told["as_of"]) == ("no-go", {"seq": 100, "time": "2026-03-01T12:00:00.000000Z"})
    assert told["progress"]["percent"] == 50.0
    (subject,) = told["subjects"]
    assert subject["policies"][0]["digest"].startswith("sha256:")
    assert (subject["policies"][0]["id"], subject["policies"][0]["line"]) == ("gate", 1)
    good, bad, gone, waived, *_, new = subject["requirements"]
    assert bad == {
        "state": "failed",
        "satisfied": False,
        "blocking": True,
        "testcase": "t.bad",
        "subject_type": "koji_build",
        "subject_identifier": "bash-5.2-1.fc40",
        "policy": "gate",
        "rule": {"type": "PassingTestCaseRule", "file": "a.yaml", "line": 9},
        "owner": "baseos-qe",
        "result": {
            "id": 2,
            "outcome": "FAILED",
            "time": "2026-03-01T11:00:00.000000Z",
            "scenario": None,
            "arch": "aarch64",
            "variant": None,
            "build_url": "https://ci/bad/14",
            "message_id": "m-2",
            "imported": False,
        },
        "waivers_not_counted": [{"id": 8, "why": "W-8 is for advisory:FEDORA-2026-1 only"}],
    }
    assert good["satisfied"]
    assert gone["overdue"] is True
    assert (gone["expected_since"], gone["due"], gone["event"]) == (
        *("2026-03-01T11:38:00.000000Z", "2026-03-01T11:56:00.000000Z", "koji build"),
    )
    assert (waived["state"], waived["satisfied"], waived["waiver"]["username"]) == ("failed", True, "rm1")
    assert (new["blocking"], new["satisfied"]) == (False, False)
    assert [(each["needed"], [one["testcase"] for one in each["of"]]) for each in told["openings"]] == [
        (1, ["t.bad"]),
        (1, ["t.gone"]),
        (1, ["t.slow"]),
        (1, ["t.y", "t.z"]),
    ]


def test_the_same_facts_give_the_same_bytes() -> None:
    first, second = (orjson.dumps(decision_json.decision(decide(RULES, KNOWN))) for _ in range(2))
    assert first == second


# -- lint -------------------------------------------------------------------------------------------

ODD = """\
id: a
product_versions: [fedora-4O]
decision_context: pusch
subject_type: koji_buidl
excluded_packages: ['*']
packages: [bash]
rules:
- !PassingTestCaseRule {test_case_name: dist.rpmlnt}
- !ResultsRule {testcases: ['distr.*', dist.rpmdiff]}
- !PassingTestCaseRule {test_case_name: dist.rpmlnt, valid_since: 2026-01-01}
---
id: a
product_versions: []
decision_context: push
subject_type: compose
packages: [x]
rules: []
"""


def test_lint_finds_what_never_applies_is_unknown_or_shadowed() -> None:
    found = lint(
        read(ODD),
        testcases={"dist.rpmlint", "dist.rpmdiff"},
        product_versions={"fedora-40"},
        contexts={"push"},
    )
    assert [str(each).removeprefix("a.yaml:").replace("warning: ", "") for each in found] == [
        "1: policy 'a' never applies: excluded_packages cover all its packages [never-applies]",
        "1: policy 'a' never applies: no product version is 'fedora-4O'; did you mean "
        "fedora-40 [never-applies]",
        "1: policy 'a' never applies: nobody asks for 'pusch'; did you mean push [never-applies]",
        "1: policy 'a' names packages, which subjects of its types do not tell [no-effect]",
        "1: subject type 'koji_buidl' is not known; did you mean koji_build [unknown-subject-type]",
        "8: testcase 'dist.rpmlnt' never reported; did you mean dist.rpmlint [unknown-testcase]",
        "9: no testcase that ever reported matches 'distr.*' [unknown-testcase]",
        "10: !PassingTestCaseRule is not weighed: it is the rule of a.yaml:8, which counts with its own "
        "dates [shadowed]",
        "10: testcase 'dist.rpmlnt' never reported; did you mean dist.rpmlint [unknown-testcase]",
        "12: policy 'a' never applies: it has no product version [never-applies]",
        "12: policy 'a' names packages, which subjects of its types do not tell [no-effect]",
        "12: policy 'a' is at a.yaml:1 too: answers cannot tell them apart [repeated-id]",
    ]


def test_lint_finds_a_rule_that_an_earlier_policy_shadows() -> None:
    head = "product_versions: [f]\ndecision_context: c\nsubject_type: koji_build\nrules:\n- "
    early = "!PassingTestCaseRule {test_case_name: a.b, valid_until: 2020-01-01}"
    late = "!PassingTestCaseRule {test_case_name: a.b}"
    found = lint(read(f"id: x\n{head}{early}\n---\nid: y\n{head}{late}\n"))
    assert [each.kind for each in found] == ["shadowed"]
    assert lint(read(f"id: x\npackages: [q]\n{head}{early}\n---\nid: y\n{head}{late}\n")) == []


def test_lint_is_silent_about_names_that_it_cannot_know() -> None:
    assert lint(policies(passing("never.seen"))) == []


# -- explain ----------------------------------------------------------------------------------------


@pytest.mark.demand("S-100")
def test_the_rules_in_force_are_told_with_their_place_and_why_others_are_not() -> None:
    text = "".join(
        f"--- !Policy\nid: {name}\nproduct_versions: [fedora-*]\ndecision_context: push\n"
        f"subject_type: koji_build\n{more}\nrules: [!PassingTestCaseRule {{test_case_name: {case}}}]\n"
        for name, more, case in [
            ("all", "excluded_packages: [glibc]", "t.a"),
            ("glibc", "packages: [glibc]", "t.b"),
            ("again", "", "t.b"),
        ]
    )
    chosen = read(text)
    kind = chosen.subject_types.find("koji_build")

    def told(package: str) -> list[str]:
        found = effective(chosen, kind, product_version="fedora-40", package=package)
        return [
            f"{each.rule.place if each.rule else each.policy.id} {each.passed_over}".strip() for each in found
        ]

    assert told("glibc") == [
        "all package glibc is in its excluded_packages",
        "a.yaml:14",
        "a.yaml:21 the same rule stands at a.yaml:14",
    ]
    assert told("bash") == ["a.yaml:7", "glibc package bash is not among its packages", "a.yaml:21"]


def test_a_rule_of_another_gate_is_weighed_there_too() -> None:
    chosen = read(
        "".join(
            f"--- !Policy\nid: {gate}\nproduct_versions: [fedora-*]\ndecision_context: {gate}\n"
            "subject_type: koji_build\nrules: [!PassingTestCaseRule {test_case_name: t.a}]\n"
            for gate in ("testing", "stable")
        )
    )
    kind = chosen.subject_types.find("koji_build")

    def passed_over(*gates: str) -> list[str]:
        return [
            each.passed_over for each in effective(chosen, kind, product_version="fedora-40", contexts=gates)
        ]

    assert passed_over() == ["", ""]
    assert passed_over("testing", "stable") == ["", "the same rule stands at a.yaml:6"]


# -- remote files before they count -----------------------------------------------------------------


def test_a_remote_file_is_validated_as_the_peer_does() -> None:
    chosen = policies(passing("t.a"))
    assert validate(b"decision_context: push\nrules: []", chosen) == "All OK"
    assert validate(b"decision_contexts: [z, a, push]\nrules: []", chosen) == (
        "Greenwave could not find a parent policy(ies) for following decision context(s): a, z. Please "
        "change your policy so that it will match a decision context in the parent policies."
    )
    for text, said in (
        (b"", "No policies defined"),
        (b"rules: []", "Policy 'untitled': No decision contexts provided"),
    ):
        with pytest.raises(Unreadable) as refused:
            validate(text, chosen)
        assert refused.value.message == said
