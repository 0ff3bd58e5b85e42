"""What text may be stored: no NUL, no lone surrogates (PostgreSQL takes neither), within a length."""

from __future__ import annotations

from ..errors import InvalidError, shown

MAX_KEY = 4096
MAX_VALUE = 65_536
MAX_NOTE = 1_048_576


def check_text(text: str, name: str, limit: int) -> str:
    """Return `text` if it can be stored. Raises InvalidError with the attribute's `name`."""
    if not isinstance(text, str):
        raise InvalidError(f"{name} is no text: {shown(text)}")
    if len(text) > limit:
        raise InvalidError(f"{name} is longer than {limit} characters: {shown(text[:80])}")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as err:
            raise InvalidError(f"{name} holds a lone surrogate: {shown(text)}") from err
    if "\0" in text:
        raise InvalidError(f"{name} holds a NUL character: {shown(text)}")
    return text


def check_key(key: str) -> str:
    """Return `key` if it can identify a record."""
    return check_text(key, "key", MAX_KEY)
