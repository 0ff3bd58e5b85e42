"""What ResultsDB's typed API stores, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_server import Client, bearer

from .typed import COMMON, MODELS, OWN, TEXTS, URLS, body, post, problems

# -- what is stored -----------------------------------------------------------------------------------


def test_the_answer_is_the_result_of_api_2_and_links_there(typed: Client) -> None:
    answer = post(typed, "brew-builds", body("brew-builds", note="n", ref_url="http://example.com"))
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert said["href"] == f"{typed.root}/api/v2.0/results/{said['id']}"
    assert said["testcase"] == {
        "name": "baseos.tier1",
        "ref_url": None,
        "href": f"{typed.root}/api/v2.0/testcases/baseos.tier1",
    }
    assert (said["outcome"], said["note"], said["ref_url"]) == ("PASSED", "n", "http://example.com/")
    assert said["groups"] == []
    assert typed.get(said["href"]).json() == said


def test_what_was_said_is_stored_in_the_order_of_the_fields(typed: Client) -> None:
    said = body("brew-builds", note="n", ref_url="http://a.example", scenario="uefi", system_variant="Server")
    stored = post(typed, "brew-builds", dict(reversed(said.items()))).json()["data"]
    assert list(stored.items()) == [
        ("username", ["jdoe"]),
        ("type", ["brew-build"]),
        ("system_variant", ["Server"]),
        ("scenario", ["uefi"]),
        ("ci_name", ["BaseOS CI"]),
        ("ci_team", ["BaseOS QE"]),
        ("ci_docs", ["https://docs.example.com/"]),
        ("ci_email", ["ci@example.com"]),
        ("item", ["bash-5.2-1.el10"]),
        ("brew_task_id", ["12"]),
    ]


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("scratch", [True, False, "yes", 0, None, "absent"])
def test_the_type_is_that_of_the_artifact(typed: Client, kind: str, scratch: object) -> None:
    said = body(kind) if scratch == "absent" else body(kind, scratch=scratch)
    stored = post(typed, kind, said).json()["data"]
    wanted = kind.removesuffix("s") + ("_scratch" if scratch in (True, "yes") else "")
    assert stored["type"] == [wanted]
    assert "scratch" not in stored


def test_an_explicit_null_is_stored_as_text_and_an_absent_field_is_not(typed: Client) -> None:
    optional = (
        "error_reason",
        "system_provider",
        "ci_url",
        "ci_irc",
        "log",
        "rebuild",
        "brew_task_id",
        "tag",
    )
    nulls = dict.fromkeys((*optional, "note", "ref_url", "testcase_ref_url"))
    answer = post(typed, "redhat-container-images", body("redhat-container-images", **nulls))
    assert answer.status_code == 201
    stored = answer.json()["data"]
    assert [stored[name] for name in optional] == [["None"]] * len(optional)
    assert not {"note", "ref_url", "testcase_ref_url", "brew_build_id", "scenario"} & set(stored)


def test_a_list_gives_a_value_for_each_element(typed: Client) -> None:
    said = body("redhat-container-images", brew_build_id="7", namespace="rhel", source="git://x#1")
    stored = post(typed, "redhat-container-images", said).json()["data"]
    assert stored["full_names"] == OWN["redhat-container-images"]["full_names"]
    assert stored["id"] == ["sha256:12"]
    assert (stored["brew_build_id"], stored["namespace"]) == (["7"], ["rhel"])
    assert (
        "full_names" not in post(typed, "redhat-container-images", {**said, "full_names": []}).json()["data"]
    )


@pytest.mark.parametrize(
    ("more", "items"),
    [
        ({}, ["C-1/unknown/", "C-1"]),
        ({"system_variant": "Server"}, ["C-1/Server/", "C-1"]),
        ({"system_architecture": "x86_64"}, ["C-1/unknown/x86_64", "C-1"]),
        ({"system_variant": "Server", "system_architecture": "x86_64"}, ["C-1/Server/x86_64", "C-1"]),
        ({"system_variant": None, "system_architecture": None}, ["C-1/unknown/", "C-1"]),
    ],
)
def test_a_compose_is_two_items(typed: Client, more: dict[str, Any], items: list[str]) -> None:
    stored = post(typed, "productmd-composes", body("productmd-composes", id="C-1", **more)).json()["data"]
    assert stored["item"] == items
    assert "id" not in stored
    found = typed.get("/api/v2.0/results", params={"item": "C-1", "type": "productmd-compose"}).json()["data"]
    assert found


def test_addresses_are_stored_normalised(typed: Client) -> None:
    said = body(
        ci_docs="HTTP://Docs.Example.COM:80", log="https://x.example/a b", ci_email="CI <CI@Example.COM>"
    )
    stored = post(typed, "redhat-modules", said).json()["data"]
    assert stored["ci_docs"] == ["http://docs.example.com/"]
    assert stored["log"] == ["https://x.example/a%20b"]
    assert stored["ci_email"] == ["CI@example.com"]


def test_the_testcase_is_described_anew_where_the_body_says_where(typed: Client) -> None:
    name = "baseos.described"
    first = post(typed, "redhat-modules", body(testcase=name, testcase_ref_url="https://a.example")).json()
    assert first["testcase"]["ref_url"] == "https://a.example/"
    for more in ({}, {"testcase_ref_url": None}):
        assert post(typed, "redhat-modules", body(testcase=name, **more)).json()["testcase"]["ref_url"]
    other = post(typed, "redhat-modules", body(testcase=name, testcase_ref_url="https://b.example/x")).json()
    assert other["testcase"]["ref_url"] == "https://b.example/x"


def test_unknown_fields_are_overlooked(typed: Client) -> None:
    answer = post(typed, "redhat-modules", body(groups=["a"], colour="red", username="root", submit_time="x"))
    assert answer.status_code == 201
    assert answer.json()["data"]["username"] == ["jdoe"]
    assert "colour" not in answer.json()["data"]


# -- bodies that are refused --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OWN)
def test_all_that_is_missing_is_told_in_the_order_of_the_fields(typed: Client, kind: str) -> None:
    wanted = ["outcome", "testcase", "ci_name", "ci_team", "ci_docs", "ci_email", *OWN[kind]]
    assert problems(typed, {}, kind) == [([name], "missing", "Field required") for name in wanted]


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("said", [[], [1], "text", 1, True, None])
def test_a_body_that_is_no_object_is_told_which_it_should_be(typed: Client, kind: str, said: Any) -> None:
    headers = {**bearer("token-of-jdoe"), "Content-Type": "application/json"}
    answer = typed.post(f"/api/v3/results/{kind}", data=json.dumps(said), headers=headers)
    (told,) = answer.json()["validation_error"]
    assert answer.status_code == 400
    assert told["loc"] == []
    assert told["type"] == "model_type"
    assert told["msg"] == f"Input should be a valid dictionary or instance of {MODELS[kind]}"
    assert told["input"] == said
    assert told["url"].endswith("/model_type")


@pytest.mark.parametrize("said", [b"", b"{", b"nope", b'{"a": 1', b"\xff"])
def test_broken_json_is_a_bad_request(typed: Client, said: bytes) -> None:
    headers = {**bearer("token-of-jdoe"), "Content-Type": "application/json"}
    answer = typed.post("/api/v3/results/brew-builds", data=said, headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"message": "Bad request"})


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_of_another_media_type_is_415(typed: Client, kind: str | None) -> None:
    headers: dict[str, Any] = {**bearer("token-of-jdoe"), "Content-Type": kind}
    answer = typed.post("/api/v3/results/brew-builds", data=b"{}", headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize("word", ["QUEUED", "RUNNING", "ERROR", "INFO", "NEEDS_INSPECTION", "FAILED"])
def test_an_outcome_is_one_of_the_known_words(typed: Client, word: str) -> None:
    assert post(typed, "redhat-modules", body(outcome=word)).json()["outcome"] == word


@pytest.mark.parametrize("word", ["passed", " PASSED", "", "GOOD"])
def test_an_outcome_keeps_its_case_and_blanks_and_is_refused_otherwise(typed: Client, word: str) -> None:
    ((loc, kind, message),) = problems(typed, body(outcome=word))
    assert (loc, kind) == (["outcome"], "value_error")
    assert message.startswith("Value error, must be one of: PASSED, INFO, FAILED, NEEDS_INSPECTION")


@pytest.mark.parametrize("name", URLS)
def test_an_address_is_http(typed: Client, name: str) -> None:
    outcome = "ERROR" if name == "issue_url" else "PASSED"
    said = body(outcome=outcome, **{name: "example.com"})
    relative = "Input should be a valid URL, relative URL without a base"
    assert problems(typed, said) == [([name], "url_parsing", relative)]
    ((_, kind, _),) = problems(typed, {**said, name: "ftp://example.com"})
    assert kind == "url_scheme"
    ((_, kind, _),) = problems(typed, {**said, name: 3})
    assert kind == "url_type"


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_has_at_most_8192_characters(typed: Client, name: str) -> None:
    said = body(outcome="ERROR", **{name: "ü" * 8193})
    assert problems(typed, said) == [
        ([name], "string_too_long", "String should have at most 8192 characters")
    ]
    assert post(typed, "redhat-modules", {**said, name: "ü" * 8192}).status_code == 201
    assert problems(typed, {**said, name: 1}) == [([name], "string_type", "Input should be a valid string")]


@pytest.mark.parametrize("name", ["testcase", "item"])
def test_a_name_has_at_least_one_character(typed: Client, name: str) -> None:
    short = "String should have at least 1 character"
    assert problems(typed, body(**{name: ""})) == [([name], "string_too_short", short)]
    assert problems(typed, body(**{name: None})) == [
        ([name], "string_type", "Input should be a valid string")
    ]


@pytest.mark.parametrize("name", COMMON)
def test_a_field_that_must_be_there_takes_no_null(typed: Client, name: str) -> None:
    ((loc, _, _),) = problems(typed, body(**{name: None}))
    assert loc == [name]


@pytest.mark.parametrize(
    ("kind", "name", "value", "told"),
    [
        ("brew-builds", "brew_task_id", "x", "int_parsing"),
        ("brew-builds", "brew_task_id", [], "int_type"),
        ("brew-builds", "brew_task_id", None, "int_type"),
        ("redhat-container-images", "full_names", "x", "list_type"),
        ("redhat-container-images", "brew_build_id", "x", "int_parsing"),
        ("redhat-modules", "scratch", "maybe", "bool_parsing"),
        ("redhat-modules", "ci_email", "nobody", "value_error"),
        ("redhat-modules", "ci_email", 3, "string_type"),
    ],
)
def test_other_kinds_are_read_as_the_peer_reads_them(
    typed: Client, kind: str, name: str, value: Any, told: str
) -> None:
    ((loc, seen, _),) = problems(typed, body(kind, **{name: value}), kind)
    assert (loc, seen) == ([name], told)


def test_an_element_of_a_list_is_told_with_its_place(typed: Client) -> None:
    said = body("redhat-container-images", full_names=["a", 2])
    wanted = [(["full_names", 1], "string_type", "Input should be a valid string")]
    assert problems(typed, said, "redhat-container-images") == wanted


@pytest.mark.parametrize("more", [{"error_reason": "broken"}, {"issue_url": "https://issues.example.com/1"}])
def test_reason_and_issue_are_for_errors_only(typed: Client, more: dict[str, str]) -> None:
    message = "Value error, error_reason and issue_url can be only set for ERROR outcome"
    assert problems(typed, body(**more)) == [([], "value_error", message)]
    assert post(typed, "redhat-modules", body(outcome="ERROR", **more)).status_code == 201


def test_a_rule_over_the_whole_waits_until_the_fields_are_well(typed: Client) -> None:
    ((loc, _, _),) = problems(typed, body(error_reason="broken", ci_docs="x"))
    assert loc == ["ci_docs"]
