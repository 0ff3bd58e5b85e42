"""POST /events: what happened to subjects, so that results are expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...domain.expectation import Event
from ...errors import CiResultsError
from ...operations.events import EventDoor, Taken, take_events
from ...wire.body import Unparsable, parse
from ...wire.decision_json import moment_text
from ...wire.events import read_events
from ...wire.resultsdb_json import dump
from ...wire.validation import RefusedBody
from .. import telling
from ..surroundings import Surroundings

KINDS = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json")
"""Media types of events."""


class Events:
    """The endpoint. docs/decisions.md says what is answered when."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def post(self, request: Request) -> Response:
        """Take one event or several, all or none."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in KINDS:
            return _answer(415, {"message": f"Send events as one of these types: {', '.join(KINDS)}"})
        try:
            return await self._taken(request)
        except Unparsable as err:
            return _answer(400, {"message": f"The body is no JSON: {err}"})
        except (RefusedBody, CiResultsError) as err:
            answer = telling.told(err)
            if answer is None:
                raise
            headers = {name.decode(): value.decode() for name, value in answer.headers}
            return Response(dump(answer.said), answer.status, headers, media_type="application/json")

    async def _taken(self, request: Request) -> Response:
        access, around = self._around.access, self._around
        user = await access.submitter(request.scope)
        policies = around.policies.current()
        events = read_events(parse(await request.body()), policies.subject_types)
        await access.permit_where_ruled(user, (name for event in events for name in event.testcases))
        door = EventDoor(store=around.store, policies=policies, rules=around.events, now=around.clock)
        taken = await run_in_threadpool(_take, door, events, user.name)
        return _answer(
            201 if any(each.new for each in taken) else 200, {"events": [told(each) for each in taken]}
        )


def _take(door: EventDoor, events: Sequence[Event], actor: str) -> list[Taken]:
    return take_events(door, events, actor)


def told(each: Taken) -> dict[str, Any]:
    """Return what became of one event, as JSON."""
    return {
        "id": each.key,
        "source": each.source,
        "subject_type": each.subject_type,
        "subject_identifier": each.subject_identifier,
        "seq": each.seq,
        "new": each.new,
        "expected": [
            {
                "testcase": one.testcase,
                "since": moment_text(one.since),
                "due": None if one.due is None else moment_text(one.due),
                "owner": one.owner,
            }
            for one in each.expected
        ],
    }


def _answer(status: int, said: dict[str, Any]) -> Response:
    return Response(dump(said), status_code=status, media_type="application/json")
