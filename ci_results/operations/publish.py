"""Publish: a producer tells one result, on a bus or to a server; no store of its own, no account on ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson

from ..bus.choosing import choose
from ..domain.carried import Departure
from ..domain.outcome import Outcome
from ..domain.testcase import check_testcase
from ..errors import (
    CollectError,
    InvalidError,
    NotFoundError,
    SinkRefusedError,
    SinkUnavailableError,
    shown,
)
from ..plugin.http import SourceSession
from ..wire.resultsdb_client import refusal_in, to_time

TOPIC = "ci_results.published"
BATCH = "/api/ci/v1/results/batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a producer tells of one run that ended, or goes on.

    ref_url  of the run: with testcase and item it names the result, so that what is told twice is stored once
    time     when it ended, aware; None = when it is told
    """

    testcase: str
    outcome: str
    item: str
    item_type: str
    ref_url: str
    note: str | None = None
    time: datetime | None = None
    data: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return it as a ResultsDB takes it, which is what is read of a bus as well."""
        ended = {} if self.time is None else {"submit_time": to_time(self.time)}
        return {
            **ended,
            "testcase": self.testcase,
            "outcome": self.outcome,
            "ref_url": self.ref_url,
            "note": self.note,
            "data": {**self.data, "item": [self.item], "type": [self.item_type]},
        }

    @property
    def id(self) -> str:
        """The same whenever the same is told of the same run."""
        said = orjson.dumps(self.body(), option=orjson.OPT_SORT_KEYS)
        return blake2b(said, digest_size=16).hexdigest()


def checked(told: Published, more: Collection[str] = ()) -> Published:
    """Return `told` if our doors will take it; `more` are outcomes beside our own. Raises InvalidError."""
    check_testcase(told.testcase)
    if told.outcome not in {*map(str, Outcome), *more}:
        known = ", ".join([*map(str, Outcome), *more])
        raise InvalidError(f"outcome {shown(told.outcome)} is none of {known}")
    for name in ("item", "item_type"):
        if not getattr(told, name).strip():
            raise InvalidError(f"{name} is empty: a result is about something")
    if not told.ref_url.startswith(("http://", "https://")):
        raise InvalidError(f"ref_url {shown(told.ref_url)}: must be the address of the run, http or https")
    return told


def publish(told: Published, to: str, *, topic: str = TOPIC, token: str | None = None) -> str:
    """Tell it to a server ("https://ci-results.example") or on a bus ("spool:DIR"); return what came of it.

    It is there for good when this returns. Raises ConfigError, NotFoundError, SinkUnavailableError (try
    again), SinkRefusedError.
    """
    body = orjson.dumps(told.body())
    if to.startswith(("http://", "https://")):
        return _post(to.rstrip("/"), b"[" + body + b"]", told.id, token)
    bus = choose(to)
    with closing(bus.outlet()) as outlet:
        outlet.publish(
            [
                Departure(
                    topic=topic,
                    body=body,
                    id=told.id,
                    sent_at=told.time or datetime.now(UTC),
                    about=told.item,
                )
            ]
        )
    return f"is on {bus.name} as {told.id}"


def _post(server: str, body: bytes, key: str, token: str | None) -> str:
    url = f"{server}{BATCH}"
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"publish-{key}"}
    try:
        with SourceSession(server, token=token, attempts=3, leaves_origin=False) as http:
            reply = http.request("POST", url, data=body, headers=headers)
    except CollectError as err:
        raise SinkUnavailableError(str(err)) from err
    try:
        said = orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        said = None
    if reply.status_code == 404 or not isinstance(said, dict):
        raise NotFoundError(f"{url}: HTTP {reply.status_code}: no ci-results server answers there")
    if reply.status_code >= 500:
        raise SinkUnavailableError(f"{url}: HTTP {reply.status_code}: {refusal_in(said)}")
    if reply.status_code >= 400:
        raise SinkRefusedError(f"{url}: HTTP {reply.status_code}: {_refused(said)}")
    return f"is result {said['ids'][0]} of {server}"


def _refused(said: Mapping[str, Any]) -> str:
    faults = said.get("errors")
    first = faults[0] if isinstance(faults, list) and faults and isinstance(faults[0], dict) else said
    return refusal_in(first) or refusal_in(said)
