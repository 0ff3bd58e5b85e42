"""What WaiverDB's clients name a subject by: old forms to a type and an identifier. Obeys COMPAT 2.1, 2.5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..domain.subject import Subject
from .schemas import Schema, table, text
from .validation import Field, RefusedBody, check, refused
from .validation import text as read_text

KOJI, OLD_KOJI, COMPOSE = "koji_build", "brew-build", "compose"
COMPOSE_KEY, NVR_KEY = "productmd.compose.id", "original_spec_nvr"
MEMBERS = {
    "type": Field(read_text, schema=text("A kind of subject.", examples=[KOJI])),
    "item": Field(read_text, schema=text("Its identifier.", examples=["bash-5.2-1.fc40"])),
    NVR_KEY: Field(read_text, schema=text("A build, however it is called otherwise.")),
    COMPOSE_KEY: Field(read_text, schema=text("A compose.")),
}
"""Of the old form of a subject, an object."""

SCHEMA: Schema = table(
    MEMBERS, "A subject in the old form; `type` and `item` together, or one of the others."
)


def stored_type(name: str) -> str:
    """Return the type under which a waiver is stored: brew-build is another name of koji_build."""
    return KOJI if name == OLD_KOJI else name


def old_form(subject_type: str, identifier: str) -> dict[str, str]:
    """Return a subject as old clients read it.

    >>> old_form("compose", "Fedora-40-20260301.n.0")
    {'productmd.compose.id': 'Fedora-40-20260301.n.0'}
    """
    if subject_type == COMPOSE:
        return {COMPOSE_KEY: identifier}
    return {"type": subject_type, "item": identifier}


def read_old(given: Any) -> dict[str, str | None]:
    """Return the members of the field `subject`. Raises RefusedBody with all that is wrong in it."""
    problems: list[Mapping[str, Any]] = []
    found = element(given, MEMBERS, "TestSubject", ("subject",), problems)
    if problems:
        raise RefusedBody(problems)
    return found


def element(
    given: Any,
    table: Mapping[str, Field],
    model: str,
    loc: Sequence[str | int],
    problems: list[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what an object at `loc` says, by a table of fields that may be objects themselves.

    What is wrong is added to `problems`, in the order of the table, and left out.
    """
    if not isinstance(given, dict):
        problems.append(refused(given, model, *loc))
        return {}
    found: dict[str, Any] = {}
    for name, field in table.items():
        try:
            found |= check(given, {name: field})
        except RefusedBody as err:
            problems += [{**each, "loc": [*loc, *each["loc"]]} for each in err.problems]
    return found


def of_old(given: Mapping[str, str | None]) -> Subject | None:
    """Return the subject that an old form names, None where it names none.

    >>> of_old({"type": "brew-build", "item": "bash-5.2-1.fc40"})
    Subject(type='koji_build', identifier='bash-5.2-1.fc40')
    >>> of_old({"item": "bash-5.2-1.fc40"}) is None
    True
    """
    kind, item = given.get("type"), given.get("item")
    if kind in (KOJI, OLD_KOJI) and item:
        return Subject(KOJI, item)
    if nvr := given.get(NVR_KEY):
        return Subject(KOJI, nvr)
    if compose := given.get(COMPOSE_KEY):
        return Subject(COMPOSE, compose)
    return Subject(kind, item) if kind and item else None


def of_result(data: Mapping[str, Sequence[str]]) -> Subject | None:
    """Return the subject of a result with these attributes, None where they name none."""

    def first(name: str) -> str | None:
        return next(iter(data.get(name, ())), None)

    kind, item = first("type"), first("item")
    if nvr := first(NVR_KEY):
        return Subject(KOJI, nvr)
    return Subject(stored_type(kind), item) if kind and item else None
