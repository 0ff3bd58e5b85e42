"""A lookup with its options, as the configuration describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import ConfigError, shown
from ..strict import placed, structure
from .contract import Lookup


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredLookup:
    """Where builds are looked up."""

    lookup: Lookup[Any]
    options: Any


def build_lookup(
    table: Mapping[str, Any], kinds: Mapping[str, Lookup[Any]], folder: Path, where: str
) -> ConfiguredLookup:
    """Return what a table with `kind` and the lookup's own keys describes. Raises ConfigError."""
    rest = dict(table)
    kind = rest.pop("kind", None)
    lookup = kinds.get(kind) if isinstance(kind, str) else None
    if lookup is None:
        known = ", ".join(sorted(kinds)) or "none is installed"
        raise ConfigError(f"{where} kind: no plugin offers {shown(kind)}; known are {known}")
    for each in fields(lookup.options):
        if each.name not in rest and each.default is MISSING and each.default_factory is MISSING:
            raise ConfigError(f"{where} {each.name}: missing, and lookup {kind} needs it")
    return ConfiguredLookup(lookup=lookup, options=placed(structure(rest, lookup.options, where), folder))
