"""ResultsDB's API 2.0, wire-compatible: COMPAT section 1. Routes only; the JSON comes from `wire`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ..call import Below
from ..openapi.part import Part
from ..surroundings import Surroundings
from . import described
from .app import ResultsDB

PREFIX = "/api/v2.0"
SERVICES = ("", "/resultsdb")
"""Before the prefix: nothing, or the name of the service, for clients that ask it alone."""


def routes(around: Surroundings) -> list[BaseRoute]:
    """Return the routes: at the peer's own path, and under the name of its service."""
    app = ResultsDB(around)
    return [Below(f"{service}{PREFIX}", app) for service in SERVICES]


def part(around: Surroundings) -> Part:
    """Return what the document says of them."""
    return described.part(around, PREFIX, SERVICES)
