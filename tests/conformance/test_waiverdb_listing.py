"""GET of waivers, and the two POSTs that ask: COMPAT 2.6 to 2.9."""

from __future__ import annotations

from typing import Any

import pytest

from .places import Api, name
from .waivers import BASE, WAIVERS, file, ids, problems, sifted, wish


@pytest.fixture
def subject() -> str:
    """A subject of one test alone."""
    return name("bash-5.2")


def both(api: Api, subject: str) -> list[int]:
    """File one waiver of each of two people; return their ids, the newest first."""
    return [file(api, user, subject_identifier=subject)["id"] for user in ("dev1", "dev2")][::-1]


@pytest.mark.demand("S-060")
def test_waivers_are_listed_the_newest_first_by_what_they_say(api: Api, subject: str) -> None:
    said = [
        file(api, "dev1", subject_identifier=subject, testcase="dist.a", scenario="uefi"),
        file(api, "dev2", subject_identifier=subject, testcase="dist.a", product_version="fedora-41"),
        file(api, "dev2", subject_identifier=subject, subject_type="compose", testcase="dist.b"),
    ]
    first, second, third = (one["id"] for one in said)
    for query, wanted in {
        (): [third, second, first],
        (("testcase", "dist.a"),): [second, first],
        (("scenario", "uefi"),): [first],
        (("product_version", "fedora-41"),): [second],
        (("username", "dev2"),): [third, second],
        (("username", "dev2"), ("subject_type", "koji_build")): [second],
        (("proxied_by", "dev2"),): [],
        (("testcase", ""), ("scenario", ""), ("since", "")): [third, second, first],
        (("unknown", "x"),): [third, second, first],
        (("testcase", "dist.A"),): [],
    }.items():
        assert ids(api, subject_identifier=subject, **dict(query)) == wanted, query
    times = [one["timestamp"] for one in api.get(WAIVERS, params={"limit": 50}).json()["data"]]
    assert times == sorted(times, reverse=True)


def test_a_brew_build_is_not_translated_where_it_is_asked_for(api: Api, subject: str) -> None:
    number = file(api, subject_type="brew-build", subject_identifier=subject)["id"]
    assert ids(api, subject_identifier=subject, subject_type="brew-build") == []
    assert ids(api, subject_identifier=subject, subject_type="koji_build") == [number]


def test_since_is_inclusive_at_both_ends(api: Api, subject: str) -> None:
    said = [file(api, f"dev{n}", subject_identifier=subject) for n in range(3)]
    first, second, third = (one["id"] for one in said)
    start, middle, end = (one["timestamp"] for one in said)
    for since, wanted in {
        start: [third, second, first],
        middle: [third, second],
        f"{middle},": [third, second],
        f"{middle},{middle}": [second],
        f",{middle}": [second, first],
        f"{start},{end}": [third, second, first],
        "2020-01-01": [third, second, first],
        f"{end}Z": [third],
        f"{end}+00:00,": [third],
        "2999-01-01T00:00:00": [],
        f"{start}-23:00": [],
    }.items():
        assert ids(api, subject_identifier=subject, since=since) == wanted, since


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "2026-01-01,x", "0", "2026-01-01,2026-01-02,"])
def test_a_since_that_is_no_time_has_an_error_of_its_own(api: Api, since: str) -> None:
    bad = next(part for part in since.split(",", 1) if part not in ("2026-01-01",))
    wanted = {"message": {"since": f"Invalid isoformat string: '{bad}'"}}
    asked = api.get(WAIVERS, params={"since": since})
    assert (asked.status_code, asked.json()) == (400, wanted)
    posted = api.post(f"{WAIVERS}+filtered", json={"filters": [{"since": since}]})
    assert (posted.status_code, posted.json()) == (400, wanted)
    old = api.post(f"{WAIVERS}+by-subjects-and-testcases", json={"since": since})
    assert (old.status_code, old.json()) == (400, wanted)


@pytest.mark.parametrize("word", ["", "maybe"])
def test_a_parameter_that_is_no_truth_or_number_is_told(api: Api, word: str) -> None:
    answer = api.get(WAIVERS, params={"include_obsolete": word, "page": word, "limit": "1.5"})
    assert problems(answer) == [
        (["include_obsolete"], "bool_parsing", "Input should be a valid boolean, unable to interpret input"),
        (["page"], "int_parsing", "Input should be a valid integer, unable to parse string as an integer"),
        (["limit"], "int_parsing", "Input should be a valid integer, unable to parse string as an integer"),
    ]


# -- pages


