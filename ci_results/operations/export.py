"""Export: results as JUnit XML, written through junitparser, so that other tools read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC
from itertools import groupby
from typing import IO

import orjson
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from ..domain.outcome import UNFINISHED, Outcome
from ..domain.stored import StoredResult
from ..query.results import MAX_LIMIT, ResultQuery
from ..store.protocol import Store

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_FAULT = frozenset({Outcome.PASSED, Outcome.INFO})


def all_results(store: Store, query: ResultQuery) -> Iterator[StoredResult]:
    """Yield all that `query` asks, past its limit, newest first, a page of the store at a time."""
    query = replace(query, limit=MAX_LIMIT)
    while page := store.results(query):
        yield from page
        if len(page) < query.limit:
            return
        query = replace(query, before=page_end(page[-1]))


def page_end(last: StoredResult) -> tuple[str, int]:
    """Return what `ResultQuery.before` takes to go on after `last`."""
    return f"{last.time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}", last.id


def export_junit(results: Iterable[StoredResult], target: IO[bytes]) -> int:
    """Write `results` as one JUnit XML document, a test suite an item; return how many.

    A failure is FAILED, an error ERROR; NEEDS_INSPECTION is a failure of that type, what has not
    ended is skipped, and any other word is an error of its type: never does one look passed.
    """
    document = JUnitXml("ci-results")
    count = 0
    for (kind, item), group in groupby(sorted(results, key=_by_item), key=_by_item):
        suite = TestSuite(_xml(item))
        suite.add_property("item_type", _xml(kind))
        for result in group:
            suite.add_testcase(_case(result))
            count += 1
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    document.write(target, pretty=True)
    return count


def export_lines(results: Iterable[StoredResult], target: IO[bytes]) -> int:
    """Write `results` as JSON lines, an object each, times as ISO 8601 in UTC; return how many."""
    count = 0
    for result in results:
        target.write(orjson.dumps(result, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))
        count += 1
    return count


def _by_item(result: StoredResult) -> tuple[str, str]:
    return result.item_type, result.item


def _case(result: StoredResult) -> TestCase:
    namespace, _, name = result.testcase.rpartition(".")
    case = TestCase(_xml(name), classname=_xml(namespace), time=result.duration_s)
    note = _xml(result.note or "")
    if result.outcome in UNFINISHED:
        case.result = [Skipped(result.outcome)]
    elif result.outcome in (Outcome.FAILED, Outcome.NEEDS_INSPECTION):
        case.result = [_with_text(Failure(_first_line(note), result.outcome), note)]
    elif result.outcome not in _NO_FAULT:
        case.result = [_with_text(Error(_first_line(note), result.outcome), note)]
    elif note:
        case.system_out = note
    return case


def _with_text(fault: Failure | Error, note: str) -> Failure | Error:
    fault.text = note
    return fault


def _first_line(note: str) -> str:
    return note.partition("\n")[0][:200]


def _xml(text: str) -> str:
    """Return `text` without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("?", text)
