"""ResultsDB's API 2.0: reading results."""

from __future__ import annotations

import pytest

from .places import Api, name

OUTCOMES = "PASSED, INFO, FAILED, NEEDS_INSPECTION, ERROR, QUEUED, RUNNING, BORKED"
NO_TIME = "Value error, must be in ISO8601 format"


@pytest.mark.parametrize(
    "number", ["0", "999999999", "-1", "x", "1.5", "99999999999999999999999", "2147483648", "%00"]
)
def test_an_unknown_id_is_not_found(api: Api, number: str) -> None:
    answer = api.get(f"/results/{number}")
    assert (answer.status_code, answer.json()) == (404, {"message": "Result not found"})


def test_a_list_has_the_very_objects_that_single_results_are(api: Api) -> None:
    mark = name("i")
    given = api.result(data={"item": mark, "tags": ["a", "a"]}, note="ž", groups=[name("g")])
    assert api.get(f"/results?item={mark}").json()["data"] == [given]
    assert api.get(f"/results/latest?item={mark}").json() == {"data": [given]}
    assert api.get(f"/results/{given['id']}").json() == given


@pytest.mark.demand("S-007")
def test_the_results_of_an_item_are_exactly_those_posted_newest_first(api: Api) -> None:
    item = f"bash-5.2-{name()}.fc40.x86_64"
    ids = [api.result(data={"item": item})["id"] for _ in range(3)]
    api.result(data={"item": f"{item}.other"})
    api.result(data={"other": item})
    found = api.get(f"/results?item={item}").json()
    assert [one["id"] for one in found["data"]] == ids[::-1]
    assert (found["prev"], found["next"]) == (None, None)


def test_results_are_ordered_by_their_claimed_time_and_ties_by_id(api: Api) -> None:
    mark = name("i")
    times = [
        "2020-01-03T00:00:00.0",
        "2020-01-01T00:00:00.0",
        "2020-01-02T00:00:00.0",
        "2020-01-02T00:00:00.0",
    ]
    ids = [api.result(data={"item": mark}, submit_time=time)["id"] for time in times]
    newest = [ids[0], ids[3], ids[2], ids[1]]
    for sort, found in {
        "": newest,
        "desc:submit_time": newest,
        "asc:submit_time": newest[::-1],
        "asc:outcome": newest,
        "nonsense": newest,
    }.items():
        assert api.ids(f"/results?item={mark}&_sort={sort}") == found


def test_without_sorting_results_come_as_they_were_stored(fresh: Api) -> None:
    times = [
        "2020-01-03T00:00:00.0",
        "2020-01-01T00:00:00.0",
        "2099-01-01T00:00:00.0",
        "2020-01-02T00:00:00.0",
    ]
    ids = [fresh.result(submit_time=time)["id"] for time in times]
    assert fresh.ids("/results?_sort=disable_sorting") == ids
    pages = [fresh.ids(f"/results?_sort=disable_sorting&limit=1&page={page}") for page in range(5)]
    assert pages == [[number] for number in ids] + [[]]
    assert sorted(fresh.ids("/results?_sort=disable_sorting&outcome=passed")) == ids


def test_outcomes_are_a_list_in_any_case(api: Api) -> None:
    mark = name("i")
    ids = {
        word: api.result(data={"item": mark}, outcome=word)["id"]
        for word in ("PASSED", "FAILED", "INFO", "BORKED")
    }
    for query, found in {
        "outcome=FAILED": ["FAILED"],
        "outcome=failed, Info ,": ["INFO", "FAILED"],
        "outcome=": ["BORKED", "INFO", "FAILED", "PASSED"],
        "outcome=passed&outcome=borked": ["BORKED", "PASSED"],
        "outcome=RUNNING": [],
    }.items():
        assert api.ids(f"/results?item={mark}&{query}") == [ids[word] for word in found], query


@pytest.mark.parametrize("path", ["/results", "/results/latest"])
def test_an_unknown_outcome_is_refused(api: Api, path: str) -> None:
    answer = api.get(f"{path}?outcome=passed,odd")
    assert answer.status_code == 400
    (problem,) = answer.json()["validation_error"]
    assert (problem["loc"], problem["type"]) == (["outcome"], "value_error")
    assert problem["msg"] == f"Value error, must be one of: {OUTCOMES}"