def test_a_list_has_pages_whose_links_keep_the_other_parameters(api: Api, subject: str) -> None:
    numbers = [file(api, f"dev{n}", subject_identifier=subject)["id"] for n in range(5)][::-1]
    query = f"limit=2&subject_identifier={subject}&x=a+b%2Fc%2Cd:e&testcase=&page=2"
    said = api.get(f"{WAIVERS}?{query}").json()
    assert [one["id"] for one in said["data"]] == numbers[2:4]

    def link(page: int) -> str:
        others = f"limit=2&subject_identifier={subject}&x=a+b/c,d:e&testcase="
        return f"{api.root}/api/v1.0/waivers/?page={page}&{others}"

    assert {key: said[key] for key in ("prev", "next", "first", "last")} == {
        "prev": link(1), "next": link(3), "first": link(1), "last": link(3),
    }  # fmt: skip
    last = api.follow(said["last"]).json()
    assert ([one["id"] for one in last["data"]], last["next"]) == (numbers[4:], None)
    first = api.follow(said["first"]).json()
    assert ([one["id"] for one in first["data"]], first["prev"]) == (numbers[:2], None)


def test_ten_are_a_page_and_there_is_no_cap(api: Api, subject: str) -> None:
    numbers = [file(api, f"dev{n}", subject_identifier=subject)["id"] for n in range(11)][::-1]
    assert ids(api, subject_identifier=subject) == numbers[:10]
    assert ids(api, subject_identifier=subject, limit=10**9) == numbers
    whole = api.get(WAIVERS, params={"subject_identifier": subject, "limit": 11}).json()
    assert whole["next"] is None
    assert whole["last"] == whole["first"]


def test_an_empty_list_has_a_first_page_and_a_last_one_zero(api: Api) -> None:
    said = api.get(f"{WAIVERS}?testcase=nobodys").json()
    link = f"{api.root}/api/v1.0/waivers/?page={{}}&testcase=nobodys"
    assert said == {"data": [], "prev": None, "next": None, "first": link.format(1), "last": link.format(0)}


@pytest.mark.parametrize(
    "query",
    [{"page": 2}, {"page": 0}, {"page": -1}, {"limit": 0}, {"limit": -5}, {"page": 10**30}, {"page": 10**12}],
)
def test_a_page_that_does_not_exist_is_empty_with_status_200(api: Api, subject: str, query: Any) -> None:
    file(api, subject_identifier=subject)
    answer = api.get(WAIVERS, params={"subject_identifier": subject, **query})
    assert answer.status_code == 200
    assert answer.json() == {"data": [], "prev": None, "next": None, "first": None, "last": None}


def test_links_begin_as_the_client_sees_the_server(api: Api) -> None:
    headers = {"X_Forwarded_Host": "ci.example:8443", "X_Forwarded_Scheme": "https", "X_Script_Name": "/ci"}
    status, _headers, body = api.raw(
        "GET", "/ci/waiverdb/api/v1.0/waivers/?limit=1&testcase=nobodys", **headers
    )
    assert status == 200
    assert b'"https://ci.example:8443/ci/waiverdb/api/v1.0/waivers/?page=1&limit=1&testcase=nobodys"' in body


# -- obsolete


def test_a_newer_waiver_of_the_same_author_and_product_replaces_an_older_one(api: Api, subject: str) -> None:
    old = file(api, subject_identifier=subject)["id"]
    other_user = file(api, "dev2", subject_identifier=subject)["id"]
    other_product = file(api, subject_identifier=subject, product_version="fedora-41")["id"]
    scenario = file(api, subject_identifier=subject, scenario="uefi")["id"]
    new = file(api, subject_identifier=subject)["id"]
    every = [new, scenario, other_product, other_user, old]
    assert ids(api, subject_identifier=subject) == every[:-1]
    assert ids(api, subject_identifier=subject, include_obsolete="true") == every
    assert ids(api, subject_identifier=subject, include_obsolete="no", username="dev1") == every[:3]
    assert api.get(f"{WAIVERS}{old}").json()["id"] == old


def test_what_was_replaced_is_gone_before_other_filters_look(api: Api, subject: str) -> None:
    old = file(api, subject_identifier=subject)
    new = file(api, subject_identifier=subject)
    window = {"subject_identifier": subject, "since": f",{old['timestamp']}"}
    assert ids(api, **window) == []
    assert ids(api, **window, include_obsolete=1) == [old["id"]]
    assert ids(api, subject_identifier=subject) == [new["id"]]


@pytest.mark.demand("S-065")
def test_taking_back_replaces_too_and_ends_what_others_waived(api: Api, subject: str) -> None:
    theirs, mine = both(api, subject)
    other_product = file(api, "dev1", subject_identifier=subject, product_version="fedora-41")["id"]
    back = file(api, "dev3", subject_identifier=subject, waived=False)
    assert back["waived"] is False
    assert ids(api, subject_identifier=subject) == [back["id"], other_product]
    assert sifted(api, {"subject_identifier": subject}) == [back["id"]]
    every = [back["id"], other_product, theirs, mine]
    assert ids(api, subject_identifier=subject, include_obsolete="true") == every
    again = file(api, "dev1", subject_identifier=subject)["id"]
    assert sifted(api, {"subject_identifier": subject}) == [again]


