"""Manual tests in the document of the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...wire import manual as wire
from ...wire.schemas import Schema, list_of, optional, record, reference, table
from ..auth.access import Access
from ..openapi.answers import posting, reading
from ..openapi.part import Part, answer, body, operation, parameter, posting_users
from ..openapi.part import reference as component
from ..surroundings import Surroundings

ABOUT = "Tests that people run: plans of what is required, what they found, and how far they are."
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_NULLABLE = optional(_TEXT)
_COUNTS = (
    *("required", "done", "passed", "info", "failed", "error", "needs_inspection", "other"),
    *("unfinished", "missing"),
)
_STATES = ["passed", "failed", "error", "needs inspection", "waiting"]
_PLAN = parameter("plan", "path", "The plan's name.", _TEXT, example="beta")
_ITEM = "Fedora-44-20260301.0"


def part(around: Surroundings, prefix: str) -> Part:
    """Return what the document says of manual tests at `prefix`."""
    users, claimed = posting_users(around.access), _claimed(around.access)
    return Part(
        tag="Manual tests",
        about=ABOUT,
        paths={
            f"{prefix}/manual/plans/{{plan}}": {
                "post": operation(
                    "import_plan",
                    "Import a plan",
                    "Whole or not at all. What changes the plan is a new version of it; whoever imports it"
                    " needs a permission for each testcase of it and of the version before.",
                    parameters=[_PLAN],
                    body=body(
                        {"application/json": reference("NewPlan")},
                        {
                            "item": "Fedora-44-*",
                            "type": "compose",
                            "cases": [
                                {"testcase": "desktop.login", "title": "Log in"},
                                {"testcase": "desktop.print", "steps": "Print a page in colour."},
                            ],
                            **claimed,
                        },
                    ),
                    answers=posting(
                        {
                            200: answer("The plan says that already.", reference("ImportedPlan")),
                            201: answer("It is a new version.", reference("ImportedPlan")),
                        },
                        "NotFound",
                    ),
                    users=users,
                ),
                "get": operation(
                    "show_plan",
                    "Show a plan",
                    parameters=[
                        _PLAN,
                        parameter(
                            "version",
                            "query",
                            "An older version; default: the newest.",
                            {"type": "integer", "minimum": 0, "maximum": 999_999_999},
                        ),
                    ],
                    answers=reading({200: answer("One version.", reference("Plan"))}, "NotFound", "Wrong"),
                ),
            },
            f"{prefix}/manual/plans": {
                "get": operation(
                    "list_plans",
                    "List the plans",
                    answers=reading(
                        {
                            200: answer(
                                "The newest version of each, the newest first.",
                                record("", {"plans": list_of(reference("PlanSummary"))}),
                            )
                        }
                    ),
                )
            },
            f"{prefix}/manual/results": {
                "post": operation(
                    "record_manual_result",
                    "Record what somebody found",
                    "It is a result like any other, kept for good; a correction is a further one.",
                    parameters=[component("parameters", "key")],
                    body=body(
                        {"application/json": reference("NewFinding")},
                        {
                            "testcase": "desktop.login",
                            "item": _ITEM,
                            "type": "compose",
                            "outcome": "PASSED",
                            "comment": "With a Czech keyboard.",
                            **claimed,
                        },
                    ),
                    answers=posting({201: answer("It is stored.", reference("Finding"))}, "ReusedKey"),
                    users=users,
                )
            },
            f"{prefix}/manual/status": {
                "get": operation(
                    "manual_status",
                    "Ask how far plans are",
                    "For one item; or for the item that each plan is for, or those that it is worked on for.",
                    parameters=[
                        parameter("plan", "query", "Only of this plan.", _TEXT),
                        parameter("item", "query", "Only for this item.", _TEXT, example=_ITEM),
                        parameter("type", "query", "Only of this type of items.", _TEXT, example="compose"),
                    ],
                    answers=reading(
                        {
                            200: answer(
                                "How far they are, with each testcase and its newest results.",
                                record("", {"status": list_of(reference("PlanStatus"))}),
                            )
                        },
                        "NotFound",
                        "Wrong",
                    ),
                )
            },
        },
        schemas=schemas(around.outcomes),
    )


def schemas(outcomes: Collection[str]) -> dict[str, Schema]:
    """Return what is posted and answered, by name."""
    return {
        "NewPlan": table(wire.PLAN, "A plan to import."),
        "PlanCase": table(wire.CASE, "One testcase that a plan requires."),
        "PlanSummary": record("A version of a plan.", _SUMMARY),
        "Plan": record("A version of a plan, with what it requires.", {**_SUMMARY, "cases": _CASES}),
        "ImportedPlan": record(
            "What became of an import.",
            {
                **_SUMMARY,
                "cases": _CASES,
                "state": {"enum": ["new", "changed", "same"]},
                "added": list_of(_TEXT, "Testcases that the version before did not require."),
                "removed": list_of(_TEXT, "Testcases that only the version before required."),
            },
        ),
        "NewFinding": table(wire.finding_table(outcomes), "What somebody found."),
        "Finding": record(
            "A finding as it is stored.",
            {
                "id": {**_COUNT, "description": "Number of the result."},
                **dict.fromkeys(("testcase", "item", "type", "outcome", "actor"), _TEXT),
                "actor_verified": {"type": "boolean", "description": "Somebody vouches for `actor`."},
                "plans": list_of(reference("PlanProgress"), "The plans that require it."),
            },
        ),
        "PlanProgress": record("How far a plan is for an item.", _PROGRESS),
        "PlanStatus": record(
            "The same, with each testcase.", {**_PROGRESS, "cases": list_of(reference("CaseStatus"))}
        ),
        "CaseStatus": record(
            "How one testcase stands.",
            {
                **dict.fromkeys(("testcase", "title", "steps"), _TEXT),
                **dict.fromkeys(("ref_url", "owner", "contact"), _NULLABLE),
                "outcome": {**_NULLABLE, "description": "The worst of `results`; null = missing."},
                "results": list_of(
                    record(
                        "",
                        {
                            "id": _COUNT,
                            **dict.fromkeys(("time", "outcome"), _TEXT),
                            "actor": _NULLABLE,
                            "actor_verified": {"type": "boolean"},
                            **dict.fromkeys(("note", "ref_url", "scenario", "arch"), _NULLABLE),
                        },
                    ),
                    "The newest of each scenario and architecture.",
                ),
            },
        ),
    }


_SUMMARY: Mapping[str, Schema] = {
    "plan": _TEXT,
    "version": _COUNT,
    "item": {**_TEXT, "description": "What it is for; `*` stands for any run of characters."},
    "type": _TEXT,
    "required": _COUNT,
    "seq": {**_COUNT, "description": "Number of the commit that brought it."},
    "actor": {**_TEXT, "description": "Who imported it."},
    "time": {**_TEXT, "description": "When, in UTC."},
}
_CASES = list_of(reference("PlanCase"))
_PROGRESS: Mapping[str, Schema] = {
    "plan": _TEXT,
    "version": _COUNT,
    "item": _TEXT,
    "type": _TEXT,
    "state": {"enum": _STATES},
    "progress": record(
        "Of what is required alone.",
        {**dict.fromkeys(_COUNTS, _COUNT), "percent": {"type": "number", "minimum": 0, "maximum": 100}},
    ),
    "summary": {**_TEXT, "examples": ["31 of 40 done (77.5 %): 30 passed, 1 failed, 9 missing"]},
}


def _claimed(access: Access) -> dict[str, str]:
    """Return what an example says of who asks, where it shows no token."""
    return {"actor": "alice"} if access.anonymous else {}
