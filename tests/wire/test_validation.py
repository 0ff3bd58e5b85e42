"""Readers of single values, and tables of fields: pydantic's types, messages and order."""

from __future__ import annotations

from typing import Any

import pytest

from ci_results.wire.validation import (
    Field,
    Read,
    RefusedBody,
    Wrong,
    boolean,
    check,
    integer,
    list_of,
    mapping,
    text,
    text_of,
)

CASES: dict[Read, list[tuple[Any, Any]]] = {
    text: [("", ""), ("ž\n\U0001f600", "ž\n\U0001f600"), ("x" * 100_000, "x" * 100_000)],
    integer: [
        (12, 12), ("12", 12), (" -3 ", -3), ("+7", 7), ("12.0", 12), (12.0, 12), (True, 1), (10**30, 10**30),
    ],
    boolean: [
        *((word, True) for word in (True, 1, 1.0, "1", "true", "TRUE", "yes", "Yes", "on", "t", "y")),
        *((word, False) for word in (False, 0, 0.0, "0", "false", "no", "off", "OFF", "f", "N")),
    ],
    mapping: [({}, {}), ({"a": 1}, {"a": 1})],
    list_of(text): [([], []), (["a", ""], ["a", ""])],
}  # fmt: skip
STRING_TYPE = ("string_type", "Input should be a valid string")
INT_PARSING = ("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
BOOL_PARSING = ("bool_parsing", "Input should be a valid boolean, unable to interpret input")
REFUSED: list[tuple[Read, Any, tuple[str, str]]] = [
    *((text, value, STRING_TYPE) for value in (1, 1.5, True, None, [], {})),
    (text, "a\0", ("value_error", "Value error, must not contain NUL")),
    (text, "\ud800", ("value_error", "Value error, must not contain lone surrogates")),
    (text_of(1), "", ("string_too_short", "String should have at least 1 character")),
    (text_of(2), "a", ("string_too_short", "String should have at least 2 characters")),
    (text_of(0, 8192), "a" * 8193, ("string_too_long", "String should have at most 8192 characters")),
    *((integer, value, INT_PARSING) for value in ("", "x", "1.5", "1 2", "٣", "0x1", "9" * 5000)),
    *((integer, value, ("int_type", "Input should be a valid integer")) for value in (None, [], {})),
    *((boolean, value, BOOL_PARSING) for value in ("", "maybe", 2, "2", 0.5)),
    *((boolean, value, ("bool_type", "Input should be a valid boolean")) for value in (None, [], {})),
    *((mapping, value, ("dict_type", "Input should be a valid dictionary")) for value in (None, [], "a", 1)),
    *((list_of(text), value, ("list_type", "Input should be a valid list")) for value in (None, {}, "a", 1)),
]


@pytest.mark.parametrize(
    ("read", "given", "found"),
    [
        pytest.param(read, given, found, id=f"{read.__name__} {given!r:.30}")
        for read, rows in CASES.items()
        for given, found in rows
    ],
)
def test_a_good_value_is_read(read: Read, given: Any, found: Any) -> None:
    got = read(given)
    assert got == found
    assert type(got) is type(found)


@pytest.mark.parametrize(
    ("read", "given", "told"),
    [pytest.param(*row, id=f"{row[0].__name__} {row[1]!r:.30}") for row in REFUSED],
)
def test_a_bad_value_is_refused_in_the_peers_words(read: Read, given: Any, told: tuple[str, str]) -> None:
    with pytest.raises(Wrong) as wrong:
        read(given)
    assert (wrong.value.kind, wrong.value.message) == told


def test_an_integer_from_a_fraction_is_refused() -> None:
    with pytest.raises(Wrong, match="fractional part"):
        integer(1.5)


TABLE = {"name": Field(text, required=True), "tags": Field(list_of(text)), "size": Field(integer)}


def test_unknown_fields_are_ignored_and_null_is_taken_where_a_field_is_optional() -> None:
    given = {"name": "a", "tags": None, "other": object(), "size": "3"}
    assert check(given, TABLE) == {"name": "a", "tags": None, "size": 3}
    assert check({"name": "a"}, TABLE) == {"name": "a"}


def test_every_failing_field_is_listed_in_the_order_of_the_table() -> None:
    given = {"size": "x", "tags": ["a", 1, 2]}
    with pytest.raises(RefusedBody) as refused:
        check(given, TABLE)
    url = "https://errors.pydantic.dev/2.11/v/"
    assert refused.value.problems == [
        {"type": "missing", "loc": ["name"], "msg": "Field required", "input": given, "url": f"{url}missing"},
        {
            "type": "string_type", "loc": ["tags", 1], "msg": "Input should be a valid string", "input": 1,
            "url": f"{url}string_type",
        },
        {
            "type": "int_parsing", "loc": ["size"], "msg": INT_PARSING[1], "input": "x",
            "url": f"{url}int_parsing",
        },
    ]  # fmt: skip


def test_null_is_no_value_of_a_required_field() -> None:
    with pytest.raises(RefusedBody) as refused:
        check({"name": None}, TABLE)
    assert [problem["type"] for problem in refused.value.problems] == ["string_type"]
