"""Recording: judge gating points by what the store holds, and say what is to be written down."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from ..decide.judge import judge
from ..domain.asked import Request
from ..domain.decision import Decision
from ..domain.delivery import Position
from ..domain.facts import Facts
from ..domain.recorded import Followed, GatingPoint, PlanNews, RecordedDecision
from ..errors import BusyError, InvalidError, PluginError, TooBroadError
from ..wire.decision_event import missing, proof, shape_of, told_to_peers
from .concerning import Cause
from .gate import Gate, read_facts

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=1)
"""When what could not be judged is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is to be written in one transaction.

    to         how far the follower is with it, None = where it was
    postponed  how many of `followed` could not be judged now
    """

    decisions: Sequence[RecordedDecision] = ()
    followed: Sequence[Followed] = ()
    plans: Sequence[PlanNews] = ()
    to: Position | None = None
    postponed: int = 0


class Recording:
    """Judges gating points: what is read of a subject is read once for all of its contexts."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def judge(self, causes: Mapping[GatingPoint, Cause]) -> Judged:
        """Judge; a decision is recorded where it differs from the one before."""
        decisions: list[RecordedDecision] = []
        followed: list[Followed] = []
        postponed = 0
        for (subject, version), group in groupby(sorted(causes), key=lambda point: point[:2]):
            points = list(group)
            contexts = tuple(point.context for point in points)
            request = Request(subjects=(subject,), product_version=version, contexts=contexts)
            try:
                facts = read_facts(self._gate, request)
                made = [self._one(point, causes[point], request, facts) for point in points]
            except (BusyError, PluginError, TooBroadError, InvalidError) as err:
                log.warning("decision postponed", extra={"subject": str(subject), "reason": str(err)})
                later = self._gate.now() + AGAIN
                digest = self._gate.policies.digest
                followed += [causes[point].before._replace(wake=later, digest=digest) for point in points]
                postponed += len(points)
                continue
            followed += [stands for _, stands in made]
            decisions += [decision for decision, _ in made if decision is not None]
        return Judged(decisions=decisions, followed=followed, postponed=postponed)

    def _one(
        self, point: GatingPoint, cause: Cause, request: Request, facts: Facts
    ) -> tuple[RecordedDecision | None, Followed]:
        """Return the decision where it is another one, and how the gating point stands now."""
        before, policies = cause.before, self._gate.policies
        only = Request(
            subjects=request.subjects, product_version=request.product_version, contexts=(point.context,)
        )
        decided = judge(policies, only, facts)
        kept = told_to_peers(decided, policies.subject_types)
        looks = shape_of(str(decided.verdict), kept)
        stands = before._replace(digest=policies.digest, wake=_wake(decided, facts))
        if looks == before.shape:
            return None, stands
        stands = stands._replace(number=before.number + 1, verdict=str(decided.verdict), shape=looks)
        recorded = RecordedDecision(
            point=point,
            number=stands.number,
            verdict=str(decided.verdict),
            old_verdict=before.verdict,
            satisfied=kept["policies_satisfied"],
            summary=kept["summary"],
            at=decided.now,
            as_of=decided.as_of,
            cause=cause.told(),
            digest=decided.digest,
            answer=kept,
            proof=proof(decided),
        )
        return recorded, stands


def _wake(decided: Decision, facts: Facts) -> datetime | None:
    """Return when the decision may change though nothing is stored: a waiver ends, a result is late."""
    moments = [
        waiver.expires_at
        for waivers in facts.waivers.values()
        for waiver in waivers
        if waiver.opened is not None and waiver.closed is None
    ]
    moments += [each.expected.due for each in missing(decided) if each.expected is not None]
    return min((moment for moment in moments if moment is not None and moment > facts.now), default=None)
