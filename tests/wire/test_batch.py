"""Bodies of a batch, taken apart: nothing is lost, whatever comes and however it is cut."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.wire import batch
from ci_results.wire.batch import Lines, TooManyError, elements
from ci_results.wire.body import Unparsable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def cut(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield body[start : start + size]
        start += size
    yield body[start:]


@given(st.lists(JSON, max_size=6), st.lists(st.integers(0, 20), max_size=20), st.booleans())
def test_lines_come_out_whole_however_they_are_cut(values: list[object], sizes: list[int], end: bool) -> None:
    body = b"\n".join(json.dumps(value).encode() for value in values) + b"\n" * end
    lines = Lines(10)
    found = [line for piece in cut(body, sizes) for line in lines.feed(piece)] + list(lines.end())
    assert [(number, json.loads(line)) for number, line in found] == list(enumerate(values, 1))


@given(st.lists(JSON, max_size=6), st.sampled_from([None, 0, 2]))
def test_elements_are_those_of_the_list(values: list[object], indent: int | None) -> None:
    body = json.dumps(values, indent=indent, ensure_ascii=False).encode("utf-8", "replace")
    assert list(elements(body, 10)) == list(enumerate(json.loads(body), 1))


@given(st.binary(max_size=40) | st.text('[]{},:"0 \n1e-.aul', max_size=20).map(str.encode))
def test_any_bytes_are_a_list_or_refused_as_the_standard_library_says(body: bytes) -> None:
    try:
        wanted = json.loads(body.decode())
    except ValueError:
        wanted = None
    try:
        found = [value for _place, value in elements(body, 100)]
    except Unparsable:
        found = None
    assert found == (wanted if isinstance(wanted, list) else None)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(Unparsable):
        list(elements(b"[" * 100_000, 10))


def test_what_is_too_many_is_not_read() -> None:
    lines = Lines(2)
    with pytest.raises(TooManyError):
        list(lines.feed(b"1\n2\n3\n"))
    with pytest.raises(TooManyError):
        list(elements(b"[1, 2, 3]", 2))


def test_the_examples_are_true() -> None:
    assert doctest.testmod(batch).failed == 0
