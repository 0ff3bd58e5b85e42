"""Values that a SELECT of a rule gave, alike from either kind of store."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ..domain.facts import Selected

LONGEST = 200
"""Characters of a text that are kept: rows are shown to people."""


def selected(rows: Iterable[tuple[Any, ...]]) -> Selected:
    """Return rows as a fact."""
    return Selected(tuple(tuple(map(_alike, row)) for row in rows))


def _alike(value: Any) -> str | int | float | None:
    """Return a value as both kinds of store give it: 2.0 and a decimal 2.000 are 2.

    >>> _alike(Decimal("2.000")), _alike(0.1 + 0.2), _alike(True), _alike("x")
    (2, 0.3, 1, 'x')
    """
    if value is None or isinstance(value, str):
        return value if value is None or len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
    if isinstance(value, (Decimal, float)):
        rounded = float(f"{value:.12g}")
        return int(rounded) if rounded.is_integer() else rounded
    return int(value) if isinstance(value, int) else str(value)
