"""What ResultsDB 2.0 answers: results, testcases, groups, lists with their pages. Obeys COMPAT 1.1, 1.5."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import orjson

from ..domain.group import Group
from ..domain.stored import Fact
from ..domain.testcase import Testcase
from .resultsdb_query import cursor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = re.compile(r"(?:^|(?<=&))page=[^&]*")
_CALLBACK = re.compile(r"(?:^|(?<=&))callback=[^&]*")


def dump(value: Any) -> bytes:
    """Return JSON with a newline at its end, as the peers send it."""
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        return _dump_odd(value)


def result(fact: Fact, base: str) -> orjson.Fragment:
    """Return a result as served; `base` is the API's own address, e.g. "http://host/api/v2.0".

    Written by hand, for a page of twenty is half of what an answer costs besides its SQL; texts go
    through orjson, and what is JSON already is spliced in.
    """
    return orjson.Fragment(_result(fact, _text(base)[1:-1]))


def results(facts: Iterable[Fact], base: str) -> orjson.Fragment:
    """Return results as served, a list."""
    base = _text(base)[1:-1]
    return orjson.Fragment(f"[{','.join([_result(fact, base) for fact in facts])}]")


def _result(fact: Fact, base: str) -> str:
    """Return a result as served; `base` may stand within a JSON text."""
    number, _rank, time, claim, outcome, testcase, described, note, ref_url, groups, own, shared = fact
    submitted = time if claim is None else moment(claim)
    if submitted.endswith(".000000"):
        submitted = submitted[:19]
    if shared is not None and own is not None:
        own = _joined(own, shared)
    return (
        f'{{"data":{own or shared or "{}"},"groups":{groups or "[]"},"href":"{base}/results/{number}",'
        f'"id":{number},"note":{"null" if note is None else _text(note)},"outcome":{_word(outcome)},'
        f'"ref_url":{"null" if ref_url is None else _text(ref_url)},"submit_time":"{submitted}",'
        f'"testcase":{_testcase(testcase, described, base)}}}'
    )


def _text(text: str) -> str:
    return orjson.dumps(text).decode()


_word = lru_cache(maxsize=1_000)(_text)


@lru_cache(maxsize=20_000)
def _testcase(name: str, ref_url: str | None, base: str) -> str:
    said = orjson.dumps({"name": name, "ref_url": ref_url}).decode()
    return f'{{"href":"{_href(name, base)}",{said[1:]}'


@lru_cache(maxsize=20_000)
def _quoted(uuid: str) -> str:
    return quote(uuid, safe="")


def _href(name: str, base: str) -> str:
    return f"{base}/testcases/{quote(name, safe='/')}"


def testcase(found: Testcase, base: str) -> dict[str, Any]:
    """Return a testcase as served."""
    return {"href": _href(found.name, base), "name": found.name, "ref_url": found.ref_url}


testcase.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test


def group(found: Group, base: str) -> dict[str, Any]:
    """Return a group as served."""
    uuid = _quoted(found.uuid)
    return {
        "description": found.description,
        "href": f"{base}/groups/{uuid}",
        "ref_url": found.ref_url,
        "results": f"{base}/results?groups={uuid}",
        "results_count": found.results,
        "uuid": found.uuid,
    }


def listing(rows: Sequence[Any], url: str, page: int, limit: int) -> dict[str, Any]:
    """Return a page of `rows`, which may hold one more than `limit`; `url` is the request's as it came."""
    more = len(rows) > limit >= 0
    return {
        "data": rows[: max(0, limit)],
        "next": page_url(url, page + 1) if more else None,
        "prev": page_url(url, page - 1) if page > 0 else None,
    }


def results_listing(facts: Sequence[Fact], base: str, url: str, page: int, limit: int) -> dict[str, Any]:
    """Return a page of results; our own `next_cursor` is null on the last one."""
    found = listing(facts, url, page, limit)
    found["data"] = results(found["data"], base)
    last = facts[limit - 1] if len(facts) > limit > 0 else None
    found["next_cursor"] = None if last is None else cursor(last.rank, last.id)
    return found


def page_url(url: str, page: int) -> str:
    """Return the request's address with another page in it.

    >>> page_url("http://h/results?page=1&item=a%20b", 2)
    'http://h/results?page=2&item=a%20b'
    >>> page_url("http://h/results", 1)
    'http://h/results?page=1'
    """
    path, _mark, query = url.partition("?")
    query = re.sub("&+", "&", _CALLBACK.sub("", query)).strip("&")
    if _PAGE.search(query):
        query = _PAGE.sub(f"page={page}", query)
    else:
        query = f"{query}{'&' if query else ''}page={page}"
    return f"{path}?{query}"


def moment(number: int) -> str:
    """Return microseconds since 1970 as the store's text of a time."""
    return (_EPOCH + timedelta(microseconds=number)).isoformat(timespec="microseconds")[:26]


def _joined(own: str, shared: str) -> str:
    """Return a result's attributes: its run's, then its own; an empty own one takes the run's away."""
    data = {**orjson.loads(shared), **orjson.loads(own)}
    return orjson.dumps({name: values for name, values in data.items() if values}).decode()


def _dump_odd(value: Any) -> bytes:
    """Write what only a refused body holds: lone surrogates, numbers beyond 64 bits, no number as null."""
    sayable = json.loads(json.dumps(value), parse_constant=lambda _word: None)
    return f"{json.dumps(sayable)}\n".encode()
