"""Greenwave's POST /decision through HTTP, on each kind of store: COMPAT 3.2, 3.3, 3.5."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_results.operations.policies import FixedPolicies

from .gating import BASE, PUSH, World, policies
from .places import opened, serving


@pytest.fixture(scope="module")
def world(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("gating")
    with opened(kind, folder) as store, serving(store, policies=FixedPolicies(policies())) as api:
        yield World(api, store)


def types(requirements: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["type"], each["testcase"]) for each in requirements]


# -- what is answered ------------------------------------------------------------------------------


@pytest.mark.demand("S-075")
def test_each_state_has_its_type_its_members_and_its_place_in_the_summary(world: World) -> None:
    item = world.nvr()
    passed = world.result(item, scenario="uefi", system_architecture="x86_64")
    failed = world.result(item, outcome="FAILED", scenario="bios")
    errored = world.result(item, outcome="ERROR", system_variant="Server")
    running = world.result(item, outcome="RUNNING", scenario="other")
    odd = world.result(item, outcome="NEEDS_INSPECTION", scenario="odd")
    said = world.decided(item)
    common = {"subject_type": "koji_build", "subject_identifier": item, "source": None}
    old = {"item": {"type": "koji_build", "item": item}}

    def told(number: int, kind: str, **more: Any) -> dict[str, Any]:
        plain = dict.fromkeys(("scenario", "system_architecture", "system_variant"))
        return {**common, **plain, "testcase": "a.one", "result_id": number, "type": kind, **more}

    assert said["policies_satisfied"] is False
    assert said["summary"] == (
        "Of 6 required tests, 1 result missing, 1 test errored, 2 tests failed, 1 test incomplete"
    )
    assert said["satisfied_requirements"] == [
        told(passed, "test-result-passed", scenario="uefi", system_architecture="x86_64")
    ]
    unsatisfied = {each.get("result_id"): each for each in said["unsatisfied_requirements"]}
    assert unsatisfied == {
        failed: told(failed, "test-result-failed", scenario="bios", **old),
        odd: told(odd, "test-result-failed", scenario="odd", **old),
        errored: told(errored, "test-result-errored", system_variant="Server", error_reason=None, **old),
        running: told(running, "test-result-missing", scenario="other", **old),
        None: {**common, **old, "type": "test-result-missing", "testcase": "a.two", "scenario": "uefi"},
    }
    assert said["applicable_policies"] == ["plain"]
    assert {"results", "waivers"} & set(said) == set()


def test_what_greenwave_has_no_word_for_stands_in_members_of_its_own(world: World) -> None:
    item = world.nvr()
    world.result(item)
    said = world.decided(item)
    assert said["verdict"] == "wait"
    assert (said["progress"]["required"], said["progress"]["percent"]) == (2, 50.0)
    assert said["as_of"] == {"seq": world.store.waivers.seq()}
    assert said["policies_digest"] == policies().digest


def test_all_that_passed_is_satisfied_and_info_is_good(world: World) -> None:
    item = world.nvr()
    world.result(item, outcome="INFO")
    world.result(item, "a.two", scenario=["bios", "uefi"])
    said = world.decided(item)
    assert said["policies_satisfied"] is True
    assert said["summary"] == "All required tests (2 total) have passed or been waived"
    assert said["unsatisfied_requirements"] == []


def test_no_rules_are_always_satisfied(world: World) -> None:
    said = world.decided(subject=[{"productmd.compose.id": "F-40"}], decision_context="nothing")
    assert (said["policies_satisfied"], said["summary"]) == (True, "No tests are required")
    assert said["applicable_policies"] == ["empty"]


@pytest.mark.demand("S-134")
def test_a_compose_has_the_results_of_its_name_too(world: World) -> None:
    compose = world.nvr("Fedora")
    of_it = world.result(compose, type="compose")
    of_image = world.result("Cloud.qcow2", "a.two", type="compose", **{"productmd.compose.id": compose})
    world.result(compose, outcome="FAILED")
    rules = [{"type": "PassingTestCaseRule", "test_case_name": name} for name in ("a.one", "a.two")]
    said = world.decided(
        subject=[{"productmd.compose.id": compose}], decision_context=None, rules=rules
    )  # the failed one is of a build of that name
    assert [each["result_id"] for each in said["satisfied_requirements"]] == [of_it, of_image]
    assert said["policies_satisfied"] is True


@pytest.mark.parametrize("outcome", ["FAILED", "ERROR", None])
def test_what_is_waived_is_satisfied_and_says_by_what(world: World, outcome: str | None) -> None:
    item = world.nvr()
    world.result(item, "a.two", scenario="uefi")
    if outcome:
        world.result(item, outcome=outcome)
    waiver = world.waiver(item)
    said = world.decided(item)
    word = {"FAILED": "failed", "ERROR": "errored", None: "missing"}[outcome]
    (waived,) = [each for each in said["satisfied_requirements"] if each["testcase"] == "a.one"]
    assert (waived["type"], waived["waiver_id"]) == (f"test-result-{word}-waived", waiver.id)
    assert "item" not in waived
    assert ("result_id" in waived) is (outcome is not None)
    assert said["policies_satisfied"] is True
    assert world.decided(item, ignore_waiver=[waiver.id])["policies_satisfied"] is False
    assert world.decided(item, product_version="fedora-39")["policies_satisfied"] is False


def test_a_waiver_of_another_scenario_or_one_that_takes_it_back_does_not_count(world: World) -> None:
    item = world.nvr()
    world.result(item, outcome="FAILED", scenario="bios")
    world.waiver(item, scenario="uefi")
    assert "a.one" in dict(map(reversed, types(world.decided(item)["unsatisfied_requirements"])))
    world.waiver(item, scenario="bios")
    assert ("test-result-failed-waived", "a.one") in types(world.decided(item)["satisfied_requirements"])
    world.waiver(item, scenario="bios", waived=False)
    assert ("test-result-failed", "a.one") in types(world.decided(item)["unsatisfied_requirements"])


def test_an_excluded_package_is_satisfied_and_another_one_is_not_asked_for(world: World) -> None:
    glibc, zsh, bash = world.nvr("glibc"), world.nvr("zsh"), world.nvr("bash")
    said = world.decided(glibc, decision_context="some")
    assert said["satisfied_requirements"] == [
        {"type": "excluded", "subject_identifier": glibc, "policy": "packages", "source": None}
    ]
    assert (said["policies_satisfied"], said["summary"]) == (True, "No tests are required")
    assert world.decided(zsh, decision_context="some")["satisfied_requirements"] == []
    both = world.decided(glibc, zsh, bash, decision_context="some")
    assert both["applicable_policies"] == ["packages"] * 3
    assert types(both["unsatisfied_requirements"]) == [("test-result-missing", "a.one")]


def test_policies_add_up_and_a_rule_counts_once_a_subject(world: World) -> None:
    bash, other = world.nvr("bash"), world.nvr("bash")
    said = world.decided(bash, other, decision_context=["push_both", "some"])
    assert said["applicable_policies"] == ["packages", "again"] * 2
    missing = [(each["subject_identifier"], each["testcase"]) for each in said["unsatisfied_requirements"]]
    assert missing == [(bash, "a.one"), (bash, "a.three"), (other, "a.one"), (other, "a.three")]


def test_no_policy_is_404_and_bodhi_updates_are_spared(world: World) -> None:
    item = world.nvr()
    answer = world.ask(item, decision_context=["x", "y"])
    assert answer.status_code == 404
    assert answer.json() == {
        "message": "Found no applicable policies for koji_build subjects at gating point(s) x y in fedora-40"
    }
    assert world.ask(item, product_version="rhel-9").status_code == 404
    update = {"type": "bodhi_update", "item": "FEDORA-2026-1"}
    said = world.decided(subject=[update], decision_context="x")
    assert (said["policies_satisfied"], said["applicable_policies"]) == (True, [])


@pytest.mark.parametrize(
    ("subject", "data", "shown"),
    [
        ({"type": "brew-build"}, {"type": "brew-build"}, "koji_build"),
        ({"original_spec_nvr": ""}, {"type": "rpm", "item": "x", "original_spec_nvr": ""}, "koji_build"),
    ],
    ids=["alias", "spec"],
)
def test_a_build_goes_by_its_old_names(
    world: World, subject: dict[str, str], data: dict[str, str], shown: str
) -> None:
    item = world.nvr()

    def named(given: dict[str, str]) -> dict[str, str]:
        found = {key: value or item for key, value in given.items()}
        return found if "original_spec_nvr" in found else {"item": item, **found}

    number = world.result(**{"item": item, "outcome": "FAILED", **named(data)})
    said = world.decided(subject=[named(subject)])
    (failed,) = [each for each in said["unsatisfied_requirements"] if each["testcase"] == "a.one"]
    assert (failed["result_id"], failed["subject_type"], failed["subject_identifier"]) == (
        number,
        shown,
        item,
    )


def test_other_types_are_asked_for_as_they_say(world: World) -> None:
    item = world.nvr()
    image = {"type": "redhat-container-image", "item": item, "nvr": item}
    odd = {"type": "odd", "item": item}
    numbers = [world.result(**(each | {"outcome": "FAILED"})) for each in (image, odd)]
    said = world.decided(subject=[image, odd], decision_context="images")
    assert [each["result_id"] for each in said["unsatisfied_requirements"]] == numbers
    assert [each["item"] for each in said["unsatisfied_requirements"]][1] == odd


# -- when, ignore_result, verbose, rules -----------------------------------------------------------


def test_only_the_latest_of_each_scenario_architecture_and_variant_counts(world: World) -> None:
    item = world.nvr()
    world.result(item, outcome="FAILED", scenario="s")
    latest = world.result(item, scenario="s")
    said = world.decided(item)
    assert [each["result_id"] for each in said["satisfied_requirements"]] == [latest]
    ignored = world.decided(item, ignore_result=[latest])
    assert types(ignored["unsatisfied_requirements"])[0] == ("test-result-missing", "a.one")


def test_when_asks_for_what_was_there_then(world: World) -> None:
    item = world.nvr()
    early = world.result(item, submit_time="2026-01-01T10:00:00.000000")
    late = world.result(item, outcome="FAILED", submit_time="2026-01-01T12:00:00.000000")
    found = []
    for moment in ("09:59:59.999999", "10:00:00.000000", "11:59:59.999999", "12:00:00.000000"):
        said = world.decided(item, when=f"2026-01-01T{moment}")
        every = said["satisfied_requirements"] + said["unsatisfied_requirements"]
        found.append(next(each.get("result_id") for each in every if each["testcase"] == "a.one"))
    assert found == [None, early, early, late]
    world.waiver(item)
    then = world.decided(item, when="2026-01-01T12:00:00.000000")
    assert ("test-result-failed", "a.one") in types(then["unsatisfied_requirements"])
    assert ("test-result-failed-waived", "a.one") in types(world.decided(item)["satisfied_requirements"])


def test_verbose_shows_results_and_waivers_as_their_own_apis_do(world: World) -> None:
    item = world.nvr()
    old = world.result(item, scenario="x")
    one, other = world.result(item, scenario="x"), world.result(item, "not.asked.for", "FAILED")
    waiver = world.waiver(item, "b.two")
    world.waiver(item, "b.two", product_version="fedora-41")
    said = world.decided(item, item, verbose=True)
    assert [each["id"] for each in said["results"]] == [other, one]
    assert said["results"][0] == world.api.get(f"/results/{other}").json()
    assert [each["id"] for each in said["waivers"]] == [waiver.id]
    assert set(said["waivers"][0]) == {
        *("id", "subject_type", "subject_identifier", "subject", "testcase", "username", "scenario"),
        *("proxied_by", "product_version", "waived", "comment", "timestamp"),
    }
    assert said["waivers"][0]["subject"] == {"type": "koji_build", "item": item}
    less = world.decided(item, verbose=True, ignore_result=[one], ignore_waiver=[waiver.id])
    assert [each["id"] for each in less["results"]] == [other]
    assert less["waivers"] == []
    assert old not in [each["id"] for each in less["results"]]
    spared = {"type": "bodhi_update", "item": item}
    none = world.decided(subject=[spared], decision_context="x", verbose=True)
    assert (none["results"], none["waivers"]) == ([], [])


def test_a_request_may_bring_its_own_rules(world: World) -> None:
    item = world.nvr("glibc")
    world.result(item, outcome="FAILED")
    rule = {"type": "PassingTestCaseRule", "test_case_name": "a.one"}
    said = world.decided(item, decision_context=None, rules=[rule, rule])
    assert types(said["unsatisfied_requirements"]) == [("test-result-failed", "a.one")]
    assert "applicable_policies" not in said
    excluded = world.decided(item, decision_context=None, rules=[rule], excluded_packages=["glib*"])
    assert excluded["satisfied_requirements"][0]["policy"] == "on-demand-policy"
    named = world.decided(item, decision_context=None, rules=[rule], excluded_packages=["glib*"], id="mine")
    assert named["satisfied_requirements"][0]["policy"] == "mine"
    other = world.decided(item, decision_context=None, rules=[rule], packages=["bash"])
    assert (other["summary"], other["policies_satisfied"]) == ("No tests are required", True)


def test_500_subjects_are_decided_in_one_request(world: World) -> None:
    items = [world.nvr() for _ in range(500)]
    for item in items[::100]:
        world.result(item)
        world.result(item, "a.two", scenario="uefi")
        world.waiver(item, "a.three")
    said = world.decided(*items)
    assert said["applicable_policies"] == ["plain"] * 500
    assert said["summary"] == "Of 1000 required tests, 990 results missing"
    assert len(said["satisfied_requirements"]) == 10


# -- what is refused -------------------------------------------------------------------------------

RULE = {"type": "PassingTestCaseRule", "test_case_name": "a"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"product_version": None}, "Missing required product version"),
        ({"decision_context": None}, "Either decision_context or rules is required."),
        ({"rules": [RULE]}, "Cannot have both decision_context and rules"),
        ({"decision_context": None, "rules": [{}]},
         "Failed to parse on demand policy: Attribute 'rules': Key 'type' is required for each list item"),
        ({"decision_context": None, "rules": [{"type": "X"}]},
         "Failed to parse on demand policy: Attribute 'rules': Key 'type' for an list item is not valid: X"),
        ({"verbose": 1}, "Invalid verbose flag, must be a bool"),
        ({"when": "2026-01-01"}, 'Invalid "when" parameter, must be in ISO8601 format'),
        ({"subject": []}, "Invalid subject, must be a list of dicts"),
        ({"subject": [{"x": 1}]}, "Could not detect subject_identifier"),
        ({"subject": None}, 'Missing required "subject_type" parameter'),
        ({"subject": None, "subject_type": "t"}, 'Missing required "subject_identifier" parameter'),
        ({"subject": None, "subject_type": "t", "subject_identifier": 5},
         "Subject item/identificator must be a string"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_wrong_request_is_told_so(world: World, changed: dict[str, Any], message: str) -> None:
    answer = world.ask(world.nvr(), **changed)
    assert (answer.status_code, answer.json()) == (400, {"message": message})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content.endswith(b"\n")


@pytest.mark.parametrize(
    ("body", "media", "status", "message"),
    [
        (b"{}", "application/json", 415, "No JSON payload in request"),
        (b"null", "application/json", 415, "No JSON payload in request"),
        (b"[]", "application/json", 415, "No JSON payload in request"),
        (b"[1]", "application/json", 400, "this server could not understand"),
        (b"{", "application/json", 400, "this server could not understand"),
        (b"", "application/json", 400, "this server could not understand"),
        (b"[" * 5000, "application/json", 400, "this server could not understand"),
        (b"{}", "text/plain", 415, "Did not attempt to load JSON data because the request Content-Type was"),
        (b"{}", None, 415, "Did not attempt to load JSON data because the request Content-Type was"),
    ],
    ids=repr,
)
def test_a_body_that_is_no_request_is_told_so(
    world: World, body: bytes, media: str | None, status: int, message: str
) -> None:
    for base in (BASE, "//greenwave/api/v1.0"):
        headers = {} if media is None else {"Content-Type": media}
        answer = world.api.post(f"{base}/decision", data=body, headers=headers)
        assert answer.status_code == status
        assert message in answer.json()["message"]


@pytest.mark.parametrize(
    "name",
    ["a\0b", "\ud800", "x" * 100_000, "' or 1=1 --", "%", "*", "a,b", ""],
    ids=lambda name: repr(name)[:20],
)
def test_hostile_names_are_answered(world: World, name: str) -> None:
    for body in (
        {**PUSH, "subject_type": "koji_build", "subject_identifier": name},
        {**PUSH, "subject_type": name, "subject_identifier": name},
        {**PUSH, "product_version": name, "subject_type": "koji_build", "subject_identifier": "x-1-1"},
        {**PUSH, "decision_context": name, "subject_type": "koji_build", "subject_identifier": "x-1-1"},
        {
            "product_version": "x", "subject": [{"type": "koji_build", "item": name or "x"}],
            "rules": [{"type": "PassingTestCaseRule", "test_case_name": name or "x", "scenario": name}],
        },
    ):  # fmt: skip
        answer = world.api.post(f"{BASE}/decision", json=body)
        assert answer.status_code in (200, 400, 404), (body, answer.text)
        assert "message" in answer.json() or "summary" in answer.json()


def test_more_subjects_than_allowed_are_413_with_the_limit(world: World) -> None:
    answer = world.ask(*["x-1-1"] * 5_001)
    assert answer.status_code == 413
    assert "5000" in answer.json()["message"]


def test_a_script_may_ask(world: World) -> None:
    item = world.nvr()
    answer = world.ask(item, query="?callback=app.show")
    assert answer.headers["Content-Type"] == "application/javascript"
    assert answer.text.startswith("app.show({")
    assert answer.text.endswith("\n);")
    refused = world.ask(item, query="?callback=app.show", decision_context="x")
    assert (refused.status_code, refused.headers["Content-Type"]) == (404, "application/json")
