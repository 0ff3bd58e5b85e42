from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.expecting import named, versions_of
from ci_results.decide.policy_set import PolicySet, load
from ci_results.domain.expectation import MAX_TESTCASES, Event
from ci_results.domain.subject import Subject
from ci_results.errors import InvalidError

BASH = Subject("koji_build", "bash-5.2-1.fc40")
POLICIES = """
id: push
product_versions: [fedora-*]
decision_contexts: [push, other]
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: dist.rpmlint}
- !ResultsRule {testcases: [dist.abi.*, dist.license]}
- !PackagesRule {packages: [kernel], rules: [!PassingTestCaseRule {test_case_name: kernel.boot}]}
- !ExperimentalRule {rules: [!PassingTestCaseRule {test_case_name: new.test}]}
- !ManualPlanRule {plan: beta}
---
id: commits
product_versions: ['*']
decision_context: merge
subject_type: dist-git-commit
rules:
- !PassingTestCaseRule {test_case_name: dist.lint}
---
id: rhel
product_versions: [rhel-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: rhel.only}
"""


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return load([("p.yaml", POLICIES.encode())], {kind.name: kind for kind in RULE_TYPES})


def event(subject: Subject = BASH, **fields: Any) -> Event:
    return Event(**({"source": "koji", "key": "1", "kind": "build.complete", "subject": subject} | fields))


@pytest.mark.demand("S-052", "S-053", "S-054")
@pytest.mark.parametrize(
    ("given", "testcases", "plans"),
    [
        (event(), ("dist.license", "dist.rpmlint", "new.test"), ("beta",)),
        (
            event(Subject("brew-build", "kernel-6-1.fc40")),
            ("dist.license", "dist.rpmlint", "kernel.boot", "new.test"),
            ("beta",),
        ),
        (event(product_version="rhel-9"), ("rhel.only",), ()),
        (event(Subject("koji_build", "bash-5.2-1"), build_target="rhel-9.1-candidate"), ("rhel.only",), ()),
        (event(Subject("dist-git-commit", "rpms/bash#1234")), ("dist.lint",), ()),
        (event(Subject("ami", "ami-1")), (), ()),
        (event(testcases=("b.b", "a.a", "b.b")), ("b.b", "a.a"), ()),
    ],
    ids=["a build", "its alias", "told version", "target", "a commit", "nobody's", "named"],
)
def test_policies_say_what_to_expect_of_a_subject_unless_the_event_does(
    policies: PolicySet, given: Event, testcases: tuple[str, ...], plans: tuple[str, ...]
) -> None:
    assert named(given, policies) == (testcases, plans)


@pytest.mark.parametrize(
    ("given", "versions"),
    [
        (event(), ("fedora-40",)),
        (event(product_version="rhel-9"), ("rhel-9",)),
        (event(Subject("dist-git-commit", "x")), ()),
    ],
)
def test_the_product_version_is_told_or_read_off_the_subject(
    policies: PolicySet, given: Event, versions: tuple[str, ...]
) -> None:
    assert versions_of(given, policies) == versions


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": " "}, "needs source"),
        ({"key": ""}, "needs key"),
        ({"kind": "a\nb"}, "unprintable"),
        ({"subject": Subject("koji_build", "x" * 1025)}, "subject_identifier .* longer than 1024"),
        ({"subject": Subject("", "x")}, "needs subject_type"),
        ({"owner": "\0"}, "owner .* unprintable"),
        ({"owner": "\ud800"}, "owner .* unprintable"),
        ({"time": datetime(2026, 1, 1)}, "time .* no zone.*end it with Z"),
        ({"due": datetime(2025, 1, 1, tzinfo=UTC)}, "due lies before time"),
        ({"testcases": ("nodot",)}, "namespace"),
        ({"testcases": ("a.b",) * (MAX_TESTCASES + 1)}, "at most 1000"),
    ],
)
def test_an_event_that_breaks_a_rule_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        replace(event(time=datetime(2026, 1, 1, tzinfo=UTC)), **change)


def test_the_digest_tells_events_apart() -> None:
    others = [
        event(), event(key="2"), event(owner="jdoe"), event(testcases=("a.b",)), event(product_version="f"),
        event(due=datetime(2026, 1, 1, tzinfo=UTC)), event(time=datetime(2026, 1, 1, tzinfo=UTC)),
    ]  # fmt: skip
    assert len({each.digest for each in others}) == len(others)
    assert event().digest == event().digest
