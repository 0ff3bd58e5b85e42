"""Our own API: what no peer has. Answers are JSON, errors `{"message": ...}`."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from ..openapi.part import Part
from ..surroundings import Surroundings
from . import described, described_decisions, described_events, described_manual, described_reports
from .batch import Batches
from .decisions import Decisions
from .events import Events
from .manual import Manual
from .reports import Reports

PREFIX = "/api/ci/v1"
REPORTS = f"{PREFIX}/reports"
EVENTS = f"{PREFIX}/events"


def routes(around: Surroundings) -> list[BaseRoute]:
    """Return the routes."""
    manual, decisions = Manual(around), Decisions(around)
    return [
        Route(f"{PREFIX}/results/batch", Batches(around).post, methods=["POST"]),
        Route(EVENTS, Events(around).post, methods=["POST"]),
        Route(REPORTS, Reports(around).post, methods=["POST"]),
        Route(f"{PREFIX}/decision", decisions.decision, methods=["GET", "POST"]),
        Route(f"{PREFIX}/policies", decisions.policies),
        Route(f"{PREFIX}/manual/plans", manual.plans),
        Route(f"{PREFIX}/manual/plans/{{plan}}", manual.either, methods=["GET", "POST"]),
        Route(f"{PREFIX}/manual/status", manual.status),
        Route(f"{PREFIX}/manual/results", manual.record, methods=["POST"]),
    ]


def parts(around: Surroundings) -> list[Part]:
    """Return what the document says of them."""
    return [
        described.part(around, PREFIX),
        described_events.part(around, EVENTS),
        described_reports.part(around, REPORTS),
        described_manual.part(around, PREFIX),
        described_decisions.part(around, PREFIX),
    ]
