"""The RabbitMQ that holds the tasks, as Celery wants to be told of it."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from ..config_spread import Spreading
from ..plugin.token import Token


def broker_url(spread: Spreading) -> str:
    """Return the URL with the password that is kept elsewhere. Raises ConfigError where there is none.

    >>> broker_url(Spreading(broker="amqp://rabbitmq.example/ci"))
    'amqp://guest:guest@rabbitmq.example/ci'
    """
    parts = urlsplit(spread.broker)
    secret = Token(spread.password_env, spread.password_file).read() or "guest"
    account = f"{parts.username or 'guest'}:{quote(secret, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{account}@{parts.netloc.rpartition('@')[2]}"))


def tls(spread: Spreading) -> dict[str, Any] | None:
    """Return how the connection is secured, None where it is not."""
    if urlsplit(spread.broker).scheme != "amqps":
        return None
    files = {"ca_certs": spread.ca, "certfile": spread.cert, "keyfile": spread.key}
    given = {name: str(path) for name, path in files.items() if path is not None}
    return {"cert_reqs": ssl.CERT_REQUIRED, **given}
