"""Policy files are read as Greenwave reads them, with line numbers; what is wrong is said in its words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ci_results.decide import policy_set
from ci_results.decide.policy_set import load
from ci_results.decide.reading import read_on_demand, read_remote
from ci_results.decide.yaml_tree import MAX_BYTES, Unreadable, read_documents
from ci_results.errors import ConfigError

from .making import TYPES, read

WHOLE = """\
--- !Policy
id: bodhi_push
product_versions:
- fedora-[0-9]*
- rhel-9
decision_contexts: [push, push_stable]
subject_types: [koji_build, bodhi_update]
excluded_packages: [python*]
packages: ["*"]
relevance_key: k
relevance_value: v
rules:
- !PassingTestCaseRule
  test_case_name: dist.rpmlint
  scenario: uefi
  valid_since: 2026-01-02
  valid_until: 2026-03-01 10:00 +02:00
- !RemoteRule {required: true, sources: ["https://src/{pkg_name}/raw/{rev}/gating.yaml"]}
---
id: 5
product_versions: []
decision_context: other
subject_type: compose
rules: []
"""
HEAD = "id: x\nproduct_versions: [a]\ndecision_context: c\nsubject_type: t\n"


def test_a_stream_of_documents_is_read_whole() -> None:
    first, second = read(WHOLE).policies
    assert (first.id, first.product_versions) == ("bodhi_push", ("fedora-[0-9]*", "rhel-9"))
    assert first.decision_contexts == ("push", "push_stable")
    assert first.subject_types == ("koji_build", "bodhi_update")
    assert (first.excluded_packages, first.packages) == (("python*",), ("*",))
    assert (first.relevance_key, first.relevance_value) == ("k", "v")
    assert [str(rule) for rule in first.rules] == [
        "!PassingTestCaseRule at a.yaml:13",
        "!RemoteRule at a.yaml:18",
    ]
    assert first.rules[0].options.valid_since == datetime(2026, 1, 2, tzinfo=UTC)
    assert first.rules[0].options.valid_until == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert first.rules[1].options.required is True
    assert (second.id, second.rules, str(second.place)) == ("5", (), "a.yaml:20")
    assert second.single == (True, True)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("- a", 1, "Expected mapping for !Policy tagged object"),
        ("product_versions: []", 1, "Policy 'untitled': Attribute 'id' is required"),
        ("id: x", 1, "Policy 'x': Attribute 'product_versions' is required"),
        (HEAD, 1, "Policy 'x': Attribute 'rules' is required"),
        (
            HEAD.replace("[a]", '["a\\0"]') + "rules: []",
            2,
            "Policy 'x': Attribute 'product_versions': Expected no NUL and no lone surrogates, got: 'a\\x00'",
        ),
        (HEAD + "rules: no", 5, "Policy 'x': Attribute 'rules': Expected list of Rule objects"),
        (HEAD + "rules: [{a: b}]", 5, "Policy 'x': Attribute 'rules': Expected list of Rule objects"),
        (
            HEAD.replace("[a]", "[1.5]") + "rules: []",
            2,
            "Policy 'x': Attribute 'product_versions': Expected list of str objects",
        ),
        (
            HEAD + "rules:\n- !PassingTestCaseRule {scenario: a}",
            6,
            "Policy 'x': Attribute 'rules': YAML object !PassingTestCaseRule: "
            "Attribute 'test_case_name' is required",
        ),
        (
            HEAD + "rules:\n- !Nothing {}",
            6,
            "Policy 'x': Attribute 'rules': could not determine "
            "a constructor for the tag '!Nothing', in line 6",
        ),
        (
            HEAD + "rules:\n- !PassingTestcaseRule {}",
            6,
            "Policy 'x': Attribute 'rules': could not determine a constructor for the tag "
            "'!PassingTestcaseRule', in line 6; did you mean !PassingTestCaseRule",
        ),
        (
            HEAD + "rules:\n- !PackageSpecificBuild {}",
            6,
            "Policy 'x': Attribute 'rules': !PackageSpecificBuild is obsolete. "
            'Please use the "packages" allowlist instead.',
        ),
        (
            HEAD + "rules:\n- !RemoteRule {required: 1}",
            6,
            "Policy 'x': Attribute 'rules': YAML object !RemoteRule: "
            "Attribute 'required': Expected a boolean value, got: 1",
        ),
        (
            HEAD + "rules:\n- !PassingTestCaseRule\n  test_case_name: a\n  valid_since: soon",
            8,
            "Policy 'x': Attribute 'rules': YAML object !PassingTestCaseRule: "
            "Attribute 'valid_since': Could not parse string as date/time, got: soon",
        ),
        (HEAD.replace("subject_type: t\n", "") + "rules: []", 1, "Policy 'x': No subject types provided"),
        (
            HEAD + "subject_types: [q]\nrules: []",
            1,
            "Policy 'x': Both properties \"subject_types\" and \"subject_type\" were set",
        ),
        (
            HEAD.replace("decision_context: c\n", "decision_context: ''\n") + "rules: []",
            1,
            "Policy 'x': No decision contexts provided",
        ),
        (
            HEAD + "decision_contexts: [q]\nrules: []",
            1,
            "Policy 'x': Both properties \"decision_contexts\" and \"decision_context\" were set",
        ),
        ("a: [", 2, "YAML Parser Error: while parsing a flow node"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_with_file_line_and_the_words_of_the_peer(
    text: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(text)
    assert str(refused.value).startswith(f"a.yaml:{line}: {said}")


@pytest.mark.demand("S-094")
def test_one_wrong_document_refuses_the_whole_set() -> None:
    with pytest.raises(ConfigError, match=r"^b\.yaml:1: Policy 'y'.* \(and 1 more\)$"):
        read(HEAD + "rules: []", "id: y", "- z")


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 10)) for n in range(12)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        b"[" * 100_000,
        b"{a: " * 500 + b"1" + b"}" * 500,
        b"a: &a [*a]",
        b"a: *nowhere",
        b"!!python/object/apply:os.system [ls]",
        b"a: !!binary aGk=",
        b"? [a]\n: b",
        b"a: 2026-99-99",
        b"a: " + b"9" * 10_000,
        b"\xff\xfe\xff",
        b"\0",
        b" " * (MAX_BYTES + 1),
    ],
    ids=["bomb", "deep", "deep maps", "recursive", "undefined", "object", "binary", "key", "date", "number",
         "utf-16", "nul", "large"],
)  # fmt: skip
def test_hostile_yaml_is_refused(text: bytes) -> None:
    with pytest.raises(Unreadable):
        list(read_documents(text))


def test_anchors_and_merge_keys_work_as_in_peers_files() -> None:
    text = HEAD.replace("[a]", "&versions [a]") + (
        "rules:\n- &one !PassingTestCaseRule\n  test_case_name: a.b\n- !PassingTestCaseRule\n"
        "  <<: {scenario: s, test_case_name: q}\n  test_case_name: a.c\n"
        "---\nid: y\nproduct_versions: [b]\ndecision_context: c\nsubject_type: t\nrules: []"
    )
    first, _ = read(text).policies
    assert [(rule.options.test_case_name, rule.options.scenario) for rule in first.rules] == [
        ("a.b", None),
        ("a.c", "s"),
    ]


def test_unknown_keys_of_the_peers_documents_are_passed_over_and_said() -> None:
    text = (
        HEAD + "excluded_package: [a]\nid: x\nrules:\n- !PassingTestCaseRule {test_case_name: a, scenrio: b}"
    )
    assert [str(found) for found in read(text).findings] == [
        "a.yaml:8: warning: !PassingTestCaseRule has no key 'scenrio': it is passed over; "
        "did you mean scenario [unknown-key]",
        "a.yaml:5: warning: !Policy has no key 'excluded_package': it is passed over; did you mean "
        "excluded_packages [unknown-key]",
        "a.yaml:6: warning: !Policy has the key 'id' twice: the last one counts [repeated-key]",
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("!AtLeastRule {at_least: 2, testcases: [a, b], scenari: x}",
         "scenari: unknown key; known are at_least, testcases, scenario; did you mean scenario"),
        ("!AtLeastRule {at_least: 3, testcases: [a, b]}", "at_least: must be 1 to 2, the number of"),
        ("!AtLeastRule {at_least: 1, testcases: [a, a]}", "testcases: one is given twice"),
        ("!AtLeastRule {at_least: 1, testcases: ['a*']}", "testcases: a glob cannot be counted"),
        ("!AtLeastRule {at_least: '1', testcases: [a]}", "at_least: must be a whole number, got '1'"),
        ("!AtLeastRule {testcases: [a]}", "at_least: missing"),
        ("!AtLeastRule {at_least: 1, at_least: 1, testcases: [a]}", "key at_least is given twice"),
        ("!ResultsRule {testcases: [a], max_age: 14}", "max_age: must be a number and a unit, as in"),
        ("!ResultsRule {testcases: []}", "testcases: name at least one"),
        ("!ResultsRule {testcases: [a], at_least: 0}", "at_least: must be 1 or more"),
        ("!PassRateRule {testcase: a, rate: 90, last: 10}", "rate: must be more than 0 and at most 1"),
        ("!PassRateRule {testcase: a, rate: 0.9, last: 0}", "last: must be 1 to 1000"),
        ("!PassRateRule {testcase: a, rate: 0.9, last: 2, least: 3}", "least: must be 0 to `last`"),
        ("!PassRateRule {testcase: a, rate: 0.9, last: 2, over: all}", "over: must be one of item, comp"),
        ("!TierRule {scope: all, decision_context: c}", "scope: must be one of tier, closure"),
        ("!NoNewFailuresRule {testcases: []}", "testcases: name at least one"),
        ("!ExperimentalRule {rules: []}", "rules: name at least one"),
        ("!ExperimentalRule {rules: [{a: b}]}", "Expected list of Rule objects"),
        ("!PackagesRule {rules: [!RemoteRule {}]}", "rules: RemoteRule stands in a policy itself only"),
        ("!SelectRule {name: x, select: select random()}", "select: 'RAND()' is not allowed in a rule"),
        ("!SelectRule {name: x, select: select 1, expect: row}", "expect: must be one of no rows, rows"),
        ("!ManualPlanRule {plan: !Odd {}}", "could not determine a constructor for the tag '!Odd'"),
    ],
)  # fmt: skip
def test_unknown_keys_and_wrong_values_of_our_rules_are_errors(rule: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(HEAD + f"rules:\n- {rule}")
    assert str(refused.value).startswith("a.yaml:6: Policy 'x': Attribute 'rules': YAML object !")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([{"test_case_name": "a"}], "Attribute 'rules': Key 'type' is required for each list item"),
        ([{"type": "X"}], "Attribute 'rules': Key 'type' for an list item is not valid: X"),
        ([{"type": "PassingTestCaseRule"}], "Attribute 'rules': Attribute 'test_case_name' is required"),
        (["a"], "Attribute 'rules': Expected list of Rule objects"),
        ("a", "Attribute 'rules': Expected list of Rule objects"),
        (
            [{"type": "PassingTestCaseRule", "test_case_name": "a", "valid_since": "x"}],
            "Attribute 'rules': Attribute 'valid_since': Could not parse string as date/time, got: x",
        ),
    ],
)
def test_rules_of_a_request_that_are_wrong_are_told_as_the_peer_tells_them(rules: object, said: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_on_demand({"rules": rules}, TYPES)
    assert refused.value.message == said


def test_rules_of_a_request_may_be_ours_and_hold_others() -> None:
    inner = {"type": "PassingTestCaseRule", "test_case_name": "a.b"}
    body = {"rules": [{"type": "ExperimentalRule", "rules": [inner]}], "id": "mine", "packages": ["bash"]}
    policy = read_on_demand(body, TYPES)
    assert (policy.id, policy.packages) == ("mine", ("bash",))
    assert policy.rules[0].options.rules[0].options.test_case_name == "a.b"


def test_a_remote_file_needs_less_and_may_not_fetch_again() -> None:
    (policy,) = read_remote("https://src/x", b"decision_context: c\nrules: []", TYPES)
    assert (policy.id, policy.product_versions, policy.subject_types) == ("", ("*",), ())
    assert policy.source == "https://src/x"
    with pytest.raises(Unreadable, match=r"^Policy 'untitled': No decision contexts provided"):
        read_remote("https://src/x", b"rules: []", TYPES)
    with pytest.raises(Unreadable, match=r"^Policy 'q': RemoteRule is not allowed in remote policies"):
        read_remote("https://src/x", b"id: q\ndecision_context: c\nrules: [!RemoteRule {}]", TYPES)


@pytest.mark.parametrize("rule", ["{0}", "!ExperimentalRule {{rules: [{0}]}}"])
def test_a_rule_in_sql_may_stand_in_our_own_files_only(rule: str) -> None:
    sql = rule.format("!SelectRule {name: x, select: select 1}")
    assert read(HEAD + f"rules: [{sql}]").policies
    with pytest.raises(Unreadable, match="SelectRule is not allowed in remote policies"):
        read_remote("https://src/x", f"decision_context: c\nrules: [{sql}]".encode(), TYPES)
    with pytest.raises(Unreadable, match="SelectRule is not allowed in requests"):
        read_on_demand({"rules": [{"type": "SelectRule", "name": "x", "select": "select 1"}]}, TYPES)


def test_the_digest_is_of_what_a_policy_says_not_of_where_it_stands() -> None:
    plain = read(HEAD + "rules:\n- !PassingTestCaseRule {test_case_name: a}")
    other = read("# words\n--- !Policy\n" + HEAD + "rules: [!PassingTestCaseRule {test_case_name: a}]")
    changed = read(HEAD + "rules: [!PassingTestCaseRule {test_case_name: b}]")
    assert plain.policies[0].digest == other.policies[0].digest != changed.policies[0].digest
    assert plain.digest == other.digest != changed.digest


def test_subject_types_of_files_come_first_and_replace_built_in_ones() -> None:
    text = (
        b"--- !SubjectType\nid: koji_build\naliases: [rpm]\nitem_dict: {item_key: nvr, keys: {a: 1}}\nodd: 1"
    )
    chosen = load([], TYPES, subject_types=[("types.yaml", text)])
    kinds = chosen.subject_types
    assert [kind.id for kind in kinds.types].count("koji_build") == 1
    assert kinds.types[0].id == "koji_build"
    assert kinds.find("rpm").item("x-1-1") == {"nvr": "x-1-1", "a": "1"}
    assert str(chosen.findings[0]).startswith("types.yaml:5: warning: !SubjectType has no key 'odd'")
    with pytest.raises(
        ConfigError, match=r"^t:2: SubjectType 'x': Attribute 'aliases': Expected list of str"
    ):
        load([], TYPES, subject_types=[("t", b"id: x\naliases: 1")])
    for match, version in (("(", "x"), ("a", r"\1")):
        wrong = (
            f"id: x\nproduct_version_match:\n- {{match: '{match}', product_version: '{version}'}}".encode()
        )
        with pytest.raises(ConfigError, match=r"^t:3: SubjectType 'x': Attribute 'product_version_match': "):
            load([], TYPES, subject_types=[("t", wrong)])


def test_what_came_of_a_remote_file_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, seen = read(HEAD + "rules: []"), []

    def reading(url: str, text: bytes, types: Any) -> Any:
        seen.append(url)
        return read_remote(url, text, types)

    monkeypatch.setattr(policy_set, "read_remote", reading)
    monkeypatch.setattr(policy_set, "_REMEMBERED_BYTES", 100)
    good, bad = b"decision_context: c\nrules: []", b"decision_context: c"
    assert chosen.read_remote("u", good) is chosen.read_remote("u", good)
    faults = []
    for _ in range(3):
        with pytest.raises(Unreadable, match="Attribute 'rules' is required") as refused:
            chosen.read_remote("u", bad)
        faults.append(refused.value)
    assert len({id(each) for each in faults}) == 3
    assert seen == ["u", "u"]
    chosen.read_remote("v", good + b" " * 60)
    chosen.read_remote("u", good)
    assert seen == ["u", "u", "v", "u"]
