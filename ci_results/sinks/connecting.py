"""Connections of sinks to servers: a session that tries once, for the outbox waits and tries again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ..errors import CollectError, ConfigError, SinkUnavailableError
from ..plugin.token import Token

if TYPE_CHECKING:
    from ..plugin.http import SourceSession


class Server(Protocol):
    """Options that say how a server is reached."""

    @property
    def token_env(self) -> str | None:
        """The variable that holds a token."""

    @property
    def token_file(self) -> str | None:
        """The file that does."""

    @property
    def timeout_s(self) -> float:
        """Of one request."""

    @property
    def ca(self) -> str | None:
        """The file of certificates to trust."""

    @property
    def verify(self) -> bool:
        """Whether certificates are looked at."""


@contextmanager
def connected(
    url: str, options: Server, *, user: str | None = None, scheme: Literal["Bearer", "ApiKey"] = "Bearer"
) -> Iterator[SourceSession]:
    """Give a session of its own, which ends with the batch. Raises SinkUnavailableError."""
    from ..plugin.http import SourceSession

    file = options.token_file
    with as_ours():
        http = SourceSession(
            url,
            user=user,
            token=Token(options.token_env, None if file is None else Path(file)).read(),
            scheme=scheme,
            parallel=1,
            read_s=options.timeout_s,
            attempts=1,
            ca=options.ca,
        )
    if not options.verify:
        http.verify = False
    with http:
        yield http


@contextmanager
def as_ours() -> Iterator[None]:
    """Turn what stands between us and the server into SinkUnavailableError."""
    try:
        yield
    except (CollectError, ConfigError) as err:
        raise SinkUnavailableError(str(err)) from err
