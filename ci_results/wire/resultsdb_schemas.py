"""JSON Schemas of ResultsDB 2.0: what posted fields take, and what is answered.

The tables of `resultsdb_post` name the former, so that what is read and what is promised stand together.
"""

from __future__ import annotations

from collections.abc import Collection

from .schemas import Schema, any_of, list_of, optional, record, reference, text

MAX_NAME = 1024
"""Characters of a testcase's name and of a group's uuid."""

_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
"""Month and day, but for 29 February."""

_LEAP = r"(?:[12][0-9](?:0[48]|[2468][048]|[13579][26])|(?:12|16|20|24|28)00)"
_DATE = rf"(?:[12][0-9]{{3}}-{_DAY}|{_LEAP}-02-29)"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ZONE = r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
ISO = rf"{_DATE}(?:[T ]{_CLOCK}(?:\.[0-9]{{1,6}})?)?"

# -- posted ----------------------------------------------------------------------------------------

NOTE = text("A remark for people.")
REF_URL = text("Where a person reads on.", examples=["https://ci.example/job/openssl/42/"])
NAME = text("Any text; dots and slashes make namespaces.", least=1, most=MAX_NAME, examples=["dist.rpmlint"])
UUID = text("Any text that names the group.", most=MAX_NAME)
DESCRIPTION = text("What the group is.")

TESTCASE = any_of(
    "The name of the testcase, or an object that also says where it is described.",
    text(least=1, most=MAX_NAME),
    {
        "type": "object",
        "required": ["name"],
        "properties": {"name": NAME, "ref_url": optional(REF_URL)},
    },
)
GROUPS = list_of(
    any_of(
        "",
        text(most=MAX_NAME),
        {
            "type": "object",
            "properties": {
                "uuid": optional(UUID),
                "description": optional(DESCRIPTION),
                "ref_url": optional(REF_URL),
            },
        },
    ),
    "Groups that the result belongs to, by uuid, or as objects that describe them anew. Unknown ones are"
    " created.",
)
DATA: Schema = {
    "type": "object",
    "description": "Attributes, by key: a text, or a list of texts. Anything else is stored as its Python"
    " text (`true` as `True`). `item` and `type` say what was tested; a key has no colon.",
    "propertyNames": {"pattern": r"^[^:\x00]*$"},
    "additionalProperties": any_of(
        "",
        text(),
        list_of(any_of("", text(), {"type": ["number", "boolean", "null", "object", "array"]})),
        {"type": ["number", "boolean", "null", "object"]},
    ),
}
SUBMIT_TIME = any_of(
    "When the run ended: ISO 8601 with a fraction and perhaps a zone (`2026-01-02T03:04:05.5Z`; without one"
    " it is UTC), or milliseconds since 1970, where true and false count as 1 and 0. Default: when it is"
    " received.",
    {"type": "string", "pattern": rf"^(?:{_DATE}T{_CLOCK}\.[0-9]{{1,6}}{_ZONE}?|[+-]?[0-9]{{1,13}})$"},
    {"type": "integer", "minimum": -62_135_596_800_000, "maximum": 253_402_300_799_999},
    {"type": "boolean"},
)


def outcome(outcomes: Collection[str]) -> Schema:
    """Return what a posted outcome may be; any case is taken."""
    return {
        "type": "string",
        "enum": list(outcomes),
        "description": "In any case, blanks around are dropped.",
    }


# -- answered --------------------------------------------------------------------------------------

_URI = {"type": "string", "format": "uri"}
_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}
_TIME = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?$",
    "description": "Naive UTC; whole seconds have no fraction.",
}
_PAGES = {
    "next": {**optional(_URI), "description": "Address of the next page, null on the last."},
    "prev": {**optional(_URI), "description": "Address of the page before, null on the first."},
}

ANSWERS: dict[str, Schema] = {
    "Testcase": record(
        "What was tested, by its name.",
        {"name": _TEXT, "ref_url": _MAYBE, "href": _URI},
    ),
    "Group": record(
        "Results that belong together.",
        {
            "uuid": _TEXT,
            "description": _MAYBE,
            "ref_url": _MAYBE,
            "href": _URI,
            "results": {**_URI, "description": "Address of its results."},
            "results_count": {"type": "integer", "minimum": 0},
        },
    ),
    "Result": record(
        "One result; it never changes.",
        {
            "id": {"type": "integer", "minimum": 1},
            "testcase": reference("Testcase"),
            "outcome": _TEXT,
            "submit_time": _TIME,
            "note": _MAYBE,
            "ref_url": _MAYBE,
            "groups": list_of(_TEXT, "Their uuids."),
            "data": {
                "type": "object",
                "additionalProperties": list_of(_TEXT),
                "description": "Attributes: each key with its texts, in order.",
            },
            "href": _URI,
        },
    ),
    "ResultList": record(
        "A page of results.",
        {
            "data": list_of(reference("Result")),
            **_PAGES,
            "next_cursor": {**_MAYBE, "description": "What `_after` takes to go on; null on the last page."},
        },
    ),
    "LatestResults": record("The newest results, newest first.", {"data": list_of(reference("Result"))}),
    "TestcaseList": record("A page of testcases.", {"data": list_of(reference("Testcase")), **_PAGES}),
    "GroupList": record("A page of groups.", {"data": list_of(reference("Group")), **_PAGES}),
    "Landing": record(
        "Where to go from here.",
        {
            "message": _TEXT,
            "documentation": _URI,
            "results": _URI,
            "testcases": _URI,
            "groups": _URI,
            "outcomes": list_of(_TEXT, "The words that a result may say."),
        },
    ),
}
