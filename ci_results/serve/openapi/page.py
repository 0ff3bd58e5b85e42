"""The document as a page shows it: operations by API, their parameters, examples and answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from .curl import command
from .kinds import fields, kind

Json = Mapping[str, Any]
METHODS = ("post", "get")
"""In the order of the page: what is told before what is asked, so that its examples work in order."""


def facts(document: Json, root: str) -> dict[str, Any]:
    """Return what the template shows; `root` is our address as the reader sees it."""
    return {
        "about": document["info"]["description"],
        "version": document["info"]["version"],
        "root": root,
        "parts": [
            {**tag, "operations": list(_operations(document, tag["name"], root))} for tag in document["tags"]
        ],
        "errors": [_answer(document, *found) for found in _errors(document)],
        "schemas": [
            {
                "name": name,
                "about": schema.get("description", ""),
                "kind": kind(schema),
                "fields": fields(schema),
            }
            for name, schema in document["components"]["schemas"].items()
        ],
    }


def _operations(document: Json, tag: str, root: str) -> Iterator[dict[str, Any]]:
    """Yield the operations of a tag; a path that only adds a slash to another is named with that.

    One that only leads to another with a slash is left out.
    """
    leading = {path for path, item in document["paths"].items() if _leads(item)}
    paths = {path: item for path, item in document["paths"].items() if path not in leading}
    for path, item in paths.items():
        if path.endswith("/") and path[:-1] in paths:
            continue
        also = f"{path}/" if f"{path}/" in paths else ""
        for method in METHODS:
            if method in item and tag in item[method]["tags"]:
                yield {"path": path, "also": also, **_operation(document, path, method, root)}


def _leads(item: Json) -> bool:
    """Say whether all that a path answers is that it is another."""
    said = [item[method]["responses"] for method in METHODS if method in item]
    return bool(said) and all(
        {"302", "308"} & responses.keys() and "200" not in responses for responses in said
    )


def _operation(document: Json, path: str, method: str, root: str) -> dict[str, Any]:
    operation = document["paths"][path][method]
    parameters = [_resolved(document, each) for each in operation.get("parameters", [])]
    answers = operation["responses"].items()
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "summary": operation["summary"],
        "about": operation.get("description", ""),
        "users": _users(operation),
        "parameters": [_parameter(each) for each in parameters],
        "bodies": _bodies(operation),
        "curl": command(root, path, method, operation, parameters),
        "answers": [_answer(document, status, said) for status, said in answers if "$ref" not in said],
        "errors": [(status, _name(said)) for status, said in answers if "$ref" in said],
    }


def _users(operation: Json) -> str:
    ways = operation.get("security", [])
    if not ways:
        return ""
    if {} in ways:
        return "A header `Authorization: Bearer TOKEN` says who does it."
    return "Needs a header `Authorization: Bearer TOKEN`."


def _parameter(given: Json) -> dict[str, Any]:
    return {
        "name": given["name"],
        "where": given["in"],
        "kind": kind(given["schema"]),
        "about": given["description"],
        "default": given["schema"].get("default"),
        "optional": False,
    }


def _bodies(operation: Json) -> list[dict[str, str]]:
    content = operation.get("requestBody", {}).get("content", {})
    return [{"type": name, "kind": kind(said["schema"])} for name, said in content.items()]


def _answer(document: Json, status: str, said: Json) -> dict[str, Any]:
    name, said = _name(said), _resolved(document, said)
    bodies = said.get("content", {})
    return {
        "status": status,
        "words": HTTPStatus(int(status)).phrase,
        "name": name,
        "about": said["description"],
        "headers": list(said.get("headers", {})),
        "bodies": [{"type": kind_, "kind": kind(each["schema"])} for kind_, each in bodies.items()],
        "examples": [text for each in bodies.values() for text in _examples(each)],
    }


def _examples(content: Json) -> Iterator[str]:
    for each in content.get("examples", {}).values():
        yield json.dumps(each["value"], indent=2)
    if "example" in content:
        yield json.dumps(content["example"], indent=2)


def _errors(document: Json) -> list[tuple[str, Json]]:
    """Return each shared answer once, by status."""
    found = {
        (status, said["$ref"]): said
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, Mapping)
        for status, said in operation["responses"].items()
        if "$ref" in said
    }
    return [(status, said) for (status, _reference), said in sorted(found.items())]


def _resolved(document: Json, given: Json) -> Json:
    if "$ref" not in given:
        return given
    _hash, *steps = given["$ref"].split("/")
    found: Any = document
    for step in steps:
        found = found[step]
    resolved: Json = found
    return resolved


def _name(said: Json) -> str:
    return str(said.get("$ref", "")).rpartition("/")[2]
