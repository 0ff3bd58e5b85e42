"""Answers that many operations share: what a client gets where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from ...wire.schemas import any_of, list_of, record
from ...wire.schemas import reference as schema
from .part import Json, answer, header, reference

_TEXT = {"type": "string"}
_RETRY = {
    "Retry-After": {
        "description": "Seconds until a retry makes sense, where one does: the queue is full (1), the store"
        " is away (5). A question that is too broad has none: narrow it.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
_ALLOW = {"Allow": header("The methods that are.", _TEXT)}

SCHEMAS = {
    "Message": record("What is wrong, in words.", {"message": _TEXT}),
    "ValidationError": record("Every field that is wrong.", {"validation_error": schema("ValidationErrors")}),
    "ValidationErrors": list_of(
        record(
            "",
            {
                "type": {**_TEXT, "examples": ["missing"]},
                "loc": list_of({"type": ["string", "integer"]}, "Where: names, and places in lists."),
                "msg": {**_TEXT, "examples": ["Field required"]},
                "input": {"description": "The value that is wrong."},
                "url": {"type": "string", "format": "uri"},
            },
        ),
        "Fields that are wrong, as pydantic tells them.",
        minItems=1,
    ),
}
WRONG = any_of("One of the two ways to say what is wrong.", schema("ValidationError"), schema("Message"))

_MISSING = {
    "validation_error": [
        {
            "type": "missing",
            "loc": ["outcome"],
            "msg": "Field required",
            "input": {"testcase": "dist.rpmlint"},
            "url": "https://errors.pydantic.dev/2.11/v/missing",
        }
    ]
}


def _told(about: str, message: str, headers: Mapping[str, Json] | None = None) -> Json:
    return answer(about, schema("Message"), headers=headers, example={"message": message})


RESPONSES: dict[str, Json] = {
    "Wrong": {
        "description": "The body or a parameter is wrong. Fields that fail are told one by one; what is wrong"
        " with the whole is told in words.",
        "content": {
            "application/json": {
                "schema": WRONG,
                "examples": {
                    "fields": {"summary": "Fields that fail", "value": _MISSING},
                    "whole": {"summary": "The whole is wrong", "value": {"message": "Bad request"}},
                },
            }
        },
    },
    "Unauthorised": _told(
        "Nobody may do this without showing who they are, or the token does not hold.",
        "The token in the header Authorization is not known here, or does not hold any more",
        {"WWW-Authenticate": header("How to show it.", _TEXT)},
    ),
    "Forbidden": _told(
        "This user may not do this.",
        "User jane is not authorized to submit results for the test case dist.rpmlint",
    ),
    "NotFound": _told("There is no such thing.", "Result not found"),
    "NotAllowed": {
        "description": "The path has no such method.",
        "headers": _ALLOW,
        "content": {
            "text/html": {"schema": _TEXT},
            "application/json": {
                "schema": schema("Message"),
                "example": {"message": "Method Not Allowed"},
            },
        },
    },
    "TooSlow": _told("The request came too slowly.", "The body came too slowly"),
    "TooLarge": _told("The body is longer than `max_body_bytes`.", "The body is longer than 33554432 bytes"),
    "AddressTooLong": _told(
        "The address is longer than `max_url_bytes`.", "The address is longer than 32768 bytes"
    ),
    "WrongType": {
        "description": "The body says that it is something else than what is taken here.",
        "content": {
            "text/html": {"schema": _TEXT},
            "application/json": {
                "schema": schema("Message"),
                "example": {"message": "Post JSON, with the header Content-Type: application/json"},
            },
        },
    },
    "WrongHost": answer("The server does not go by the name in `Host`.", _TEXT, kind="text/plain"),
    "ReusedKey": _told(
        "The `Idempotency-Key` was used for another body before; nothing is stored.",
        "the Idempotency-Key was used for another submission before",
    ),
    "TooMany": _told(
        "This client asks more often than it may.",
        "One client may ask 200 requests a second here",
        {"Retry-After": header("Seconds until the next may be asked.", {"type": "integer", "minimum": 1})},
    ),
    "HeadersTooLong": _told(
        "The headers are longer than `max_head_bytes`.", "The headers are longer than 65536 bytes"
    ),
    "NoAuthority": _told("Who knows the users cannot be reached.", "Bad Gateway"),
    "Unavailable": _told(
        "The store is away or overloaded, or the question takes too long; the message says which.",
        "4096 submissions wait to be written: try again in a second",
        _RETRY,
    ),
}
"""By the names that the document has them under."""

_ALWAYS = {
    405: "NotAllowed",
    414: "AddressTooLong",
    421: "WrongHost",
    429: "TooMany",
    431: "HeadersTooLong",
    503: "Unavailable",
}
_OF_BODIES = {
    400: "Wrong",
    401: "Unauthorised",
    403: "Forbidden",
    408: "TooSlow",
    413: "TooLarge",
    415: "WrongType",
    502: "NoAuthority",
}


def reading(own: Mapping[int, Json], *names: str) -> dict[int, Json]:
    """Return the answers of a GET: its own, those that each may give, and more by name ("NotFound")."""
    return _with(_ALWAYS | _numbered(names), own)


def posting(own: Mapping[int, Json], *names: str) -> dict[int, Json]:
    """Return the answers of a POST: its own, those that each may give, and more by name ("ReusedKey")."""
    return _with(_ALWAYS | _OF_BODIES | _numbered(names), own)


_STATUS = {"Wrong": 400, "NotFound": 404, "ReusedKey": 422}


def _numbered(names: tuple[str, ...]) -> dict[int, str]:
    return {_STATUS[name]: name for name in names}


def _with(shared: Mapping[int, str], own: Mapping[int, Json]) -> dict[int, Json]:
    return {**{status: reference("responses", name) for status, name in shared.items()}, **own}
