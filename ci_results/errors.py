"""Every exception of ci_results, each named by what its catcher does next.

Messages say what, where and the value (cut to 80 characters), with no full stop and no secret.
"""

from __future__ import annotations

SHOWN = 80


def shown(value: object) -> str:
    """Quote `value` for a message: its repr, cut to 80 characters, e.g. `'bash 5.2'`."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


class CiResultsError(Exception):
    """Anything this package raises on purpose."""


class ConfigError(CiResultsError):
    """Fix the configuration: the message names file, table and key."""


class PluginError(CiResultsError):
    """A plugin breaks its contract: the message names its distribution."""


class InvalidError(CiResultsError, ValueError):
    """Data breaks a rule of the domain: refuse or quarantine it."""


class ReusedKeyError(InvalidError):
    """The Idempotency-Key came with another submission before: send a new key (HTTP 422)."""


class NotFoundError(CiResultsError, LookupError):
    """Nothing has that name."""


class ConflictError(CiResultsError):
    """Somebody has decided already: look at how it stands now (HTTP 409)."""


class BusyError(CiResultsError):
    """Somebody else is at it (a lease, a lock): come back later."""


class StaleError(CiResultsError):
    """The page was read from a cursor that has moved on since: read again."""


class StoreError(CiResultsError):
    """The store cannot take or give data now (disk full, locked, wrong version): an operator looks."""


class OverloadedError(StoreError):
    """More waits to be written than the queue holds: try again in a moment (HTTP 503, Retry-After)."""


class TooBroadError(StoreError):
    """The question takes too long to answer: narrow it (HTTP 503 with a hint)."""


class CollectError(CiResultsError):
    """A source did not give what was asked; `status` is the HTTP status, where it answered with one."""

    status: int | None = None


class SourceUnavailableError(CollectError):
    """The source is away or overloaded: retry later, other sources go on."""


class SourceRefusedError(CollectError):
    """The source said no (401, 403, 404): an operator must act; a retry changes nothing."""


class SourceGarbledError(CollectError):
    """The source answered with something unreadable: quarantine it."""


class SourceTooLargeError(SourceGarbledError):
    """The source's answer is larger than what may be read of it: do without."""


class DeliveryError(CiResultsError):
    """A sink did not take a batch, or not all of it.

    delivered  how many results from the head of the batch have arrived all the same: those are not
               sent again, and it is the next one that failed. None: the sink cannot tell
    """

    def __init__(self, message: str, delivered: int | None = None) -> None:
        super().__init__(message)
        self.delivered = delivered


class SinkUnavailableError(DeliveryError):
    """The sink is away: retry later."""


class SinkRefusedError(DeliveryError):
    """The sink will never take this result: park it, the others go on."""


class UnauthorisedError(CiResultsError):
    """Nobody we know asks: show credentials that hold (HTTP 401)."""


class ForbiddenError(CiResultsError):
    """Whoever asks may not: get the permission (HTTP 403)."""


class AuthorityUnavailableError(CiResultsError):
    """Who knows users or their groups (OIDC provider, LDAP) is away: try again later (HTTP 502)."""