def test_groups_ask_for_results_in_any_of_them(api: Api) -> None:
    a, b = name("g"), name("g")
    ids = [api.result(groups=groups)["id"] for groups in ([a], [a, b], [b], [])]
    for query, found in {
        f"groups={a}": ids[1::-1],
        f"groups={a}, {b}": ids[2::-1],
        f"groups={a}&groups={b}": ids[2::-1],
        f"groups={a},{b}&groups={b}": [ids[2], ids[1]],
        "groups=nobody": [],
        f"groups=nobody,{b}": [ids[2], ids[1]],
    }.items():
        assert api.ids(f"/results?{query}") == found, query


def test_testcases_are_names_or_patterns_either_of_which_is_enough(api: Api) -> None:
    ns = name("ns")
    ids = {case: api.result(testcase=f"{ns}.{case}")["id"] for case in ("a", "ab", "b/c", "x,y", "B")}
    for query, found in {
        f"testcases={ns}.a": ["a"],
        f"testcases={ns}.a, {ns}.b/c": ["b/c", "a"],
        f"testcases={ns}": [],
        f"testcases={ns}.x,y": [],
        f"testcases={ns}.x,y&testcases={ns}.a": ["x,y", "a"],
        f"testcases:like={ns}.a*": ["ab", "a"],
        f"testcases:like={ns}.*b,*{ns}.B": ["B", "ab"],
        f"testcases:like={ns}._": ["B", "a"],
        f"testcases:like={ns}.%25c": ["b/c"],
        f"testcases={ns}.a&testcases:like={ns}.b*": ["b/c", "a"],
        f"testcases:like={ns}.a": ["a"],
    }.items():
        assert api.ids(f"/results?{query}") == [ids[case] for case in found], query


@pytest.mark.parametrize(
    ("since", "found"),
    [
        ("2020-01-02", "dcb"),
        ("2020-01-02T00:00:00", "dcb"),
        ("2020-01-02 00:00:00", "dcb"),
        ("2020-01-02T00:00:00.000001", "dc"),
        ("2020-01-02,2020-01-03", "dcb"),
        ("2020-01-01T12:00:00,2020-01-02T00:00:00", "b"),
        ("2020-01-02T00:00:00%2B05:00", "dcb"),
        ("2020-01-02T00:00:00Z,2020-01-02T00:00:00-03:00", "b"),
        ("2020-01-03T00:00:00.5", ""),
        ("1900-01-01", "dcba"),
        ("2020-01-04,2020-01-01", ""),
    ],
)  # fmt: skip
def test_since_is_inclusive_at_both_ends_and_drops_a_zone(api: Api, since: str, found: str) -> None:
    mark = name("i")
    ids = {
        letter: api.result(data={"item": mark}, submit_time=f"{time}.0")["id"]
        for letter, time in zip("abcd", ("2020-01-01T00:00:00", "2020-01-02T00:00:00", "2020-01-03T00:00:00",
                                         "2020-01-03T00:00:00"), strict=True)
    }  # fmt: skip
    wanted = [ids[letter] for letter in found]
    assert api.ids(f"/results?item={mark}&since={since}") == wanted
    assert api.ids(f"/results?item={mark}&since={since}&_sort=asc:submit_time") == wanted[::-1]


def test_since_goes_by_the_claim_of_a_clock_that_runs_fast_or_stands_before_1970(api: Api) -> None:
    mark = name("i")
    past = api.result(data={"item": mark}, submit_time="1950-06-01T00:00:00.0")["id"]
    future = api.result(data={"item": mark}, submit_time="2150-06-01T00:00:00.0")["id"]
    for since, found in {
        "2150-01-01": [future],
        "2150-01-01,2151-01-01": [future],
        "2151-01-01": [],
        "1900-01-01,1950-06-01": [past],
        "1950-06-01,1960-01-01": [past],
        "1951-01-01,2100-01-01": [],
    }.items():
        assert api.ids(f"/results?item={mark}&since={since}") == found, since


@pytest.mark.parametrize(
    "since", ["", "now", "2020-13-01", ",2020-01-01", "2020-01-01,", "2020-01-01,x", "1577836800"]
)
def test_since_that_is_no_time_is_refused(api: Api, since: str) -> None:
    for path in ("/results", "/results/latest"):
        answer = api.get(f"{path}?since={since}")
        assert answer.status_code == 400
        (problem,) = answer.json()["validation_error"]
        assert (problem["loc"], problem["type"], problem["msg"]) == (["since"], "value_error", NO_TIME)


