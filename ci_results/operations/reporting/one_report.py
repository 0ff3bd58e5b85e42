"""One report file: who reads it, whether it was read before, and what of it is kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import IO

from ...collect.pages import PAGE_ROWS, Draft, cut
from ...domain.garbled import Garbled
from ...domain.observation import Observation
from ...domain.outcome import Outcome
from ...domain.page import Committed
from ...domain.report import Report
from ...domain.result import Result
from ...domain.run import Run
from ...domain.stored import StoredResult
from ...errors import CollectError, PluginError
from ...formats.junit_names import tidy
from ...formats.junit_overall import OVERALL
from ...normalise.normaliser import Normaliser
from ...plugin.contract import Format, Seen
from ...plugin.faults import guarded, plugin_call
from ...plugin.manager import Plugins
from ...query.results import ResultQuery
from ...store.protocol import Store
from ..retold import said_by_run
from ..unpacking.harness import SUFFIX
from ..unpacking.member import Member
from .about import About, Filed, told_of
from .shelf import Filing, Shelf, unfinished

HEAD_BYTES = 65_536
KEPT_BYTES = 16_000_000
KEPT_FROM = ", kept from "
LAST_LINE = 65_536
BETTER = {
    Outcome.NEEDS_INSPECTION: (Outcome.PASSED, Outcome.INFO),
    Outcome.FAILED: (Outcome.PASSED, Outcome.INFO, Outcome.NEEDS_INSPECTION),
}
"""What a file as a whole does not say where it may be no better than the outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading a report needs beside the report.

    vocabulary  outcomes that the configuration adds
    again       read files that were read whole before
    page_rows   results of one commit
    tell        called with what became of each page
    """

    store: Store
    plugins: Plugins
    shelf: Shelf
    vocabulary: Sequence[str] = ()
    again: bool = False
    page_rows: int = PAGE_ROWS
    tell: Callable[[Committed], None] = lambda counts: None


def read_report(member: Member, about: About, reading: Reading, *, named: bool, stays: bool) -> Filed:
    """Read one file that is not packed.

    named  it is quarantined where nobody reads it
    stays  it can be read again under its name; else it is kept itself with the first piece of it that
           is quarantined, up to 16 MB, so that a retry has what the piece is a piece of
    """
    return _OneReport(member, about, reading, stays=stays).file(named=named)


class _OneReport:
    def __init__(self, member: Member, about: About, reading: Reading, *, stays: bool) -> None:
        self.member, self.reading, self.stays = member, reading, stays
        self.stream = member.stream
        self.about = _as_told(member, about)
        if member.cut:
            _end_at_last_line(self.stream)
        self.digest = digest_of(self.stream)
        self.place = member.name if about.run is None else _place(member.name)
        self.run = self._run()
        self.groups = about.groups
        self.regrouped = False

    def file(self, *, named: bool) -> Filed:
        name = self.member.name
        self._begin(None)
        self.stream.seek(0)
        head = self.stream.read(HEAD_BYTES)
        self.stream.seek(0)
        try:
            reader = self._reader(head)
        except PluginError as err:
            return self._refuse(str(err))
        if reader is None:
            reason = "no format recognises it" if head else "empty file"
            return self._refuse(reason) if named else Filed(file=name, state="empty", reason=reason)
        filed = Filed(file=name, state="same", format=reader.name, run=self.run.key, reason=self.member.cut)
        if self._is_known():
            return filed
        self._begin(reader)
        counts = self._store(reader)
        shelf = self.reading.shelf
        filed = replace(
            filed,
            counts=counts,
            outcomes=dict(shelf.outcomes),
            foreseen=tuple(shelf.foreseen),
            reason=self.member.cut or shelf.reason,
        )
        if not counts.stored and not counts.superseding and not counts.same:
            return replace(filed, state="unreadable" if counts.quarantined else "empty")
        return replace(filed, state="stored" if counts.stored else "same")

    def _run(self) -> Run:
        """Say which run it is: the same file told of another item is another one."""
        about, data = self.about, {"file": self.place}
        which = f"{about.run}/{self.place}" if about.run is not None else self.digest[:16]
        if about.run is None:
            data["sha256"] = self.digest
        told = json.dumps([about.item_type, about.item, about.prefix, about.scenario, about.arch])
        key = f"{about.item}/{which}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
        return Run(key=key, ref_url=about.url, data=data)

    def _begin(self, reader: Format | None) -> None:
        """Tell the shelf what comes: `reader` read it, None = nobody."""
        about, store = self.about, self.reading.store
        before: dict[str, bytes] = {}
        if reader is not None and about.run is not None and not self.regrouped:
            before = said_by_run(store, about.source, self.run.key)
        told = told_of(about, self.place, self.digest, None if reader is None else reader.name)
        self.reading.shelf.begin(Filing(name=self.member.name, run=self.run.key, told=told, before=before))

    def _reader(self, head: bytes) -> Format | None:
        return reader_of(head, self.member.name, self.reading.plugins)

    def _is_known(self) -> bool:
        """Say whether this very file was read to its end before, for all groups that are asked for.

        Where it was begun, or is to be read again, it goes on under the name it had, in the groups it
        is in: else its results would say something else than those that are stored.
        """
        store, source = self.reading.store, self.about.source
        found = store.results(ResultQuery(source=source, run=self.run.key, limit=1))
        if not found:
            return False
        held = _groups(store, found[0])
        self.regrouped = not set(held).issuperset(self.groups)
        if (
            not self.reading.again
            and self.about.run is None
            and not self.regrouped
            and self.run.key not in unfinished(store.cursor(source))
        ):
            return True
        self.groups = tuple(dict.fromkeys((*held, *self.groups)))
        name = found[0].data.get("file", [self.member.name])[0]
        self.run = replace(self.run, data={**self.run.data, "file": name})
        return False

    def _store(self, reader: Format) -> Committed:
        about, reading = self.about, self.reading
        normalise = Normaliser(
            about.source,
            reader.outcomes,
            reading.plugins.item_types,
            reading.vocabulary,
            about.ownership,
            self.groups,
        )
        counts, drafts = Committed(), self._drafts(reader)
        draft = next(drafts, None)
        first = True
        while draft is not None:
            following = next(drafts, None)
            page = reading.shelf.take(draft, normalise, begins=first, ends=following is None)
            reading.tell(page)
            counts += page
            draft, first = following, False
        return counts

    def _drafts(self, reader: Format) -> Iterator[Draft]:
        """Yield pages; where the reader fails, what it read before, and then why."""
        what = f"{reader.name} of {self.member.name}"
        try:
            with ExitStack() as aside:
                told = self._told(lambda: aside.enter_context(TemporaryFile()))
                with plugin_call(what, reader):
                    seen = reader.read(self.stream, told)
                told_all = self._weighed(guarded(seen, what, reader), reader)
                yield from cut(self._kept(told_all), rows=self.reading.page_rows)
        except (CollectError, PluginError) as err:
            yield Draft(garbled=[self._garbled(str(err))])

    def _told(self, scratch: Callable[[], IO[bytes]]) -> Report:
        about = self.about
        return Report(
            item=about.item,
            item_type=about.item_type,
            prefix=about.prefix,
            run=self.run,
            time=about.time,
            scenario=about.scenario,
            arch=about.arch,
            scratch=scratch,
        )

    def _weighed(self, seen: Iterator[Seen], reader: Format) -> Iterator[Seen]:
        """Let a file as a whole be no better than what is known of it: it broke off, its script failed."""
        cut, told = self.member.cut, self.member.told
        if cut:
            return _doubted(seen, reader, cut, Outcome.NEEDS_INSPECTION)
        if told is not None and told.exit_status:
            return _doubted(seen, reader, f"exit status {told.exit_status}", Outcome.FAILED)
        return seen

    def _kept(self, seen: Iterator[Seen]) -> Iterator[Seen]:
        """Put the file itself in the place of the first piece that nobody reads, where it does not stay."""
        return seen if self.stays else self._with_the_file(seen)

    def _with_the_file(self, seen: Iterator[Seen]) -> Iterator[Seen]:
        kept = False
        for each in seen:
            if not kept and isinstance(each, Garbled) and each.kind == "report":
                kept = True
                each = self._whole(each)
            yield each

    def _whole(self, piece: Garbled) -> Garbled:
        place = self.stream.tell()
        self.stream.seek(0)
        raw = self.stream.read(KEPT_BYTES + 1)
        self.stream.seek(place)
        if len(raw) > KEPT_BYTES:
            lost = f"only this piece is kept: the report is longer than {KEPT_BYTES // 1_000_000} MB"
            return replace(piece, reason=f"{piece.reason}; {lost}")
        where = piece.position and f"{piece.position.partition(KEPT_FROM)[0]}{KEPT_FROM}byte 0, line 1"
        return replace(piece, raw=raw, position=where)

    def _refuse(self, reason: str) -> Filed:
        draft = Draft(garbled=[self._garbled(reason)])
        counts = self.reading.shelf.take(draft, refused, begins=True, ends=True)
        return Filed(file=self.member.name, state="unreadable", counts=counts, reason=reason)

    def _garbled(self, reason: str) -> Garbled:
        return garbled(self.stream, self.member.name, reason, self.about)


def reader_of(head: bytes, name: str, plugins: Plugins) -> Format | None:
    """Return the format that recognises a file by its `head`, or None."""
    for reader in plugins.formats.values():
        with plugin_call(f"{reader.name} of {name}", reader):
            if reader.recognises(head):
                return reader
    return None


def garbled(stream: IO[bytes], name: str, reason: str, about: About) -> Garbled:
    """Return what goes into the quarantine of a file that nobody reads: its first 16 MB."""
    stream.seek(0)
    raw = stream.read(KEPT_BYTES)
    where = None if len(raw) < KEPT_BYTES else f"first {KEPT_BYTES} bytes"
    key = f"{about.item_type}:{about.item} {name}"
    return Garbled(raw=raw, reason=f"{name}: {reason}", key=key, position=where, kind="report")


def _place(name: str) -> str:
    """Return where a file lies, from here where it lies below: the same on every machine."""
    if "://" in name:
        return name
    near = os.path.relpath(name)
    return name if near.startswith("..") else near


def _as_told(member: Member, about: About) -> About:
    """Add what the archive tells of the file: each script of TAP::Harness is a namespace of its own."""
    told = member.told
    if told is None:
        return about
    script = told.script.removesuffix(SUFFIX).strip("./").replace("/", ".")
    return replace(about, prefix=tidy(f"{about.prefix}.{script}"), time=about.time or told.ended)


def _doubted(seen: Iterator[Seen], reader: Format, reason: str, at_best: Outcome) -> Iterator[Seen]:
    for each in seen:
        if isinstance(each, Observation) and each.key == OVERALL:
            ours = reader.outcomes.get(each.outcome.lower(), each.outcome)
            yield replace(
                each,
                outcome=str(at_best) if ours in BETTER[at_best] else each.outcome,
                note=f"{reason}\n{each.note}" if each.note else reason,
            )
        else:
            yield each


def _groups(store: Store, result: StoredResult) -> list[str]:
    """Return the groups that a stored result is in, in their order."""
    return [str(uuid) for uuid in json.loads(store.fact(result.id).groups or "[]")]


def _end_at_last_line(stream: IO[bytes]) -> None:
    """Drop the end of a line that broke off: half a name is no name."""
    size = stream.seek(0, 2)
    start = stream.seek(max(0, size - LAST_LINE))
    place = stream.read().rfind(b"\n")
    if place >= 0:
        stream.truncate(start + place + 1)


def digest_of(stream: IO[bytes]) -> str:
    """Return the SHA-256 of a stream from its beginning, in hexadecimal digits."""
    stream.seek(0)
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def refused(seen: Observation) -> Result:
    """Normalise nothing: a file that is refused has no observations."""
    raise AssertionError("a refused file has no observations")
