"""What may be asked of lists, as the document says it."""

from __future__ import annotations

from ...wire.resultsdb_query import LIMIT, RESERVED
from ...wire.resultsdb_schemas import ISO
from ..idempotency import HEADER, LONGEST
from ..openapi.part import Json, parameter, reference

_TEXT = {"type": "string"}
_MODIFIERS = (
    "Texts are compared exactly, case too. In patterns `*` and `%` are any run of characters, `_` is any one."
)


def _words(items: Json, **more: object) -> Json:
    return {"type": "array", "items": items, **more}


def _listed(name: str, about: str, items: Json = _TEXT, **more: object) -> Json:
    """Return a list in one parameter, its values parted by commas."""
    return parameter(name, "query", about, _words(items), style="form", explode=False, **more)


def shared(outcomes: tuple[str, ...], max_limit: int) -> dict[str, Json]:
    """Return the parameters by the names that the document has them under."""
    return {
        "page": parameter(
            "page", "query", "Which page, from 0. What is negative is the first.",
            {"type": "integer", "default": 0},
        ),
        "limit": parameter(
            "limit", "query", f"Rows of a page; more than {max_limit:,} are served as that many.",
            {"type": "integer", "default": LIMIT},
        ),
        "outcome": _listed(
            "outcome", "Any of these outcomes.", {"type": "string", "enum": list(outcomes)}
        ),
        "groups": _listed("groups", "In any of these groups, by uuid."),
        "testcases": _listed("testcases", "Any of these testcases."),
        "testcases_like": _listed(
            "testcases:like", f"Or whose testcase matches any of these patterns. {_MODIFIERS}"
        ),
        "since": parameter(
            "since", "query",
            "`START` or `START,END` in ISO 8601, both inclusive, compared with `submit_time`. A zone is"
            " dropped, not converted.",
            {"type": "string", "pattern": f"^{ISO}(?:,{ISO})?$"},
        ),
        "sort": parameter(
            "_sort", "query",
            "`desc:submit_time` (default), `asc:submit_time`, or `disable_sorting`: as they are stored.",
            {"type": "string", "default": "desc:submit_time"},
        ),
        "after": parameter(
            "_after", "query",
            "The `next_cursor` of an answer: the page after it, which neither skips nor repeats whatever"
            " comes in meanwhile. `page` has no effect then.",
            {"type": "string", "pattern": "^[0-9]{1,17}-[0-9]{1,18}$"},
        ),
        "distinct_on": _listed(
            "_distinct_on",
            "Keys of attributes: the newest result of each testcase and combination of their values. Needs"
            " another filter beside it.",
            example=["scenario"],
        ),
        "attributes": parameter(
            "attributes", "query",
            "Any other parameter asks for an attribute: `item=bash-5.2-1.fc40,zsh-5.9-1.fc40` is any of these"
            f" values, `item:like=bash-*` any that matches. All keys that are named must hold. {_MODIFIERS}",
            {
                "type": "object",
                "propertyNames": {"not": {"enum": sorted(RESERVED)}},
                "additionalProperties": _TEXT,
            },
            style="form", explode=True, example={"item": "bash-5.2-1.fc40"},
        ),
        "tag": parameter(
            "If-None-Match", "header", "The `ETag` of an answer: 304 where it would be the same.", _TEXT
        ),
        "key": parameter(
            HEADER.title(), "header",
            "Names this request, so that it may be sent again: a retry stores nothing twice and gets the same"
            " answer.",
            {"type": "string", "maxLength": LONGEST},
        ),
    }  # fmt: skip


PAGES = [reference("parameters", name) for name in ("page", "limit", "tag")]
RESULTS = [
    reference("parameters", name)
    for name in (
        "attributes", "testcases", "testcases_like", "outcome", "groups", "since", "sort", "page", "limit",
        "after", "tag",
    )
]  # fmt: skip
LATEST = [
    reference("parameters", name)
    for name in ("attributes", "testcases", "testcases_like", "groups", "since", "distinct_on", "tag")
]
OF_GROUP = [each for each in RESULTS if each != reference("parameters", "groups")]
OF_TESTCASE = [
    each
    for each in RESULTS
    if each not in (reference("parameters", "testcases"), reference("parameters", "testcases_like"))
]
KEY = [reference("parameters", "key")]

TESTCASES = [
    _listed("name", "Any of these names.", example=["dist.rpmlint"]),
    _listed("name:like", f"Where `name` is not given: any name that matches one of these. {_MODIFIERS}"),
    *PAGES,
]
GROUPS = [
    _listed("uuid", "Any of these uuids."),
    _listed("description", "Any of these descriptions."),
    _listed(
        "description:like",
        f"Where `description` is not given: one that matches any of these patterns. {_MODIFIERS}",
        example=["Nightly*"],
    ),
    *PAGES,
]

RESULT = parameter("id", "path", "The result's id.", {"type": "integer"}, example=1)
TESTCASE = parameter(
    "name", "path", "The testcase's name; a slash may stand as it is.", {"type": "string"},
    example="dist.rpmlint",
)  # fmt: skip
GROUP = parameter("uuid", "path", "The group's uuid.", {"type": "string"}, example="nightly-42")
