"""Small ways of reading that plugins share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import IO, Any

from ..domain.envelope import Envelope
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from ..errors import InvalidError, SourceGarbledError, shown
from ..formats.junit import JUnit
from .contract import Messages

_BAD_RECORD = (KeyError, TypeError, ValueError, IndexError, AttributeError, SourceGarbledError)

_NEEDED = ("key", "testcase", "outcome", "item", "item_type")
_TEXTS = (*_NEEDED, "ref_url", "note", "scenario", "arch", "parent")


def read_each(
    records: Iterable[dict[str, Any]],
    read: Callable[[dict[str, Any]], Observation | None],
    key: str = "id",
) -> Iterator[Observation | Garbled]:
    """Yield what `read` makes of each record; one that it cannot read is yielded as Garbled.

    `read` may return None for a record that is no result, and fails with KeyError, TypeError,
    ValueError (InvalidError too), IndexError, AttributeError or SourceGarbledError: those say the
    record is bad, anything else is a fault of the plugin and goes through.
    """
    for record in records:
        try:
            seen = read(record)
        except _BAD_RECORD as err:
            raw = json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")
            known = record.get(key) if isinstance(record, dict) else None
            yield Garbled(raw=raw, reason=_reason(err), key=None if known is None else str(known))
        else:
            if seen is not None:
                yield seen


def read_message(
    messages: Messages[Any], options: Any, envelope: Envelope, raw: bytes
) -> list[Observation | Garbled]:
    """Return all that one message says; `raw` is the message as it came, for the quarantine.

    Where `read` raises what says that the message is bad (see read_each), or takes something for a text
    that is none, nothing of it is told but that: a message is read whole or not at all. A result in
    it that is yielded as Garbled leaves the others as they are.
    """
    try:
        seen = [_texts_are_texts(each) for each in messages.read(options, envelope)]
    except _BAD_RECORD as err:
        return [Garbled(raw=raw, reason=_reason(err), key=envelope.key)]
    return [
        replace(each, raw=raw, key=each.key or envelope.key) if isinstance(each, Garbled) else each
        for each in seen
    ]


def read_junit(stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
    """Yield the observations of one JUnit XML file, as the built-in format reads it."""
    return JUnit().read(stream, about)


def _texts_are_texts(each: Observation | Garbled) -> Observation | Garbled:
    """Return `each` as it is. Raises InvalidError where JSON had something else for a text."""
    if isinstance(each, Observation):
        for name in _TEXTS:
            value = getattr(each, name)
            if not isinstance(value, str) and (value is not None or name in _NEEDED):
                raise InvalidError(f"{name} is no text: {shown(value)}")
        for name, values in each.data.items():
            if isinstance(values, str):
                continue
            if not isinstance(values, tuple) or not all(isinstance(text, str) for text in values):
                raise InvalidError(f"{name} is no text: {shown(values)}")
    return each


def _reason(err: Exception) -> str:
    """Say what is wrong with a record, by what reading it met."""
    ours = isinstance(err, (InvalidError, SourceGarbledError))
    return str(err) if ours else f"{type(err).__name__}: {err}"
