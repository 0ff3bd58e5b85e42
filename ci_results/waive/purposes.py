"""The kinds of purpose that every installation knows, each with what its values look like."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..domain.purpose import Purpose, PurposeKind
from ..errors import InvalidError, shown

BUILT_IN = (
    PurposeKind(
        name="advisory",
        grammar="advisory (RHSA-2026:1234, FEDORA-2026-1a2b3c4d5e)",
        pattern=re.compile(r"[A-Z][A-Z-]*-\d{4}[:-][0-9a-f]{4,10}(?:-\d{2})?", re.ASCII),
    ),
    PurposeKind(
        name="image",
        grammar="image (sha256:..., NAME@sha256:..., ami-..., a compose id or a file name)",
        pattern=re.compile(r"[\w.+:/@-]+", re.ASCII),
    ),
    PurposeKind(name="product", grammar="product version (fedora-40)", pattern=re.compile(r"\S+")),
    PurposeKind(
        name="context", grammar="decision context (bodhi_update_push_stable)", pattern=re.compile(r"\S+")
    ),
)


def check_purpose(purpose: Purpose, kinds: Mapping[str, PurposeKind]) -> Purpose:
    """Return `purpose` if its kind is known and its value is one. Raises InvalidError."""
    kind = kinds.get(purpose.kind)
    if kind is None:
        known = ", ".join(sorted(kinds))
        raise InvalidError(f"purpose {shown(str(purpose))} is of no known kind; known are {known}")
    if kind.pattern is not None and not kind.pattern.fullmatch(purpose.value):
        raise InvalidError(f"purpose {shown(str(purpose))} names no {kind.grammar}")
    return purpose
