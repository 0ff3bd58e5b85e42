"""Events as clients post them: an object of our own, or the envelope of CloudEvents 1.0. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from ..domain.expectation import MAX_LINE, MAX_NAME, MAX_TESTCASES, Event
from ..domain.subject import Subject, SubjectTypes
from ..errors import InvalidError
from . import schemas
from .resultsdb_post import object_of
from .validation import Field, RefusedBody, check, list_of, mapping, problem, rule, text, text_of

LAST_YEAR = 8_999
MOST = 1_000
"""Events of one request."""

_WHEN = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
EXAMPLE = {
    "id": "build-2519", "source": "koji", "type": "build.complete", "time": "2026-03-01T12:00:00Z",
    "subject_type": "koji_build", "subject_identifier": "bash-5.2-1.fc40", "owner": "jdoe",
}  # fmt: skip


def moment(value: Any) -> datetime:
    """Read a time with its zone: "2026-03-01T12:00:00Z"."""
    said = text(value)
    if _WHEN.fullmatch(said):
        with suppress(ValueError, OverflowError):
            found = datetime.fromisoformat(said.upper().replace(" ", "T")).astimezone(UTC)
            if 1970 <= found.year <= LAST_YEAR:
                return found
    raise rule(f"must be a time from 1970 to {LAST_YEAR} with its zone, as 2026-03-01T12:00:00Z")


def _line(about: str, most: int = MAX_NAME, *, required: bool = False) -> Field:
    return Field(text_of(1, most), required=required, schema=schemas.text(about, least=1, most=most))


def _moment(about: str) -> Field:
    return Field(moment, schema={"type": "string", "format": "date-time", "description": about})


NAMING: Mapping[str, Field] = {
    "id": _line("Names it within its source: the same event has it each time it is sent.", required=True),
    "source": _line("Who tells it.", required=True),
    "type": _line("What happened: `build.complete`.", required=True),
    "time": _moment("When it happened, with its zone; default: now."),
}
SAYING: Mapping[str, Field] = {
    "subject_type": _line("Kind of what it happened to: `koji_build`.", required=True),
    "subject_identifier": _line("Its name: `bash-5.2-1.fc40`.", MAX_LINE, required=True),
    "product_version": _line("`fedora-40`; default: what the subject tells."),
    "build_target": _line("Of Koji, to tell the product version by: `f40-candidate`."),
    "owner": _line("Who answers for it: who built it, say."),
    "testcases": Field(
        list_of(text_of(1, MAX_LINE)),
        schema=schemas.list_of(
            schemas.text(least=1, most=MAX_LINE),
            "Which will report; default: those that policies name for the subject.",
            maxItems=MAX_TESTCASES,
        ),
    ),
    "due": _moment("When they are late; default: as configured."),
}
EVENT: Mapping[str, Field] = {**NAMING, **SAYING}
CLOUD: Mapping[str, Field] = {
    "specversion": Field(
        text_of(1, 16), required=True, schema={"type": "string", "pattern": r"^1\.[^\x00]*$", "maxLength": 16}
    ),
    **NAMING,
    "data": Field(mapping, required=True, schema=schemas.reference("EventData")),
}


def components() -> dict[str, schemas.Schema]:
    """Return the schemas of what is posted, by name."""
    either = (schemas.reference("PlainEvent"), schemas.reference("CloudEvent"))
    return {
        "PlainEvent": schemas.table(EVENT, "Something that happened to a subject."),
        "EventData": schemas.table(SAYING, "What an event says of its subject."),
        "CloudEvent": schemas.table(CLOUD, "The same in the envelope of CloudEvents 1.0."),
        "NewEvents": schemas.any_of(
            "One event, or several.",
            *either,
            schemas.list_of(schemas.any_of("", *either), minItems=1, maxItems=MOST),
        ),
    }


def read_events(body: Any, types: SubjectTypes) -> list[Event]:
    """Read one event or a list of them; a subject gets the id of its type.

    Raises RefusedBody that tells every field of every event that is wrong.
    """
    if not isinstance(body, list):
        return [_event(body, types, ())]
    if not 0 < len(body) <= MOST:
        raise RefusedBody([problem(rule(f"must be 1 to {MOST} events, not {len(body)}"), (), None)])
    found: list[Event] = []
    problems: list[Mapping[str, Any]] = []
    for number, each in enumerate(body):
        try:
            found.append(_event(each, types, (number,)))
        except RefusedBody as err:
            problems += err.problems
    if problems:
        raise RefusedBody(problems)
    return found


def _event(body: Any, types: SubjectTypes, at: Sequence[str | int]) -> Event:
    try:
        given = object_of(body)
        if "specversion" not in given:
            said = check(given, EVENT)
        else:
            envelope = check(given, CLOUD)
            if not envelope["specversion"].startswith("1."):
                wrong = rule("must be 1.0, the version of CloudEvents that is read here")
                raise RefusedBody([problem(wrong, ("specversion",), envelope["specversion"])])
            try:
                said = {**envelope, **check(envelope["data"], SAYING)}
            except RefusedBody as err:
                raise _within(err, "data") from None
    except RefusedBody as err:
        raise _within(err, *at) from None
    try:
        return Event(
            source=said["source"],
            key=said["id"],
            kind=said["type"],
            time=said.get("time"),
            subject=types.subject(*Subject(said["subject_type"], said["subject_identifier"])),
            product_version=said.get("product_version"),
            build_target=said.get("build_target"),
            owner=said.get("owner"),
            testcases=tuple(said.get("testcases") or ()),
            due=said.get("due"),
        )
    except InvalidError as err:
        raise RefusedBody([problem(rule(str(err)), tuple(at), None)]) from err


def _within(err: RefusedBody, *at: str | int) -> RefusedBody:
    return RefusedBody([{**each, "loc": [*at, *each["loc"]]} for each in err.problems])
