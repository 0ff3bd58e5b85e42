"""Part: what one API adds to the document, and the words in which it says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..auth.access import Access

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One API.

    tag         its name, the heading of its operations: "ResultsDB 2.0"
    about       what it is for; backticks mark code
    paths       path -> OpenAPI's path item: {"/healthcheck": {"get": operation(...)}}
    schemas     name -> JSON Schema, for `#/components/schemas/`
    parameters  name -> parameter, for `#/components/parameters/`
    """

    tag: str
    about: str
    paths: Mapping[str, Json]
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parameters: Mapping[str, Json] = field(default_factory=dict)


class Users(Enum):
    """Who may do something: anybody; those that show a token, and others; those that show one alone."""

    ANY = "any"
    KNOWN_OR_ANY = "known or any"
    KNOWN = "known"


def posting_users(access: Access) -> Users:
    """Return who may post to API 2.0 and our own routes."""
    if not access.anonymous:
        return Users.KNOWN
    return Users.KNOWN_OR_ANY if access.takes_tokens else Users.ANY


def operation(
    name: str,
    summary: str,
    about: str = "",
    *,
    parameters: Sequence[Json] = (),
    body: Json | None = None,
    answers: Mapping[int, Json],
    users: Users = Users.ANY,
) -> Json:
    """Return an operation; `name` is unique in the document, `answers` goes by status."""
    said: Json = {"operationId": name, "summary": summary}
    if about:
        said["description"] = about
    if parameters:
        said["parameters"] = list(parameters)
    if body:
        said["requestBody"] = body
    if users is not Users.ANY:
        said["security"] = [{"token": []}, *([{}] if users is Users.KNOWN_OR_ANY else [])]
    said["responses"] = {str(status): answers[status] for status in sorted(answers)}
    return said


def parameter(name: str, where: str, about: str, schema: Mapping[str, Any], **more: Any) -> Json:
    """Return a parameter in "query", "path" or "header"."""
    always = {"required": True} if where == "path" else {}
    return {"name": name, "in": where, **always, "description": about, "schema": schema, **more}


def answer(
    about: str,
    schema: Mapping[str, Any] | None = None,
    *,
    kind: str = "application/json",
    headers: Mapping[str, Json] | None = None,
    example: Any = None,
) -> Json:
    """Return an answer; without a schema it has no body."""
    said: Json = {"description": about}
    if headers:
        said["headers"] = dict(headers)
    if schema is not None:
        said["content"] = {kind: {"schema": schema, **({"example": example} if example is not None else {})}}
    return said


def header(about: str, schema: Mapping[str, Any]) -> Json:
    """Return a header that an answer always has."""
    return {"description": about, "required": True, "schema": schema}


def body(kinds: Mapping[str, Mapping[str, Any]], example: Any) -> Json:
    """Return a body that must be there, by media type -> schema, each with the same example."""
    content = {kind: {"schema": schema, "example": example} for kind, schema in kinds.items()}
    return {"required": True, "content": content}


def reference(kind: str, name: str) -> Json:
    """Return a reference, e.g. to the "parameters" of the document."""
    return {"$ref": f"#/components/{kind}/{name}"}
