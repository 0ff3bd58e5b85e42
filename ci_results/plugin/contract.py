"""What a plugin implements: ABCs, so that methods with defaults can be added.

Must not do I/O; the HTTP session that a collector is given lives in `http`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ..domain.checkpoint import Checkpoint
from ..domain.envelope import Envelope
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report

if TYPE_CHECKING:
    from ..domain.batch import Batch
    from ..domain.build import Build
    from ..domain.happening import Happening
    from .http import SourceSession

O = TypeVar("O")  # noqa: E741

Seen = Observation | Garbled | Checkpoint
"""What a collector yields."""


class Collector(ABC, Generic[O]):
    """Reads one kind of source. One instance serves all sources and threads: keep no state on self.

    name      how a configuration names it: lower case letters, digits, underscores
    options   a frozen dataclass: its fields are the keys of the source's table; those of type Path
              count from the folder of the configuration
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
    """Takes results on to somewhere else; it delivers or raises, the outbox remembers and retries.

    name     how a configuration names it: lower case letters, digits, underscores
    options  a frozen dataclass: its fields are the keys of the sink's table; those of type Path, and
             `token_file` and `ca`, count from the folder of the configuration; a field `origins` is given
             the addresses of the configured sources (SourceAddress), and no file may name it
    takes    what it takes beside results, of domain.happening.ALL_KINDS; what it does not take passes it by

    One instance serves all sinks and threads: keep no state on self.
    """

    name: ClassVar[str]
    options: ClassVar[type[Any]]
    takes: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def deliver(self, options: O, batch: Batch) -> None:
        """Hand over `batch`, a sequence of results in the order in which they were stored.

        Raises SinkUnavailableError (retry) or SinkRefusedError (park), which say in `delivered` how
        many have arrived all the same. State in the class's docstring what a batch that comes twice
        does: after a crash or an outage, the last one is sent again.
        """

    def opened(self, options: O) -> AbstractContextManager[Sink[O]]:
        """Return this sink for one run of deliveries, with what it keeps open meanwhile: a connection, say.

        After an outage it is opened anew. The default keeps nothing.
        """
        return nullcontext(self)

    def placed(self, options: O, folder: Path) -> O:
        """Return options with what names files counted from `folder`, where no field of type Path does."""
        return options

    def announce(self, options: O, happenings: Sequence[Happening]) -> None:
        """Hand over what happened beside results, of the kinds that it takes, of one commit and in order.

        Raises as `deliver` does; what is refused is passed by and told, and not sent again. After a crash
        or an outage the last ones are sent again: `Happening.id` names each for ever.
        """
        raise NotImplementedError(f"sink {self.name} takes {sorted(self.takes)} and has no announce()")

    def check(self, options: O) -> Iterable[str]:
        """Yield lines that tell an operator what a delivery would meet; raises DeliveryError.

        Called by `sink check`; sends no result.
        """
        return ()

    def template(self, options: O) -> str:
        """Return what an operator gives the far side before the first delivery, "" for nothing.

        Called by `sink template`; asks nobody.
        """
        return ""


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


class Lookup(ABC, Generic[O]):
    """Knows builds: where they were made from, and when. One instance serves all: keep no state on self.

    name     how a configuration names it: lower case letters, digits, underscores
    options  a frozen dataclass: its fields are the keys of table `gate.builds`; those of type Path count
             from the folder of the configuration
    """

    name: ClassVar[str]
    options: ClassVar[type[Any]]

    @abstractmethod
    def build(self, options: O, nvr: str, http: SourceSession) -> Build | None:
        """Return the build of that name, version and release, None where there is none.

        Use `http` for every request; the core remembers answers. Raises InvalidError for a text that is
        no NVR, CollectError.
        """


class Messages(ABC, Generic[O]):
    """Reads one kind of bus messages, whatever bus and envelope they came by. Pure: no I/O, no clock.

    name      how it is named: "autocloud"
    version   of the mapping, from 1 on: raise it when the same message is to say something else
    options   a frozen dataclass, each field with a default: it is read without a configuration too
    outcomes  the messages' words, lower case, to ours
    """

    name: ClassVar[str]
    version: ClassVar[int]
    options: ClassVar[type[Any]]
    outcomes: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def recognises(self, envelope: Envelope) -> bool:
        """Say by topic, headers and the shape of the body whether this reader should read it.

        Kinds are asked in turn, and one message is read by one of them. Never raises.
        """

    @abstractmethod
    def read(self, options: O, envelope: Envelope) -> Iterator[Observation | Garbled]:
        """Yield what a message says: nothing, one observation, or many (bulk); they are stored together.

        A key comes from what was run (a job, a build), so that QUEUED, RUNNING and the end of one run
        share it; `envelope.key` is the last resort, with a number where a message holds several.
        What is wrong with the whole message is raised as InvalidError, what is wrong with one of its
        results is yielded as Garbled; see `reading.read_message`.
        """
