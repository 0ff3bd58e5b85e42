"""The typed API in the document, made of the same tables as its forms."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ...wire.resultsdb_v3 import Form, forms
from ...wire.schemas import list_of, reference
from ..openapi.answers import posting, reading
from ..openapi.part import Json, Part, Users, answer, body, operation, parameter
from ..openapi.part import reference as component
from ..surroundings import Surroundings

ABOUT = (
    "ResultsDB's typed API: a body for each kind of artifact, checked field by field. Users need a permission"
    " for the testcase. It has a reference of its own at `/api/v3/`."
)
_PERMISSION = {"type": "object", "description": "As it is configured: `testcases`, `users`, `groups`."}


def part(around: Surroundings, prefix: str, services: Sequence[str]) -> Part:
    """Return what the document says of the API at `prefix`, below each of these services."""
    known = forms(around.outcomes)
    posts = {f"/results/{path}": {"post": _post(path, form)} for path, form in known.items()}
    described = {f"/schemas/{path}": {"get": _schema(path)} for path in known}
    servers = [{"url": service or "/"} for service in services]
    return Part(
        tag="ResultsDB 3",
        about=ABOUT,
        paths={
            prefix + path: {"servers": servers, **item}
            for path, item in {**posts, **described, **_permissions(), **_reference()}.items()
        },
        schemas=schemas(around.outcomes),
    )


def schemas(outcomes: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return what is posted, by name."""
    return {form.artifact.model: form.schema() for form in forms(outcomes).values()}


def _post(path: str, form: Form) -> Json:
    return operation(
        f"create_{path.replace('-', '_')}",
        f"Store a result: {path}",
        form.artifact.about,
        parameters=[component("parameters", "key")],
        body=body({"application/json": reference(form.artifact.model)}, form.example()),
        answers=posting({201: answer("It is stored, and safe on disk.", reference("Result"))}, "ReusedKey"),
        users=Users.KNOWN,
    )


def _schema(path: str) -> Json:
    found = {200: answer("JSON Schema.", {"type": "object", "required": ["properties", "required"]})}
    name = f"show_schema_{path.replace('-', '_')}"
    return operation(name, f"Read the schema: {path}", answers=reading(found))


def _permissions() -> dict[str, Json]:
    asked = parameter("testcase", "query", "Only those that cover this testcase.", {"type": "string"})
    found = {200: answer("Permissions, in the order in which they are looked at.", list_of(_PERMISSION))}
    return {
        "/permissions": {
            "get": operation(
                "list_permissions",
                "List permissions",
                parameters=[asked],
                answers=reading(found),
            )
        }
    }


def _reference() -> dict[str, Json]:
    moved = answer("It is one slash further.", {"type": "string"}, kind="text/html")
    page = answer("A page for people.", {"type": "string"}, kind="text/html")
    return {
        "": {"get": operation("reference_v3", "Find the reference", answers=reading({308: moved}))},
        "/": {"get": operation("reference_v3_page", "Read the reference", answers=reading({200: page}))},
    }
