"""POST of waivers: COMPAT 2.1, 2.2 and 2.5."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .places import Api, name
from .waivers import BASE, WAIVERS, file, ids, problems, wish

ONE, LIST = "CreateWaiver", "list[CreateWaiver]"


@pytest.mark.demand("S-060")
def test_a_waiver_is_answered_with_all_its_members_and_found_again(api: Api) -> None:
    body = wish(scenario="uefi", waived=True)
    answer = api.post(WAIVERS, json=body, auth=("dev1", "any"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    said = answer.json()
    time = datetime.fromisoformat(said["timestamp"])
    assert abs(time - datetime.now(UTC).replace(tzinfo=None)) < timedelta(seconds=60)
    assert said == {
        **body,
        "id": said["id"],
        "subject": {"type": "koji_build", "item": body["subject_identifier"]},
        "username": "dev1",
        "proxied_by": None,
        "timestamp": said["timestamp"],
    }
    assert api.get(f"{WAIVERS}{said['id']}").json() == said
    listed = api.get(WAIVERS, params={"subject_identifier": body["subject_identifier"]}).json()
    assert listed["data"] == [said]


def test_waived_is_true_and_a_scenario_null_where_nothing_is_said(api: Api) -> None:
    said = file(api, scenario=None, waived=None)
    assert (said["waived"], said["scenario"]) == (True, None)
    assert file(api, scenario="")["scenario"] is None


def test_a_list_is_answered_with_a_list_in_its_order(api: Api) -> None:
    bodies = [wish(testcase=f"dist.t{n}") for n in range(4)]
    answer = api.post(WAIVERS, json=bodies, auth=("dev1", ""))
    assert answer.status_code == 201
    assert [one["testcase"] for one in answer.json()] == [body["testcase"] for body in bodies]
    assert [one["id"] for one in answer.json()] == sorted(one["id"] for one in answer.json())
    empty = api.post(WAIVERS, json=[])
    assert (empty.status_code, empty.json()) == (201, [])


def test_of_a_list_all_are_stored_or_none(api: Api) -> None:
    good, bad = wish(), wish(subject_type="")
    assert api.post(WAIVERS, json=[good, bad]).status_code == 400
    assert ids(api, subject_identifier=good["subject_identifier"]) == []


def test_without_a_slash_the_address_leads_to_the_one_with_it(api: Api) -> None:
    body = wish()
    answer = api.post(f"{BASE}/waivers", json=body, allow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{api.root}/api/v1.0/waivers/"
    followed = api.post(f"{BASE}/waivers", json=body)
    assert followed.status_code == 201
    moved = api.get(f"{BASE}/waivers", params={"subject_identifier": body["subject_identifier"]})
    assert [one["id"] for one in moved.json()["data"]] == [followed.json()["id"]]


@pytest.mark.parametrize(
    ("subject", "wanted", "identifier"),
    [
        ({"type": "koji_build", "item": "a-1-1"}, "koji_build", "a-1-1"),
        ({"type": "brew-build", "item": "a-1-1"}, "koji_build", "a-1-1"),
        ({"type": "koji_build", "item": "a-1-1", "original_spec_nvr": "b-1-1"}, "koji_build", "a-1-1"),
        ({"original_spec_nvr": "b-1-1"}, "koji_build", "b-1-1"),
        ({"original_spec_nvr": "b-1-1", "productmd.compose.id": "F-1"}, "koji_build", "b-1-1"),
        ({"productmd.compose.id": "F-1", "type": "x", "item": "y"}, "compose", "F-1"),
        ({"type": "bodhi_update", "item": "FEDORA-2026-1"}, "bodhi_update", "FEDORA-2026-1"),
    ],
)  # fmt: skip
def test_a_subject_in_the_old_form(api: Api, subject: Any, wanted: str, identifier: str) -> None:
    said = file(api, subject=subject, subject_type=None, subject_identifier=None)
    assert (said["subject_type"], said["subject_identifier"]) == (wanted, identifier)


@pytest.mark.parametrize("subject", [{}, {"item": "a"}, {"type": "koji_build"}, {"original_spec_nvr": ""}])
def test_an_old_subject_that_names_nothing_is_refused(api: Api, subject: Any) -> None:
    answer = api.post(WAIVERS, json=wish(subject=subject, subject_type=None, subject_identifier=None))
    assert answer.status_code == 400
    assert "subject names nothing" in answer.json()["message"]


def test_a_brew_build_is_stored_as_a_koji_build_and_a_compose_has_its_old_form(api: Api) -> None:
    assert file(api, subject_type="brew-build")["subject_type"] == "koji_build"
    said = file(api, subject_type="compose", subject_identifier="Fedora-40-20260301.n.0")
    assert said["subject"] == {"productmd.compose.id": "Fedora-40-20260301.n.0"}


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({"item": "a-1-1", "type": "koji_build", "scenario": ["s1", "s2"]}, ("koji_build", "a-1-1", "s1")),
        ({"item": ["a-1-1", "b"], "type": "brew-build"}, ("koji_build", "a-1-1", None)),
        ({"original_spec_nvr": "c-1-1", "type": "x", "item": "y"}, ("koji_build", "c-1-1", None)),
        ({"item": "F-1", "type": ["compose", "z"]}, ("compose", "F-1", None)),
    ],
)  # fmt: skip
def test_a_waiver_by_a_results_id(api: Api, data: Any, wanted: Any) -> None:
    result = api.result(testcase=name("by.id"), outcome="FAILED", data=data)
    answer = api.post(
        WAIVERS, json={"result_id": result["id"], "product_version": "f-40", "comment": "c"}
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert (said["subject_type"], said["subject_identifier"], said["scenario"]) == wanted
    assert said["testcase"] == result["testcase"]["name"]


def test_a_result_that_is_not_there_or_names_no_subject_is_refused(api: Api) -> None:
    body = {"product_version": "f-40", "comment": "c"}
    absent = api.post(WAIVERS, json=body | {"result_id": 10**9})
    assert (absent.status_code, absent.json()) == (400, {"message": "Result id not found in Resultsdb"})
    result = api.result(testcase=name("by.id"), data={"item": "a-1-1"})
    unnamed = api.post(WAIVERS, json=body | {"result_id": result["id"]})
    assert unnamed.status_code == 400
    assert unnamed.json()["message"] == (
        "It is not possible to submit a waiver by id for this result. Please try again specifying a"
        " subject and a testcase."
    )


FIELDS_OF_RESULT = "subject_identifier, subject_type, subject, testcase, scenario"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"testcase": None}, "Argument testcase is missing"),
        (
            {"result_id": 1},
            f"result_id argument should not be used together with arguments: {FIELDS_OF_RESULT}",
        ),
        (
            {"subject": {"item": "a"}},
            "subject argument should not be used together with arguments: subject_identifier, subject_type",
        ),
        (
            {"subject_type": None},
            "subject must be defined using result_id or subject or both subject_identifier, subject_type",
        ),
        (
            {"subject_identifier": None},
            "subject must be defined using result_id or subject or both subject_identifier, subject_type",
        ),
    ],
)
def test_rules_about_several_fields(api: Api, fields: Any, text: str) -> None:
    wanted = ("value_error", f"Value error, {text}")
    one = problems(api.post(WAIVERS, json=wish(**fields)))
    assert one == [([ONE], *wanted), ([LIST], "list_type", "Input should be a valid list")]
    several = problems(api.post(WAIVERS, json=[wish(), wish(**fields)]))
    assert several[1:] == [([LIST, 1], *wanted)]


def test_a_bad_body_is_told_of_both_alternatives_and_every_field(api: Api) -> None:
    answer = api.post(WAIVERS, json={"subject": {"type": 1, "item": []}, "waived": "maybe", "comment": ""})
    assert problems(answer) == [
        ([ONE, "subject", "type"], "string_type", "Input should be a valid string"),
        ([ONE, "subject", "item"], "string_type", "Input should be a valid string"),
        ([ONE, "waived"], "bool_parsing", "Input should be a valid boolean, unable to interpret input"),
        ([ONE, "product_version"], "missing", "Field required"),
        ([ONE, "comment"], "string_too_short", "String should have at least 1 character"),
        ([LIST], "list_type", "Input should be a valid list"),
    ]
    missing = answer.json()["validation_error"][3]
    assert missing["input"]["comment"] == ""
    assert missing["url"].endswith("/v/missing")


def test_a_bad_list_is_told_of_both_alternatives_with_the_place_in_it(api: Api) -> None:
    answer = api.post(WAIVERS, json=[wish(), wish(comment=None), 7, wish(subject=3)])
    assert problems(answer) == [
        ([ONE], "model_type", f"Input should be a valid dictionary or instance of {ONE}"),
        ([LIST, 1, "comment"], "missing", "Field required"),
        ([LIST, 2], "model_type", f"Input should be a valid dictionary or instance of {ONE}"),
        ([LIST, 3, "subject"], "model_type", "Input should be a valid dictionary or instance of TestSubject"),
    ]


@pytest.mark.parametrize("body", [None, 1, "x", True])
def test_a_body_that_is_neither_is_told_so(api: Api, body: Any) -> None:
    assert [kind for _loc, kind, _text in problems(api.post(WAIVERS, data=_json(body), headers=JSON))] == [
        "model_type",
        "list_type",
    ]


def test_null_is_taken_for_what_is_optional_and_only_there(api: Api) -> None:
    body = wish() | {"scenario": None, "username": None, "result_id": None, "subject": None, "x": 1}
    assert api.post(WAIVERS, json=body).status_code == 201
    found = problems(api.post(WAIVERS, json=body | {"waived": None, "comment": None}))
    assert [kind for _loc, kind, _text in found] == ["bool_type", "string_type", "list_type"]


@pytest.mark.parametrize("waived", [False, 0, "no", "off", "F", "n", "0"])
def test_truths_are_taken_in_many_words(api: Api, waived: Any) -> None:
    assert file(api, waived=waived)["waived"] is False


def test_a_blank_comment_passes_and_an_empty_one_does_not(api: Api) -> None:
    assert file(api, comment=" ")["comment"] == " "
    assert api.post(WAIVERS, json=wish(comment="")).status_code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"subject_type": ""},
        {"subject_identifier": ""},
        {"testcase": ""},
        {"subject_type": "t" * 256},
        {"scenario": "s" * 256},
        {"product_version": "p" * 201},
        {"username": "u" * 256},
        {"testcase": "n" * 1025},
        {"comment": "a\0b"},
        {"comment": "c" * 70_000},
        {"testcase": "a\nb"},
        {"result_id": 10**30, "testcase": None, "subject_type": None, "subject_identifier": None},
    ],
    ids=str,
)
def test_what_no_store_can_hold_is_refused_with_400(api: Api, fields: Any) -> None:
    answer = api.post(WAIVERS, json=wish(**fields))
    assert answer.status_code == 400, answer.text
    assert {"message", "validation_error"} & answer.json().keys()


def test_any_other_type_and_any_text_is_kept_as_it_is(api: Api) -> None:
    said = file(api, user="žofie", subject_type="ač/č x", subject_identifier="ž' or 1=1 --", testcase="a/b c")
    assert api.get(f"{WAIVERS}{said['id']}").json() == said
    assert (said["username"], said["subject_type"]) == ("žofie", "ač/č x")
    assert ids(api, subject_type="ač/č x", subject_identifier="ž' or 1=1 --") == [said["id"]]


JSON = {"Content-Type": "application/json"}
UNREADABLE = "The browser (or proxy) sent a request that this server could not understand."


def _json(value: Any) -> str:
    return {None: "null", True: "true"}.get(value, repr(value).replace("'", '"'))


@pytest.mark.parametrize("body", ["{", "", "nonsense", "[" * 100_000])
def test_bad_json_is_told_in_the_peers_words(api: Api, body: str) -> None:
    for path in ("", "+filtered", "+by-subjects-and-testcases"):
        answer = api.post(WAIVERS + path, data=body, headers=JSON)
        assert (answer.status_code, answer.json()) == (400, {"message": UNREADABLE})


@pytest.mark.parametrize("said", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_does_not_say_that_it_is_json_is_refused(api: Api, said: str | None) -> None:
    for path in ("", "+filtered", "+by-subjects-and-testcases"):
        headers = {} if said is None else {"Content-Type": said}
        answer = api.post(WAIVERS + path, data=b"{}", headers=headers)
        assert answer.status_code == 415
        assert answer.json() == {
            "message": "Did not attempt to load JSON data because the request Content-Type was not"
            " 'application/json'."
        }


def test_a_callback_is_overlooked_where_waivers_are_posted(api: Api) -> None:
    answer = api.post(f"{WAIVERS}?callback=f", json=wish())
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")


@pytest.mark.demand("S-066")
def test_a_test_that_is_not_done_is_not_waived(api: Api) -> None:
    testcase, item = name("running"), name("bash")
    api.result(testcase=testcase, outcome="RUNNING", data={"item": item, "type": "koji_build"})
    answer = api.post(WAIVERS, json=wish(testcase=testcase, subject_identifier=item))
    assert answer.status_code == 400
    assert f"{testcase} is RUNNING" in answer.json()["message"]
