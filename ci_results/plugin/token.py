"""Token: where a secret is, never the secret itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError


@dataclass(frozen=True, slots=True)
class Token:
    """Where a secret is found; the secret itself is read anew each time, so it may be rotated.

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
