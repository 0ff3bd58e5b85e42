"""JSON Schema of what readers take: what `validation` refuses is no instance of it, and vice versa."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .validation import Field

Schema = Mapping[str, Any]

NO_NUL = r"^[^\x00]*$"


def text(about: str = "", *, least: int = 0, most: int | None = None, **more: Any) -> Schema:
    """Return the schema of a text that can be stored.

    >>> text("A name.", least=1)
    {'type': 'string', 'pattern': '^[^\\\\x00]*$', 'minLength': 1, 'description': 'A name.'}
    """
    bounds = {"minLength": least} if least else {}
    if most is not None:
        bounds["maxLength"] = most
    return {"type": "string", "pattern": NO_NUL, **bounds, **more, **_about(about)}


def optional(schema: Schema) -> Schema:
    """Return a schema that takes null as well.

    >>> optional({"type": "string"}), optional({"$ref": "#/x"})
    ({'type': ['string', 'null']}, {'anyOf': [{'$ref': '#/x'}, {'type': 'null'}]})
    """
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return {"anyOf": [schema, {"type": "null"}]}


def table(fields: Mapping[str, Field], about: str = "", **more: Any) -> Schema:
    """Return the schema of an object that is read by a table of fields."""
    return {
        "type": "object",
        **_about(about),
        "required": [name for name, field in fields.items() if field.required],
        "properties": {
            name: field.schema if field.required or not field.nullable else optional(field.schema)
            for name, field in fields.items()
        },
        **more,
    }


def record(about: str, properties: Mapping[str, Schema], **more: Any) -> Schema:
    """Return the schema of an object that always has all these members."""
    return {
        "type": "object",
        **_about(about),
        "required": list(properties),
        "properties": dict(properties),
        **more,
    }


def list_of(items: Schema, about: str = "", **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **more, **_about(about)}


def any_of(about: str, *schemas: Schema) -> Schema:
    """Return the schema of what one of these takes."""
    return {"anyOf": list(schemas), **_about(about)}


def reference(name: str) -> Schema:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _about(text: str) -> Schema:
    return {"description": text} if text else {}
