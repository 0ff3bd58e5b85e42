"""Transports: what brings messages in from a bus, and what puts them on one. Must not do I/O itself."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from ..domain.carried import Arrival, Departure

O = TypeVar("O")  # noqa: E741


class Inlet(ABC):
    """An open way in. One thread uses it.

    A message is handed over at least once: what is not acknowledged comes again, to us or to another.
    Each method raises SourceUnavailableError where the bus is away (the inlet is then closed, and a new one
    opened later), SourceRefusedError where an operator must act.
    """

    @abstractmethod
    def receive(self, most: int, wait_s: float, linger_s: float) -> Sequence[Arrival]:
        """Return the next messages, at most `most`, in the order in which they came.

        Waits `wait_s` for the first one, then `linger_s` for more; () where none came.
        """

    @abstractmethod
    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Let the bus forget these, which are stored: the oldest that were received and not settled."""

    @abstractmethod
    def nack(self, arrivals: Sequence[Arrival]) -> None:
        """Give these back, unread: they come again."""

    def idle(self, seconds: float) -> None:
        """Let time go by, while the store is away; here one keeps alive what a silent connection loses."""
        time.sleep(seconds)

    def backlog(self) -> int | None:
        """Return how many messages wait on the bus, without those that were handed over; None = unknown."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Let go; what was not acknowledged comes again. Raises nothing."""


class Outlet(ABC):
    """An open way out. One thread uses it."""

    @abstractmethod
    def publish(self, messages: Sequence[Departure]) -> None:
        """Put messages on the bus, in order; return when it has all of them for good.

        Raises SinkUnavailableError (retry) or SinkRefusedError (it never goes), which say in `delivered` how
        many from the first on have arrived. What follows those may have arrived too, and is sent again.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go. Raises nothing."""


class Transport(ABC, Generic[O]):
    """One kind of bus. One instance serves all: keep no state on self.

    name     what it is called: "amqp"
    schemes  of the URLs that it takes: ("amqp", "amqps")
    options  a frozen dataclass, each field with a default: keys of the query of a URL, and of a table `bus`;
             those of type Path count from the folder of the configuration
    """

    name: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]
    options: ClassVar[type[Any]]

    @abstractmethod
    def inlet(self, options: O, url: str) -> Inlet:
        """Open a way in. Raises SourceUnavailableError, SourceRefusedError, ConfigError."""

    @abstractmethod
    def outlet(self, options: O, url: str) -> Outlet:
        """Open a way out. Raises SinkUnavailableError, SinkRefusedError, ConfigError."""

    def ready(self, options: O, url: str) -> None:
        """Raise ConfigError for what keeps us from listening, and shows without a connection.

        A library, a file or a secret that is missing, say; nothing is opened.
        """

    def aside(self, options: O, url: str, topic: str) -> AbstractContextManager[tuple[Inlet, Outlet]] | None:
        """Open both ways of a place of its own on this bus, which sees `topic` alone and is gone afterwards.

        So `ci-results doctor --canary` sends a message there and back. None = this kind of bus has none, and
        the doctor goes by `check`. Raises as `inlet` and `outlet` do, also when it is entered.
        """
        return None

    def placed(self, url: str, folder: Path) -> str:
        """Return a URL that names a file with its path counted from `folder`; others as they are."""
        return url

    def check(self, options: O, url: str) -> Iterable[str]:
        """Yield lines that tell an operator how the bus is. Raises DeliveryError."""
        self.outlet(options, url).close()
        yield "the bus takes messages"
