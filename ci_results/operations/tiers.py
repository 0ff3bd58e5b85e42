"""Tiers: read a graph of builds, and plan by what the store holds what is to be done with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..decide import tier_plan
from ..decide.tier_plan import Scope, Step
from ..decide.yaml_tree import Unreadable, plain, read_documents
from ..domain.asked import Request
from ..domain.tiers import Tiers
from ..errors import ConfigError, InvalidError
from ..wire.tier_graph import read_tiers
from .gate import Gate, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to plan: these parts and what they wait for, or what a change of some makes necessary; () = all.

    context  its policies say what "good" means
    """

    parts: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    scope: Scope = Scope.CLOSURE
    context: str
    product_version: str


def read_graph(file: Path) -> Tiers:
    """Read a graph in YAML or JSON. Raises ConfigError with file, and line where that is known."""
    try:
        documents = list(read_documents(file.read_bytes()))
        if len(documents) != 1:
            raise InvalidError("a graph of tiers is one mapping of parts")
        node = documents[0]
        for name, line in node.repeated:
            raise Unreadable(f"part {name!r} stands twice", line)
        return read_tiers(plain(node))
    except Unreadable as err:
        place = f"{file}:{err.line}" if err.line else str(file)
        raise ConfigError(f"{place}: {' '.join(err.message.split())}") from err
    except InvalidError as err:
        raise ConfigError(f"{file}: {err}") from err
    except OSError as err:
        raise ConfigError(f"{file}: cannot be read: {err.strerror or err}") from err


def plan(gate: Gate, tiers: Tiers, asked: Asked) -> list[Step]:
    """Return what is to be done with each part, in the order in which they are built.

    Raises InvalidError for a part that is not in the graph.
    """
    order = tier_plan.chosen(tiers, asked.parts, asked.changed, asked.scope)
    looked_at = dict.fromkeys((*order, *_before(tiers, order, asked.scope)))
    built = {subject: name for name in looked_at if (subject := tiers.nodes[name].subject) is not None}
    decided = {}
    if built:
        request = Request(
            subjects=tuple(built),
            product_version=asked.product_version,
            contexts=(asked.context,),
            tiers=tiers,
        )
        decided = {built[each.subject]: each for each in decide(gate, request).subjects}
    rebuilt = tier_plan.affected(tiers, asked.changed)
    required = tier_plan.required_of(gate.policies, asked.product_version, asked.context)
    return tier_plan.plan(tiers, order, asked.scope, decided, required, rebuilt)


def _before(tiers: Tiers, order: Iterable[str], scope: Scope) -> list[str]:
    return [one for name in order for one in tier_plan.before(tiers, name, scope)]
