"""What clients post to ResultsDB 2.0: results, testcases, groups. Obeys COMPAT 1.6, 1.7 and 1.9."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any

from ..domain.submission import Submission
from . import resultsdb_schemas as schemas
from .resultsdb_schemas import MAX_NAME
from .validation import Field, RefusedBody, Wrong, check, list_of, mapping, problem, rule, text, text_of

NewUuid = Callable[[int], str]
"""Gives the uuid of a group that the client did not name; the number counts them within a submission."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{1,6})(?:Z|([+-])(\d\d)(?::?(\d\d))?)?", re.ASCII)
_MILLISECONDS = re.compile(r"\s*[+-]?\d{1,20}\s*", re.ASCII)


class ColonInKeyError(Exception):
    """Keys of `data` with a colon; the message is the peer's."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(f"Colon not allowed in key name: {keys}")


def result_table(outcomes: Collection[str]) -> Mapping[str, Field]:
    """Return how the body of a posted result is read, where these are the known outcomes."""
    return {
        "outcome": Field(outcome_of(outcomes), required=True, schema=schemas.outcome(outcomes)),
        "testcase": Field(_testcase, required=True, schema=schemas.TESTCASE),
        "groups": Field(list_of(_group), schema=schemas.GROUPS),
        "note": Field(text, schema=schemas.NOTE),
        "data": Field(mapping, schema=schemas.DATA),
        "ref_url": Field(text, schema=schemas.REF_URL),
        "submit_time": Field(submit_time, schema=schemas.SUBMIT_TIME),
    }


def submission(body: Any, table: Mapping[str, Field], new_uuid: NewUuid) -> Submission:
    """Read the body of POST /results. Raises RefusedBody, ColonInKeyError."""
    found = check(object_of(body), table)
    name, ref_urls = found["testcase"]
    groups, described = _groups(found.get("groups") or [], new_uuid)
    return Submission(
        outcome=found["outcome"],
        testcase=name,
        groups=groups,
        described=described,
        ref_urls=ref_urls,
        note=found.get("note"),
        ref_url=found.get("ref_url"),
        data=_data(found.get("data") or {}),
        submit_time=found.get("submit_time"),
    )


TESTCASE = {
    "name": Field(text_of(1, MAX_NAME), required=True, schema=schemas.NAME),
    "ref_url": Field(text, schema=schemas.REF_URL),
}


def testcase(body: Any) -> tuple[str, str | None]:
    """Read the body of POST /testcases: the name, and a ref_url where one is given."""
    found = check(object_of(body), TESTCASE)
    return found["name"], found.get("ref_url")


testcase.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test

GROUP = {
    "uuid": Field(text_of(0, MAX_NAME), schema=schemas.UUID),
    "ref_url": Field(text, schema=schemas.REF_URL),
    "description": Field(text, schema=schemas.DESCRIPTION),
}


def group(body: Any, new_uuid: NewUuid) -> tuple[str, dict[str, str | None]]:
    """Read the body of POST /groups: the uuid, and what it says; what is empty says nothing."""
    found = check(object_of(body), GROUP)
    said = {name: found[name] for name in ("description", "ref_url") if found.get(name)}
    return found.get("uuid") or new_uuid(0), said


def object_of(body: Any) -> Mapping[str, Any]:
    """Return a body that is an object. Raises RefusedBody."""
    if not isinstance(body, dict):
        wrong = Wrong("dict_type", "Input should be a valid dictionary")
        raise RefusedBody([problem(wrong, (), body)])
    return body


def outcome_of(outcomes: Collection[str]) -> Callable[[Any], str]:
    """Return a reader of outcome words: any case, blanks around."""
    known = frozenset(outcomes)
    listed = ", ".join(outcomes)

    def read(value: Any) -> str:
        word = text(value).strip().upper()
        if not word:
            raise Wrong("string_too_short", "String should have at least 1 character")
        if word not in known:
            raise rule(f"must be one of: {listed}")
        return word

    return read


def submit_time(value: Any) -> datetime:
    """Read milliseconds since 1970, or ISO with a fraction and perhaps a zone; no zone is UTC."""
    if isinstance(value, (bool, int)):
        return _at(int(value), value)
    if isinstance(value, float) and value.is_integer():
        return _at(int(value), value)
    if isinstance(value, str):
        if found := _moment(value):
            return found
        if _MILLISECONDS.fullmatch(value):
            return _at(int(value), value)
    raise _no_time(value)


@lru_cache(maxsize=1024)  # results of one run have one time, or few
def _moment(value: str) -> datetime | None:
    found = _TIME.fullmatch(value)
    if found is None:
        return None
    stem, fraction, sign, hours, minutes = found.groups()
    try:
        time = datetime.fromisoformat(stem).replace(microsecond=int(fraction.ljust(6, "0")), tzinfo=UTC)
        shift = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        if shift >= timedelta(days=1):
            raise _no_time(value)
        return time + shift if sign == "-" else time - shift
    except (ValueError, OverflowError):
        raise _no_time(value) from None


def _at(milliseconds: int, value: object) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise _no_time(value) from None


def _no_time(value: object) -> Wrong:
    return rule(
        "Expected timestamp in milliseconds or datetime (in format YYYY-MM-DDTHH:MM:SS.ffffff),"
        f" got {value!r}"
    )


def _testcase(value: Any) -> tuple[str, dict[str, str | None]]:
    """Read a name, or an object with name and ref_url; a ref_url that is there replaces, even null."""
    if not value and (value is None or isinstance(value, (str, dict))):
        raise rule("testcase name must be non-empty")
    if isinstance(value, str):
        return text_of(1, MAX_NAME)(value), {}
    found = mapping(value)
    name = found.get("name")
    if name is None or name == "":
        raise rule("testcase name must be non-empty")
    said = {"name": text_of(1, MAX_NAME), "ref_url": _text_or_none}
    for part, read in said.items():
        try:
            read(found.get(part))
        except Wrong as wrong:
            raise Wrong(wrong.kind, wrong.message, part, value=found.get(part)) from None
    return name, {name: found["ref_url"]} if "ref_url" in found else {}


def _group(value: Any) -> Any:
    if isinstance(value, str):
        return text_of(0, MAX_NAME)(value)
    if not isinstance(value, dict):
        raise Wrong("dict_type", "Input should be a valid dictionary or string")
    for part in ("uuid", "description", "ref_url"):
        try:
            _text_or_none(value.get(part), MAX_NAME if part == "uuid" else None)
        except Wrong as wrong:
            raise Wrong(wrong.kind, wrong.message, part, value=value.get(part)) from None
    return value


def _text_or_none(value: Any, most: int | None = None) -> str | None:
    return None if value is None else text_of(0, most)(value)


def _groups(given: list[Any], new_uuid: NewUuid) -> tuple[tuple[str, ...], dict[str, dict[str, str | None]]]:
    described: dict[str, dict[str, str | None]] = {}
    uuids: list[str] = []
    for number, each in enumerate(given):
        if isinstance(each, str):
            uuids.append(each)
            continue
        uuid = each.get("uuid") or new_uuid(number)
        uuids.append(uuid)
        said = {name: each[name] for name in ("description", "ref_url") if name in each}
        if said:
            described.setdefault(uuid, {}).update(said)
    return tuple(dict.fromkeys(uuids)), described


def _data(given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return attributes as texts: each element of a list is a value, anything else is one."""
    if bad := [key for key in given if ":" in key]:
        raise ColonInKeyError(bad)
    data: dict[str, tuple[str, ...]] = {}
    for key, value in given.items():
        if isinstance(value, str):
            data[key] = (value,)
        elif isinstance(value, list):
            if value:
                data[key] = tuple(each if isinstance(each, str) else str(each) for each in value)
        else:
            data[key] = (str(value),)
    _check_texts(given, data)
    return data


def _check_texts(given: Mapping[str, Any], data: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse what cannot be stored: look at all together, as mostly all is well, then at each."""
    try:
        text("".join(chain(data, *data.values())))
    except Wrong:
        for key, values in data.items():
            for part in (key, *values):
                try:
                    text(part)
                except Wrong as wrong:
                    raise RefusedBody([problem(wrong, ("data", key), given[key])]) from None
