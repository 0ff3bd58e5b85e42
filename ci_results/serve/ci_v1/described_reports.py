"""POST /reports in the document."""

from __future__ import annotations

from ...wire.schemas import list_of, record, reference, text
from ..openapi.answers import WRONG, posting
from ..openapi.part import Part, answer, body, operation, parameter, posting_users
from ..surroundings import Surroundings
from .upload import KINDS, MULTIPART, PROOF

ABOUT = "Reports as test runners and checkers write them, packed or not: the service translates them."
_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}
_EXAMPLE = '<testsuite name="smoke"><testcase name="boots" time="0.5"/></testsuite>'
_RAW = {"type": "string", "contentMediaType": "application/octet-stream"}
_FORM = {"type": "object", "additionalProperties": _RAW, "minProperties": 1}
_COUNTS = record(
    "",
    {
        "seq": {**_COUNT, "description": "The last commit that has the results, 0 = none was needed."},
        "stored": {**_COUNT, "description": "How many results are new,"},
        "same": {**_COUNT, "description": "were there already,"},
        "superseding": {**_COUNT, "description": "and how many of the new ones replace another,"},
        "quarantined": {**_COUNT, "description": "and records that nobody could read."},
    },
)


_FILE = record(
    "",
    {
        "file": {**_TEXT, "description": "Its name; inside of an archive `archive!name`."},
        "state": {
            "type": "string",
            "enum": ["stored", "same", "empty", "unreadable"],
            "description": "What became of it.",
        },
        "format": {**_MAYBE, "description": "The format that read it."},
        "run": {**_MAYBE, "description": "The run that its results belong to."},
        "counts": _COUNTS,
        "outcomes": {"type": "object", "additionalProperties": _COUNT, "description": "Results by outcome."},
        "reason": {**_MAYBE, "description": "Why it is not stored, or not all of it."},
    },
)
_FIELDS = {
    "stored": {**_COUNT, "description": "How many results are new,"},
    "same": {**_COUNT, "description": "were there already,"},
    "superseding": {**_COUNT, "description": "and how many of the new ones replace another,"},
    "quarantined": {**_COUNT, "description": "and records that nobody could read."},
    "files": list_of(_FILE, "Each file, those in archives too."),
    "results": {**_TEXT, "description": "Where the results of the item are."},
    "quarantine": {**_MAYBE, "description": "Where a person sees what could not be read."},
    "next": {**_TEXT, "description": "What to ask or do next."},
}
SCHEMAS = {
    "Reports": record("What became of reports.", _FIELDS),
    "UnreadReports": record("Reports of which nothing could be read.", {"message": _TEXT, **_FIELDS}),
}


def part(around: Surroundings, path: str) -> Part:
    """Return what the document says of the route at `path`."""
    defaults = around.reports.table
    return Part(
        tag="Reports",
        about=ABOUT,
        paths={
            path: {
                "post": operation(
                    "create_reports",
                    "Store reports",
                    "The format is recognised by content, in archives and compressed files too. The same"
                    f" report for the same item is stored once. A form of files needs a header `{PROOF}`.",
                    parameters=[
                        parameter(
                            "item",
                            "query",
                            "What was tested.",
                            text(least=1),
                            required=True,
                            example="bash-5.2.26-3.fc40",
                        ),
                        parameter(
                            "item_type",
                            "query",
                            "Its type.",
                            text(least=1, default=defaults.item_type),
                        ),
                        parameter(
                            "testcase_prefix",
                            "query",
                            "Put before each testcase name.",
                            {
                                **text(least=1),
                                **({"default": defaults.namespace} if defaults.namespace else {}),
                            },
                            required=defaults.namespace is None,
                            example="baseos",
                        ),
                        parameter("scenario", "query", "The variant it ran in.", text()),
                        parameter("arch", "query", "The architecture it ran on.", text()),
                        parameter(
                            "group",
                            "query",
                            "A group that the results belong to, by its uuid; may be given several times.",
                            list_of(text(least=1, most=1024)),
                        ),
                        parameter("url", "query", "Where a person reads about the run.", text()),
                        parameter(
                            "time",
                            "query",
                            "When the run ended; wins over the report's own time.",
                            {"type": "string", "format": "date-time"},
                        ),
                        parameter(PROOF, "header", "Any text; a form needs it.", _TEXT, example="curl"),
                    ],
                    body=body({kind: _FORM if kind == MULTIPART else _RAW for kind in KINDS}, _EXAMPLE),
                    answers=posting(
                        {
                            200: answer("All was stored before.", reference("Reports")),
                            201: answer("Something is stored, and safe on disk.", reference("Reports")),
                            400: answer("Nothing is stored: the query or the form is wrong.", WRONG),
                            422: answer(
                                "Nothing could be read; what was sent is in the quarantine.",
                                reference("UnreadReports"),
                            ),
                        }
                    ),
                    users=posting_users(around.access),
                )
            }
        },
        schemas=SCHEMAS,
    )
