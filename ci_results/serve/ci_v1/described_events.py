"""Events in the document of the API."""

from __future__ import annotations

from ...wire import events as wire
from ...wire.schemas import Schema, list_of, optional, record, reference
from ..openapi.answers import posting
from ..openapi.part import Part, answer, body, operation, posting_users
from ..surroundings import Surroundings
from .events import KINDS

ABOUT = "What happened to subjects, such as a build that is done: results are expected since then."
_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
TAKEN = record(
    "What became of an event.",
    {
        "id": _TEXT, "source": _TEXT, "subject_type": _TEXT, "subject_identifier": _TEXT,
        "seq": {"type": "integer", "minimum": 1, "description": "The commit that has it."},
        "new": {"type": "boolean", "description": "false: it was there already."},
        "expected": list_of(
            record("", {"testcase": _TEXT, "since": _TIME, "due": optional(_TIME), "owner": optional(_TEXT)}),
            "What is expected since then.",
        ),
    },
)  # fmt: skip
SCHEMAS = {
    **wire.components(),
    "TakenEvent": TAKEN,
    "TakenEvents": record(
        "What became of each event, in order.", {"events": list_of(reference("TakenEvent"))}
    ),
}
"""What is taken and answered, by name."""


def part(around: Surroundings, path: str) -> Part:
    """Return what the document says of them at `path`."""
    return Part(
        tag="Events",
        about=ABOUT,
        paths={
            path: {
                "post": operation(
                    "create_events",
                    "Say that something happened",
                    "One event or a list of them, plain or in the envelope of CloudEvents: all are stored or"
                    " none. `source` and `id` name an event: sent again it changes nothing. Whoever names"
                    " testcases needs a permission for each, where there are any.",
                    body=body(dict.fromkeys(KINDS, reference("NewEvents")), wire.EXAMPLE),
                    answers=posting(
                        {
                            200: answer("All were there already.", reference("TakenEvents")),
                            201: answer("They are stored, and safe on disk.", reference("TakenEvents")),
                        },
                        "ReusedKey",
                    ),
                    users=posting_users(around.access),
                )
            }
        },
        schemas=SCHEMAS,
    )
