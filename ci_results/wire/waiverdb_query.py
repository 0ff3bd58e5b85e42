"""Questions for waivers: parameters of a GET, and bodies of POSTs that ask. Obeys COMPAT 2.6 to 2.9."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from ..errors import InvalidError
from . import schemas
from .resultsdb_query import parameters
from .validation import Field, RefusedBody, Wrong, boolean, integer, problem, text
from .waiverdb_subject import SCHEMA, element, of_old, read_old

LIMIT = 10
MAX_FILTERS = 10_000
MOST = 1 << 40
"""Of pages and rows of a page that are told apart; no store has more."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXTS = (
    "subject_type",
    "subject_identifier",
    "testcase",
    "scenario",
    "product_version",
    "username",
    "proxied_by",
)
"""What is compared exactly; a filter of the listing, and of `+filtered`."""


class BadSinceError(InvalidError):
    """A `since` that is no time: the peer has a form of its own to tell it."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Invalid isoformat string: {text!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a waiver must say; None asks nothing. since, until: microseconds since 1970, inclusive."""

    subject_type: str | None = None
    subject_identifier: str | None = None
    testcase: str | None = None
    scenario: str | None = None
    product_version: str | None = None
    username: str | None = None
    proxied_by: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A question for a page of waivers; `others` are the parameters but `page`, for links."""

    sought: Sought
    include_obsolete: bool
    page: int
    limit: int
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifting:
    """A question for all waivers that satisfy any of `sought`; none of them = nothing is asked for."""

    sought: tuple[Sought, ...]
    include_obsolete: bool


# -- GET -------------------------------------------------------------------------------------------


@lru_cache(maxsize=1_000)
def listing(query: str) -> Listing:
    """Read a raw query string; who waits asks the same again.

    Raises RefusedBody that lists every bad parameter, BadSinceError.
    """
    given = {name: values[0] for name, values in parameters(query).items()}
    problems: list[Mapping[str, Any]] = []

    def read(name: str, reader: Callable[[Any], Any], default: Any) -> Any:
        if name not in given:
            return default
        try:
            return reader(given[name])
        except Wrong as wrong:
            problems.append(problem(wrong, (name,), given[name]))
            return default

    include = read("include_obsolete", boolean, False)
    page, limit = read("page", integer, 1), read("limit", integer, LIMIT)
    if problems:
        raise RefusedBody(problems)
    return Listing(
        sought=_sought({name: given.get(name) for name in (*TEXTS, "since")}),
        include_obsolete=include,
        page=max(0, min(page, MOST)),
        limit=max(0, min(limit, MOST)),
        others=tuple((name, value) for name, value in given.items() if name != "page"),
    )


# -- POST ------------------------------------------------------------------------------------------

_SINCE = schemas.text(
    "`START`, `START,END`, `,END` or `START,` in ISO 8601, inclusive; without a zone it is UTC.",
    examples=["2026-03-01"],
)
FILTER = {name: Field(text, schema=schemas.text()) for name in TEXTS} | {"since": Field(text, schema=_SINCE)}
_FLAG = {"type": "boolean", "default": False, "description": "Tell those that newer ones replaced, too."}
_OBSOLETE = {"include_obsolete": Field(boolean, nullable=False, schema=_FLAG)}
_ENTRY = {
    "testcase": Field(text, required=True, schema=schemas.text()),
    "subject": Field(read_old, required=True),
}


def _list(value: Any) -> Any:
    if not isinstance(value, list):
        raise Wrong("list_type", "Input should be a valid list")
    return value


def _some(value: Any) -> Any:
    if not _list(value):
        raise Wrong("too_short", "List should have at least 1 item after validation, not 0")
    return value


FILTERED = {
    "filters": Field(
        _some,
        required=True,
        schema=schemas.list_of(
            schemas.table(FILTER, "What a waiver must say; all that is given must hold."),
            "Waivers that satisfy any of these; an empty one alone asks for all.",
            minItems=1,
            maxItems=MAX_FILTERS,
        ),
    ),
    **_OBSOLETE,
}
BY_SUBJECTS = {
    "results": Field(
        _list,
        schema=schemas.list_of(
            schemas.record("", {"testcase": schemas.text(), "subject": SCHEMA}),
            "Any of these subjects and testcases.",
            maxItems=MAX_FILTERS,
        ),
    ),
    **{name: FILTER[name] for name in ("product_version", "username", "proxied_by", "since")},
    **_OBSOLETE,
    "testcase": Field(text, schema=schemas.text("Has no effect, as ever.")),
}


def filtered(body: Any) -> Sifting:
    """Read the body of `+filtered`. Raises RefusedBody, BadSinceError, InvalidError for too many filters."""
    problems: list[Mapping[str, Any]] = []
    found = element(body, FILTERED, "GetWaiversFiltered", (), problems)
    elements = found.get("filters") or []
    read = [
        element(each, FILTER, "WaiverFilter", ("filters", n), problems) for n, each in enumerate(elements)
    ]
    if problems:
        raise RefusedBody(problems)
    _few(read)
    return Sifting(sought=tuple(map(_sought, read)), include_obsolete=found.get("include_obsolete", False))


def by_subjects(body: Any) -> Sifting:
    """Read the body of `+by-subjects-and-testcases`. Raises as `filtered` does."""
    problems: list[Mapping[str, Any]] = []
    found = element(body, BY_SUBJECTS, "GetWaiversBySubjectAndTestcase", (), problems)
    elements = found.get("results") or []
    read = [element(each, _ENTRY, "TestResult", ("results", n), problems) for n, each in enumerate(elements)]
    if problems:
        raise RefusedBody(problems)
    _few(read)
    pairs = [(of_old(each["subject"]), each["testcase"]) for each in read]
    rest = {name: found.get(name) for name in ("product_version", "username", "proxied_by", "since")}
    return Sifting(
        sought=tuple(
            _sought(
                {**rest, "subject_type": subject.type, "subject_identifier": subject.identifier,
                 "testcase": testcase}
            )
            for subject, testcase in pairs
            if subject is not None
        )
        if pairs
        else (_sought(rest),),
        include_obsolete=found.get("include_obsolete", False),
    )  # fmt: skip


def _few(several: list[Any]) -> None:
    if len(several) > MAX_FILTERS:
        raise InvalidError(f"more than {MAX_FILTERS} filters in one request; ask in several requests")


def _sought(given: Mapping[str, str | None]) -> Sought:
    """Return what is asked; what is empty is not."""
    since, until = _times(given.get("since") or "")
    return Sought(**{name: given.get(name) or None for name in TEXTS}, since=since, until=until)


def _times(text: str) -> tuple[int | None, int | None]:
    start, _comma, end = text.partition(",")
    return _moment(start), _moment(end)


def _moment(text: str) -> int | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise BadSinceError(text) from None
    aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)
