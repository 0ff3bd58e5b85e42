"""What a ResultsDB v2 serves, read as a client that copies it: results, testcases, groups. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from ..domain.outcome import Outcome
from ..domain.submission import Submission
from ..errors import InvalidError, shown
from .resultsdb_client import to_time
from .resultsdb_post import ColonInKeyError, result_table, submission
from .resultsdb_schemas import MAX_NAME
from .validation import Field, RefusedBody, Wrong, check, text, text_of

_TESTCASE = {"name": Field(text_of(1, MAX_NAME), required=True), "ref_url": Field(text)}
_GROUP = {
    "uuid": Field(text_of(0, MAX_NAME), required=True),
    "description": Field(text),
    "ref_url": Field(text),
}


class ServedResults:
    """Reads elements of GET /results; `more` are the outcomes that this installation adds."""

    def __init__(self, more: Collection[str] = ()) -> None:
        self._outcomes = (*map(str, Outcome), *more)
        self._table = result_table(self._outcomes)

    def read(self, element: Any) -> tuple[str, Submission]:
        """Return the id of a result as text, and what it says. Raises InvalidError."""
        if not isinstance(element, dict):
            raise InvalidError(f"a result is no object: {shown(element)}")
        number = element.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise InvalidError(f"a result has no id: {shown(number)}")
        word = element.get("outcome")
        if isinstance(word, str) and word.strip().upper() not in self._outcomes:
            raise InvalidError(f"outcome word {shown(word)} is not known; add it to `outcomes`")
        body = {**element, "submit_time": to_time(served_time(element.get("submit_time")))}
        try:
            return str(number), submission(body, self._table, _unnamed)
        except (RefusedBody, ColonInKeyError, Wrong) as err:
            raise InvalidError(_said(err)) from err


def served_time(value: Any) -> datetime:
    """Read a time as ResultsDB serves it: naive UTC, perhaps without a fraction. Raises InvalidError.

    >>> served_time("2022-08-24T06:54:57")
    datetime.datetime(2022, 8, 24, 6, 54, 57, tzinfo=datetime.timezone.utc)
    """
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as err:
        raise InvalidError(f"submit_time is no time: {shown(value)}") from err


def served_testcase(element: Any) -> tuple[str, str | None]:
    """Return name and ref_url of an element of GET /testcases. Raises InvalidError."""
    found = _checked(element, _TESTCASE)
    return found["name"], found.get("ref_url")


def served_group(element: Any) -> tuple[str, Mapping[str, str | None]]:
    """Return the uuid of an element of GET /groups, and its description. Raises InvalidError."""
    found = _checked(element, _GROUP)
    return found["uuid"], {name: found.get(name) for name in ("description", "ref_url")}


def _checked(element: Any, table: Mapping[str, Field]) -> dict[str, Any]:
    if not isinstance(element, dict):
        raise InvalidError(f"no object: {shown(element)}")
    try:
        return check(element, table)
    except RefusedBody as err:
        raise InvalidError(_said(err)) from err


def _said(err: Exception) -> str:
    """Return what is wrong, and where: "testcase.name: Input should be a valid string"."""
    if not isinstance(err, RefusedBody):
        return str(err)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in err.problems)


def _unnamed(number: int) -> str:
    """A group that is served has its uuid."""
    raise Wrong("missing", f"group {number} has no uuid")
