"""What a plugin implements: Collector, Sink and Format, ABCs so that methods with defaults can be added.

Must not do I/O; the HTTP session that a collector is given lives in `http`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ..domain.checkpoint import Checkpoint
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report

if TYPE_CHECKING:
    from ..domain.result import Result
    from .http import SourceSession

O = TypeVar("O")  # noqa: E741

Seen = Observation | Garbled | Checkpoint
"""What a collector yields."""


class Collector(ABC, Generic[O]):
    """Reads one kind of source. One instance serves all sources and threads: keep no state on self.

    name      how a configuration names it: lower case letters, digits, underscores
    options   a frozen dataclass: its fields are the keys of the source's table
    outcomes  the source's words, lower case, to ours; a configuration may add to them
    """

    name: ClassVar[str]
    options: ClassVar[type[Any]]
    outcomes: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def harvest(self, options: O, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        """Yield lazily what came after `cursor` (None: from the start), a Checkpoint after each page.

        Quote the source's words: the core maps, retries, logs and writes. Use `http` for every
        request. Raises CollectError; a record that cannot be read is yielded as Garbled.
        """

    def check(self, options: O, http: SourceSession) -> Iterable[str]:
        """Yield lines that tell an operator what a harvest would meet; raises CollectError.

        Called by `source check`; asks as little as it can.
        """
        return ()

    def reread(self, options: O, record: Garbled, http: SourceSession) -> Iterable[Observation | Garbled]:
        """Yield what a record that you once gave as Garbled says, now that its mapping is mended.

        Called by `quarantine retry` with `record.raw` as it was. What is still unreadable is
        yielded as Garbled, with the reason; the default reads nothing again. Raises CollectError.
        """
        return (
            Garbled(raw=record.raw, reason=f"{self.name} cannot read single records again", key=record.key),
        )


class Sink(ABC, Generic[O]):
    """Takes results on to somewhere else; it delivers or raises, the outbox remembers and retries."""

    name: ClassVar[str]
    options: ClassVar[type[Any]]

    @abstractmethod
    def deliver(self, options: O, batch: Sequence[Result]) -> None:
        """Hand over `batch`. Raises SinkUnavailableError (retry) or SinkRefusedError (park)."""


class Format(ABC):
    """Reads one report format as a stream, from bytes to observations.

    name      how it is named: "junit"
    outcomes  the format's words, lower case, to ours
    """

    name: ClassVar[str]
    outcomes: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def recognises(self, head: bytes) -> bool:
        """Say from a file's first bytes (at most 64 KiB) whether this reader should try it."""

    @abstractmethod
    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations of one report; what cannot be read is yielded as Garbled."""
