"""POST /reports: report files of any format, packed or not, stored as results of one item."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...domain.page import Committed
from ...domain.user import User
from ...operations.report import Options, named_testcases, report_inputs
from ...operations.reporting.about import About, Filed, filed_values
from ...operations.reporting.inputs import Input
from ...wire.resultsdb_json import dump
from ...wire.validation import RefusedBody
from ..faults import told
from ..surroundings import Surroundings
from .places import Places
from .report_query import about
from .upload import KINDS, MULTIPART, PROOF, kind_of, uploaded

ARRIVING = 8
"""Uploads at once; each is on disk."""

GENTLE = 500
"""Results that each commit has: a single POST waits no longer than that takes."""


class Reports:
    """The endpoint. docs/api-reports.md says what is answered when."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._arriving = Places("reports", ARRIVING)
        self._working = Places("reports")
        self._options = Options(
            vocabulary=around.outcomes, limits=around.reports.table.unpack, page_rows=GENTLE
        )

    async def post(self, request: Request) -> Response:
        """Store reports."""
        kind = kind_of(request)
        if kind not in KINDS:
            return told(415, f"Send a report as one of these types: {', '.join(KINDS)}")
        if kind == MULTIPART and not request.headers.get(PROOF):
            return told(415, f"Send a form with a header {PROOF}, e.g. {PROOF}: curl")
        access = self._around.access
        user = await access.submitter(request.scope)
        try:
            said = about(request.url.query, self._around.reports, user)
        except RefusedBody as err:
            return _answer(400, {"validation_error": err.problems})
        async with AsyncExitStack() as held:
            await held.enter_async_context(self._arriving.one())
            found = await uploaded(request, held)
            await held.enter_async_context(self._working.one())
            await self._permit(user, found, said)
            filed = await run_in_threadpool(self._store, found, said)
        return _told(filed, said)

    async def _permit(self, user: User, found: Sequence[Input], said: About) -> None:
        """Let the user store all that the reports say, or nothing of it: so they are read once before."""
        access, around = self._around.access, self._around
        if access.permissions:
            names = await run_in_threadpool(
                named_testcases, found, said, around.store, around.plugins(), self._options
            )
            await access.permit_where_ruled(user, names)

    def _store(self, found: Sequence[Input], said: About) -> list[Filed]:
        around = self._around
        return list(report_inputs(found, said, around.store, around.plugins(), self._options))


def _told(filed: Sequence[Filed], said: About) -> Response:
    """Say what became of the files, and where to look next."""
    counts = sum((one.counts for one in filed), Committed())
    unread = [one for one in filed if one.state == "unreadable"]
    kept = any(one.state == "stored" for one in filed)
    status = 201 if kept else 200 if any(one.state == "same" for one in filed) else 422
    results = f"/api/v2.0/results?{urlencode({'item': said.item})}"
    answer: dict[str, Any] = {
        "stored": counts.stored,
        "same": counts.same,
        "superseding": counts.superseding,
        "quarantined": counts.quarantined,
        "files": [filed_values(one) for one in filed],
        "results": results,
        "quarantine": "/quarantine" if unread or counts.quarantined else None,
        "next": f"ci-results quarantine list --source {said.source}" if unread else f"GET {results}",
    }
    if status == 422:
        why = "; ".join(f"{one.file}: {one.reason}" for one in (unread or filed)[:5])
        where = "; it is kept at /quarantine" if unread else ""
        answer = {"message": f"Nothing could be read: {why}{where}", **answer}
    return _answer(status, answer)


def _answer(status: int, said: dict[str, Any]) -> Response:
    return Response(dump(said), status_code=status, media_type="application/json")
