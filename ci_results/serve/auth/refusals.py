"""Errors as API 3 answers them: who asks and whether they may are told in the peer's words."""

from __future__ import annotations

from ...errors import ForbiddenError, UnauthorisedError
from ...wire.resultsdb_v3 import FORBIDDEN, UNAUTHORISED
from ..telling import CHALLENGE, Told, message, told


def refusal(err: Exception) -> Told | None:
    """Return what the client is told of an error, None where it is none that we know."""
    match err:
        case UnauthorisedError():
            return message(401, UNAUTHORISED, CHALLENGE)
        case ForbiddenError():
            return message(403, FORBIDDEN + str(err))
    return told(err)
