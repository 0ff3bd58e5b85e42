"""Greenwave's API beside decisions: landing, about, policies, subject types, files: COMPAT 3.1, 3.6, 3.7."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_results.config import Serving
from ci_results.operations.policies import FixedPolicies

from .gating import World, policies
from .places import Api, opened, serving

BASES = ["//api/v1.0", "//greenwave/api/v1.0"]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder: Path = tmp_path_factory.mktemp("listing")
    settings = Serving(cors=("https://bodhi.example",))
    with (
        opened("sqlite", folder) as store,
        serving(store, settings=settings, policies=FixedPolicies(policies())) as api,
    ):
        yield World(api, store).api


def test_the_landing_page_tells_addresses_and_outcomes(gate: Api) -> None:
    for base in ("//api/v1.0/", "//greenwave/api/v1.0/", "//greenwave/"):
        said = gate.get(base).json()
        alone = "/greenwave" if "greenwave" in base else ""
        assert said == {
            "documentation": f"{gate.root}/api",
            "api_v1": f"{gate.root}{alone}/api/v1.0",
            "resultsdb_api": f"{gate.root}/api/v2.0",
            "waiverdb_api": f"{gate.root}/api/v1.0",
            "koji_api": None,
            "outcomes_passed": ["INFO", "PASSED"],
            "outcomes_error": ["ERROR"],
            "outcomes_incomplete": ["QUEUED", "RUNNING"],
            "remote_rule_policies": {},
        }
        for address in ("documentation", "resultsdb_api"):
            assert gate.follow(said[address]).status_code in (200, 300)


@pytest.mark.parametrize(
    ("path", "status", "place"),
    [
        ("//api/v1.0", 308, "/api/v1.0/"),
        ("//greenwave", 308, "/greenwave/"),
        ("//greenwave/api/v1.0", 308, "/greenwave/api/v1.0/"),
        ("//api/v1.0/version", 302, "/api/v1.0/about"),
        ("//greenwave/api/v1.0/version", 302, "/greenwave/api/v1.0/about"),
    ],
)
def test_what_moved_says_where(gate: Api, path: str, status: int, place: str) -> None:
    answer = gate.get(path, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (status, place)
    prefixed = gate.get(path, allow_redirects=False, headers={"X-Script-Name": "/ci"})
    assert prefixed.headers["Location"] == f"/ci{place}"
    assert gate.get(path).status_code == 200


def test_alone_it_tells_its_own_version_and_health(gate: Api) -> None:
    assert gate.get("//greenwave/api/v1.0/about").json() == {"version": "2.3.0"}
    health = gate.get("//greenwave/healthcheck")
    assert (health.status_code, health.text) == (200, "Health check OK")
    assert health.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("base", BASES)
def test_policies_are_listed_in_load_order_as_they_were_written(gate: Api, base: str) -> None:
    found = gate.get(f"{base}/policies").json()["policies"]
    assert [each["id"] for each in found] == ["plain", "packages", "again", "empty", "images"]
    assert found[0] == {
        "id": "plain", "product_versions": ["fedora-*"], "decision_context": "push", "decision_contexts": [],
        "subject_type": "koji_build", "subject_types": [], "excluded_packages": [], "packages": [],
        "relevance_key": None, "relevance_value": None,
        "rules": [
            {"rule": "PassingTestCaseRule", "test_case_name": "a.one", "scenario": None},
            {"rule": "PassingTestCaseRule", "test_case_name": "a.two", "scenario": "uefi"},
        ],
    }  # fmt: skip
    assert (found[1]["decision_context"], found[1]["decision_contexts"]) == (None, ["some", "push_both"])
    assert (found[1]["subject_type"], found[1]["subject_types"]) == (None, ["brew-build"])


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("product_version=fedora-39", ["plain", "packages", "empty", "images"]),
        ("decision_context=push_both", ["packages", "again"]),
        ("decision_context=push&decision_context=nothing", ["plain", "empty"]),
        ("subject_type=koji_build", ["plain", "packages", "again"]),
        ("subject_type=brew-build&product_version=rhel-9", []),
        ("unknown=x&product_version=", ["plain", "packages", "again", "empty", "images"]),
    ],
)
def test_policies_are_chosen_by_what_they_are_for(gate: Api, query: str, ids: list[str]) -> None:
    found = gate.get(f"//api/v1.0/policies?{query}").json()["policies"]
    assert [each["id"] for each in found] == ids


@pytest.mark.parametrize("base", BASES)
def test_subject_types_are_listed_by_id_with_all_their_members(gate: Api, base: str) -> None:
    found = gate.get(f"{base}/subject_types").json()["subject_types"]
    ids = [each["id"] for each in found]
    assert ids == sorted(ids)
    assert {each["id"]: each for each in found}["koji_build"] == {
        "id": "koji_build", "aliases": ["brew-build"], "item_key": "original_spec_nvr", "is_koji_build": True,
        "is_nvr": True, "ignore_missing_policy": False, "product_version_match": [],
        "product_version_from_koji_build_target": [
            {"match": r"^(rhel-\d+\.\d+).*", "product_version": r"\1"},
            {"match": r"^(rhel-\d+).*", "product_version": r"\1"},
        ],
        "product_version": None, "item_dict": {},
        "result_queries": [
            {"item_key": "item", "keys": {"type": "koji_build,brew-build"}},
            {"item_key": "original_spec_nvr"},
        ],
    }  # fmt: skip


REMOTE = b"--- !Policy\ndecision_context: %s\nrules:\n- !PassingTestCaseRule {test_case_name: a.one}\n"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (REMOTE % b"push", 200, "All OK"),
        (REMOTE % b"zzz" + REMOTE % b"aaa", 200,
         "Greenwave could not find a parent policy(ies) for following decision context(s): aaa, zzz. Please"
         " change your policy so that it will match a decision context in the parent policies."),
        (b"", 400, "No policies defined"),
        (b"--- !Policy\nid: x\ndecision_context: push\n", 400, "Policy 'x': Attribute 'rules' is required"),
        (b"--- !Policy\ndecision_context: push\nrules: [!RemoteRule {}]\n", 400,
         "Policy 'untitled': RemoteRule is not allowed in remote policies"),
        (b"rules: [", 400, "YAML Parser Error: "),
        (b"\xff\0", 400, "YAML Parser Error: "),
        (b"[" * 9000, 400, "YAML Parser Error: "),
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_a_remote_rule_file_is_looked_at_whatever_type_it_says_to_be(
    gate: Api, text: bytes, status: int, said: str
) -> None:
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}):
        answer = gate.post("//api/v1.0/validate-gating-yaml", data=text, headers=headers)
        assert answer.status_code == status
        assert answer.json()["message"].startswith(said)


@pytest.mark.parametrize("path", ["/about", "/policies", "/subject_types"])
def test_a_script_may_ask(gate: Api, path: str) -> None:
    for base in BASES[1:]:
        answer = gate.get(f"{base}{path}?callback=show")
        assert answer.headers["Content-Type"] == "application/javascript"
        assert answer.text == f"show({gate.get(base + path).text.rstrip()}\n);"
        assert gate.get(f"{base}{path}?callback=a(").status_code == 400
        assert gate.get(f"{base}{path}?callback=").json()


@pytest.mark.parametrize("path", ["/nowhere", "/policies/", "/decision/x", "/life"])
def test_an_unknown_path_is_told_in_the_peers_words(gate: Api, path: str) -> None:
    for base in BASES:
        answer = gate.get(base + path)
        assert answer.status_code == 404
        assert answer.json()["message"].startswith("The requested URL was not found on the server. If you")


def test_methods_are_told_and_refused_in_the_peers_words(gate: Api) -> None:
    for base in BASES:
        told = gate.options(f"{base}/decision")
        assert (told.status_code, set(told.headers["Allow"].split(", "))) == (200, {"POST", "OPTIONS"})
        refused = gate.get(f"{base}/decision")
        assert refused.status_code == 405
        assert refused.json() == {"message": "The method is not allowed for the requested URL."}


def test_alone_every_answer_has_the_headers_of_the_peer(gate: Api) -> None:
    origin = {"Origin": "https://bodhi.example"}
    for path in ("/about", "/policies", "/nowhere", "/version"):
        headers = gate.get(BASES[1] + path, headers=origin, allow_redirects=False).headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert headers["Access-Control-Allow-Origin"] == "https://bodhi.example"
        assert headers["Access-Control-Allow-Method"] == "POST, OPTIONS"
        assert headers["Access-Control-Allow-Headers"] == "Content-Type"
