"""ItemType: a kind of build artifact and the grammar of its names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemType:
    """One item type of the vocabulary, e.g. `koji_build`.

    name      as on the wire: "koji_build"
    grammar   the name of its grammar, for messages: "NVR (name-version-release)"
    pattern   what a whole identifier must match; None = any printable text
    parts     from an identifier to what else it is known by, of the keys
              component, nvr, arch: {"component": "bash", "nvr": "bash-5.2-1.fc40"}
    """

    name: str
    grammar: str
    pattern: re.Pattern[str] | None = None
    parts: Callable[[str], dict[str, str]] | None = None
