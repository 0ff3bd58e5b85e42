"""What stands behind a decision, all of it: the latest results of its subjects, and their waivers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..domain.decision import Decision
from ..domain.search import Search
from ..domain.stored import Fact
from ..domain.waiver import Waiver
from ..store.identity import to_us
from .gate import Gate
from .gating.latest import Results


class Shown(NamedTuple):
    """Results of any testcase, the newest first of each question; and waivers, the newest first."""

    results: Sequence[Fact]
    waivers: Sequence[Waiver]


def shown(gate: Gate, decision: Decision) -> Shown:
    """Return them, without those that the request ignores. Raises StoreError.

    Subjects that no policy is for add nothing.
    """
    request, store = decision.request, gate.store
    subjects = [each.subject for each in decision.subjects if each.policies]
    reader = Results(store, gate.policies.subject_types)
    until = None if request.when is None else to_us(request.when)
    distinct = gate.policies.settings.distinct_latest_results_on
    results: dict[int, Fact] = {}
    for subject in subjects:
        for query in reader.queries(subject):
            for fact in store.latest(Search(attributes=query, until=until), distinct):
                if fact.id not in request.ignore_results:
                    results.setdefault(fact.id, fact)
    names = {name for each in subjects for name in gate.policies.subject_types.find(each.type).names}
    found = store.waivers.active([each.identifier for each in subjects], None, decision.as_of, decision.now)
    return Shown(
        list(results.values()),
        [
            each for each in found
            if each.terms.subject_type in names
            and each.terms.product_version == request.product_version
            and each.id not in request.ignore_waivers
        ],
    )  # fmt: skip
