"""POST /results/batch: many results in one request, stored as one page."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...domain.page import Committed
from ...errors import ReusedKeyError
from ...wire.batch import TooManyError
from ...wire.body import Unparsable
from ...wire.resultsdb_json import dump
from ...wire.resultsdb_post import result_table
from ...wire.resultsdb_query import parameters
from ...wire.validation import RefusedBody, Wrong, problem, rule
from ..idempotency import HEADER, checked
from ..surroundings import Surroundings
from .intake import Intake
from .places import Places
from .reading import KINDS, Reading, TooLongError

ALL, EACH = "all", "each"
MODES = (ALL, EACH)
"""Store all or nothing; or each line that is good."""

GENTLE = 500
"""Results that each commit of mode `each` has: a single POST waits no longer than that takes."""


class Batches:
    """The endpoint. docs/api-batch.md says what is answered when."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._table = result_table(around.outcomes)
        self._reading = Reading(around.settings)
        self._places = Places()

    async def post(self, request: Request) -> Response:
        """Store a batch."""
        settings = self._around.settings
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in KINDS:
            return _told(415, f"Send a batch as one of these types: {', '.join(KINDS)}")
        access = self._around.access
        user = await access.submitter(request.scope)
        try:
            mode = _mode(request.url.query)
            intake = Intake(self._table, checked(request.headers.get(HEADER, "")), user)
            async with self._places.one():
                await self._reading.read(request.stream(), kind, intake)
                await access.permit_where_ruled(user, intake.testcases)
                return await self._stored(intake, mode)
        except TooManyError:
            return _told(413, f"A batch has at most {settings.max_batch} lines")
        except TooLongError:
            return _told(413, f"The body is longer than {settings.max_body_bytes} bytes")
        except Unparsable as err:
            return _told(400, f"The body is no JSON list: {err}")
        except RefusedBody as err:
            return _answer(400, {"validation_error": err.problems})
        except ReusedKeyError as err:
            return _told(422, str(err))

    async def _stored(self, intake: Intake, mode: str) -> Response:
        if not len(intake):
            return _told(400, "The batch is empty")
        if intake.refused and (mode == ALL or not intake.good):
            said = f"{len(intake.refused)} of {len(intake)} results are refused, nothing is stored"
            return _answer(400, {"message": said, "refused": len(intake.refused), "errors": intake.refused})
        committed = await self._committed(intake, mode)
        return _answer(
            200 if intake.refused else 201,
            {
                "seq": await self._seq(committed),
                "stored": committed.stored,
                "same": committed.same,
                "refused": len(intake.refused),
                "ids": intake.placed(committed.ids),
                "errors": intake.refused,
            },
        )

    async def _committed(self, intake: Intake, mode: str) -> Committed:
        """Store all in one transaction, or each for itself in several. Raises ReusedKeyError."""
        total = Committed()
        for page in intake.pages(intake.good if mode == ALL else GENTLE):
            total += await run_in_threadpool(self._around.store.commit_page, page)
        return total

    async def _seq(self, committed: Committed) -> int:
        """Return the commit that has the results: a retry is told the one of the first time.

        Where they were pruned since, it is told the commit in which they left.
        """
        if committed.seq:
            return committed.seq
        store, last = self._around.store, max(committed.ids)
        gone = await self._around.read(store.pruning.page_of, last)
        return gone.seq if gone else (await self._around.read(store.result, last)).seq


def _mode(query: str) -> str:
    """Read the parameters. Raises RefusedBody."""
    given = parameters(query)
    problems = [
        problem(Wrong("extra_forbidden", "Extra inputs are not permitted"), (name,), values[-1])
        for name, values in given.items()
        if name != "mode"
    ]
    mode = given.get("mode", [ALL])[-1]
    if mode not in MODES:
        problems.append(problem(rule(f"must be one of: {', '.join(MODES)}"), ("mode",), mode))
    if problems:
        raise RefusedBody(problems)
    return mode


def _told(status: int, message: str) -> Response:
    return _answer(status, {"message": message})


def _answer(status: int, said: dict[str, Any]) -> Response:
    return Response(dump(said), status_code=status, media_type="application/json")
