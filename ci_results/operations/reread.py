"""Reread: what a report file said that could not be read then, read with the formats of today.

A file that no format knew is kept whole, and read from what is kept. A piece of a file says nothing
alone (its keys, and what the whole file comes to, hang on the rest), so that the file is read again:
as it was kept with its first piece where it came over HTTP, from an archive or a pipe, else where it
still is. A piece that does not come again is readable now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path

from ..domain.ownership import Ownership
from ..domain.page import Committed
from ..domain.stored import Quarantined
from ..errors import InvalidError, shown
from ..plugin.manager import Plugins
from ..store.protocol import Store
from .report import Options, read_again, report_inputs
from .reporting.about import About, Filed, about_from
from .reporting.inputs import Input
from .reporting.one_report import HEAD_BYTES, KEPT_BYTES, reader_of


class ReportsAgain:
    """Reads records of reports again, each file once however many of its pieces are asked for."""

    def __init__(
        self, store: Store, plugins: Plugins, vocabulary: Sequence[str], ownership: Ownership | None = None
    ) -> None:
        self._store, self._plugins, self._vocabulary = store, plugins, vocabulary
        self._ownership = ownership
        self._read: dict[tuple[str, ...], Filed] = {}

    def one(self, record: Quarantined) -> tuple[int, str]:
        """Return how many results are new, and how the record is closed. Raises InvalidError."""
        told = record.told
        if told is None or not {"item", "item_type", "prefix", "file", "sha256"} <= told.keys():
            raise InvalidError(
                "is a report file of which nothing else is known:"
                f" ci-results quarantine show {record.id} --raw | ci-results report - --item ITEM"
            )
        filed = self._piece(record) if "format" in told else self._whole(record)
        new = filed.counts.stored
        return new, f"{told['file']} read again as {filed.format}, {new} result{'' if new == 1 else 's'} new"

    def _whole(self, record: Quarantined) -> Filed:
        told = record.told or {}
        if len(record.raw) >= KEPT_BYTES:
            return self._from_disk(record)
        about = replace(about_from(told, record.source), ownership=self._ownership)
        if reader_of(record.raw[:HEAD_BYTES], told["file"], self._plugins) is None:
            return self._unpacked(record, about)
        stream = BytesIO(record.raw)
        filed = read_again(
            stream, told["file"], about, self._store, self._plugins, self._vocabulary, stays=False
        )
        if filed.state in ("empty", "unreadable"):
            raise InvalidError(f"{told['file']}: {filed.format} finds nothing in it that can be stored")
        return filed

    def _unpacked(self, record: Quarantined, about: About) -> Filed:
        """Read what is packed in a file. Raises InvalidError where nothing is, or not all can be unpacked."""
        name = (record.told or {})["file"]
        given = Input(name=name, named=False, size=len(record.raw), open=lambda: BytesIO(record.raw))
        options = Options(vocabulary=self._vocabulary, again=True)
        filed = list(report_inputs([given], about, self._store, self._plugins, options))
        now = self._store.quarantined_record(record.id)
        if now.seen > record.seen:
            raise InvalidError(now.reason)
        read = [one for one in filed if one.state in ("stored", "same")]
        if not read:
            raise InvalidError(f"{name}: still no format recognises it: ci-results plugin list")
        return replace(read[0], counts=sum((one.counts for one in read), Committed()))

    def _piece(self, record: Quarantined) -> Filed:
        filed = self._of_file(record)
        now = self._store.quarantined_record(record.id)
        if now.seen > record.seen:
            raise InvalidError(now.reason)
        return filed

    def _of_file(self, record: Quarantined) -> Filed:
        """Read the file that a record is a piece of: as it was kept, else where it lies."""
        told = record.told or {}
        known = (record.source, *(f"{key}={value}" for key, value in sorted(told.items()) if key != "format"))
        if known in self._read:
            return replace(self._read[known], counts=Committed())
        kept = next((each.raw for each in self._of_same(record) if _is(told["sha256"], each.raw)), None)
        if kept is None:
            filed = self._from_disk(record)
        else:
            about = replace(about_from(told, record.source), ownership=self._ownership)
            filed = read_again(
                BytesIO(kept), told["file"], about, self._store, self._plugins, self._vocabulary, stays=False
            )
        self._read[known] = filed
        return filed

    def _of_same(self, record: Quarantined) -> Iterator[Quarantined]:
        """Yield the record, then the others of the same file, oldest first."""
        yield record
        step = 500
        found = self._store.quarantined(record.source, limit=step)
        while len(found) == step:
            step *= 4
            found = self._store.quarantined(record.source, limit=step)
        yield from (each for each in found if each.told == record.told)

    def _from_disk(self, record: Quarantined) -> Filed:
        told = record.told or {}
        name = told["file"]
        path = Path(name)
        if not path.is_file():
            raise InvalidError(
                f"is a piece of {shown(name)}, which is not there:"
                f" get the file, then: ci-results report FILE --again --item {told['item']}"
            )
        with path.open("rb") as stream:
            if file_digest(stream, "sha256").hexdigest() != told["sha256"]:
                raise InvalidError(
                    f"is a piece of {shown(name)}, which has changed:"
                    f" ci-results report {name} --item {told['item']}"
                )
            about = replace(about_from(told, record.source), ownership=self._ownership)
            return read_again(stream, name, about, self._store, self._plugins, self._vocabulary, stays=True)


def _is(digest: str, raw: bytes) -> bool:
    return sha256(raw).hexdigest() == digest
