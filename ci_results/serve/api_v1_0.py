"""The APIs at /api/v1.0: WaiverDB's and Greenwave's, together there, and each below its own name.

What both have in common is here: which request goes where, and errors in their words (COMPAT 2.2, 3.1).
What each of them adds is a Service; `app.peers` names them all.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from ..errors import AuthorityUnavailableError, ConflictError, InvalidError
from ..wire.body import Unparsable, parse
from ..wire.greenwave_request import UNREADABLE, RefusedRequest
from ..wire.resultsdb_json import dump
from .call import Below, Call, Gone
from .openapi.part import Part
from .telling import Told, message, tell
from .telling import told as told_elsewhere

PREFIX = "/api/v1.0"
GUARDED = tuple(f"{above}{PREFIX}/" for above in ("", "/waiverdb", "/greenwave"))
"""Where POSTs are looked at here, so that what is no JSON is refused in the peers' words."""

NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check your"
    " spelling and try again."
)
NOT_ALLOWED = "The method is not allowed for the requested URL."
NOT_JSON = "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
TEXT, JAVASCRIPT = b"text/plain; charset=utf-8", b"application/javascript"
FUNCTION = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}(\.[A-Za-z_$][A-Za-z0-9_$]{0,63}){0,4}")
"""What `callback` may name."""

Handler = Callable[[Call, str], Awaitable[None]]
"""Answers a call; it gets the name in the path, decoded, "" where there is none."""

Endpoints = Mapping[str, Mapping[str, Handler]]
"""Path -> method -> handler; a path may end in a name: {"/waivers/{id}": {"GET": show}}."""


def told(err: Exception) -> Told | None:
    """Return what the client is told of an error, None where it is none that we know."""
    match err:
        case RefusedRequest():
            return message(err.status, err.message)
        case Unparsable():
            return message(400, UNREADABLE)
        case ConflictError():
            return message(409, str(err))
        case AuthorityUnavailableError() if "LDAP" in str(err):
            told_elsewhere(err)  # which logs it
            return message(502, "The LDAP server is not reachable.")
    return told_elsewhere(err)


@dataclass(frozen=True, kw_only=True)
class Service:
    """One peer's API.

    name       "waiverdb": it is below /waiverdb as well
    endpoints  what is below PREFIX
    beside     what is beside PREFIX where the service is alone: {"/healthcheck": {"GET": health}}
    parts      what the document says of `endpoints` and `beside`; where another service has the word at
               PREFIX, only of the one below its own name
    told       its way to tell errors
    headers    what all its answers carry where it is alone
    """

    name: str
    endpoints: Endpoints
    beside: Endpoints
    parts: Sequence[Part] = ()
    told: Callable[[Exception], Told | None] = told
    headers: Sequence[tuple[bytes, bytes]] = field(default=())


class Dispatching:
    """The ASGI application below one prefix."""

    def __init__(
        self,
        endpoints: Endpoints,
        told: Callable[[Exception], Told | None] = told,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self.endpoints = endpoints
        self._told, self._headers = told, list(headers)
        self._named = {
            path.rpartition("/{")[0]: path for path in endpoints if path.endswith("}")
        }  # "/waivers" -> "/waivers/{id}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = Call(scope, receive, self._with_headers(send) if self._headers else send)
        endpoint, name = self._find(call.path)
        methods = self.endpoints.get(endpoint)
        scope["template"] = "" if methods is None else endpoint
        if methods is None:
            await tell(call, message(404, NOT_FOUND))
            return
        handler = methods.get("GET" if call.method == "HEAD" else call.method)
        if handler is None:
            await _refuse_method(call, methods)
            return
        try:
            await handler(call, name)
        except Gone:
            return
        except Exception as err:
            answer = self._told(err)
            if answer is None:
                raise
            await tell(call, answer)

    def _find(self, path: str) -> tuple[str, str]:
        """Return the endpoint at `path`, and the name in it."""
        if "%" in path:
            path = unquote(path).replace("\0", "\ufffd")
        if path in self.endpoints and "{" not in path:
            return path, ""
        above, _slash, name = path.rpartition("/")
        return (self._named.get(above, "nothing") if name else "nothing"), name

    def _with_headers(self, send: Send) -> Send:
        async def with_headers(said: Any) -> None:
            if said["type"] == "http.response.start":
                said["headers"] = [*said["headers"], *self._headers]
            await send(said)

        return with_headers


def routes(services: Sequence[Service]) -> list[BaseRoute]:
    """Return the routes of services that are together at PREFIX, and each alone.

    Of what two have at one path the first answers, but the last for "/".
    """
    together: dict[str, Mapping[str, Handler]] = {}
    for each in reversed(services):
        together |= each.endpoints
    together |= {path: said for path, said in services[-1].endpoints.items() if path in ("", "/")}
    found: list[BaseRoute] = [Below(PREFIX, Dispatching(together, _first(services)))]
    for each in services:
        alone = [
            Dispatching(endpoints, each.told, each.headers) for endpoints in (each.endpoints, each.beside)
        ]
        found += [Below(f"/{each.name}{PREFIX}", alone[0]), Below(f"/{each.name}", alone[1])]
    return found


def parts(services: Sequence[Service]) -> list[Part]:
    """Return what the document says of all of them."""
    return [part for each in services for part in each.parts]


async def json_of(call: Call) -> Any:
    """Return the JSON of a body. Raises RefusedRequest (415) where it does not say that it is; Unparsable."""
    if not call.sends_json:
        raise RefusedRequest(NOT_JSON, 415)
    return parse(await call.body())


async def answer_json(
    call: Call, said: Any, status: int = 200, *, jsonp: tuple[bytes, bytes] | None = None
) -> None:
    """Answer JSON, of a value or as it is in bytes.

    With `jsonp`, what stands before and after it in a call, to `?callback=f` as JavaScript.

    Raises InvalidError as `function_of` does.
    """
    body = said if isinstance(said, bytes) else dump(said)
    named = function_of(call) if jsonp else ""
    if not named or jsonp is None:
        await call.answer(status, body)
        return
    before, after = jsonp
    await call.answer(status, named.encode() + before + body.rstrip(b"\n") + after, JAVASCRIPT)


def function_of(call: Call) -> str:
    """Return the function that an answer is to call, "" for none.

    Raises InvalidError where `callback` names no function: whatever else stands there would be run.
    """
    named = parse_qs(call.query).get("callback", [""])[0] if "callback" in call.query else ""
    if named and not FUNCTION.fullmatch(named):
        raise InvalidError("callback must be the name of a function, like show or app.show")
    return named


async def healthcheck(call: Call, _name: str) -> None:
    """Answer that we are here."""
    await call.answer(200, b"Health check OK", TEXT)


async def _refuse_method(call: Call, methods: Mapping[str, Handler]) -> None:
    """Answer a method that an endpoint does not have, or OPTIONS, with those it has."""
    names = sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})
    allow = (b"allow", ", ".join(names).encode())
    if call.method == "OPTIONS":
        await call.answer(200, b"", b"text/html; charset=utf-8", [allow])
        return
    await tell(call, message(405, NOT_ALLOWED, allow))


def _first(found: Sequence[Service]) -> Callable[[Exception], Told | None]:
    """Return the way to tell errors of services that are together: the first that knows the error."""

    def tell_one(err: Exception) -> Told | None:
        return next((said for each in found if (said := each.told(err)) is not None), None)

    return tell_one
