"""Preview: what a waiver would do before it is given: which decisions it would turn, and how.

Each decision is judged twice, by the same facts: without the waiver, and with it as it would stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..decide.gates import GateName, gates_of
from ..decide.judge import judge
from ..decide.text import named, told_opening
from ..domain.asked import Request
from ..domain.decision import Decision, Requirement
from ..domain.facts import Facts
from ..domain.purpose import Purpose
from ..domain.subject import Subject
from ..domain.waiver import Act, Step, Terms, Turn, Waiver, WaiverEvent
from .gate import Gate, read_facts

UNBORN = 2**62
"""Number of a waiver that nobody has asked for yet: newer than all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one decision is without a waiver, and with it.

    waived  the requirements that it waives there
    """

    gate: GateName
    without: Decision
    granted: Decision
    waived: tuple[Requirement, ...]

    @property
    def turns(self) -> bool:
        """Whether the verdict is another one."""
        return self.without.verdict is not self.granted.verdict


def effects(gate: Gate, wanted: Waiver | Terms) -> list[Effect]:
    """Judge every decision that a waiver is about, without it and as if it were granted now.

    wanted  a waiver, in whatever state; or the terms of one that nobody has asked for yet

    A waiver for a purpose is tried in decisions for that purpose. Raises as `gate.decide` does.
    """
    terms = wanted if isinstance(wanted, Terms) else wanted.terms
    kind = gate.policies.subject_types.find(terms.subject_type)
    names = gates_of(gate.policies, kind, (terms.product_version,))
    if not names:
        return []
    subject = Subject(kind.id, terms.subject)
    request = Request(
        subjects=(subject,),
        product_version=terms.product_version,
        contexts=tuple(name.context for name in names),
        purposes=_named(terms),
    )
    facts = read_facts(gate, request)
    return [
        found
        for name in names
        if (found := foresee(gate, replace(request, contexts=(name.context,)), facts, wanted)).waived
    ]


def foresee(gate: Gate, request: Request, facts: Facts, wanted: Waiver | Terms) -> Effect:
    """Judge one decision twice. Pure: the policies of `gate` are all that is looked at."""
    granted = as_granted(wanted, facts.as_of, facts.now)
    without = replace(request, ignore_waivers=request.ignore_waivers | {granted.id})
    after = judge(gate.policies, request, with_waiver(facts, granted))
    return Effect(
        gate=GateName(request.product_version, ", ".join(request.contexts)),
        without=judge(gate.policies, without, facts),
        granted=after,
        waived=tuple(_waived_by(granted, after.requirements)),
    )


def told(effect: Effect) -> dict[str, Any]:
    """Return an effect as JSON has it: verdicts, what is waived, and what would block even so."""
    return {
        "product_version": effect.gate.product_version,
        "decision_context": effect.gate.context,
        "without": str(effect.without.verdict),
        "granted": str(effect.granted.verdict),
        "turns": effect.turns,
        "waives": [f"{named(each)}, which is {each.state}" for each in effect.waived],
        "still": [told_opening(each) for each in effect.granted.openings],
    }


def as_granted(wanted: Waiver | Terms, seq: int, now: datetime) -> Waiver:
    """Return the waiver as it would stand if it were granted with commit `seq`, at `now`."""
    number = UNBORN if isinstance(wanted, Terms) else wanted.id
    terms = wanted if isinstance(wanted, Terms) else wanted.terms
    opens = WaiverEvent(
        id=number,
        seq=seq,
        time=now,
        act=Act(
            step=Step.GRANT, username="", comment="", via="preview", waiver=number, turn=Turn.OPENS,
            terms=terms,
        ),
        hash="",
    )  # fmt: skip
    if isinstance(wanted, Terms):
        return Waiver(id=number, terms=terms, first=opens, opened=opens, last=number)
    return replace(wanted, opened=wanted.opened or opens, closed=None)


def with_waiver(facts: Facts, waiver: Waiver) -> Facts:
    """Return the facts with `waiver` among those of its subject, in place of the one of the same number."""
    found = dict(facts.waivers)
    for subject, waivers in facts.waivers.items():
        if subject.identifier == waiver.terms.subject:
            others = [each for each in waivers if each.id != waiver.id]
            found[subject] = sorted([waiver, *others], key=lambda each: each.id, reverse=True)
    return facts._replace(waivers=found)


def _named(terms: Terms) -> frozenset[Purpose]:
    """Return the purpose to ask for; that of a product or a context is named by every decision itself."""
    own = terms.purpose is None or terms.purpose.kind in ("product", "context")
    return frozenset() if own or terms.purpose is None else frozenset({terms.purpose})


def _waived_by(waiver: Waiver, requirements: Iterable[Requirement]) -> Iterator[Requirement]:
    for each in requirements:
        if each.waiver is not None and each.waiver.id == waiver.id:
            yield each
        else:
            yield from _waived_by(waiver, each.parts)
