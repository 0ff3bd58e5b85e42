"""Differences of packages: as rpmlint's `rpmdiff` prints them, and as JSON. See docs/formats/rpmdiff.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .findings import Findings
from .json_records import json_records, shape
from .json_values import text
from .telling import Telling
from .text_lines import Lines, first_lines
from .whole import WHOLE

TEXT_OUTCOMES: dict[str, str] = {
    **WHOLE,
    "difference": Outcome.INFO,
    "notable difference": Outcome.NEEDS_INSPECTION,
}
RUN_OUTCOMES: dict[str, str] = {
    **WHOLE,
    "info": Outcome.INFO,
    "waived": Outcome.INFO,
    "needs inspection": Outcome.NEEDS_INSPECTION,
}
_FLAGS = re.compile(r"([S.])([M.])([5.])([D.])([N.])([L.])([V.])([U.])([G.])([F.])([T.])\s+(\S.*)$")
_CHANGE = re.compile(r"(removed|added) +(?:([A-Z]{4,20}) )?(\S.*)$")
_NOTABLE = {"M": "mode", "D": "device", "U": "owner", "G": "group", "V": "file flags"}
_CONTENT = "S5NLF"
_MAX_HELD = 20_000
_OTHER = re.compile(r"[^a-z]")


class RpmdiffText:
    """Reads the text: one observation a kind of difference, then one for all."""

    name: ClassVar[str] = "rpmdiff_text"
    outcomes: ClassVar[dict[str, str]] = TEXT_OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether its first lines are changes, nothing else."""
        lines = [line for line in first_lines(head) if line.strip()][:3]
        return bool(lines) and all(_FLAGS.match(line) or _known(line) for line in lines)

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the text holds."""
        telling = Telling(about, "rpmdiff", TEXT_OUTCOMES, checker=True)
        lines, found = Lines(stream), _Differences()
        for line in lines:
            line = line.rstrip()
            if line and not found.take(line):
                yield from telling.bad(
                    line.encode(), "no difference that rpmdiff would print", f"line {lines.number}"
                )
        if lines.cut or not found.count:
            reason = "the text is longer than 1 GiB" if lines.cut else "no difference is in it"
            yield telling.unread(Garbled(raw=b"", reason=reason, kind="report"))
        yield from found.told(telling)
        data = {"differences": str(found.count), "only_time": str(found.touched)}
        yield from telling.end(data=data, total="kinds")


class _Differences:
    """The differences of one text, by kind."""

    def __init__(self) -> None:
        self._findings = Findings(TEXT_OUTCOMES)
        self._held: list[tuple[str, str, str]] = []
        self._added: set[tuple[str, str]] = set()
        self.count = self.touched = 0

    def take(self, line: str) -> bool:
        """Take a line; say whether it is a difference."""
        if flags := _FLAGS.match(line):
            self._flags(flags.groups())
        elif change := _known(line):
            self._change(change[1], change[2] or "", change[3].strip())
        else:
            return False
        self.count += 1
        return True

    def _flags(self, groups: tuple[str, ...]) -> None:
        *flags, path = groups
        notable = [_NOTABLE[flag] for flag in flags if flag in _NOTABLE]
        if notable:
            self._findings.add("permissions", "notable difference", f"{path}: {', '.join(notable)}")
        elif any(flag in _CONTENT for flag in flags):
            self._findings.add("contents", "difference", path)
        else:
            self.touched += 1

    def _change(self, change: str, tag: str, name: str) -> None:
        if not tag:
            self._findings.add("files", "difference", f"{change} {name}")
            return
        plain = name.partition(" ")[0]
        if change == "added" and len(self._added) < _MAX_HELD:
            self._added.add((tag, plain))
        if change == "removed" and tag == "PROVIDES" and len(self._held) < _MAX_HELD:
            self._held.append((tag, plain, name))
        elif change == "removed" and tag == "PROVIDES":
            self._findings.add("provides", "notable difference")
        else:
            self._findings.add(tag.lower(), "difference", f"{change} {name}")

    def told(self, telling: Telling) -> Iterator[Observation]:
        """Yield a child a kind. A provide that is gone, not only of another version, is notable."""
        for tag, plain, name in self._held:
            word = "difference" if (tag, plain) in self._added else "notable difference"
            self._findings.add(tag.lower(), word, f"removed {name}")
        yield from self._findings.children(telling, ran=True)
        telling.ran += bool(self.count)


class Rpmdiff:
    """Reads one run as JSON of our own (rpmdiff.schema.json): an observation a test, then the run's."""

    name: ClassVar[str] = "rpmdiff"
    outcomes: ClassVar[dict[str, str]] = RUN_OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether its `tool` is rpmdiff."""
        return shape(head).get(("tool",)) == "rpmdiff"

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the run holds."""
        telling: Telling | None = None
        run: dict[str, Any] = {}
        fields = ("mode", "run_id", "web_url", "newnvr", "oldnvr", "taskid", "scratch", "overall")
        broken: Garbled | None = None
        for path, value in json_records(stream, ("tests", "[]"), *((field,) for field in fields)):
            if isinstance(value, Garbled):
                broken = value
            elif len(path) == 1 and path[0] in fields:
                run[path[0]] = value
            elif len(path) == 2:
                telling = telling or self._telling(run, about)
                yield from _test(value, telling)
        telling = telling or self._telling(run, about)
        if broken is not None:
            yield telling.unread(broken)
        told = ("newnvr", "oldnvr", "taskid", "scratch")
        data: dict[str, str] = {name: plain_text.value(run[name]) for name in told if name in run}
        word = text(run, "overall").lower() or None
        yield from telling.end(
            word=word, data=data, ref_url=plain_text.link(run.get("web_url")), total="tests"
        )

    @staticmethod
    def _telling(run: Mapping[str, Any], about: Report) -> Telling:
        """Begin the account: the mode stands before the tests, else the item tells it."""
        mode = text(run, "mode").lower()
        if mode not in ("analysis", "comparison"):
            mode = "comparison" if about.item_type.endswith("_pair") else "analysis"
        return Telling(about, f"rpmdiff.{mode}", RUN_OUTCOMES, checker=True)


def _test(test: object, telling: Telling) -> Iterator[Observation | Garbled]:
    name, word = text(test, "name"), text(test, "outcome")
    if not isinstance(test, Mapping) or not (name and word):
        yield from telling.bad(test, "a test without a name or an outcome")
        return
    yield telling.child(
        _OTHER.sub("_", name.lower()),
        word,
        note=plain_text.note(text(test, "note")),
        ref_url=plain_text.link(test.get("web_url")),
        data={"test": plain_text.value(name)},
        ran=word.lower() not in ("queued", "running"),
    )


def _known(line: str) -> re.Match[str] | None:
    """Match an added or removed object; a path begins with a slash."""
    found = _CHANGE.match(line)
    return found if found and (found[2] or found[3].startswith("/")) else None
