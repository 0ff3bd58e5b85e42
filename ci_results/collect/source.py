"""Source: one configured CI server, with all that a harvest of it needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..plugin.contract import Collector


@dataclass(frozen=True, slots=True)
class Token:
    """Where a secret is found; the secret itself is read anew at each harvest, so it may be rotated.

    env   name of an environment variable, or None
    file  path of a file that holds nothing else, or None
    """

    env: str | None = None
    file: Path | None = None

    def read(self) -> str | None:
        """Return the secret, None where neither place is configured. Raises ConfigError."""
        if self.env is not None:
            secret = os.environ.get(self.env, "").strip()
            if not secret:
                raise ConfigError(
                    f"token_env: the environment variable {self.env} is not set; export {self.env}=..."
                )
            return secret
        if self.file is not None:
            try:
                secret = self.file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as err:
                raise ConfigError(f"token_file: {self.file} cannot be read: {err}") from err
            if not secret:
                raise ConfigError(f"token_file: {self.file} is empty")
            return secret
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One configured source.

    options    the collector's own options, an instance of `collector.options`
    outcomes   the source's words, lower case, to ours; they go before the collector's own
    parallel   at most so many requests at once
    retries    how often a harvest goes on where the source went away in between
    user       the account that the token belongs to, where the source asks for one
    ca         a file of certificates to trust, or None
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

    def words(self) -> dict[str, str]:
        """Return all outcome words of this source, lower case, to ours: {"unstable": "FAILED"}."""
        return {**self.collector.outcomes, **self.outcomes}
