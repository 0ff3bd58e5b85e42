"""The token that a request shows: as a bearer, or as the password of HTTP Basic."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error

from starlette.types import Scope

from .tokens import PREFIX


def shown_token(scope: Scope) -> str | None:
    """Return the token in the header Authorization, None where there is none.

    Basic is how clients that know no tokens bring one: those made with `requests` take it from
    ~/.netrc. Only a token of ours counts there, with any name; other passwords are overlooked.
    """
    header: bytes = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, rest = header.partition(b" ")
    match scheme.lower():
        case b"bearer":
            return rest.strip().decode("latin-1")
        case b"basic":
            password = _password(rest.strip())
            return password if password.startswith(PREFIX) else None
    return None


def _password(encoded: bytes) -> str:
    try:
        return b64decode(encoded, validate=True).partition(b":")[2].decode("latin-1")
    except Error:
        return ""
