"""Tiers: what is to be rebuilt in which order, as a graph of builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from ..errors import InvalidError, shown
from .subject import Subject

MAX_TIERS = 50
MAX_PARTS = 2_000


class Node(NamedTuple):
    """One part to build: its tier (1 is built first), what it needs, and its build, where there is one."""

    tier: int
    needs: tuple[str, ...] = ()
    subject: Subject | None = None


@dataclass(frozen=True, slots=True)
class Tiers:
    """A graph of parts by name. Raises InvalidError for an unknown part and for a cycle, naming it.

    A part needs parts of its own tier or earlier ones; MAX_PARTS and MAX_TIERS bound what it costs.

    >>> tiers = Tiers({"a": Node(1), "b": Node(1), "c": Node(2, ("a",)), "d": Node(3, ("c",))})
    >>> tiers.closure("d"), tiers.tier_before("c")
    (('a', 'c'), ('a', 'b'))
    """

    nodes: Mapping[str, Node]
    _order: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _by_subject: Mapping[Subject, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.nodes) > MAX_PARTS:
            raise InvalidError(f"more than {MAX_PARTS} parts")
        for name, node in self.nodes.items():
            for needed in node.needs:
                if needed not in self.nodes:
                    raise InvalidError(f"{shown(name)} needs {shown(needed)}, which is no part of the graph")
                if self.nodes[needed].tier > node.tier:
                    raise InvalidError(f"{shown(name)} needs {shown(needed)}, which is of a later tier")
        if len({node.tier for node in self.nodes.values()}) > MAX_TIERS:
            raise InvalidError(f"more than {MAX_TIERS} tiers")
        graph = {name: self.nodes[name].needs for name in sorted(self.nodes)}
        try:
            order = tuple(TopologicalSorter(graph).static_order())
        except CycleError as err:
            raise InvalidError(f"a cycle of parts: {' -> '.join(reversed(err.args[1]))}") from err
        object.__setattr__(self, "_order", order)
        named = {node.subject: name for name, node in self.nodes.items() if node.subject is not None}
        object.__setattr__(self, "_by_subject", named)

    @property
    def order(self) -> tuple[str, ...]:
        """All parts, each behind what it needs."""
        return self._order

    def name_of(self, subject: Subject) -> str | None:
        """Return the part whose build `subject` is."""
        return self._by_subject.get(subject)

    def closure(self, name: str) -> tuple[str, ...]:
        """Return all that `name` needs, directly or not, what is built first first."""
        needed: set[str] = set()
        waiting = list(self.nodes[name].needs)
        while waiting:
            part = waiting.pop()
            if part not in needed:
                needed.add(part)
                waiting.extend(self.nodes[part].needs)
        return tuple(part for part in self._order if part in needed)

    def tier_before(self, name: str) -> tuple[str, ...]:
        """Return all parts of the tier before that of `name`, whether it needs them or not."""
        before = {node.tier for node in self.nodes.values() if node.tier < self.nodes[name].tier}
        return tuple(part for part in self._order if before and self.nodes[part].tier == max(before))
