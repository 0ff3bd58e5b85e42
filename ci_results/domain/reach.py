"""Reach: how far a decision may reach out of the store, for remote rule files and what builds are made of."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Bounds of fetching.

    hosts         that may be asked, beside those of the configured templates: "src.example" by https,
                  "src.example:8443", or with its scheme "http://127.0.0.1:8080"
    ttl_s         how long a file that was found is taken as it is; then it is asked whether it changed
    missing_ttl_s the same where there is none; error_ttl_s: where it could not be told
    timeout_s     for one answer; `attempts` tries where the host is away
    max_bytes     of one file; kept_bytes: of all that are remembered
    parallel      requests at once
    ca            file of certificates to trust, None = the system's
    """

    hosts: tuple[str, ...] = ()
    ttl_s: float = 300.0
    missing_ttl_s: float = 60.0
    error_ttl_s: float = 10.0
    timeout_s: float = 15.0
    attempts: int = 2
    max_bytes: int = 1 << 20
    kept_bytes: int = 64 << 20
    parallel: int = 8
    ca: str | None = None

    def __post_init__(self) -> None:
        for name in ("timeout_s", "attempts", "max_bytes", "kept_bytes", "parallel"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {shown(getattr(self, name))}")
        for name in ("ttl_s", "missing_ttl_s", "error_ttl_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {shown(getattr(self, name))}")
