"""The document: all parts, in OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from . import answers
from .part import Part

ABOUT = (
    "One place for what is known about a build: CI results, from every source, kept for good."
    " Bodies and answers are JSON; times are UTC."
)


def document(parts: Sequence[Part]) -> dict[str, Any]:
    """Return the whole document; operations carry the tag of their part."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CI results",
            "version": version("ci-results"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": part.tag, "description": part.about} for part in parts],
        "paths": {path: _tagged(item, part.tag) for part in parts for path, item in part.paths.items()},
        "components": {
            "schemas": _joined(answers.SCHEMAS, *(part.schemas for part in parts)),
            "parameters": _joined(*(part.parameters for part in parts)),
            "responses": answers.RESPONSES,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _tagged(item: dict[str, Any], tag: str) -> dict[str, Any]:
    return {
        key: {"tags": [tag], **value} if isinstance(value, dict) else value for key, value in item.items()
    }


def _joined(*several: Any) -> dict[str, Any]:
    return {name: value for each in several for name, value in each.items()}