def test_what_is_waived_and_taken_back_in_one_request_is_refused(api: Api, subject: str) -> None:
    yes = wish(subject_identifier=subject)
    answer = api.post(WAIVERS, json=[yes, yes | {"waived": False}])
    assert answer.status_code == 400
    assert "ask for one" in answer.json()["message"]
    assert api.post(WAIVERS, json=[yes | {"waived": False}, yes | {"waived": False}, yes]).status_code == 201
    assert len(ids(api, subject_identifier=subject, include_obsolete=1)) == 3


# -- one


@pytest.mark.parametrize("number", ["999999999", "0", "9" * 18])
def test_a_waiver_that_is_not_there(api: Api, number: str) -> None:
    answer = api.get(WAIVERS + number)
    assert (answer.status_code, answer.json()) == (404, {"message": "Waiver not found"})


@pytest.mark.parametrize("number", ["x", "-1", "1.0", "9" * 40, "%00", "1%2F", "1/", "1/2", "٣", "+unknown"])
def test_what_is_no_number_is_no_address(api: Api, number: str) -> None:
    answer = api.get(WAIVERS + number)
    assert answer.status_code == 404
    assert answer.json()["message"]


# -- +filtered


def test_filters_are_alternatives_and_what_is_in_one_must_hold_together(api: Api) -> None:
    a, b = name("a"), name("b")
    first = file(api, subject_identifier=a, testcase="dist.x")["id"]
    second = file(api, subject_identifier=b, testcase="dist.x", scenario="uefi")["id"]
    third = file(api, "dev2", subject_identifier=b, testcase="dist.y")["id"]
    for filters, wanted in [
        ([{"subject_identifier": a}, {"subject_identifier": b, "testcase": "dist.y"}], [third, first]),
        ([{"subject_identifier": b, "username": "dev1"}], [second]),
        ([{"subject_identifier": b, "username": ""}], [third, second]),
        ([{"subject_identifier": b, "username": None, "x": 1}], [third, second]),
        ([{"subject_identifier": b, "scenario": "uefi"}, {"subject_identifier": b}], [third, second]),
        ([{}, {"subject_identifier": a}], [first]),
        ([{"subject_identifier": a, "testcase": "dist.y"}], []),
        ([{"subject_identifier": b, "subject_type": "koji_build"}], [third, second]),
    ]:  # fmt: skip
        assert sifted(api, *filters) == wanted, filters
    many = [{"subject_identifier": f"{a}{n}"} for n in range(250)] + [{"subject_identifier": a}]
    assert sifted(api, *many) == [first]


def test_an_empty_filter_alone_asks_for_all(fresh: Api) -> None:
    numbers = [file(fresh)["id"] for _ in range(12)][::-1]
    assert sifted(fresh, {}) == sifted(fresh, {}, {}) == numbers


def test_here_a_newer_waiver_of_anybody_for_any_product_replaces_an_older_one(api: Api, subject: str) -> None:
    old = file(api, "dev1", subject_identifier=subject)["id"]
    new = file(api, "dev2", subject_identifier=subject, product_version="fedora-41")["id"]
    scenario = file(api, "dev2", subject_identifier=subject, scenario="uefi")["id"]
    assert sifted(api, {"subject_identifier": subject}) == [scenario, new]
    assert sifted(api, {"subject_identifier": subject, "product_version": "fedora-40"}) == [scenario]
    every = sifted(api, {"subject_identifier": subject}, include_obsolete=True)
    assert every == [scenario, new, old]


def test_the_plus_may_be_escaped(api: Api) -> None:
    status, _headers, body = api.raw(
        "POST", "/api/v1.0/waivers/%2Bfiltered", b'{"filters": [{"testcase": "nobodys"}]}',
        Content_Type="application/json",
    )  # fmt: skip
    assert (status, body) == (200, b'{"data":[]}\n')


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({}, [(["filters"], "missing", "Field required")]),
        (
            {"filters": []},
            [(["filters"], "too_short", "List should have at least 1 item after validation, not 0")],
        ),
        ({"filters": {}}, [(["filters"], "list_type", "Input should be a valid list")]),
        (
            {"filters": [{"testcase": 1, "since": []}, 3], "include_obsolete": "x"},
            [
                (["include_obsolete"], "bool_parsing",
                 "Input should be a valid boolean, unable to interpret input"),
                (["filters", 0, "testcase"], "string_type", "Input should be a valid string"),
                (["filters", 0, "since"], "string_type", "Input should be a valid string"),
                (["filters", 1], "model_type",
                 "Input should be a valid dictionary or instance of WaiverFilter"),
            ],
        ),
    ],
)  # fmt: skip
def test_a_bad_body_of_filters_is_told_field_by_field(api: Api, body: Any, wanted: Any) -> None:
    assert problems(api.post(f"{WAIVERS}+filtered", json=body)) == wanted


