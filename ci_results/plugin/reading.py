"""Small ways of reading that plugins share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from ..errors import InvalidError, SourceGarbledError
from ..formats.junit import JUnit


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
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, SourceGarbledError) as err:
            ours = isinstance(err, (InvalidError, SourceGarbledError))
            said = str(err) if ours else f"{type(err).__name__}: {err}"
            raw = json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")
            known = record.get(key) if isinstance(record, dict) else None
            yield Garbled(raw=raw, reason=said, key=None if known is None else str(known))
        else:
            if seen is not None:
                yield seen


def read_junit(stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
    """Yield the observations of one JUnit XML file, as the built-in format reads it."""
    return JUnit().read(stream, about)
