"""Requests are read and answers told as Greenwave does, sentence by sentence of the reference, 3.1 to 3.6."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.judge import judge
from ci_results.decide.policy_set import load
from ci_results.domain.asked import Fetched, RemoteFileOf, Request
from ci_results.domain.decision import Decision
from ci_results.domain.facts import Evidence, Facts
from ci_results.domain.purpose import Purpose
from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Act, Step, Terms, Turn, Waiver, WaiverEvent
from ci_results.wire import greenwave_listing
from ci_results.wire.greenwave_answer import additions, answer, no_policy
from ci_results.wire.greenwave_request import Reader, RefusedRequest
from ci_results.wire.resultsdb_json import dump

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NVR = "bash-5.2-1.fc40"
BASH = Subject("koji_build", NVR)
TYPES = {kind.name: kind for kind in RULE_TYPES}
HEAD = "product_versions: [fedora-*]\ndecision_context: push\nsubject_type: koji_build\n"


def reader(most: int = 5) -> Reader:
    chosen = load([], TYPES)
    return Reader(chosen.subject_types, chosen.on_demand, most)


PLAIN: dict[str, Any] = {
    "product_version": "fedora-40",
    "decision_context": "push",
    "subject_type": "koji_build",
    "subject_identifier": NVR,
}
RULE = {"type": "PassingTestCaseRule", "test_case_name": "a.b"}


def changed(**keys: Any) -> dict[str, Any]:
    """Return the plain request with keys changed; None takes one away."""
    return {key: value for key, value in (PLAIN | keys).items() if value is not None}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (None, 415, "No JSON payload in request"),
        ({}, 415, "No JSON payload in request"),
        ([], 415, "No JSON payload in request"),
        ([1], 400, "The browser (or proxy) sent a request that this server could not understand."),
        ("x", 400, "The browser (or proxy) sent a request that this server could not understand."),
        ({"a": 1}, 400, "Missing required product version"),
        (changed(product_version=""), 400, "Missing required product version"),
        (changed(decision_context=""), 400, "Either decision_context or rules is required."),
        (changed(decision_context=[]), 400, "Either decision_context or rules is required."),
        (changed(decision_context=None, rules=[]), 400, "Either decision_context or rules is required."),
        (changed(rules=[RULE], verbose=1), 400, "Cannot have both decision_context and rules"),
        (changed(decision_context=None, rules=["x"], verbose=1, subject=[]), 400,
         "Invalid subject, must be a list of dicts"),
        (changed(decision_context=None, rules=["x"], verbose=1), 400,
         "Failed to parse on demand policy: Attribute 'rules': Expected list of Rule objects"),
        (changed(decision_context=None, rules=[{}]), 400,
         "Failed to parse on demand policy: Attribute 'rules': Key 'type' is required for each list item"),
        (changed(verbose=1, when="x", subject_type=None), 400, "Invalid verbose flag, must be a bool"),
        (changed(when="2026-03-01T12:00:00", subject_type=None), 400,
         'Invalid "when" parameter, must be in ISO8601 format'),
        (changed(when=5), 400, 'Invalid "when" parameter, must be in ISO8601 format'),
        (changed(subject="x"), 400, "Invalid subject, must be a list of dicts"),
        (changed(subject=[]), 400, "Invalid subject, must be a list of dicts"),
        (changed(subject=None, subject_type=None), 400, 'Missing required "subject_type" parameter'),
        (changed(subject=["x"]), 400, "Invalid subject, must be a list of dicts"),
        (changed(subject_identifier=None), 400, 'Missing required "subject_identifier" parameter'),
        (changed(subject_identifier=5), 400, "Subject item/identificator must be a string"),
        (changed(subject=[{"type": "koji_build", "item": 5}]), 400,
         "Subject item/identificator must be a string"),
        (changed(subject=[{"item": "x"}]), 400, "Could not detect subject_identifier"),
        (changed(subject=[{"type": "x"}]), 400, "Could not detect subject_identifier"),
        (changed(subject=[{"type": "x", "item": "y"}] * 6), 413,
         "More than 5 subjects in one request; ask in several requests"),
        (changed(ignore_result=["1"]), 400, "Invalid ignore_result, must be a list of integers"),
        (changed(ignore_waiver=5), 400, "Invalid ignore_waiver, must be a list of integers"),
        (changed(product_version=5), 400, "Invalid product_version, must be a string"),
        (changed(decision_context=[5]), 400, "Invalid decision_context, must be a string"),
        (changed(subject_identifier="a\0b"), 400,
         "Invalid subject_identifier, must not contain NUL or lone surrogates"),
        (changed(purpose="advisory"), 400,
         "purpose 'advisory' is not KIND:VALUE, e.g. advisory:RHSA-2026:1234"),
        (changed(tiers=[]), 400, "a graph of tiers is a mapping of parts"),
        (changed(tiers={"a": {"tier": "1"}}), 400,
         "part 'a' has no integer tier, as in {tier: 1, needs: [], build: NVR}"),
        (changed(tiers={"a": {"tier": 1, "subject": {"type": "x"}}}), 400,
         "Could not detect subject_identifier"),
        (changed(tiers={"a": {"tier": 1, "needs": ["a"]}}), 400, "a cycle of parts: a -> a"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_request_that_is_wrong_is_told_so_in_the_order_of_the_peer(
    body: Any, status: int, said: str
) -> None:
    with pytest.raises(RefusedRequest) as refused:
        reader().read(body)
    assert (refused.value.status, refused.value.message) == (status, said)


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        ({"type": "koji_build", "item": "x-1-1"}, ("koji_build", "x-1-1")),
        ({"type": "brew-build", "item": "x-1-1"}, ("koji_build", "x-1-1")),
        ({"original_spec_nvr": "x-1-1"}, ("koji_build", "x-1-1")),
        ({"original_spec_nvr": "x-1-1", "type": "koji_build", "item": "y"}, ("koji_build", "x-1-1")),
        ({"original_spec_nvr": "x-1-1", "type": "brew-build", "item": "y-1-1"}, ("koji_build", "y-1-1")),
        ({"original_spec_nvr": "", "type": "koji_build", "item": "y-1-1"}, ("koji_build", "y-1-1")),
        ({"productmd.compose.id": "F-40"}, ("compose", "F-40")),
        ({"productmd.compose.id": "F-40", "type": "bodhi_update", "item": "U"}, ("bodhi_update", "U")),
        ({"nvr": "i-1-1", "type": "redhat-container-image"}, ("redhat-container-image", "i-1-1")),
        ({"type": "odd", "item": "thing"}, ("odd", "thing")),
    ],
    ids=repr,
)
def test_a_subject_object_becomes_a_subject(given: dict[str, Any], subject: tuple[str, str]) -> None:
    assert reader().read(changed(subject=[given])).subjects == (subject,)


def test_a_whole_request_is_read() -> None:
    body = changed(
        subject=[{"type": "koji_build", "item": NVR}, {"type": "compose", "item": "F-40"}],
        decision_context=["push", "stable", "push"],
        verbose=True,
        ignore_result=[1, 2],
        ignore_waiver=[3],
        when="2026-03-01T12:00:00.000000",
        purpose=["advisory:RHSA-2026:1"],
        baseline="bash-5.2-0.fc40",
        tiers={
            "a": {"tier": 1, "subject": {"type": "koji_build", "item": NVR}},
            "b": {"tier": 2, "needs": ["a"], "build": "bash-5.2-2.fc40"},
        },
        unknown="key",
    )
    found = reader().read(body)
    assert found.subjects == (BASH, Subject("compose", "F-40"))
    assert found.contexts == ("push", "stable")
    assert (found.verbose, found.when) == (True, NOW)
    assert (found.ignore_results, found.ignore_waivers) == ({1, 2}, {3})
    assert found.purposes == {Purpose("advisory", "RHSA-2026:1")}
    assert found.baseline == "bash-5.2-0.fc40"
    assert found.tiers is not None
    assert found.tiers.closure("b") == ("a",)
    built = {name: node.subject for name, node in found.tiers.nodes.items()}
    assert built == {"a": BASH, "b": Subject("koji_build", "bash-5.2-2.fc40")}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("a:b"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
KEYS = (
    *(
        "product_version",
        "decision_context",
        "rules",
        "subject_type",
        "subject_identifier",
        "subject",
        "when",
    ),
    *("verbose", "ignore_result", "ignore_waiver", "purpose", "tiers", "baseline", "id", "packages"),
)


@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=4), st.sampled_from(["push", None]))
def test_any_json_is_a_request_or_is_refused(more: dict[str, Any], context: str | None) -> None:
    for body in (more, changed(decision_context=context) | more):
        try:
            found = reader().read(body)
        except RefusedRequest as refused:
            json.loads(dump({"message": refused.message, "status": refused.status}))
        else:
            for text in (found.product_version, *found.contexts, *sum(found.subjects, ())):
                assert "\0" not in text
                text.encode()


# -- answers ----------------------------------------------------------------------------------------


def decided(rules: str, *results: Evidence, **more: Any) -> tuple[Decision, dict[str, Any]]:
    request = more.pop("request", {})
    text = f"id: gate\n{HEAD}{more.pop('head', '')}rules:\n{rules}"
    chosen = load([("a.yaml", text.encode())], TYPES)
    latest: dict[str, list[Evidence]] = {}
    for each in results:
        latest.setdefault(each.testcase, []).append(each)
    known = Facts(as_of=9, now=NOW, latest={BASH: latest}, **more)
    asked = {"subjects": (BASH,), "product_version": "fedora-40", "contexts": ("push",)} | request
    decision = judge(chosen, Request(**asked), known)
    told: dict[str, Any] = json.loads(dump(answer(decision, chosen.subject_types)))
    return decision, told


def one(testcase: str, outcome: str = "PASSED", number: int = 1, **data: str) -> Evidence:
    return Evidence(number, testcase, outcome, NOW, data={key: [value] for key, value in data.items()})


def waived(testcase: str, scenario: str | None = None) -> Waiver:
    terms = Terms(
        subject_type="koji_build",
        subject=NVR,
        testcase=testcase,
        product_version="fedora-40",
        scenario=scenario,
    )
    act = Act(step=Step.GRANT, username="u", comment="c", via="api", turn=Turn.OPENS, terms=terms)
    event = WaiverEvent(id=7, seq=1, time=NOW, act=act, hash="")
    return Waiver(id=7, terms=terms, first=event, opened=event, last=7)


COMMON = {"testcase": "a.b", "subject_type": "koji_build", "subject_identifier": NVR, "source": None}
MEMBERS = {"result_id": 1, "scenario": None, "system_architecture": "x86_64", "system_variant": None}
ITEM = {"item": {"type": "koji_build", "item": NVR}}
AB = "- !PassingTestCaseRule {test_case_name: a.b}\n"


@pytest.mark.parametrize(
    ("outcome", "satisfied", "told"),
    [
        ("PASSED", True, MEMBERS | {"type": "test-result-passed"}),
        ("INFO", True, MEMBERS | {"type": "test-result-passed"}),
        ("FAILED", False, MEMBERS | ITEM | {"type": "test-result-failed"}),
        ("NEEDS_INSPECTION", False, MEMBERS | ITEM | {"type": "test-result-failed"}),
        ("ERROR", False, MEMBERS | ITEM | {"type": "test-result-errored", "error_reason": None}),
        ("RUNNING", False, MEMBERS | ITEM | {"type": "test-result-missing"}),
        (None, False, ITEM | {"type": "test-result-missing", "scenario": None}),
    ],
)
def test_a_requirement_has_the_members_of_its_type(
    outcome: str | None, satisfied: bool, told: dict[str, Any]
) -> None:
    results = [one("a.b", outcome, system_architecture="x86_64")] if outcome else []
    _, found = decided(AB, *results)
    where, other = "satisfied_requirements", "unsatisfied_requirements"
    if not satisfied:
        where, other = other, where
    assert found[where] == [COMMON | told]
    assert found[other] == []
    assert found["policies_satisfied"] is satisfied
    assert found["applicable_policies"] == ["gate"]
    assert "results" not in found


@pytest.mark.parametrize("outcome", ["FAILED", "ERROR", None])
@pytest.mark.demand("S-061")
def test_a_waived_requirement_is_satisfied_under_its_own_type(outcome: str | None) -> None:
    results = [one("a.b", outcome, system_architecture="x86_64")] if outcome else []
    _, before = decided(AB, *results)
    _, found = decided(AB, *results, waivers={BASH: [waived("a.b")]})
    (was,), (told,) = before["unsatisfied_requirements"], found["satisfied_requirements"]
    del was["item"]
    assert told == was | {"type": f"{was['type']}-waived", "waiver_id": 7}
    assert found["summary"] == "All required tests (1 total) have passed or been waived"


def test_the_scenario_of_a_waiver_is_that_of_the_requirement() -> None:
    failed = one("a.b", "FAILED", scenario="uefi")._replace(scenario="uefi")
    for scenario, satisfied in (("uefi", True), ("bios", False), (None, True)):
        _, found = decided(AB, failed, waivers={BASH: [waived("a.b", scenario)]})
        assert found["policies_satisfied"] is satisfied


def test_an_excluded_package_is_told_in_four_members() -> None:
    _, found = decided(AB, head="excluded_packages: [bash]\n")
    assert found["satisfied_requirements"] == [
        {"type": "excluded", "subject_identifier": NVR, "policy": "gate", "source": None}
    ]
    assert found["summary"] == "No tests are required"


URL = "https://src/bash/gating.yaml"
FILE = RemoteFileOf(BASH, ())
REMOTE = "- !RemoteRule {required: true}\n"
FETCHED = COMMON | {"testcase": "fetched-gating-yaml", "type": "fetched-gating-yaml", "source": URL}
TROUBLE = {"subject_type": "koji_build", "subject_identifier": NVR, "scenario": None}


def test_a_remote_file_and_what_it_requires_are_told_with_its_address() -> None:
    text = b"decision_context: push\nrules: [!PassingTestCaseRule {test_case_name: a.b}]"
    _, found = decided(REMOTE, one("a.b"), remote_files={FILE: Fetched(text, URL, (URL,))})
    fetched, passed = found["satisfied_requirements"]
    assert fetched == FETCHED
    assert passed["source"] == URL


@pytest.mark.parametrize(
    ("fetched", "told", "summary"),
    [
        (Fetched(tried=(URL,)), {"type": "missing-gating-yaml", "sources": [URL]},
         "1 error due to missing remote rule file"),
        (Fetched(b"rules: []", URL, (URL,)),
         {"type": "invalid-gating-yaml", "source": URL,
          "details": "Policy 'untitled': No decision contexts provided"},
         "1 error due to invalid remote rule file"),
        (Fetched(error="Koji is away"),
         {"type": "failed-fetch-gating-yaml", "sources": [], "error": "Koji is away"},
         "1 error while trying to fetch remote rule file"),
    ],
)  # fmt: skip
def test_trouble_with_a_remote_file_is_told_and_removed_by_a_waiver(
    fetched: Fetched, told: dict[str, Any], summary: str
) -> None:
    name = told["type"]
    _, found = decided(REMOTE, remote_files={FILE: fetched})
    assert found["unsatisfied_requirements"] == [TROUBLE | told | {"testcase": name}]
    assert found["summary"] == summary
    _, found = decided(REMOTE, remote_files={FILE: fetched}, waivers={BASH: [waived(name)]})
    assert found["unsatisfied_requirements"] == []
    assert [each["type"] for each in found["satisfied_requirements"]] in ([], ["fetched-gating-yaml"])


def rules(count: int) -> str:
    return "".join(f"- !PassingTestCaseRule {{test_case_name: t.{n}}}\n" for n in range(count))


@pytest.mark.parametrize(
    ("outcomes", "extra", "said"),
    [
        ([], "", "No tests are required"),
        (["PASSED"], "", "All required tests (1 total) have passed or been waived"),
        (["PASSED"] * 3, "", "All required tests (3 total) have passed or been waived"),
        ([None], "", "Of 1 required test, 1 result missing"),
        ([None, None, "FAILED"], "", "Of 3 required tests, 2 results missing, 1 test failed"),
        (["FAILED", "FAILED", "ERROR", "RUNNING", None, "PASSED"], "",
         "Of 6 required tests, 1 result missing, 1 test errored, 2 tests failed, 1 test incomplete"),
        (["QUEUED", "RUNNING"], "", "Of 2 required tests, 2 tests incomplete"),
        (["FAILED"], REMOTE, "1 error due to missing remote rule file. Of 1 required test, 1 test failed"),
        (["PASSED"], REMOTE, "1 error due to missing remote rule file"),
    ],
    ids=repr,
)  # fmt: skip
def test_the_summary(outcomes: list[str | None], extra: str, said: str) -> None:
    results = [one(f"t.{n}", outcome, n) for n, outcome in enumerate(outcomes) if outcome]
    found = decided(rules(len(outcomes)) + extra or " []", *results, remote_files={FILE: Fetched()})[1]
    assert found["summary"] == said


def test_a_policy_without_rules_requires_nothing() -> None:
    _, found = decided(" []")
    assert found == {
        "policies_satisfied": True,
        "summary": "No tests are required",
        "satisfied_requirements": [],
        "unsatisfied_requirements": [],
        "applicable_policies": ["gate"],
    }


def test_policies_are_listed_subject_by_subject_and_not_for_rules_of_the_request() -> None:
    zsh = Subject("koji_build", "zsh-5-1.fc40")
    assert decided(AB, request={"subjects": (BASH, zsh)})[1]["applicable_policies"] == ["gate", "gate"]
    own = load([], TYPES).on_demand({"rules": [RULE]})
    _, found = decided(AB, request={"contexts": (), "policy": own})
    assert "applicable_policies" not in found
    assert found["summary"] == "Of 1 required test, 1 result missing"


def test_a_verbose_answer_holds_results_and_waivers_as_they_are_served() -> None:
    decision, _ = decided(AB, request={"verbose": True})
    found = answer(decision, load([], TYPES).subject_types, results=[{"id": 1}], waivers=[{"id": 7}])
    assert (found["results"], found["waivers"]) == ([{"id": 1}], [{"id": 7}])


def test_no_policy_is_a_404_that_names_type_contexts_and_product() -> None:
    decision, _ = decided(AB, request={"contexts": ("a", "b")})
    assert no_policy(decision) == (
        "Found no applicable policies for koji_build subjects at gating point(s) a b in fedora-40"
    )
    assert no_policy(decided(AB)[0]) is None
    update = Subject("bodhi_update", "U")
    assert no_policy(decided(AB, request={"subjects": (update,)})[0]) is None


def test_our_rules_are_told_as_the_single_requirements_that_decided() -> None:
    text = "- !AtLeastRule {at_least: 2, testcases: [t.0, t.1, t.2]}\n"
    _, found = decided(text, one("t.0"), one("t.1", "FAILED", 2))
    assert [each["testcase"] for each in found["unsatisfied_requirements"]] == ["t.1", "t.2"]
    _, found = decided(text, one("t.0"), one("t.1", "FAILED", 2), one("t.2", number=3))
    assert [each["testcase"] for each in found["satisfied_requirements"]] == ["t.0", "t.2"]
    assert found["unsatisfied_requirements"] == []


@pytest.mark.demand("S-097")
def test_what_only_informs_stands_in_a_key_of_its_own() -> None:
    text = "- !ExperimentalRule {rules: [!PassingTestCaseRule {test_case_name: a.b}]}\n"
    decision, found = decided(text, one("a.b", "FAILED"))
    assert (found["policies_satisfied"], found["unsatisfied_requirements"]) == (True, [])
    more = additions(decision, load([], TYPES).subject_types)
    assert [each["type"] for each in more["informational"]] == ["test-result-failed"]
    assert (more["verdict"], more["as_of"]) == ("go", {"seq": 9})
    assert more["progress"]["required"] == 0
    assert not set(more) & {*found, "results", "waivers", "message"}


@pytest.mark.demand("S-074")
def test_the_answer_for_a_compose_has_its_old_style_item() -> None:
    compose = Subject("compose", "F-40")
    chosen = load([("a", f"id: g\n{HEAD}rules:\n{AB}".replace("koji_build", "compose").encode())], TYPES)
    asked = Request(subjects=(compose,), product_version="fedora-40", contexts=("push",))
    decision = judge(chosen, asked, Facts(as_of=1, now=NOW, latest={}))
    (told,) = answer(decision, chosen.subject_types)["unsatisfied_requirements"]
    assert told["item"] == {"productmd.compose.id": "F-40"}


# -- lists ------------------------------------------------------------------------------------------


def test_policies_are_listed_with_every_member() -> None:
    text = (
        f"id: gate\n{HEAD}rules:\n{AB}- !RemoteRule {{}}\n- !ResultsRule {{testcases: [a], max_age: 14d}}\n"
    )
    (policy,) = load([("a.yaml", text.encode())], TYPES).policies
    told = json.loads(json.dumps(greenwave_listing.policy(policy)))
    third = told["rules"].pop()
    assert told == {
        "id": "gate",
        "product_versions": ["fedora-*"],
        "decision_context": "push",
        "decision_contexts": [],
        "subject_type": "koji_build",
        "subject_types": [],
        "rules": [
            {"rule": "PassingTestCaseRule", "test_case_name": "a.b", "scenario": None},
            {"rule": "RemoteRule", "required": False, "sources": []},
        ],
        "excluded_packages": [],
        "packages": [],
        "relevance_key": None,
        "relevance_value": None,
    }
    assert (third["rule"], third["max_age"]) == ("ResultsRule", "1209600s")


def test_subject_types_are_listed_by_id_with_defaults() -> None:
    told = greenwave_listing.subject_types(load([], TYPES).subject_types.types)
    assert [each["id"] for each in told] == [
        *("bodhi_update", "compose", "koji_build", "redhat-container-image", "redhat-module"),
    ]
    assert told[0] == {
        "id": "bodhi_update",
        "aliases": [],
        "item_key": None,
        "is_koji_build": False,
        "is_nvr": False,
        "ignore_missing_policy": True,
        "product_version_match": [],
        "product_version_from_koji_build_target": [],
        "product_version": None,
        "item_dict": {},
        "result_queries": [],
    }
    assert told[2]["result_queries"] == [
        {"item_key": "item", "keys": {"type": "koji_build,brew-build"}},
        {"item_key": "original_spec_nvr"},
    ]
    assert told[1]["product_version_match"] == [{"match": r"^(RHEL-\d*)\..*", "product_version": r"\1"}]
