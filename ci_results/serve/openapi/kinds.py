"""JSON Schemas in words: "list of Result", "text or null", "one of PASSED, FAILED"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]

_WORDS: Mapping[str, str] = {"string": "text", "array": "list"}


def kind(schema: Json) -> str:
    """Say what a schema takes; a reference's name is written `[Result]`.

    >>> kind({"type": ["string", "null"]}), kind({"type": "array", "items": {"$ref": "#/x/Result"}})
    ('text or null', 'list of [Result]')
    """
    if "$ref" in schema:
        return f"[{schema['$ref'].rpartition('/')[2]}]"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind(each) for each in schema["anyOf"]))
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    types: str | list[str] = schema.get("type", "anything")
    if isinstance(types, list):
        return " or ".join(_WORDS.get(each, each) for each in types)
    if types == "array" and "items" in schema:
        return f"list of {kind(schema['items'])}"
    return _WORDS.get(types, types)


def fields(schema: Json) -> list[dict[str, Any]]:
    """Return the members of an object, with what each takes; of a list those of its elements."""
    schema = schema.get("items", schema)
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "where": "",
            "kind": kind(each),
            "about": each.get("description", ""),
            "default": None,
            "optional": name not in required,
        }
        for name, each in schema.get("properties", {}).items()
    ]
