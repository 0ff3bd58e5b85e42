"""Read a graph of tiers from a file: parts by name, each with its tier, what it needs, and its build."""

from __future__ import annotations

from typing import Any

from ..domain.subject import Subject
from ..domain.tiers import Node, Tiers
from ..errors import InvalidError


def read_tiers(graph: Any) -> Tiers:
    """Make the graph of {"glibc": {"tier": 1, "needs": [...], "subject": {"type": ..., "item": ...}}}.

    Raises InvalidError that names the part.
    """
    if not isinstance(graph, dict):
        raise InvalidError("a graph of tiers is a mapping of parts")
    nodes = {}
    for name, said in graph.items():
        if not isinstance(said, dict) or type(said.get("tier")) is not int:
            raise InvalidError(f"part {name!r} has no integer tier, as in {{tier: 1, needs: [], build: NVR}}")
        odd = sorted(set(said) - {"tier", "needs", "subject", "build"})
        if odd:
            raise InvalidError(f"part {name!r} has the unknown key {odd[0]!r}")
        needs, about = said.get("needs") or [], said.get("subject")
        if not isinstance(needs, list) or not all(isinstance(each, str) for each in needs):
            raise InvalidError(f"needs of part {name!r} must be a list of parts")
        if said.get("build") is not None:
            about = {"type": "koji_build", "item": said["build"]}
        if about is not None and not (
            isinstance(about, dict)
            and isinstance(about.get("type"), str)
            and isinstance(about.get("item"), str)
        ):
            raise InvalidError(f"subject of part {name!r} must have a type and an item")
        subject = None if about is None else Subject(about["type"], about["item"])
        nodes[name] = Node(said["tier"], tuple(needs), subject)
    return Tiers(nodes)
