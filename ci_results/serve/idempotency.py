"""Idempotency-Key: a header by which a client names its request, so that a retry stores nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from uuid import NAMESPACE_OID, uuid1, uuid5

from ..errors import InvalidError

HEADER = "idempotency-key"
LONGEST = 255


def checked(key: str) -> str:
    """Return the header's value; "" = the client gave none. Raises InvalidError where it is too long."""
    if len(key) > LONGEST:
        raise InvalidError(f"an Idempotency-Key has at most {LONGEST} characters, not {len(key)}")
    return key


def uuids(key: str) -> Callable[[int], str]:
    """Name groups that the client did not: at random, or by its key, so that a retry agrees."""
    if not key:
        return lambda number: str(uuid1())
    return lambda number: str(uuid5(NAMESPACE_OID, f"{key}#{number}"))
