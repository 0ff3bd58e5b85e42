"""Requests and answers of WaiverDB as values: what is read, what is refused, whatever comes."""

from __future__ import annotations

import doctest
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Act, Step, Terms, Turn, Waiver, WaiverEvent
from ci_results.wire import waiverdb_json, waiverdb_post, waiverdb_query, waiverdb_subject
from ci_results.wire.validation import RefusedBody
from ci_results.wire.waiverdb_post import posted, posted_one
from ci_results.wire.waiverdb_query import BadSinceError, Sought, by_subjects, filtered, listing

TERMS = Terms(subject_type="koji_build", subject="a-1-1", testcase="t", product_version="f-40")
BODY = {
    "subject_type": "koji_build", "subject_identifier": "a-1-1", "testcase": "t", "product_version": "f-40",
    "comment": "c",
}  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PROBLEM: dict[str, Any] = dict.fromkeys(("type", "loc", "msg", "input", "url"))
NAMES = [*waiverdb_post.FIELDS, *waiverdb_query.FILTERED, *waiverdb_query.BY_SUBJECTS]
BODIES = VALUES | st.dictionaries(st.sampled_from(NAMES), VALUES | st.sampled_from(["a", "2026-01-01", 7]))


def made(time: datetime, **terms: Any) -> Waiver:
    said = replace(TERMS, **terms)
    act = Act(step=Step.GRANT, username="u", comment="c", via="api", turn=Turn.OPENS, terms=said)
    event = WaiverEvent(id=7, seq=7, time=time, act=act, hash="")
    return Waiver(id=7, terms=said, first=event, opened=event, last=7)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00"),
        (datetime(2026, 3, 1, 12, microsecond=5, tzinfo=UTC), "2026-03-01T12:00:00.000005"),
        (datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2026-03-01T10:00:00"),
    ],
)
def test_a_time_is_utc_without_a_zone_and_without_a_fraction_that_is_zero(time: datetime, text: str) -> None:
    said = waiverdb_json.waiver(made(time))
    assert said["timestamp"] == text
    assert len(said) == 12


def test_a_page_links_its_neighbours_and_both_ends() -> None:
    said = waiverdb_json.page(
        [], "http://h/waivers/", [("since", "2026-01-01T00:00,"), ("a b", "ž&=/")], 2, 3
    )
    rest = "&since=2026-01-01T00:00,&a+b=%C5%BE%26%3D/"
    assert [said[name] for name in ("first", "prev", "next", "last")] == [
        f"http://h/waivers/?page={page}{rest}" for page in (1, 1, 3, 3)
    ]


def test_of_a_parameter_the_first_value_counts_and_nothing_is_given_by_empty_ones() -> None:
    asked = listing("testcase=a&testcase=b&page=3&x=1&username=&include_obsolete=yes")
    assert asked.sought == Sought(testcase="a")
    assert (asked.page, asked.limit, asked.include_obsolete) == (3, 10, True)
    assert asked.others == (("testcase", "a"), ("x", "1"), ("username", ""), ("include_obsolete", "yes"))


@pytest.mark.parametrize(
    ("since", "start", "end"),
    [
        ("1970-01-01", 0, None),
        ("1970-01-01T00:00:01.5", 1_500_000, None),
        ("1970-01-01T00:00:01Z,", 1_000_000, None),
        (",1970-01-01T01:00:00%2B01:00", None, 0),
        ("1970-01-01,1970-01-02", 0, 86_400_000_000),
        ("0001-01-01T00:00:00%2B23:00", -62_135_679_600_000_000, None),
        ("", None, None),
        (",", None, None),
    ],
)
def test_since_is_read_in_utc(since: str, start: int | None, end: int | None) -> None:
    sought = listing(f"since={since}").sought
    assert (sought.since, sought.until) == (start, end)


def test_one_that_may_be_no_list_is_told_without_an_alternative() -> None:
    assert posted_one(BODY).subject == Subject("koji_build", "a-1-1")
    with pytest.raises(RefusedBody) as refused:
        posted_one({**BODY, "comment": 1, "waived": []})
    assert [each["loc"] for each in refused.value.problems] == [["waived"], ["comment"]]


def test_a_list_has_no_more_than_a_thousand() -> None:
    assert len(posted([BODY] * 1_000)[0]) == 1_000
    with pytest.raises(RefusedBody) as refused:
        posted([BODY] * 1_001)
    assert [each["type"] for each in refused.value.problems] == ["model_type", "too_long"]


@given(BODIES)
def test_any_body_is_read_or_refused(body: Any) -> None:
    for read in (posted, posted_one, filtered, by_subjects):
        problems: list[Any] = [PROBLEM]
        try:
            read(body)
        except RefusedBody as err:
            problems = err.problems
        except BadSinceError:
            pass
        assert problems
        assert all(each.keys() == PROBLEM.keys() for each in problems)


@given(st.text(max_size=60))
def test_any_query_is_read_or_refused(query: str) -> None:
    try:
        asked = listing(query)
    except (RefusedBody, BadSinceError):
        return
    assert asked.limit >= 0
    assert asked.page >= 0


@pytest.mark.parametrize("module", [waiverdb_subject], ids=["subject"])
def test_the_examples_are_true(module: Any) -> None:
    assert doctest.testmod(module).failed == 0
