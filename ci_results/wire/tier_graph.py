"""Read a graph of tiers: parts by name, each with its tier, what it needs, and its build. docs/tiers.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..domain.subject import Subject
from ..domain.tiers import Node, Tiers
from ..errors import InvalidError

_KEYS = {"tier", "needs", "subject", "build"}


def _plain(said: dict[str, Any]) -> Subject:
    kind, item = said.get("type"), said.get("item")
    if not isinstance(kind, str) or not isinstance(item, str):
        raise InvalidError("it must have a type and an item")
    return Subject(kind, item)


def read_tiers(graph: Any, subject_of: Callable[[dict[str, Any]], Subject] = _plain) -> Tiers:
    """Make the graph of {"glibc": {"tier": 1, "needs": [...], "build": "glibc-2.39-1.fc40"}}.

    Instead of a build a part may have a "subject", as {"type": ..., "item": ...}, of which `subject_of`
    makes one and may raise InvalidError. Raises InvalidError that names the part.
    """
    if not isinstance(graph, dict):
        raise InvalidError("a graph of tiers is a mapping of parts")
    nodes = {}
    for name, said in graph.items():
        if not isinstance(said, dict) or type(said.get("tier")) is not int:
            raise InvalidError(f"part {name!r} has no integer tier, as in {{tier: 1, needs: [], build: NVR}}")
        odd = sorted(set(map(str, said)) - _KEYS)
        if odd:
            raise InvalidError(f"part {name!r} has the unknown key {odd[0]!r}")
        needs, about = said.get("needs") or [], said.get("subject")
        if not isinstance(needs, list) or not all(isinstance(each, str) for each in needs):
            raise InvalidError(f"needs of part {name!r} must be a list of parts")
        if said.get("build") is not None:
            about = {"type": "koji_build", "item": said["build"]}
        if about is not None and not isinstance(about, dict):
            raise InvalidError(f"subject of part {name!r} must have a type and an item")
        try:
            subject = None if about is None else subject_of(about)
        except InvalidError as err:
            raise InvalidError(f"subject of part {name!r} cannot be used: {err}") from err
        nodes[name] = Node(said["tier"], tuple(needs), subject)
    return Tiers(nodes)
