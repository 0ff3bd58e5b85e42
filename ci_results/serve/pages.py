"""The routes of our own pages: each answers HTML, and under `.json` or `?format=json` the same facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ..errors import StoreError
from .answers import Answers
from .coverage import coverage
from .items import is_testcase, item, nearest
from .overview import overview
from .reading import Reader
from .unread import quarantine, raw_bytes, record


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
            Route("/index.json", self.first),
            Route("/coverage", self.coverage),
            Route("/coverage.json", self.coverage),
            Route("/find", self.find),
            Route("/item/{name:path}", self.item),
            Route("/quarantine", self.quarantine),
            Route("/quarantine.json", self.quarantine),
            Route("/quarantine/{number:int}", self.record),
            Route("/quarantine/{number:int}.json", self.record),
            Route("/quarantine/{number:int}/raw", self.raw),
            Route("/healthcheck", self.healthcheck),
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

    async def find(self, request: Request) -> Response:
        """Go where the name in the search box leads: an item, a component, or a testcase."""
        name = request.query_params.get("q", "").strip()
        if not name:
            return RedirectResponse("/", status_code=303)
        if await run_in_threadpool(is_testcase, self._reader, name):
            return RedirectResponse(
                f"/browse/results/testcase_by_day?testcase={quote(name, safe='')}", status_code=303
            )
        return RedirectResponse(f"/item/{quote(name, safe='')}", status_code=303)

    async def item(self, request: Request) -> Response:
        """Answer /item/NAME and /item/NAME.json; `format` tells apart a name that ends in .json."""
        name: str = request.path_params["name"]
        if "format" not in request.query_params:
            name = name.removesuffix(".json")
        facts = await run_in_threadpool(item, self._reader, name)
        if facts is not None:
            return self._answer(request, "item.html", facts)
        close = await run_in_threadpool(nearest, self._reader, name)
        return self._answer(request, "unknown.html", {"item": name, "nearest": close}, status=404)

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

    async def healthcheck(self, request: Request) -> Response:
        try:
            await run_in_threadpool(self._reader.ask, "select 1")
        except StoreError as err:
            return self._answers.json({"status": "failing", "reason": str(err)}, status=503)
        return self._answers.json({"status": "ok", "store": self._reader.path.name})

    async def missing(self, request: Request, error: Exception) -> Response:
        """Explain an address that leads nowhere."""
        return self._answer(request, "missing.html", {"what": request.url.path}, status=404)

    async def unreadable(self, request: Request, error: Exception) -> Response:
        """Explain a store that cannot answer now."""
        return self._answer(request, "unreadable.html", {"reason": str(error)}, status=503)

    def _answer(
        self, request: Request, template: str, facts: dict[str, Any], *, status: int = 200
    ) -> Response:
        asked = request.query_params.get("format", "")
        if asked == "json" or (not asked and request.url.path.endswith(".json")):
            return self._answers.json(facts, status=status)
        return self._answers.html(template, facts, path=request.url.path, now=self._clock(), status=status)
