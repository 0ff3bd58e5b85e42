"""Indexes as servers write them, as nobody should, and any bytes at all."""

from __future__ import annotations

import doctest
import io
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from ci_results_errata_checks import items, place
from ci_results_errata_checks.index import Row, kind_of, rows_of_html, rows_of_json
from ci_results_errata_checks.seen import Seen
from hypothesis import given
from hypothesis import strategies as st

from ci_results import SourceGarbledError

DAY = datetime(2026, 1, 2, tzinfo=UTC)


def links(body: bytes) -> list[Row]:
    return list(rows_of_html(io.BytesIO(body)))


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (
            '<tr><td><a href="a.json">a</a></td><td align="right">2026-01-02 03:04  </td><td>12K</td></tr>',
            Row(link="a.json", stamp="2026-01-02 03:04 12K", modified=DAY),
        ),
        (
            "<a href='b/'>b/</a>         02-Jan-2026 03:04         -\n",
            Row(link="b/", stamp="02-Jan-2026 03:04 -", modified=DAY),
        ),
        (
            '<A HREF="c.json">c</A></td><td class="m">2026-Jan-02 03:04:05</td><td>1.0K&nbsp;</td>',
            Row(link="c.json", stamp="2026-Jan-02 03:04:05 1.0K", modified=DAY),
        ),
        ('<li><a class="x" href=d.json>d</a></li>', Row(link="d.json")),
        ('<a href="x&amp;y%20z">e</a> 2026-99-99 03:04 1', Row(link="x&y%20z", stamp="2026-99-99 03:04 1")),
    ],
    ids=["apache", "nginx", "lighttpd", "python", "no day"],
)
def test_a_line_of_an_index_is_read(line: str, row: Row) -> None:
    assert links(f'<a name="top">Index</a>{line}'.encode()) == [row]


@pytest.mark.parametrize(
    ("record", "row"),
    [
        (
            {"name": "a", "type": "directory", "mtime": "Fri, 02 Jan 2026 00:00:00 GMT"},
            Row(name="a", folder=True, stamp="Fri, 02 Jan 2026 00:00:00 GMT ", modified=DAY),
        ),
        (
            {"name": "./b/", "size": 4096, "mod_time": "2026-01-02T00:00:00Z", "is_dir": True},
            Row(name="./b/", folder=True, stamp="2026-01-02T00:00:00Z 4096", modified=DAY),
        ),
        ({"name": "c.json", "size": 1, "mtime": 1767312000}, Row(name="c.json", stamp="1767312000 1")),
        ({"name": "d", "type": "other"}, Row(name="", folder=False)),
        ({"name": "e", "is_symlink": True}, Row(name="")),
        ({"name": "f", "more": {"deep": [1]}}, Row(name="f")),
        ({"name": 7}, {"name": 7}),
    ],
)
def test_a_record_of_an_index_is_read(record: dict[str, object], row: object) -> None:
    assert list(rows_of_json(io.BytesIO(json.dumps([record]).encode()))) == [row]


@given(body=st.binary(), cut=st.integers(1, 70_000))
def test_any_bytes_are_an_index_or_are_refused(body: bytes, cut: int) -> None:
    for whole in (body, b"<html><title>Index of /</title>" + body + b"</html>", b"[" + body):
        with suppress(SourceGarbledError):
            read_as_it_calls_itself(whole)
    assert all(isinstance(row, Row) for row in links(b"<a href='" + body * 3))


@given(names=st.lists(st.text("abc%._-", min_size=1), max_size=20), padding=st.integers(0, 65_536))
def test_links_are_found_wherever_a_block_ends(names: list[str], padding: int) -> None:
    body = b" " * padding + "".join(f'<a href="{name}">x</a>\n' for name in names).encode()
    assert [row.link for row in links(body)] == names


@pytest.mark.parametrize(
    "body",
    [
        b"<a href=" * 400_000,
        b"<a " + b"<" * 3_000_000,
        b'<a href="' + b"x" * 3_000_000,
        b"<a " + b" href" * 600_000,
        b"<a href=x>" + b"&#" * 1_500_000,
        b"<title" * 500_000,
        b"[" + b'{"name": [' * 300_000,
    ],
    ids=["links", "brackets", "long", "attributes", "entities", "titles", "nested"],
)
def test_a_hostile_index_comes_to_an_end(body: bytes) -> None:
    """A reader that goes over the same bytes again and again takes hours for these."""
    assert all(len(row.link or "") <= 20_000 for row in links(body))
    with pytest.raises(SourceGarbledError):
        read_as_it_calls_itself(body)


def read_as_it_calls_itself(body: bytes) -> None:
    kind_of(body[:65_536], body[-100:])
    list(rows_of_json(io.BytesIO(body)))


@given(marks=st.sets(st.tuples(st.text(), st.text()), max_size=50), more=st.tuples(st.text(), st.text()))
def test_a_cursor_knows_what_was_added_and_nothing_else(
    marks: set[tuple[str, str]], more: tuple[str, str]
) -> None:
    marks = {(path.replace("\0", ""), stamp) for path, stamp in marks}
    seen = Seen(None)
    for path, stamp in marks:
        seen.add(path, stamp)
    again = Seen(seen.cursor())
    assert all(again.knows(*mark) for mark in marks)
    assert again.knows(more[0].replace("\0", ""), more[1]) == ((more[0].replace("\0", ""), more[1]) in marks)
    assert again.cursor() == seen.cursor()


@given(path=st.text(st.characters(exclude_categories=()), min_size=1))
def test_a_path_survives_being_a_key(path: str) -> None:
    try:
        path.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeError:
        return  # no bytes of a file's name give this
    if path.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") != path:
        return
    assert place.key_of(path).isprintable()
    assert place.path_of(place.key_of(path)) == path


def test_the_examples_in_the_code_hold() -> None:
    assert doctest.testmod(items).failed == doctest.testmod(place).failed == 0
