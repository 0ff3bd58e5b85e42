"""Read one report: learn what it is about, wait where it is half written, give its observations."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO

from ci_results import Garbled, Observation, Report, Run, read_report

from .items import UNKNOWN, Subject, Survey, find_subject
from .options import Options
from .place import Opened, key_of, path_of

KEPT_BYTES = 1 << 20
WHOLE = "whole file"
"""The position of a quarantined record that holds all of its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How one source reads its reports; `formats` may read them."""

    options: Options
    formats: Sequence[str]

    def read(
        self, path: str, opened: Opened, link: str | None, *, wait: bool = True
    ) -> Generator[Observation | Garbled, None, bool]:
        """Yield what the report says; return whether it is done with.

        A damaged report that was changed within `settle_s` may be half of one: with `wait`, nothing is
        yielded, and False returned.
        """
        key = key_of(path)
        survey = _Once(self, key, opened.stream)
        young = opened.age_s is not None and abs(opened.age_s) < self.options.settle_s
        if wait and young and survey().damage is not None:
            return False
        yield from self.observe(key, opened.stream, opened.modified, link, survey)
        return opened.steady()

    def observe(
        self,
        key: str,
        stream: IO[bytes],
        modified: datetime | None,
        link: str | None,
        survey: Callable[[], Survey] | None = None,
    ) -> Iterator[Observation | Garbled]:
        """Yield what the report in `stream` says."""
        survey = survey or _Once(self, key, stream)
        subject = find_subject(self.options.item, path_of(key), key, survey)
        stream.seek(0)
        if isinstance(subject, str):
            yield _without_item(key, stream, subject)
            return
        data = {"file": key, **subject.builds}
        for seen in self._read(stream, subject, Run(key=key, ref_url=link, data=data)):
            if isinstance(seen, Garbled):
                yield replace(seen, key=key, kind="record")
            elif seen.time is None and modified is not None:
                yield replace(seen, time=modified)
            else:
                yield seen

    def survey(self, key: str, stream: IO[bytes]) -> Survey:
        """Read the report once to learn of it."""
        survey = Survey()
        stream.seek(0)
        kind = next((rule.type for rule in self.options.item if rule.find == "report"), "koji_build")
        for seen in self._read(stream, Subject(item=UNKNOWN, item_type=kind), Run(key=key)):
            survey.take(seen)
        return survey

    def _read(self, stream: IO[bytes], subject: Subject, run: Run) -> Iterator[Observation | Garbled]:
        about = Report(
            item=subject.item,
            item_type=subject.item_type,
            prefix=self.options.namespace,
            run=run,
            arch=subject.arch,
            scenario=subject.scenario,
            outcomes={word.lower(): ours for word, ours in self.options.outcomes},
        )
        return read_report(stream, about, self.formats)


class _Once:
    """The survey of one report, made when it is first asked for."""

    def __init__(self, reader: Reader, key: str, stream: IO[bytes]) -> None:
        self._reader, self._key, self._stream = reader, key, stream
        self._made: Survey | None = None

    def __call__(self) -> Survey:
        if self._made is None:
            self._made = self._reader.survey(self._key, self._stream)
        return self._made


def _without_item(key: str, stream: IO[bytes], missed: str) -> Garbled:
    raw = stream.read(KEPT_BYTES)
    whole = len(raw) < KEPT_BYTES
    return Garbled(
        raw=raw,
        reason=f"no rule finds an item: {missed}; mend `item`, then: ci-results quarantine retry",
        key=key,
        position=WHOLE if whole else f"first {KEPT_BYTES} bytes",
    )
