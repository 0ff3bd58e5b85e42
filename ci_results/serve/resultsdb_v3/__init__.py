"""ResultsDB's typed API, version 3, wire-compatible: COMPAT 1.10. Routes only; the JSON comes from `wire`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ..call import Below
from ..openapi.part import Part
from ..surroundings import Surroundings

PREFIX = "/api/v3"
SERVICES = ("", "/resultsdb")
"""Before the prefix: nothing, or the name of the service."""


def routes(around: Surroundings) -> list[BaseRoute]:
    """Return the routes, at the peer's own path and under the name of its service; none without tokens."""
    if not around.access.takes_tokens:
        return []
    from .app import TypedResultsDB  # its readers of addresses cost 50 ms that few servers need

    app = TypedResultsDB(around)
    login = around.access.login
    logins = [] if login is None else login.routes()
    return [*(Below(f"{service}{PREFIX}", app) for service in SERVICES), *logins]


def parts(around: Surroundings) -> list[Part]:
    """Return what the document says of them, but for logins, which are for browsers."""
    if not around.access.takes_tokens:
        return []
    from .described import part

    return [part(around, PREFIX, SERVICES)]