@pytest.mark.parametrize("body", [[], [1], "x", 7])
@pytest.mark.parametrize("path", ["+filtered", "+by-subjects-and-testcases"])
def test_a_body_that_is_no_object_is_refused(api: Api, path: str, body: Any) -> None:
    (found,) = problems(api.post(WAIVERS + path, json=body))
    assert found[:2] == ([], "model_type")


def test_too_many_filters_are_refused(api: Api) -> None:
    body = {"filters": [{"testcase": "t"}] * 10_001}
    answer = api.post(f"{WAIVERS}+filtered", json=body)
    assert answer.status_code == 400
    assert "ask in several requests" in answer.json()["message"]


# -- +by-subjects-and-testcases


def test_old_clients_ask_by_subjects_and_testcases(api: Api) -> None:
    a, b, c = name("a"), name("b"), name("F")
    first = file(api, subject_identifier=a, testcase="dist.x")["id"]
    second = file(api, "dev2", subject_identifier=b, testcase="dist.x")["id"]
    third = file(api, subject_identifier=c, subject_type="compose", testcase="dist.x")["id"]
    replaced = file(api, subject_identifier=a, testcase="dist.x")["id"]

    def asked(*results: Any, **more: Any) -> list[int]:
        answer = api.post(f"{WAIVERS}+by-subjects-and-testcases", json={"results": list(results), **more})
        assert (answer.status_code, list(answer.json())) == (200, ["data"])
        return [one["id"] for one in answer.json()["data"]]

    of_a = {"subject": {"type": "brew-build", "item": a}, "testcase": "dist.x"}
    of_b = {"subject": {"original_spec_nvr": b}, "testcase": "dist.x"}
    of_c = {"subject": {"productmd.compose.id": c}, "testcase": "dist.x"}
    assert asked(of_a, of_b, of_c) == [replaced, third, second]
    assert asked(of_a, include_obsolete=True) == [replaced, first]
    assert asked(of_a, of_b, username="dev2", testcase="overlooked") == [second]
    assert asked(of_b | {"testcase": "dist.y"}) == []
    assert asked({"subject": {"item": a}, "testcase": "dist.x"}) == []
    assert asked({"subject": {"item": a}, "testcase": "dist.x"}, of_b) == [second]
    assert asked(of_a, since="2999-01-01") == []


def test_without_subjects_the_other_filters_ask_alone(fresh: Api) -> None:
    first = file(fresh, product_version="fedora-40")["id"]
    second = file(fresh, product_version="fedora-41")["id"]
    url = f"{WAIVERS}+by-subjects-and-testcases"
    for body, wanted in [
        ({}, [second, first]),
        ({"results": []}, [second, first]),
        ({"results": None, "product_version": "fedora-41"}, [second]),
    ]:  # fmt: skip
        assert [one["id"] for one in fresh.post(url, json=body).json()["data"]] == wanted


def test_bad_subjects_are_told_with_their_place(api: Api) -> None:
    body = {"results": [{"subject": {"item": 1}}, 2, {"testcase": 3, "subject": 4}]}
    found = problems(api.post(f"{WAIVERS}+by-subjects-and-testcases", json=body))
    assert [(loc, kind) for loc, kind, _text in found] == [
        (["results", 0, "testcase"], "missing"),
        (["results", 0, "subject", "item"], "string_type"),
        (["results", 1], "model_type"),
        (["results", 2, "testcase"], "string_type"),
        (["results", 2, "subject"], "model_type"),
    ]


# -- JSONP


def test_lists_and_waivers_are_told_to_a_callback(api: Api, subject: str) -> None:
    number = file(api, subject_identifier=subject)["id"]
    for path in (f"/waivers/{number}", "/waivers/", "/about", "/config", "/permissions"):
        answer = api.get(f"{BASE}{path}?callback=f")
        assert answer.headers["Content-Type"] == "application/javascript", path
        assert answer.text[:2] == "f("
        assert answer.text[-1] == ")"
    url = f"{WAIVERS}+by-subjects-and-testcases?callback=f"
    assert api.post(url, json={"username": "nobody"}).text == 'f({"data":[]})'
    assert api.post(f"{WAIVERS}+filtered?callback=f", json={"filters": [{"username": "x"}]}).json()
    assert "callback" in api.get(f"{WAIVERS}?callback=f").text
