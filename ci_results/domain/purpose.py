"""Purpose: what a waiver is good for, when it is not good for everything: `kind:value`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import InvalidError, shown

MAX_LENGTH = 1024
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class Purpose(NamedTuple):
    """One purpose, e.g. Purpose("advisory", "RHSA-2026:1234"); its text is "advisory:RHSA-2026:1234"."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> Purpose:
        """Read "kind:value". Raises InvalidError for what has no kind or no value.

        >>> Purpose.parse("advisory:RHSA-2026:1234").value
        'RHSA-2026:1234'
        """
        kind, colon, value = text.partition(":")
        if not colon or not _KIND.fullmatch(kind) or not value.strip():
            raise InvalidError(f"purpose {shown(text)} is not KIND:VALUE, e.g. advisory:RHSA-2026:1234")
        if len(value) > MAX_LENGTH or not value.isprintable():
            raise InvalidError(f"purpose {shown(text)} is unprintable or longer than {MAX_LENGTH} characters")
        return cls(kind, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeKind:
    """One kind of the vocabulary of purposes.

    name      what stands before the colon: "advisory"
    grammar   what a value is, for messages: "advisory (RHSA-2026:1234)"
    pattern   what a whole value must match; None = any printable text
    """

    name: str
    grammar: str
    pattern: re.Pattern[str] | None = None
