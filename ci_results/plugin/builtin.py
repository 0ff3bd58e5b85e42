"""The built-in plugin: our own readers and item types, offered by the public hooks like a stranger's."""

from __future__ import annotations

from ..domain.itemtype import ItemType
from ..formats.junit import JUnit
from ..normalise.items import BUILT_IN
from .contract import Format
from .spec import hookimpl

Format.register(JUnit)


@hookimpl
def register_formats() -> list[Format]:
    """Offer the report formats that this distribution reads."""
    return [JUnit()]  # type: ignore[list-item]


@hookimpl
def register_vocabularies() -> tuple[ItemType, ...]:
    """Offer the item types that every installation knows."""
    return BUILT_IN
