"""What clients post to WaiverDB 1.0: one waiver, or a list of them. Obeys COMPAT 2.5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.subject import Subject
from . import schemas
from .validation import Field, RefusedBody, Wrong, boolean, integer, problem, refused, rule, text_of
from .waiverdb_subject import SCHEMA, element, of_old, read_old

MODEL = "CreateWaiver"
ONE, LIST = MODEL, f"list[{MODEL}]"
"""The alternatives of a body, as its errors name them in front of where."""

MAX_NAME, MAX_WORD, MAX_VERSION, MAX_COMMENT = 1_024, 255, 200, 65_536
MAX_WAIVERS = 1_000
MAX_ID = 10**18


def _id(value: Any) -> int:
    number = integer(value)
    if not -MAX_ID <= number <= MAX_ID:
        raise rule("is the id of no result")
    return number


FIELDS = {
    "subject_type": Field(
        text_of(0, MAX_WORD), schema=schemas.text("What is waived.", most=MAX_WORD, examples=["koji_build"])
    ),
    "subject_identifier": Field(
        text_of(0, MAX_NAME),
        schema=schemas.text("Which one.", most=MAX_NAME, examples=["bash-5.2-1.fc40"]),
    ),
    "testcase": Field(
        text_of(0, MAX_NAME),
        schema=schemas.text("Which test of it.", most=MAX_NAME, examples=["dist.rpmlint"]),
    ),
    "subject": Field(read_old, schema=SCHEMA),
    "result_id": Field(
        _id,
        schema={
            "type": "integer", "minimum": -MAX_ID, "maximum": MAX_ID,
            "description": "Old form: waive what this result is about.",
        },
    ),
    "waived": Field(
        boolean,
        nullable=False,
        schema={"type": "boolean", "default": True, "description": "False takes what was waived back."},
    ),
    "product_version": Field(
        text_of(1, MAX_VERSION),
        required=True,
        schema=schemas.text("For what.", least=1, most=MAX_VERSION, examples=["fedora-40"]),
    ),
    "comment": Field(
        text_of(1, MAX_COMMENT), required=True, schema=schemas.text("Why.", least=1, most=MAX_COMMENT)
    ),
    "username": Field(
        text_of(0, MAX_WORD),
        schema=schemas.text("In whose name; only superusers may act for others.", most=MAX_WORD),
    ),
    "scenario": Field(
        text_of(0, MAX_WORD), schema=schemas.text("Only there; without it, everywhere.", most=MAX_WORD)
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One waiver as it is asked for.

    subject    None where `result_id` names what is waived, or the old form names nothing
    username   in whose name; None = in one's own
    """

    subject: Subject | None
    testcase: str | None
    result_id: int | None
    waived: bool
    product_version: str
    comment: str
    username: str | None
    scenario: str | None


def posted(body: Any) -> tuple[list[Posted], bool]:
    """Return what a body asks for, and whether it is a list. Raises RefusedBody as the peer tells it.

    It takes an object or a list of them, so what is wrong is told of both alternatives.
    """
    if isinstance(body, list):
        problems = list(_too_many(body))
        found = [] if problems else [_posted(each, (LIST, n), problems) for n, each in enumerate(body)]
        if problems:
            raise RefusedBody([refused(body, MODEL, ONE), *problems])
        return [each for each in found if each is not None], True
    problems = []
    one = _posted(body, (ONE,), problems)
    if one is None:
        wrong = Wrong("list_type", "Input should be a valid list")
        raise RefusedBody([*problems, problem(wrong, (LIST,), body)])
    return [one], False


def posted_one(body: Any) -> Posted:
    """Return what a body asks for that may be no list. Raises RefusedBody."""
    problems: list[Mapping[str, Any]] = []
    one = _posted(body, (), problems)
    if one is None:
        raise RefusedBody(problems)
    return one


def _too_many(body: list[Any]) -> Iterator[Mapping[str, Any]]:
    if len(body) > MAX_WAIVERS:
        wrong = Wrong("too_long", f"List should have at most {MAX_WAIVERS} items after validation")
        yield problem(wrong, (LIST,), len(body))


def _posted(given: Any, loc: Sequence[str | int], problems: list[Mapping[str, Any]]) -> Posted | None:
    """Return what an element at `loc` asks for; None where something is wrong, which goes to `problems`."""
    before = len(problems)
    found = element(given, FIELDS, MODEL, loc, problems)
    if len(problems) == before and (broken := _broken(found)):
        problems.append(problem(rule(broken), loc, given))
    if len(problems) > before:
        return None
    old = found.get("subject")
    kind, identifier = found.get("subject_type"), found.get("subject_identifier")
    if old is not None:
        subject = of_old(old)
    else:
        subject = None if kind is None or identifier is None else Subject(kind, identifier)
    return Posted(
        subject=subject,
        testcase=found.get("testcase"),
        result_id=found.get("result_id"),
        waived=found.get("waived", True),
        product_version=found["product_version"],
        comment=found["comment"],
        username=found.get("username") or None,
        scenario=found.get("scenario") or None,
    )


_BESIDE = ("subject_identifier", "subject_type", "subject", "testcase", "scenario")


def _broken(found: Mapping[str, Any]) -> str | None:
    """Return which rule about several fields is broken; the peer tells the first."""

    def given(name: str) -> bool:
        return found.get(name) is not None

    if given("result_id"):
        if any(map(given, _BESIDE)):
            return "result_id argument should not be used together with arguments: " + ", ".join(_BESIDE)
        return None
    if not given("testcase"):
        return "Argument testcase is missing"
    if given("subject"):
        if given("subject_type") or given("subject_identifier"):
            return (
                "subject argument should not be used together with arguments:"
                " subject_identifier, subject_type"
            )
        return None
    if not (given("subject_type") and given("subject_identifier")):
        return "subject must be defined using result_id or subject or both subject_identifier, subject_type"
    return None
