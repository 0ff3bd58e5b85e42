"""The collector `autocloud`: reads a folder of saved messages, for Autocloud has no other memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import ClassVar

import orjson

from ci_results import (
    Checkpoint,
    Collector,
    Garbled,
    InvalidError,
    Observation,
    Seen,
    SourceRefusedError,
    SourceSession,
    SourceUnavailableError,
    open_message,
    read_message,
)

from .mapping import AutocloudMessages, MessageOptions
from .saved import Reading, Record, Stand, find

STEP = 1_000
"""Messages, or files, between two Checkpoints: each writes how far every file has been read."""

_MESSAGES = AutocloudMessages()


@dataclass(frozen=True, kw_only=True)
class Options:
    """`path` is the folder; testcase, compose_testcase and site as in MessageOptions.

    settle_s  a file that ends in the middle of a message is left for so long, as it may be written just now
    """

    path: Path
    testcase: str = MessageOptions.testcase
    compose_testcase: str = MessageOptions.compose_testcase
    site: str | None = None
    settle_s: float = 60.0


class Autocloud(Collector[Options]):
    """Reads the messages of Autocloud among those saved in a folder, each file from where it stood."""

    name = "autocloud"
    options = Options
    outcomes: ClassVar[dict[str, str]] = AutocloudMessages.outcomes

    def harvest(self, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        """Yield what is new in each file, by name; see Collector."""
        files = _files(options.path)
        before = _stands(cursor)
        stands = dict(before)
        step = max(STEP, len(files) // 20)
        count, faults = 0, []
        for number, name in enumerate(files, 1):
            reading = Reading(options.path / name, name, before.get(name), time.time(), options.settle_s)
            try:
                for record in reading.records():
                    yield from _seen(record, options)
                    count += 1
                    if count % STEP == 0 and _kept(reading, stands):
                        yield Checkpoint(_cursor(stands))
            except FileNotFoundError:
                continue  # it was taken away since the folder was listed
            except OSError as err:
                faults.append(f"{err.filename or name}: {err.strerror or err}")
            _kept(reading, stands)
            if number % step == 0 and stands != before:
                yield Checkpoint(_cursor(stands))
        there = frozenset(files)
        stands = {name: stand for name, stand in stands.items() if name in there}
        if stands != before:
            yield Checkpoint(_cursor(stands))
        if faults:
            more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
            raise SourceRefusedError(f"cannot be read: {faults[0]}{more}")

    def check(self, options: Options, http: SourceSession) -> Iterable[str]:
        """Say how many files there are, and what the first messages are; see Collector."""
        files = _files(options.path)
        yield f"{len(files)} files of saved messages below {options.path}"
        for name in files[:1]:
            reading = Reading(options.path / name, name, None, time.time(), options.settle_s)
            try:
                first = [list(_seen(record, options)) for record in islice(reading.records(), 100)]
            except OSError as err:
                raise SourceRefusedError(f"cannot be read: {err}") from err
            good = sum(any(isinstance(each, Observation) for each in one) for one in first)
            yield f"{name}: of its first {len(first)} messages, {good} are results of Autocloud"

    def reread(
        self, options: Options, record: Garbled, http: SourceSession
    ) -> Iterable[Observation | Garbled]:
        """Read one message again; see Collector."""
        return _seen(Record(record.raw, record.position or ""), options)


def _seen(record: Record | Garbled, options: Options) -> Iterator[Observation | Garbled]:
    """Yield what one saved message says; nothing where it is of others."""
    if isinstance(record, Garbled):
        yield record
        return
    try:
        envelope = open_message(record.raw)
    except InvalidError as err:
        yield Garbled(raw=record.raw, reason=str(err), key=record.position or None, position=record.position)
        return
    if _MESSAGES.recognises(envelope):
        asked = MessageOptions(
            testcase=options.testcase, compose_testcase=options.compose_testcase, site=options.site
        )
        for each in read_message(_MESSAGES, asked, envelope, record.raw):
            yield replace(each, position=record.position) if isinstance(each, Garbled) else each


def _files(folder: Path) -> list[str]:
    """List the folder; one that is not there is no folder without news. Raises CollectError."""
    try:
        return find(folder)
    except (FileNotFoundError, NotADirectoryError) as err:
        raise SourceUnavailableError(f"no folder {folder}; set `path` of the source") from err
    except OSError as err:
        raise SourceRefusedError(f"{folder}: cannot be read: {err}") from err


def _kept(reading: Reading, stands: dict[str, Stand]) -> bool:
    """Note how far a file has been read; say whether that is news."""
    if reading.stand is None or stands.get(reading.name) == reading.stand:
        return False
    stands[reading.name] = reading.stand
    return True


def _cursor(stands: dict[str, Stand]) -> str:
    """Write how far each file has been read: {"2016/01.jsonl": [offset, mark, size, mtime, inode]}."""
    return orjson.dumps({name: list(stand) for name, stand in stands.items()}).decode()


def _stands(cursor: str | None) -> dict[str, Stand]:
    """Read a cursor; one that is not ours means: from the start, which stores nothing twice."""
    try:
        said = orjson.loads(cursor or "{}")
        return {str(name): Stand(*stand) for name, stand in said.items()}
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        return {}
