"""ResultsDB's API 2.0: pages, the same for every list."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ci_results.config import Serving
from ci_results.store.protocol import Store

from .places import Api, name, serving

NO_INTEGER = "Input should be a valid integer, unable to parse string as an integer"
Listing = Callable[[int], str]


@pytest.fixture(params=["results", "testcases", "groups", "testcase results", "group results"])
def listing(request: pytest.FixtureRequest, api: Api) -> Listing:
    """Fill a list of its own with so many rows; return its address, with a parameter."""
    kind = request.param
    mark = name("page")

    def fill(rows: int) -> str:
        if kind == "testcases":
            for n in range(rows):
                assert api.post("/testcases", json={"name": f"{mark}.{n}"}).status_code == 201
            return f"/testcases?name:like={mark}.*"
        if kind == "groups":
            for n in range(rows):
                assert api.post("/groups", json={"uuid": f"{mark}.{n}", "description": mark}).ok
            return f"/groups?description={mark}"
        api.post("/groups", json={"uuid": mark})
        api.post("/testcases", json={"name": mark})
        for _ in range(rows):
            api.result(testcase=mark, groups=[mark], data={"item": mark})
        addresses = {"results": f"/results?item={mark}", "testcase results": f"/testcases/{mark}/results?x=",
                     "group results": f"/groups/{mark}/results?outcome=PASSED"}  # fmt: skip
        return addresses[kind].removesuffix("?x=") + ("?_sort=" if kind == "testcase results" else "")

    return fill


def test_a_page_has_twenty_rows_and_no_more(api: Api, listing: Listing) -> None:
    address = listing(21)
    found = api.get(address).json()
    assert len(found["data"]) == 20
    assert (found["prev"], found["next"]) == (None, f"{api.base}{address}&page=1")
    rest = api.follow(found["next"]).json()
    assert (len(rest["data"]), rest["next"]) == (1, None)
    assert rest["prev"] == f"{api.base}{address}&page=0"


def test_following_next_gives_every_row_once_and_prev_leads_back(api: Api, listing: Listing) -> None:
    address = listing(5) + "&limit=2"
    pages = [api.get(address).json()]
    while pages[-1]["next"]:
        pages.append(api.follow(pages[-1]["next"]).json())
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    rows = [row["href"] for page in pages for row in page["data"]]
    assert len(set(rows)) == 5
    back = api.follow(pages[2]["prev"]).json()
    assert back["data"] == pages[1]["data"]
    assert api.follow(back["prev"]).json()["data"] == pages[0]["data"]


def test_there_is_no_total(api: Api, listing: Listing) -> None:
    assert set(api.get(listing(1)).json()) - {"next_cursor"} == {"data", "prev", "next"}


def test_a_page_past_the_end_is_empty_and_has_a_way_back(api: Api, listing: Listing) -> None:
    address = listing(2)
    answer = api.get(f"{address}&page=7")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["data"], found["next"]) == ([], None)
    assert found["prev"] == f"{api.base}{address}&page=6"


@pytest.mark.parametrize("page", ["0", "-1", "-99"])
def test_page_0_and_below_is_the_first(api: Api, listing: Listing, page: str) -> None:
    address = listing(2)
    found = api.get(f"{address}&limit=1&page={page}").json()
    assert found["data"] == api.get(f"{address}&limit=1").json()["data"]
    assert (found["prev"], found["next"]) == (None, f"{api.base}{address}&limit=1&page=1")


@pytest.mark.parametrize("value", ["", "x", "1.5", "1e3", "0x1", "null"])
def test_what_is_no_integer_is_refused(api: Api, listing: Listing, value: str) -> None:
    answer = api.get(f"{listing(0)}&page={value}&limit={value}")
    assert answer.status_code == 400
    assert "message" not in answer.json()
    problems = answer.json()["validation_error"]
    assert [(one["loc"], one["type"], one["msg"], one["input"]) for one in problems] == [
        (["page"], "int_parsing", NO_INTEGER, value),
        (["limit"], "int_parsing", NO_INTEGER, value),
    ]  # fmt: skip


def test_a_limit_of_0_gives_nothing_and_says_that_there_is_more(api: Api, listing: Listing) -> None:
    address = listing(1)
    found = api.get(f"{address}&limit=0").json()
    assert (found["data"], found["next"]) == ([], f"{api.base}{address}&limit=0&page=1")


def test_a_negative_limit_gives_nothing(api: Api, listing: Listing) -> None:
    found = api.get(f"{listing(1)}&limit=-1").json()
    assert (found["data"], found["next"]) == ([], None)


def test_a_great_limit_gives_all(api: Api, listing: Listing) -> None:
    assert len(api.get(f"{listing(25)}&limit=100000").json()["data"]) == 25


def test_a_page_far_out_is_empty(api: Api, listing: Listing) -> None:
    answer = api.get(f"{listing(1)}&page={10**30}")
    assert (answer.status_code, answer.json()["data"]) == (200, [])


@pytest.mark.parametrize(
    ("query", "next_query"),
    [
        ("page=0&limit=1&{filter}", "page=1&limit=1&{filter}"),
        ("limit=1&page=0&{filter}&", "limit=1&page=1&{filter}"),
        ("{filter}&&limit=1", "{filter}&limit=1&page=1"),
        ("{filter}&limit=1&testcases=%C5%BE,{mark}", "{filter}&limit=1&testcases=%C5%BE,{mark}&page=1"),
    ],
)
def test_the_address_of_a_page_keeps_the_order_and_encoding_of_the_request(
    api: Api, query: str, next_query: str
) -> None:
    mark = name("order")
    for _ in range(2):
        api.result(testcase=mark, data={"item": [mark]})
    asked = query.format(filter=f"item={mark}", mark=mark)
    _status, _headers, body = api.raw("GET", f"/api/v2.0/results?{asked}")
    wanted = next_query.format(filter=f"item={mark}", mark=mark)
    assert f'"next":"{api.base}/results?{wanted}"'.encode() in body


@pytest.mark.parametrize("path", ["/testcases?name:like={mark}*", "/groups?description={mark}"])
def test_a_callback_leaves_the_address_and_is_not_called(api: Api, path: str) -> None:
    mark = name("callback")
    for n in range(2):
        api.post("/testcases", json={"name": f"{mark}.{n}"})
        api.post("/groups", json={"uuid": f"{mark}.{n}", "description": mark})
    address = path.format(mark=mark)
    found = api.get(f"{address}&callback=f&limit=1").json()
    assert found["next"] == f"{api.base}{address}&limit=1&page=1"


def test_on_results_a_callback_is_a_filter_like_any_other(api: Api) -> None:
    given = api.result(data={"callback": "f"})
    assert api.ids("/results?callback=f") == [given["id"]]


def test_a_limit_above_the_configured_one_is_served_as_that(store: Store) -> None:
    with serving(store, settings=Serving(max_limit=3)) as fresh:
        for _ in range(5):
            fresh.result()
        found = fresh.get("/results?limit=100").json()
        assert [one["id"] for one in found["data"]] == [5, 4, 3]
        assert found["next"] == f"{fresh.base}/results?limit=100&page=1"
        assert [one["id"] for one in fresh.follow(found["next"]).json()["data"]] == [2, 1]
