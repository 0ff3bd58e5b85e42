"""Which decisions a new result may change, and of which product its subject is, by the reference's 3.8."""

from __future__ import annotations

import doctest

import pytest

from ci_results.decide import concerned as module
from ci_results.decide.concerned import concerned, product_versions
from ci_results.decide.subject_types import BUILT_IN
from ci_results.domain.subject import SubjectType, SubjectTypes

from .making import read

KINDS = SubjectTypes(BUILT_IN)
BUILD = KINDS.find("koji_build")


def policy(name: str, rules: str, **keys: str) -> str:
    given = {
        "product_versions": "[fedora-*]",
        "decision_contexts": "[push]",
        "subject_type": "koji_build",
    } | keys
    return (
        f"--- !Policy\nid: {name}\n" + "".join(f"{k}: {v}\n" for k, v in given.items()) + f"rules: {rules}\n"
    )


CHOSEN = read(
    policy("a", "[!PassingTestCaseRule {test_case_name: t.a}]", decision_contexts="[push, compose]")
    + policy("glob", "[!ResultsRule {testcases: ['t.*']}]", decision_contexts="[glob]")
    + policy("empty", "[]", decision_contexts="[empty]", product_versions="[rhel-9, fedora-40]")
    + policy("remote", "[!RemoteRule {}]", decision_contexts="[remote]")
    + policy("plan", "[!ManualPlanRule {plan: beta}]", decision_contexts="[plan]")
    + policy("inner", "[!ExperimentalRule {rules: [!PassingTestCaseRule {test_case_name: u.x}]}]")
    + policy("other", "[]", subject_type="compose", decision_contexts="[images]")
)


def test_decisions_concerned_are_those_of_policies_that_look_at_the_testcase() -> None:
    assert concerned(CHOSEN, BUILD, "t.a", ["fedora-40"]) == [
        *(("compose", "fedora-40"), ("empty", "fedora-40"), ("glob", "fedora-40")),
        *(("plan", "fedora-40"), ("push", "fedora-40"), ("remote", "fedora-40")),
    ]
    assert ("push", "fedora-40") in concerned(CHOSEN, BUILD, "u.x", ["fedora-40"])
    assert concerned(CHOSEN, BUILD, "x.x", ["rhel-9"]) == [("empty", "rhel-9")]


def test_without_a_product_version_those_of_the_policies_count() -> None:
    found = concerned(CHOSEN, BUILD, "x.x")
    assert [each for each in found if each[0] == "empty"] == [("empty", "fedora-40"), ("empty", "rhel-9")]
    assert ("remote", "fedora-*") in found


@pytest.mark.parametrize(
    ("kind", "identifier", "target", "found"),
    [
        ("compose", "RHEL-8.1.0-20190701.n.0", None, ["rhel-8"]),
        ("compose", "Fedora-40-20260301.n.0", None, []),
        ("redhat-module", "nodejs-12-1.abc", None, ["rhel-8"]),
        ("koji_build", "bash-5-1.el8", "rhel-8.2-candidate", ["rhel-8", "rhel-8.2"]),
        ("koji_build", "bash-5-1.fc38", "f38-candidate", ["fedora-38"]),
        ("koji_build", "bash-5-1.fc41", "rawhide", ["fedora-rawhide"]),
        ("koji_build", "bash-5-1.fc38", None, ["fedora-38"]),
        ("koji_build", "bash-5-1.el9", None, ["rhel-9"]),
        ("koji_build", "bash-5-1.epel8", None, ["epel-8"]),
        ("koji_build", "bash-5-1.fc38", "odd", ["fedora-38"]),
        ("koji_build", "bash-5-1", None, []),
        ("bodhi_update", "FEDORA-2026-1a2b3c4d5e", None, []),
    ],
)
def test_the_product_versions_of_a_subject(
    kind: str, identifier: str, target: str | None, found: list[str]
) -> None:
    assert product_versions(KINDS.find(kind), identifier, target) == found


def test_a_generic_type_is_guessed_by_its_build_target_alone() -> None:
    generic = SubjectType(id="odd", is_koji_build=True)
    assert product_versions(generic, "x-1-1.fc38") == []
    assert product_versions(generic, "x-1-1.fc38", "f39") == ["fedora-39"]


def test_the_examples_of_docstrings_hold() -> None:
    assert doctest.testmod(module).failed == 0
