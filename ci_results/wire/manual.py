"""What clients of our own API post about manual tests: plans, and what somebody found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..domain.plan import MAX_CASES, MAX_LINE, MAX_STEPS
from ..domain.user import MAX_NAME
from . import schemas
from .resultsdb_post import object_of, outcome_of
from .resultsdb_schemas import outcome
from .validation import Field, RefusedBody, check, list_of, mapping, text_of

_MAX_NOTE = 1_048_576


def _line(about: str, *, required: bool = False) -> Field:
    least = 1 if required else 0
    schema = schemas.text(about, least=least, most=MAX_LINE)
    return Field(text_of(least, MAX_LINE), required=required, schema=schema)


_TESTCASE = _line("A name with a namespace before a dot: `desktop.login`.", required=True)
_ITEM = _line("What is tested.", required=True)
_TYPE = _line("Its type: `compose`.", required=True)
_LINK = _line("http or https.")
_ACTOR = Field(
    text_of(1, MAX_NAME),
    schema=schemas.text(
        "Who says so, where no token vouches for them; it is kept as not verified. Else it is left out.",
        least=1,
        most=MAX_NAME,
    ),
)
CASE: Mapping[str, Field] = {
    "testcase": _TESTCASE,
    "title": _line("What people call it."),
    "steps": Field(text_of(0, MAX_STEPS), schema=schemas.text("How it is done.", most=MAX_STEPS)),
    "ref_url": _line("Where it is described: http or https."),
    "owner": _line("Who answers for it."),
    "contact": _line("How to reach them."),
}
PLAN: Mapping[str, Field] = {
    "item": _line("What the plan is for; `*` is any run of characters: `Fedora-44-*`.", required=True),
    "type": _TYPE,
    "cases": Field(
        list_of(mapping),
        required=True,
        schema=schemas.list_of(
            schemas.reference("PlanCase"), "In order, each once.", minItems=1, maxItems=MAX_CASES
        ),
    ),
    "actor": _ACTOR,
}


def finding_table(outcomes: Collection[str]) -> Mapping[str, Field]:
    """Return how a finding is read, where these are the known outcomes."""
    return {
        "testcase": _TESTCASE,
        "item": _ITEM,
        "type": _TYPE,
        "outcome": Field(outcome_of(outcomes), required=True, schema=outcome(outcomes)),
        "comment": Field(text_of(0, _MAX_NOTE), schema=schemas.text("What they saw.", most=_MAX_NOTE)),
        "ref_url": _LINK,
        "actor": _ACTOR,
    }


def read_finding(body: Any, table: Mapping[str, Field]) -> dict[str, Any]:
    """Read a finding. Raises RefusedBody."""
    return check(object_of(body), table)


def read_plan(body: Any) -> dict[str, Any]:
    """Read a plan, its cases too. Raises RefusedBody that tells every field of every case that is wrong."""
    found = check(object_of(body), PLAN)
    cases: list[dict[str, Any]] = []
    problems: list[Mapping[str, Any]] = []
    for number, case in enumerate(found["cases"]):
        try:
            cases.append(check(case, CASE))
        except RefusedBody as err:
            problems += [{**each, "loc": ["cases", number, *each["loc"]]} for each in err.problems]
    if problems:
        raise RefusedBody(problems)
    return {**found, "cases": cases}
