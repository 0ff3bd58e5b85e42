"""Gated: decide about one subject at several gates, by facts that are read once a product version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from ..decide.gates import GateName
from ..decide.judge import judge
from ..domain.asked import Request
from ..domain.decision import Decision, Requirement, Verdict
from ..domain.purpose import Purpose
from ..domain.search import Search
from ..domain.stored import Fact
from ..domain.subject import Subject
from ..store.protocol import Store
from .gate import Gate, read_facts

_WORST = {verdict: number for number, verdict in enumerate(Verdict)}


def decisions(
    gate: Gate, subject: Subject, names: Iterable[GateName], purposes: frozenset[Purpose] = frozenset()
) -> list[Decision]:
    """Decide about `subject` at each gate, the worst verdict first. Raises as `gate.decide` does.

    All decisions about one product version stand as of the same commit.
    """
    found = []
    for version, group in groupby(sorted(names), key=lambda name: name.product_version):
        contexts = tuple(name.context for name in group)
        whole = Request(subjects=(subject,), product_version=version, contexts=contexts, purposes=purposes)
        facts = read_facts(gate, whole)
        found += [judge(gate.policies, replace(whole, contexts=(each,)), facts) for each in contexts]
    return sorted(found, key=lambda each: _WORST[each.verdict])


def single(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Return what people look at one by one: parts where all must pass, itself where there is a choice."""
    return [leaf for each in requirements for leaf in each.counted()]


def last_results(store: Store, testcase: str, last: int) -> Sequence[Fact]:
    """Return the last results of a testcase, whatever was tested, the newest first."""
    return store.search(Search(testcases=(testcase,), limit=last))
