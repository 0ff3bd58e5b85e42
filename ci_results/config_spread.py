"""Table `spread`: how harvests are spread over workers by Celery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bus.choosing import has_password
from .errors import ConfigError
from .strict import placed, structure

_LEAST = (("limit_s", 1.0), ("grace_s", 1.0), ("retries", 0), ("first_pause_s", 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreading:
    """Where tasks wait, and how long and how often one is tried.

    broker         the RabbitMQ that holds them: "amqp://ci@rabbitmq.example/ci"
    queue          of theirs alone
    password_env, password_file  where the password of the URL's user is
    ca             file of certificates to trust; cert, key: our own
    limit_s        a harvest that takes longer ends at its next safe point, and goes on in the next one
    grace_s        one that has not ended so long after that is killed
    retries        how often a source that is away, or a store, is tried again before its next turn
    first_pause_s  before the first of these; it doubles each time, up to ten minutes
    """

    broker: str = "amqp://127.0.0.1/"
    queue: str = "ci-results-harvest"
    password_env: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    limit_s: float = 4 * 3600.0
    grace_s: float = 300.0
    retries: int = 3
    first_pause_s: float = 30.0

    def __post_init__(self) -> None:
        for name, least in _LEAST:
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if not self.broker.startswith(("amqp://", "amqps://")):
            raise ValueError('broker must be a RabbitMQ: "amqp://HOST/VHOST"')
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key go together; name both")


def read_spread(table: Mapping[str, Any], where: str, folder: Path) -> Spreading:
    """Read the table; `where` begins its messages: "ci-results.toml: [spread]". Raises ConfigError."""
    spread: Spreading = placed(structure(dict(table), Spreading, where), folder)
    if has_password(spread.broker):
        raise ConfigError(f"{where} broker: no secrets in this file; use password_env or password_file")
    return spread
