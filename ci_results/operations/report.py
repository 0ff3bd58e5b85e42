"""Report: read report files of any registered format into the store, each whole file once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import IO

from ..collect.garbage import seldom_collected
from ..collect.pages import PAGE_ROWS, Draft
from ..domain.page import Committed
from ..domain.stored import SourceState
from ..domain.unpack_limits import UnpackLimits
from ..errors import CollectError
from ..plugin.http import SourceSession
from ..plugin.manager import Plugins
from ..store.protocol import Store
from .reporting.about import SOURCE, About, Filed, check_about, told_of
from .reporting.inputs import Input, inputs
from .reporting.one_report import Reading, digest_of, garbled, read_report, refused
from .reporting.shelf import Committing, Filing, Naming, Previewing, Shelf
from .unpacking.budget import Damage
from .unpacking.member import Member
from .unpacking.walk import unpacked

MOST_TOLD = 20
"""Damages of one file that are told one by one."""

Tell = Callable[[str, int, int, Committed], None]
"""Told what is read, how many bytes of how many (those known so far), and what came of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to read.

    vocabulary  outcomes that the configuration adds
    again       read files that were read whole before
    dry_run     write nothing, say what would be
    limits      what packed files may unfold to
    page_rows   results of one commit
    """

    vocabulary: Sequence[str] = ()
    again: bool = False
    dry_run: bool = False
    limits: UnpackLimits = field(default_factory=UnpackLimits)
    page_rows: int = PAGE_ROWS


def report(
    paths: Iterable[str],
    about: About,
    store: Store,
    plugins: Plugins,
    options: Options = Options(),
    *,
    tell: Tell = lambda name, done, total, counts: None,
    connect: Callable[[str], SourceSession] = SourceSession,
) -> Iterator[Filed]:
    """Read files, folders (all reports below), "-" (standard input) and addresses; yield what became of each.

    A file that was read whole before, for the same item, costs a read and a hash. Files of a named run
    are read each time, and only what changed is stored. Raises NotFoundError for a path that is not
    there, InvalidError for what `about` says wrongly; nothing is read then.

    connect  gives the session that fetches an address, with a token perhaps
    """
    found = inputs(paths, options.limits.max_bytes, connect)
    return report_inputs(found, about, store, plugins, options, tell=tell)


def report_inputs(
    found: Sequence[Input],
    about: About,
    store: Store,
    plugins: Plugins,
    options: Options = Options(),
    *,
    tell: Tell = lambda name, done, total, counts: None,
) -> Iterator[Filed]:
    """Read what was found already; see report."""
    check_about(about, plugins.item_types)
    shelf: Shelf
    if options.dry_run:
        shelf = Previewing(about.source, plugins.hook, store)
    else:
        shelf = Committing(about.source, plugins.hook, store)
    return _read_all(found, about, store, plugins, options, shelf, tell)


def read_again(
    stream: IO[bytes],
    name: str,
    about: About,
    store: Store,
    plugins: Plugins,
    vocabulary: Sequence[str],
    *,
    stays: bool,
) -> Filed:
    """Read one open file to its end, whether or not it was read before; say what became of it."""
    shelf = Committing(about.source, plugins.hook, store)
    reading = Reading(store=store, plugins=plugins, shelf=shelf, vocabulary=vocabulary, again=True)
    return read_report(Member(name, stream), about, reading, named=True, stays=stays)


def named_testcases(
    found: Sequence[Input], about: About, store: Store, plugins: Plugins, options: Options
) -> set[str]:
    """Return the testcases whose results `report_inputs` would store; writes nothing."""
    check_about(about, plugins.item_types)
    naming = Naming(about.source, plugins.hook)
    for _ in _read_all(found, about, store, plugins, options, naming, lambda *_: None):
        pass
    return naming.testcases


def _read_all(
    found: Sequence[Input],
    about: About,
    store: Store,
    plugins: Plugins,
    options: Options,
    shelf: Shelf,
    tell: Tell,
) -> Iterator[Filed]:
    writes = isinstance(shelf, Committing)
    if writes:
        store.register_source(SourceState(name=about.source, collector=SOURCE))
    meter = _Meter(found, tell)
    reading = Reading(
        store=store,
        plugins=plugins,
        shelf=shelf,
        vocabulary=options.vocabulary,
        again=options.again,
        page_rows=options.page_rows,
        tell=meter.came,
    )
    for each in found:
        with ExitStack() as held:
            held.enter_context(seldom_collected())
            try:
                stream = held.enter_context(each.open())
            except CollectError as err:
                yield Filed(file=each.name, state="unreachable", reason=str(err))
                continue
            meter.begin(each, stream)
            yield from _read_one(each, stream, about, reading, options.limits)
        meter.end()
    if writes:
        store.note_attempt(about.source, None)


def _read_one(
    given: Input, stream: IO[bytes], about: About, reading: Reading, limits: UnpackLimits
) -> Iterator[Filed]:
    """Read one file, and all that is packed in it.

    What could not be unpacked is one record of the quarantine, with the file's first bytes; but nothing
    is said of a file that was merely found, and in which there is no report.
    """
    damages: list[Damage] = []
    members, read = 0, False
    for thing in unpacked(stream, given.name, limits):
        if isinstance(thing, Damage):
            damages.append(thing)
            continue
        members += 1
        whole = thing.stream is stream
        named = given.named and (whole or not thing.path)
        filed = read_report(thing, about, reading, named=named, stays=given.stays and whole)
        read = read or filed.format is not None or filed.state == "unreadable"
        yield filed
    if not members and not damages:
        damages.append(Damage(given.name, "holds no file"))
    elif not read and not damages and given.named:
        damages.append(Damage(given.name, "holds no file that a format recognises"))
    if damages and (given.named or read):
        reason = _told(damages, given.name)
        told = told_of(about, given.name, digest_of(stream), None)
        reading.shelf.begin(Filing(name=given.name, told=told))
        draft = Draft(garbled=[garbled(stream, given.name, reason, about)])
        counts = reading.shelf.take(draft, refused, begins=True, ends=True)
        yield Filed(file=given.name, state="unreadable", counts=counts, reason=reason)


def _told(damages: Sequence[Damage], name: str) -> str:
    """Say in one text what is wrong in a file; inside of an archive with the name there."""
    told = [
        damage.reason if damage.name == name else f"{damage.name.removeprefix(name)[1:]}: {damage.reason}"
        for damage in damages[:MOST_TOLD]
    ]
    if len(damages) > MOST_TOLD:
        told.append(f"and {len(damages) - MOST_TOLD} more")
    return "; ".join(told)


class _Meter:
    """Tells how far the reading of several files has come."""

    _stream: IO[bytes]

    def __init__(self, found: Sequence[Input], tell: Tell) -> None:
        self._tell = tell
        self._total = sum(each.size or 0 for each in found)
        self._before = self._size = 0
        self._name = ""
        self._counts = Committed()

    def begin(self, given: Input, stream: IO[bytes]) -> None:
        """Begin with a file."""
        self._name, self._stream = given.name, stream
        self._size = stream.seek(0, 2)
        if given.size is None:
            self._total += self._size
        self._tell(self._name, self._before, self._total, self._counts)

    def came(self, counts: Committed) -> None:
        """Tell of one more page of it."""
        self._counts += replace(counts, ids=())
        done = self._before + min(self._stream.tell(), self._size)
        self._tell(self._name, done, self._total, self._counts)

    def end(self) -> None:
        """End with a file."""
        self._before += self._size
        self._tell(self._name, self._before, self._total, self._counts)
