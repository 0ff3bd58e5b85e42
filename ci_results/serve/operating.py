"""What operators and their machines ask of a server: is it well, and what does it do."""

from __future__ import annotations

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import NotFoundError, StoreError
from ..wire.resultsdb_json import dump
from ..wire.schemas import record
from .faults import told
from .metrics import CONTENT_TYPE, Metrics
from .openapi.answers import reading
from .openapi.part import Part, answer, operation
from .openapi.routes import DOCUMENT
from .surroundings import Surroundings

log = logging.getLogger(__name__)

WELL = "Health check OK"
AWAY = "Unable to communicate with database"


def routes(around: Surroundings, metrics: Metrics) -> list[Route]:
    """Return /healthcheck and /metrics."""

    async def healthcheck(request: Request) -> Response:
        return await health(around)

    async def figures(request: Request) -> Response:
        """Answer 503 where the store cannot be counted: a scrape that fails is seen."""
        return Response(await run_in_threadpool(metrics.text), media_type=CONTENT_TYPE)

    return [Route("/healthcheck", healthcheck), Route("/metrics", figures)]


def part() -> Part:
    """Return what the document says of them, and of itself."""
    problem = record("Policies could not be read anew: the old ones are in force.", {
        "problem": {"type": "string"},
    })  # fmt: skip
    well = record("", {"message": {"const": WELL}})
    well = {**well, "properties": {**well["properties"], "policies": problem}}
    figures = answer("Prometheus's text format.", {"type": "string"}, kind="text/plain")
    itself = answer("This.", {"type": "object", "required": ["openapi", "paths"]})
    found = {
        "/healthcheck": ("health", "Ask whether the server is well", answer("Results can be read.", well)),
        "/metrics": ("metrics", "Read the server's figures", figures),
        DOCUMENT: ("openapi", "Read this document", itself),
    }
    return Part(
        tag="Operation",
        about="For those who run the server, and for their machines.",
        paths={
            path: {"get": operation(name, summary, answers=reading({200: said}))}
            for path, (name, summary, said) in found.items()
        },
    )


async def health(around: Surroundings) -> Response:
    """Answer 200 if the store's results can be read, else 503; the log says why not.

    Decisions are made by the policies that were last read; where their files say something else that
    cannot be used, that is told as well.
    """
    try:
        await around.read(around.store.result, 0)
    except NotFoundError:
        pass
    except StoreError as err:
        log.warning("the store cannot be read", extra={"reason": str(err)})
        return told(503, AWAY)
    around.policies.current()
    problem = around.policies.state.problem
    if problem is None:
        return told(200, WELL)
    return Response(
        dump({"message": WELL, "policies": {"problem": problem}}), 200, media_type="application/json"
    )
