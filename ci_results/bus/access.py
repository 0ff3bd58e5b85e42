"""What transports over a network share: where a broker is, as whom we come, and whom we trust."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from ..errors import CiResultsError, ConfigError
from ..plugin.token import Token


@dataclass(frozen=True, kw_only=True)
class Access:
    """Options of a transport that reaches a broker over a network.

    password_env, password_file  where the password of the URL's user is
    ca         file of certificates to trust; without it those that the system trusts
    cert, key  files of our own, which then say who we are
    """

    password_env: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    at_least_one: ClassVar[tuple[str, ...]] = ()
    """Fields that count something, of which there is one at least."""

    def __post_init__(self) -> None:
        for name in self.at_least_one:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key go together; name both")

    def account(self, url: str) -> tuple[str | None, str | None]:
        """Return user and password, None where nobody said. Raises ConfigError."""
        parts = urlsplit(url)
        said = unquote(parts.password) if parts.password else None
        try:
            secret = said or Token(self.password_env, self.password_file).read()
        except ConfigError as err:
            raise ConfigError(str(err).replace("token_", "password_", 1)) from err
        return (unquote(parts.username) if parts.username else None), secret

    def context(self, problem: Callable[[str], CiResultsError] = ConfigError) -> ssl.SSLContext:
        """Return how TLS is spoken. Raises what `problem` makes where a file cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca and str(self.ca))
            if self.cert is not None and self.key is not None:
                context.load_cert_chain(self.cert, self.key, "")  # or a key with a pass phrase asks for it
        except OSError as err:
            files = ", ".join(str(each) for each in (self.ca, self.cert, self.key) if each)
            raise problem(f"{files}: cannot be used as certificates: {err}") from err
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a broker is: "bus.example", 5671, and the virtual host there that the path names."""

    host: str
    port: int
    virtual_host: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def place(url: str, port: int) -> Place:
    """Return where a URL points; `port` where it names none. Raises ConfigError.

    >>> place("amqps://ci@bus.example/%2Fpubsub", 5671)
    Place(host='bus.example', port=5671, virtual_host='/pubsub')
    """
    parts = urlsplit(url)
    try:
        found, host = parts.port, parts.hostname
    except ValueError as err:
        raise ConfigError(f"{shown_place(url)}: {err}") from err
    return Place(
        host=host or "127.0.0.1",
        port=found or port,
        virtual_host=unquote(parts.path.removeprefix("/")) or "/",
    )


def needs(url: str, library: str, extra: str) -> ConfigError:
    """Return what is told where the library of a transport is missing, with what to type."""
    return ConfigError(f"{url.partition(':')[0]}: needs {library}: pip install 'ci-results[{extra}]'")


def shown_place(url: str) -> str:
    """Return host and port for messages: "bus.example:5672"."""
    return urlsplit(url).netloc.rpartition("@")[2] or "127.0.0.1"


def distrust(err: ssl.SSLCertVerificationError) -> str:
    """Say why a broker is not trusted, and what to do about it."""
    return f"its certificate is not trusted: {err.verify_message}; name who signed it: ca = FILE"
