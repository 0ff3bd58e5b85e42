"""Read a request for a decision as our own API takes it: in an address or in a body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..domain.asked import Request
from .greenwave_request import Reader, RefusedRequest

DEFAULT_TYPE = "koji_build"
PARAMETERS = ("item", "type", "product_version", "decision_context", "purpose", "baseline", "when")
_SEVERAL = ("item", "decision_context", "purpose")
_HOW = "; ask e.g. for ?item=bash-5.2-1.fc40&product_version=fedora-40&decision_context=push"


def of_query(asked: Mapping[str, Sequence[str]], reader: Reader) -> Request:
    """Return what the parameters of an address ask, each with its values. Raises RefusedRequest."""
    body: dict[str, Any] = {}
    for name, values in asked.items():
        if name not in PARAMETERS:
            raise RefusedRequest(f"{name[:40]!r} is no parameter; known are {', '.join(PARAMETERS)}")
        given = [value for value in values if value]
        if len(given) > 1 and name not in _SEVERAL:
            raise RefusedRequest(f"{name} is given {len(given)} times: leave one")
        if given:
            body[name] = given if name in _SEVERAL else given[0]
    return of_body(body, reader)


def of_body(body: Any, reader: Reader) -> Request:
    """Return what a body asks: {"item": "bash-5.2-1.fc40", "type": "koji_build", ...}; or a list of items.

    Its other members are those of Greenwave's requests. Raises RefusedRequest.
    """
    if not isinstance(body, dict):
        raise RefusedRequest("the body must be an object, with item, product_version and decision_context")
    if "subject" in body or "subject_type" in body:
        return reader.read(body)
    items = body.get("item")
    several = items if isinstance(items, list) else [items]
    if not items or not all(isinstance(each, str) and each for each in several):
        raise RefusedRequest(f"item names what is decided about, as text or as a list of texts{_HOW}")
    kind = body.get("type", DEFAULT_TYPE)
    if not isinstance(kind, str) or not kind:
        raise RefusedRequest("type is the type of all items, as text; without it: koji_build")
    for name in ("product_version", "decision_context"):
        if not body.get(name) and not (name == "decision_context" and body.get("rules")):
            raise RefusedRequest(f"{name} is missing{_HOW}")
    more = {name: value for name, value in body.items() if name not in ("item", "type")}
    return reader.read({**more, "subject": [{"type": kind, "item": each} for each in several]})
