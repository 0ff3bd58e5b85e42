"""Greenwave's API in the document: each endpoint, what it takes and what it answers."""

from __future__ import annotations

from typing import Any

from ...wire.decision_schemas import POLICY, SUBJECT_TYPE, greenwave_answer, greenwave_request
from ...wire.schemas import list_of, record, reference
from ..api_v1_0 import PREFIX
from ..openapi.answers import posting, reading
from ..openapi.part import Json, Part, answer, body, header, operation, parameter
from ..surroundings import Surroundings

TAG = "Greenwave 1.0"
ABOUT = (
    "The API of Greenwave, for every client that there is of it: may a build, a compose or another subject"
    " pass a gate? Decisions are made by the policies of this server and by what it stores. Members that"
    " Greenwave does not have are ours: `verdict`, `progress`, `informational`, `expected`,"
    " `policies_digest`, `as_of`."
    " Each address is there below `/greenwave` too."
)
_TEXT: Json = {"type": "string"}
_CALLBACK = parameter(
    "callback",
    "query",
    "The name of a function in JavaScript: the answer is a script that calls it.",
    {
        "type": "string",
        "pattern": "^$|^[A-Za-z_$][A-Za-z0-9_$]{0,63}([.][A-Za-z_$][A-Za-z0-9_$]{0,63}){0,4}$",
    },
)
_EXAMPLE: Json = {
    "product_version": "fedora-40",
    "subject": [{"type": "koji_build", "item": "bash-5.2-1.fc40"}],
    "rules": [{"type": "PassingTestCaseRule", "test_case_name": "dist.rpmlint"}],
}
_GATING = """--- !Policy
product_versions: [fedora-40]
decision_context: bodhi_update_push_stable
rules:
- !PassingTestCaseRule {test_case_name: dist.rpmlint}
"""


def part(around: Surroundings, name: str) -> Part:
    """Return what the document says of the API, together with others and below its own name."""
    alone = f"/{name}"
    both = [{"url": each} for each in ("/", alone)]
    paths = {PREFIX + path: {"servers": both, **item} for path, item in _paths(around).items()}
    # What WaiverDB has at the common path is ours below our own name only.
    own = {f"{alone}{PREFIX}/about": {"get": _about()}}
    return Part(
        tag=TAG,
        about=ABOUT,
        paths={**paths, **own, **_beside(alone)},
        schemas={
            "DecisionRequest": greenwave_request(around.settings.max_subjects),
            "GreenwaveDecision": greenwave_answer(),
            "GreenwavePolicy": POLICY,
            "SubjectType": SUBJECT_TYPE,
        },
    )


def _paths(around: Surroundings) -> dict[str, Json]:
    decided = answer("What is decided.", reference("GreenwaveDecision"))
    decide = operation(
        "greenwave_decide",
        "Ask whether subjects may pass",
        "By the policies of this server for `decision_context`, or by `rules` that the request brings."
        " All subjects are decided as of one moment. 404 where no policy is for one of them.",
        parameters=[_CALLBACK],
        body=body({"application/json": reference("DecisionRequest")}, _EXAMPLE),
        answers=_without_users(posting({200: _scripted(decided)}, "NotFound")),
    )
    validate = operation(
        "validate_gating_yaml",
        "Look at a remote rule file",
        "Before it counts: the body is the file, whatever type it says to be.",
        parameters=[_CALLBACK],
        body={
            "required": True,
            "content": {"application/yaml": {"schema": _TEXT, "example": _GATING}},
        },
        answers=_without_users(
            posting({200: _scripted(answer("It can be used.", record("", {"message": _TEXT})))})
        ),
    )
    return {
        "": {"get": _moved("greenwave_landing_moved", 308)},
        "/": {"get": _landing("greenwave_landing")},
        "/version": {"get": _moved("greenwave_version", 302)},
        "/policies": {"get": _policies()},
        "/subject_types": {
            "get": operation(
                "list_subject_types",
                "List the types of subjects",
                "By id.",
                parameters=[_CALLBACK],
                answers=reading(
                    {
                        200: _scripted(
                            answer(
                                "All that are known.",
                                record("", {"subject_types": list_of(reference("SubjectType"))}),
                            )
                        )
                    },
                    "Wrong",
                ),
            )
        },
        "/decision": {"post": decide},
        "/validate-gating-yaml": {"post": validate},
    }


def _policies() -> Json:
    found = record("", {"policies": list_of(reference("GreenwavePolicy"))})
    return operation(
        "list_policies",
        "List the policies that are in force",
        "In load order. The filters are ours.",
        parameters=[
            parameter("product_version", "query", "Only those that are for it.", _TEXT, example="fedora-40"),
            parameter("decision_context", "query", "Only those for this gate; may be repeated.", _TEXT),
            parameter("subject_type", "query", "Only those for this type, or an alias of it.", _TEXT),
            _CALLBACK,
        ],
        answers=reading({200: _scripted(answer("They.", found))}, "Wrong"),
    )


def _beside(alone: str) -> dict[str, Json]:
    well = answer("It is.", _TEXT, kind="text/plain")
    health = operation("greenwave_health", "Ask whether the API is there", answers=reading({200: well}))
    return {
        alone: {"get": _moved("greenwave_alone_moved", 308)},
        f"{alone}/": {"get": _landing("greenwave_alone")},
        f"{alone}/healthcheck": {"get": health},
    }


def _about() -> Json:
    found = answer("It.", record("", {"version": _TEXT}))
    return operation(
        "greenwave_about",
        "Ask which API this is",
        parameters=[_CALLBACK],
        answers=reading({200: _scripted(found)}, "Wrong"),
    )


def _landing(name: str) -> Json:
    outcomes = list_of(_TEXT)
    found = record(
        "",
        {
            **dict.fromkeys(("documentation", "api_v1", "resultsdb_api", "waiverdb_api"), _TEXT),
            "koji_api": {"type": ["string", "null"]},
            **dict.fromkeys(("outcomes_passed", "outcomes_error", "outcomes_incomplete"), outcomes),
            "remote_rule_policies": {"type": "object"},
        },
    )
    return operation(
        name, "See what is here", answers=reading({200: answer("Addresses and outcomes.", found)})
    )


def _moved(name: str, status: int) -> Json:
    place = {"Location": header("Where.", _TEXT)}
    moved = {
        "description": "It is elsewhere.",
        "headers": place,
        "content": {"text/plain": {"schema": _TEXT}},
    }
    return operation(name, "Find it", answers=reading({status: moved}))


def _scripted(said: Json) -> Json:
    """Return an answer that may be a script."""
    return {**said, "content": {**said["content"], "application/javascript": {"schema": _TEXT}}}


def _without_users(answers: dict[int, Any]) -> dict[int, Any]:
    """Leave out what is answered to who may not: anybody may ask."""
    return {status: said for status, said in answers.items() if status not in (401, 403)}