def test_any_other_parameter_asks_of_the_data(api: Api) -> None:
    ns = name("ns")
    given = {
        "a": {"item": f"{ns}.x", "type": "koji_build"},
        "b": {"item": [f"{ns}.x", f"{ns}.y"], "type": "compose"},
        "c": {"item": f"{ns}.Y", "param x": "/1"},
        "d": {"item": ["", f"{ns}."], "sub.key-1": "ž"},
        "e": {f"{ns}": f"{ns}.x"},
    }
    ids = {letter: api.result(data=data)["id"] for letter, data in given.items()}
    for query, found in {
        f"item={ns}.x": "ba",
        f"item={ns}.x,{ns}.Y": "cba",
        f"item={ns}.x, {ns}.Y": "ba",
        f"item={ns}.x&item={ns}.Y": "cba",
        f"item={ns}.x&type=compose": "b",
        f"item={ns}.x&type=koji_build,compose": "ba",
        f"item={ns}.x&type=nothing": "",
        f"item:like={ns}.*": "dcba",
        f"item:like={ns}._": "cba",
        f"item:like=*{ns}.y,{ns}.Y*": "cb",
        f"item:like={ns}.%25x": "ba",
        f"item:like={ns}.x": "ba",
        f"item:odd={ns}.x": "ba",
        f"item:like:odd={ns}.x": "",
        f"item=&item:like={ns}.*": "d",
        f"item:like={ns}.*&param%20x=%2F1": "c",
        f"item:like={ns}.*&sub.key-1=%C5%BE": "d",
        f"{ns}={ns}.x": "e",
        f"{ns}:like=*": "e",
    }.items():
        assert api.ids(f"/results?{query}") == [ids[letter] for letter in found], query


def test_a_result_is_listed_once_even_if_many_of_its_values_match(api: Api) -> None:
    """More than forty values are walked in another way than few."""
    mark = name("v")
    values = [f"{mark}.{n}" for n in range(60)]
    ids = [api.result(data={"v": values if n % 2 else values[::-1]})["id"] for n in range(6)]
    for query in (
        f"v={','.join(values)}",
        f"v:like={mark}.*",
        f"v={values[0]},{values[1]}",
        f"v:like={mark}.5*",
    ):
        assert api.ids(f"/results?{query}") == ids[::-1]
        assert api.ids(f"/results?{query}&limit=4") == ids[:1:-1]
        assert api.ids(f"/results?{query}&limit=4&page=1") == [ids[1], ids[0]]
        assert api.get(f"/results?{query}&limit=6").json()["next"] is None


def test_a_result_in_many_of_the_asked_groups_is_listed_once(api: Api) -> None:
    groups = [name("g") for _ in range(60)]
    ids = [api.result(groups=groups)["id"] for _ in range(3)]
    for asked in (groups, groups[:2]):
        assert api.ids(f"/results?groups={','.join(asked)}") == ids[::-1]
        assert api.ids(f"/results?groups={','.join(asked)}&limit=2&page=1") == [ids[0]]


def test_many_testcases_of_one_time_are_paged_by_id(api: Api) -> None:
    """More than forty testcases, all of whose results have one time."""
    ns = name("ns")
    ids = [api.result(testcase=f"{ns}.{n}", submit_time="2020-01-01T00:00:00.0")["id"] for n in range(50)]
    assert api.ids(f"/results?testcases:like={ns}.*&limit=7") == ids[:-8:-1]
    assert api.ids(f"/results?testcases:like={ns}.*&limit=7&page=6") == ids[7:0:-1]


def test_conditions_of_every_kind_hold_together(api: Api) -> None:
    mark = name("m")
    wanted = api.result(
        testcase=f"{mark}.a", outcome="FAILED", groups=[mark], data={"item": mark, "arch": "x"}
    )
    for change in (
        {"testcase": f"{mark}x"}, {"outcome": "PASSED"}, {"groups": []}, {"data": {"item": mark}},
        {"submit_time": "2020-01-01T00:00:00.0"},
    ):  # fmt: skip
        fields = {
            "testcase": f"{mark}.a",
            "outcome": "FAILED",
            "groups": [mark],
            "data": {"item": mark, "arch": "x"},
        }
        api.result(**(fields | change))
    query = f"testcases:like={mark}.*&outcome=failed&groups={mark}&item={mark}&arch=x,y&since=2021-01-01"
    assert api.ids(f"/results?{query}") == [wanted["id"]]
