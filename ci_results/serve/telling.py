"""Errors as answers of an API: which status, which words."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..errors import (
    AuthorityUnavailableError,
    ConfigError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    OverloadedError,
    ReusedKeyError,
    StoreError,
    TooBroadError,
    UnauthorisedError,
)
from ..wire.body import Unparsable
from ..wire.resultsdb_json import dump
from ..wire.resultsdb_post import ColonInKeyError
from ..wire.validation import RefusedBody
from .call import HTML, Call

log = logging.getLogger(__name__)

AWAY = "The store cannot be used now. Try again; whoever runs this server finds the reason in its log."
CHALLENGE = (b"www-authenticate", b'Bearer realm="ci_results"')


class Told(NamedTuple):
    """An error as it is answered; `said` becomes JSON."""

    status: int
    said: Any
    headers: tuple[tuple[bytes, bytes], ...] = ()


def message(status: int, text: str, *headers: tuple[bytes, bytes]) -> Told:
    """Return an answer in the peers' usual form."""
    return Told(status, {"message": text}, headers)


def told(err: Exception) -> Told | None:
    """Return what the client is told of an error, None where it is none that we know."""
    match err:
        case RefusedBody():
            return Told(400, {"validation_error": err.problems})
        case Unparsable():
            return message(400, "Bad request")
        case ReusedKeyError():
            return message(422, str(err))
        case ColonInKeyError() | InvalidError():
            return message(400, str(err))
        case UnauthorisedError():
            return message(401, str(err), CHALLENGE)
        case ForbiddenError():
            return message(403, str(err))
        case NotFoundError():
            return message(404, str(err))
        case ConfigError():
            log.error("a request failed for want of configuration", extra={"reason": str(err)})
            return message(500, "Internal Server Error")
        case AuthorityUnavailableError():
            log.error("nobody can say who a user is", extra={"reason": str(err)})
            return message(502, "Bad Gateway")
        case OverloadedError():
            return message(503, str(err), (b"retry-after", b"1"))
        case TooBroadError():
            return message(503, str(err))
        case StoreError():
            log.error("the store failed a request", extra={"reason": str(err)})
            return message(503, AWAY, (b"retry-after", b"5"))
    return None


async def tell(call: Call, answer: Told) -> None:
    """Send it."""
    await call.answer(answer.status, dump(answer.said), headers=answer.headers)


async def refuse_method(call: Call, methods: Iterable[str]) -> None:
    """Answer a method that a route does not have, or OPTIONS, with those it has."""
    known = list(methods)
    names = [*known, "OPTIONS", *(["HEAD"] if "GET" in known else [])]
    allow = [(b"allow", ", ".join(names).encode())]
    if call.method == "OPTIONS":
        await call.answer(200, b"", HTML, allow)
        return
    text = "The method is not allowed for the requested URL."
    await call.answer_html(405, "Method Not Allowed", text, allow)
