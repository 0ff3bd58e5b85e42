"""Whatever comes in is read or refused: never another error, and nothing that a store could not hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from ci_results.normalise.submitted import submitted
from ci_results.wire.body import Unparsable, parse
from ci_results.wire.resultsdb_json import dump
from ci_results.wire.resultsdb_post import ColonInKeyError, group, result_table, submission, testcase
from ci_results.wire.resultsdb_query import names_asked, parameters, results_asked
from ci_results.wire.validation import RefusedBody

OUTCOMES = ("PASSED", "INFO", "FAILED", "NEEDS_INSPECTION")
TABLE = result_table(OUTCOMES)

texts = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(categories=["Cs", "Cc", "Lu"]), max_size=5),
    st.sampled_from(["", "\0", "\ud800", "PASSED", "2026-03-01T12:00:00.5Z", "1772366400000", "true"]),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
groups = st.one_of(
    texts,
    values,
    st.fixed_dictionaries({}, optional=dict.fromkeys(("uuid", "description", "ref_url"), values)),
)
bodies = st.one_of(
    values,
    st.fixed_dictionaries(
        {"outcome": st.sampled_from([*OUTCOMES, " passed "]) | values},
        optional={
            "testcase": st.sampled_from(["ns.a", {"name": "ns.a"}]) | values,
            "groups": st.lists(groups, max_size=3) | values,
            "note": values,
            "ref_url": values,
            "data": st.dictionaries(texts, values, max_size=4) | values,
            "submit_time": values,
            "name": values,
            "uuid": values,
            "description": values,
        },
    ),
)  # fmt: skip
names = st.sampled_from(
    ["page", "limit", "outcome", "groups", "testcases", "testcases:like", "since", "_sort", "_after",
     "_distinct_on", "item", "item:like", "item:foo", "a:b:c", "name", "name:like", "uuid", "description",
     "description:like", "callback", ""]
)  # fmt: skip
asked = st.text(max_size=12) | st.sampled_from([",", "-1", "\0", "2026-01-01"])
queries = st.one_of(
    st.text(max_size=60),
    st.lists(st.tuples(names, asked)).map(
        lambda pairs: "&".join(f"{name}={quote(value, safe=',:', errors='replace')}" for name, value in pairs)
    ),
)


def every_text(value: Any) -> Iterator[str]:
    """Yield each text in a value, keys of mappings too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from every_text(key)
            yield from every_text(inner)
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from every_text(inner)


def check_told(refused: RefusedBody) -> None:
    """Check that a refusal can be told: JSON again, whatever the client sent."""
    said = json.loads(dump({"validation_error": refused.problems}))["validation_error"]
    assert said
    assert all({"loc", "msg", "type", "input", "url"} == one.keys() for one in said)


def assert_storable(*values: Any) -> None:
    for text in every_text(values):
        assert "\0" not in text
        text.encode()


@given(bodies)
def test_any_json_is_a_submission_or_is_refused(body: Any) -> None:
    try:
        found = submission(parse(json.dumps(body).encode()), TABLE, lambda n: f"new{n}")
    except RefusedBody as refused:
        check_told(refused)
    except ColonInKeyError as refused:
        json.loads(dump({"message": str(refused)}))
    else:
        page = submitted(found, "k", "api")
        (result,) = page.results
        assert_storable(
            result.testcase, result.outcome, result.note, result.ref_url, dict(result.data), result.groups,
            result.item, result.item_type, result.scenario, result.arch, dict(result.item_parts),
            {uuid: dict(said) for uuid, said in page.groups.items()}, dict(page.ref_urls),
        )  # fmt: skip
        assert result.submit_time is None or result.submit_time.tzinfo is not None


@given(bodies)
def test_any_json_is_a_testcase_and_a_group_or_is_refused(body: Any) -> None:
    for decode in (testcase, lambda body: group(body, lambda n: "new")):
        try:
            assert_storable(*decode(body))
        except RefusedBody as refused:
            check_told(refused)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_json_or_are_refused(body: bytes) -> None:
    with suppress(Unparsable):
        parse(body)


@given(queries)
def test_any_query_is_a_question_or_is_refused(query: str) -> None:
    given_ = parameters(query)
    assert_storable(given_)
    for read in (
        lambda: results_asked(given_, OUTCOMES, 1000),
        lambda: names_asked(given_, "testcases", 1000),
        lambda: names_asked(given_, "groups", 1000),
    ):
        try:
            read()
        except RefusedBody as refused:
            check_told(refused)
