"""What the API tells of itself and of its policies, and its ways to tell errors."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qs

from ...decide.explain import chosen
from ...decide.gating_file import validate
from ...decide.yaml_tree import Unreadable
from ...errors import BusyError, CollectError
from ...wire import greenwave_listing as listing
from ...wire.greenwave_request import RefusedRequest
from .. import api_v1_0
from ..api_v1_0 import PREFIX, TEXT, answer_json
from ..call import Call
from ..surroundings import Surroundings
from ..telling import Told, message

SPEAKS = "2.3.0"
"""The Greenwave whose API this is."""

CALLED = (b"(", b"\n);")
"""Around JSON for `?callback=f`."""

STRICT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def headers(origins: Collection[str]) -> list[tuple[bytes, bytes]]:
    """Return what every answer carries where the service is alone; `origins`: whose pages may read it."""
    if not origins:
        return [STRICT]
    return [
        STRICT,
        (b"access-control-allow-headers", b"Content-Type"),
        (b"access-control-allow-method", b"POST, OPTIONS"),
    ]


def told(err: Exception) -> Told | None:
    """Return what the client is told of an error, None where it is none that we know."""
    match err:
        case CollectError():
            return message(502, str(err))
        case BusyError():
            return message(503, str(err), (b"retry-after", b"1"))
    return api_v1_0.told(err)


class Telling:
    """The handlers; each answers the call it is given.

    alone  the path of the service by itself, "/greenwave"
    """

    def __init__(self, around: Surroundings, alone: str) -> None:
        self._around, self._alone = around, alone

    async def landing(self, call: Call, _name: str) -> None:
        """Say where everything is, and what outcomes mean."""
        settings = self._around.policies.current().settings
        alone = call.base.removeprefix(call.root).startswith(self._alone)
        said = {
            "documentation": f"{call.root}/api",
            "api_v1": f"{call.root}{self._alone if alone else ''}{PREFIX}",
            "resultsdb_api": f"{call.root}/api/v2.0",
            "waiverdb_api": f"{call.root}{PREFIX}",
            "koji_api": None,
            "outcomes_passed": sorted(settings.outcomes_passed),
            "outcomes_error": sorted(settings.outcomes_error),
            "outcomes_incomplete": sorted(settings.outcomes_incomplete),
            "remote_rule_policies": dict(settings.remote_rule_policies),
        }
        await answer_json(call, said)

    async def move(self, call: Call, _name: str) -> None:
        """Send the client one slash further."""
        await _move(call, 308, "/")

    async def version(self, call: Call, _name: str) -> None:
        """Send the client to where the version is told."""
        await _move(call, 302, "/about")

    async def about(self, call: Call, _name: str) -> None:
        """Say which API this is."""
        await answer_json(call, {"version": SPEAKS}, jsonp=CALLED)

    async def policies(self, call: Call, _name: str) -> None:
        """List the policies that are in force; those that are asked for, where somebody asks."""
        asked = parse_qs(call.query)
        found = chosen(
            self._around.policies.current(),
            product_version=_first(asked, "product_version"),
            contexts=tuple(asked.get("decision_context", ())),
            subject_type=_first(asked, "subject_type"),
        )
        await answer_json(call, {"policies": list(map(listing.policy, found))}, jsonp=CALLED)

    async def subject_types(self, call: Call, _name: str) -> None:
        """List the types of subjects that are known."""
        found = listing.subject_types(self._around.policies.current().subject_types.types)
        await answer_json(call, {"subject_types": found}, jsonp=CALLED)

    async def validate(self, call: Call, _name: str) -> None:
        """Look at a remote rule file before it counts; it may call itself anything."""
        text = await call.body()
        try:
            # Parsed in a thread: eight megabytes of YAML take a while.
            said = await self._around.apart(validate, text, self._around.policies.current())
        except Unreadable as err:
            raise RefusedRequest(err.message) from err
        await answer_json(call, {"message": said}, jsonp=CALLED)


async def _move(call: Call, status: int, path: str) -> None:
    script = call.header(b"x-script-name").rstrip("/")
    below: str = call.scope["below"]
    place = (b"location", f"{script}{below}{path}".encode("latin-1", "replace"))
    await call.answer(status, b"", TEXT, [place])


def _first(asked: dict[str, list[str]], name: str) -> Any:
    return next(iter(asked.get(name, ())), None)
