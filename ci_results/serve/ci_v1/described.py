"""Our own API in the document."""

from __future__ import annotations

from ...wire.schemas import any_of, list_of, record, reference
from ..openapi.answers import WRONG, posting
from ..openapi.part import Part, answer, body, operation, parameter, posting_users
from ..openapi.part import reference as component
from ..surroundings import Surroundings
from .batch import ALL, MODES
from .reading import JSON, KINDS

ABOUT = 'What no peer has. Errors are `{"message": ...}`, or told field by field.'
_COUNT = {"type": "integer", "minimum": 0}
_LINE = {"type": "integer", "minimum": 1, "description": "Counted from 1; in a list, the element's place."}
_EXAMPLE = [
    {
        "outcome": "PASSED",
        "testcase": "dist.rpmlint",
        "data": {"item": "zsh-5.9-1.fc40", "type": "koji_build"},
    },
    {
        "outcome": "FAILED",
        "testcase": "dist.abidiff",
        "data": {"item": "zsh-5.9-1.fc40", "type": "koji_build"},
    },
]
_ERRORS = list_of(
    any_of(
        "",
        record("", {"line": _LINE, "validation_error": reference("ValidationErrors")}),
        record("", {"line": _LINE, "message": {"type": "string"}}),
    ),
    "Each line that is refused, and why.",
)

SCHEMAS = {
    "Batch": record(
        "What became of a batch.",
        {
            "seq": {**_COUNT, "description": "The commit that has the results."},
            "stored": {**_COUNT, "description": "How many are new,"},
            "same": {**_COUNT, "description": "were there already: a retry,"},
            "refused": {**_COUNT, "description": "are refused."},
            "ids": list_of({"type": ["integer", "null"]}, "Of each in order; null where refused."),
            "errors": _ERRORS,
        },
    ),
    "RefusedBatch": record(
        "A batch of which nothing is stored.",
        {"message": {"type": "string"}, "refused": _COUNT, "errors": _ERRORS},
    ),
}
"""What is answered, by name."""


def part(around: Surroundings, prefix: str) -> Part:
    """Return what the document says of the API at `prefix`."""
    most = around.settings.max_batch
    several = list_of(reference("NewResult"), minItems=1, maxItems=most)
    return Part(
        tag="Batches",
        about=ABOUT,
        paths={
            f"{prefix}/results/batch": {
                "post": operation(
                    "create_batch",
                    "Store many results",
                    f"Up to {most:,} results: NDJSON with one on each line, or a JSON list. Under one"
                    " `Idempotency-Key` each line number stands for one result.",
                    parameters=[
                        parameter(
                            "mode",
                            "query",
                            "`all`: all or nothing. `each`: what is good is stored, the rest is told.",
                            {"type": "string", "enum": list(MODES), "default": ALL},
                        ),
                        component("parameters", "key"),
                    ],
                    body=body(dict.fromkeys((*KINDS[:-1], JSON), several), _EXAMPLE),
                    answers=posting(
                        {
                            200: answer("Some are stored, some refused (mode `each`).", reference("Batch")),
                            201: answer("All are stored, and safe on disk.", reference("Batch")),
                            400: answer("Nothing is stored.", any_of("", reference("RefusedBatch"), WRONG)),
                        },
                        "ReusedKey",
                    ),
                    users=posting_users(around.access),
                )
            }
        },
        schemas=SCHEMAS,
    )
