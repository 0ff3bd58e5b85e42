"""Source: one configured CI server, with all that a harvest of it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..domain.ownership import Ownership
from ..plugin.contract import Collector
from ..plugin.token import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One configured source.

    options    the collector's own options, an instance of `collector.options`
    outcomes   the source's words, lower case, to ours; they go before the collector's own
    parallel   at most so many requests at once
    retries    how often a harvest goes on where the source went away in between
    user       the account that the token belongs to, where the source asks for one
    ca         a file of certificates to trust, or None
    ownership  the testcases that it may say something about; None = any
    """

    name: str
    collector: Collector[Any]
    options: Any
    outcomes: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    owner: str | None = None
    contact: str | None = None
    parallel: int = 4
    timeout_s: float = 60.0
    retries: int = 3
    user: str | None = None
    token: Token = field(default=Token(), repr=False)
    ca: Path | None = None
    ownership: Ownership | None = None

    def words(self) -> dict[str, str]:
        """Return all outcome words of this source, lower case, to ours: {"unstable": "FAILED"}."""
        return {**self.collector.outcomes, **self.outcomes}
