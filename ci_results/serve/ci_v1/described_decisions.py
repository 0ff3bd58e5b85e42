"""Decisions with their proof, and policies, in the document of the API."""

from __future__ import annotations

from ...wire.decision_schemas import PURPOSE, WHEN, own_decision, own_policies, own_request
from ...wire.schemas import reference
from ..awaiting import MOST_S
from ..openapi.answers import posting, reading
from ..openapi.part import Json, Part, answer, body, header, operation, parameter
from ..surroundings import Surroundings

ABOUT = (
    "May it pass? With the whole proof: which rule of which file, which result, which waiver; how far it is,"
    " and the least that would open the gate."
)
_TEXT = {"type": "string"}
_NAME = {"type": "string", "minLength": 1}
_WAIT = parameter(
    "wait",
    "query",
    "Answer not before it is decided: seconds, while the verdict is `wait`; with `If-None-Match`, until the"
    " decision is another.",
    {"type": "number", "minimum": 0, "maximum": MOST_S, "default": 0},
)
_TAG = {"ETag": header("Names what is decided, whenever it is asked for.", {"type": "string"})}
_EXAMPLE = {
    "item": "bash-5.2-1.fc40",
    "type": "koji_build",
    "product_version": "fedora-40",
    "rules": [{"type": "PassingTestCaseRule", "test_case_name": "dist.rpmlint"}],
}


def part(around: Surroundings, prefix: str) -> Part:
    """Return what the document says of them at `prefix`."""
    return Part(
        tag="Decisions",
        about=ABOUT,
        paths={
            f"{prefix}/decision": {"post": _post(), "get": _get()},
            f"{prefix}/policies": {"get": _policies()},
        },
        schemas={
            "NewDecision": own_request(around.settings.max_subjects),
            "Decision": own_decision(),
            "Policies": own_policies(),
        },
    )


def _said() -> dict[int, Json]:
    return {
        200: answer("What is decided.", reference("Decision"), headers=_TAG),
        304: answer("The client knows that already (`If-None-Match`).", headers=_TAG),
    }


def _post() -> Json:
    answers = posting(_said(), "NotFound")
    return operation(
        "decide",
        "Decide, with the proof",
        "Members beside `item` and `type` are those of Greenwave's requests; requests of that form are taken"
        " too. 404 where no policy is for the context: it names those that there are.",
        parameters=[_WAIT],
        body=body({"application/json": reference("NewDecision")}, _EXAMPLE),
        answers={status: said for status, said in answers.items() if status not in (401, 403)},
    )


def _get() -> Json:
    several = {"type": "array", "items": _NAME, "minItems": 1}
    return operation(
        "show_decision",
        "Decide, by an address",
        parameters=[
            parameter(
                "item",
                "query",
                "What is decided about; may be repeated.",
                several,
                required=True,
                example=["bash-5.2-1.fc40"],
            ),
            parameter("type", "query", "Its type.", {**_TEXT, "default": "koji_build"}),
            parameter("product_version", "query", "For what.", _NAME, required=True, example="fedora-40"),
            parameter(
                "decision_context",
                "query",
                "The gate; may be repeated.",
                several,
                required=True,
                example=["bodhi_update_push_stable"],
            ),
            parameter(
                "purpose",
                "query",
                "What it is for, `KIND:VALUE`; may be repeated.",
                {"type": "array", "items": PURPOSE},
            ),
            parameter("baseline", "query", "The item to compare with, for rules that compare.", _TEXT),
            parameter("when", "query", "As it was then: `2026-03-01T12:00:00.000000`, UTC.", WHEN),
            _WAIT,
            parameter("If-None-Match", "header", "The `ETag` of an answer: 304 where it still holds.", _TEXT),
        ],
        answers=reading({**_said()}, "Wrong", "NotFound"),
    )


def _policies() -> Json:
    return operation(
        "show_policies",
        "See what is in force",
        "Every policy in one form, with file and line. With `product_version` also its rules in the order in"
        " which they are weighed, and why some are not.",
        parameters=[
            parameter("product_version", "query", "Only what is for it.", _TEXT, example="fedora-40"),
            parameter(
                "decision_context",
                "query",
                "Only what is for this gate; may be repeated.",
                {"type": "array", "items": _TEXT},
            ),
            parameter("type", "query", "Only what is for this type of subjects, or an alias.", _TEXT),
            parameter("package", "query", "Rules for this component.", _TEXT),
        ],
        answers=reading({200: answer("What is in force.", reference("Policies"))}, "Wrong"),
    )
