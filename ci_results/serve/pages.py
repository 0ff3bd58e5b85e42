"""The routes of our own pages: each answers HTML, and under `.json` or `?format=json` the same facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .answers import Answers
from .coverage import coverage
from .overview import overview
from .reading import Reader
from .unread import quarantine, raw_bytes, record
from .visited import wants_json


class Pages:
    """Our own pages over one store. `clock` tells now, aware UTC."""

    def __init__(self, reader: Reader, answers: Answers, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._answers = answers
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the routes, the JSON twins among them."""
        return [
            Route("/", self.first),
            Route("/index", self.first),
            Route("/index.json", self.first),
            Route("/coverage", self.coverage),
            Route("/coverage.json", self.coverage),
            Route("/quarantine", self.quarantine),
            Route("/quarantine.json", self.quarantine),
            Route("/quarantine/{number:int}", self.record),
            Route("/quarantine/{number:int}.json", self.record),
            Route("/quarantine/{number:int}/raw", self.raw),
        ]

    async def first(self, request: Request) -> Response:
        facts = await run_in_threadpool(overview, self._reader)
        return self._answer(request, "first.html", facts)

    async def coverage(self, request: Request) -> Response:
        asked = request.query_params
        facts = await run_in_threadpool(
            coverage, self._reader, asked.get("source") or None, asked.get("coverage") or None
        )
        return self._answer(request, "coverage.html", facts)

    async def quarantine(self, request: Request) -> Response:
        facts = await run_in_threadpool(quarantine, self._reader, every="all" in request.query_params)
        return self._answer(request, "quarantine.html", facts)

    async def record(self, request: Request) -> Response:
        number = request.path_params["number"]
        facts = await run_in_threadpool(record, self._reader, number)
        if facts is None:
            return self._answer(request, "missing.html", {"what": f"quarantined record {number}"}, status=404)
        return self._answer(request, "record.html", facts)

    async def raw(self, request: Request) -> Response:
        """Hand out the untouched bytes as a file to save, never as something a browser would run."""
        number = request.path_params["number"]
        raw = await run_in_threadpool(raw_bytes, self._reader, number)
        if raw is None:
            return self._answer(request, "missing.html", {"what": f"quarantined record {number}"}, status=404)
        name = f"quarantined-{number}.bin"
        return Response(
            raw,
            media_type="application/octet-stream",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def missing(self, request: Request, error: Exception) -> Response:
        """Explain an address that leads nowhere."""
        return self._answer(request, "missing.html", {"what": request.url.path}, status=404)

    async def unreadable(self, request: Request, error: Exception) -> Response:
        """Explain a store that cannot answer now."""
        return self._answer(request, "unreadable.html", {"reason": str(error)}, status=503)

    def _answer(
        self, request: Request, template: str, facts: dict[str, Any], *, status: int = 200
    ) -> Response:
        if wants_json(request):
            return self._answers.json(facts, status=status)
        return self._answers.html(template, facts, path=request.url.path, now=self._clock(), status=status)
