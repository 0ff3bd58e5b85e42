"""Promote: which rules that only inform have proved themselves, and the change that requires them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import NamedTuple

from ..decide.policy_set import PolicySet, load
from ..decide.promoting import Watched, promote, watched
from ..domain.outcome import UNFINISHED
from ..domain.policy import is_glob
from ..domain.search import Search
from ..errors import ConfigError, StaleError, StoreError
from ..store.protocol import Store

_PAGE = 200


class Record(NamedTuple):
    """How a testcase fared lately: `passed` of its last `done` finished results, over all items."""

    testcase: str
    passed: int
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A rule that only informs, how its testcases fared, and why it is not ready; "" where it is."""

    watched: Watched
    records: tuple[Record, ...]
    why_not: str

    @property
    def ready(self) -> bool:
        """Whether it has proved itself."""
        return not self.why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file before and after."""

    file: Path
    before: bytes
    after: bytes

    def diff(self) -> str:
        """Return it as a unified diff."""
        old, new = (text.decode("utf-8", "replace").splitlines(keepends=True) for text in self._texts)
        return "".join(_ended(line) for line in unified_diff(old, new, str(self.file), str(self.file)))

    @property
    def _texts(self) -> tuple[bytes, bytes]:
        return self.before, self.after

    def write(self) -> None:
        """Put the new file in the place of the old one, at once, with its permissions.

        Raises StaleError where the file was changed since it was read, StoreError where it cannot be written.
        """
        try:
            if self.file.read_bytes() != self.before:
                raise StaleError(f"{self.file}: was changed meanwhile: do it again")
            target = self.file.resolve()  # a link stays a link
            with tempfile.NamedTemporaryFile(
                dir=target.parent, prefix=f".{target.name}.", delete=False
            ) as new:
                new.write(self.after)
                new.flush()
                os.fsync(new.fileno())
            os.chmod(new.name, target.stat().st_mode & 0o7777)
            os.replace(new.name, target)
        except OSError as err:
            raise StoreError(f"{self.file}: cannot be written: {err.strerror or err}") from err


def candidates(
    store: Store, policies: PolicySet, testcases: Collection[str], *, passed: int, last: int
) -> list[Candidate]:
    """Return the rules that only inform; those are ready of whose `last` results `passed` passed.

    testcases  only rules about one of these; () = all
    """
    found = []
    for each in watched(policies.policies):
        if testcases and not set(testcases) & set(each.testcases):
            continue
        records = tuple(_record(store, name, last) for name in each.testcases if not is_glob(name))
        found.append(Candidate(watched=each, records=records, why_not=_why_not(each, records, passed, last)))
    return found


def changes(policies: PolicySet, chosen: Iterable[Watched]) -> list[Change]:
    """Return the changes of files that make these rules required.

    Raises InvalidError for a file that is to be changed by hand, ConfigError for one that cannot be read.
    """
    by_file: dict[str, list[Watched]] = {}
    for each in chosen:
        by_file.setdefault(each.policy.place.file, []).append(each)
    found = []
    for file, rules in by_file.items():
        try:
            before = Path(file).read_bytes()
        except OSError as err:
            raise ConfigError(f"{file}: cannot be read: {err.strerror or err}") from err
        after = promote(file, before, policies.types, rules)
        found.append(Change(file=Path(file), before=before, after=after))
    return found


def changed_set(policies: PolicySet, files: Sequence[tuple[str, bytes]], made: Iterable[Change]) -> PolicySet:
    """Return the set that would be in force after the changes. Raises ConfigError."""
    new = {str(each.file): each.after for each in made}
    texts = ((name, new.get(name, text)) for name, text in files)
    return load(texts, policies.types, settings=policies.settings)


def _record(store: Store, testcase: str, last: int) -> Record:
    words = list(_finished(store, testcase, last))
    return Record(testcase, sum(word in ("PASSED", "INFO") for word in words), len(words))


def _finished(store: Store, testcase: str, last: int) -> Iterator[str]:
    """Yield the outcomes of the last finished results of a testcase, the newest first."""
    after, count = None, 0
    while True:
        page = store.search(Search(testcases=(testcase,), limit=_PAGE, after=after))
        for fact in page:
            if fact.outcome not in UNFINISHED:
                yield fact.outcome
                count += 1
                if count == last:
                    return
        if len(page) < _PAGE:
            return
        after = page[-1].rank, page[-1].id


def _why_not(each: Watched, records: tuple[Record, ...], passed: int, last: int) -> str:
    if any(map(is_glob, each.testcases)) or not records:
        return "it names no testcases, or globs: whether they pass is no single record"
    for record in records:
        if record.done < last:
            return f"{record.testcase}: {record.done} finished results so far, {last} are needed"
        if record.passed < passed:
            return f"{record.testcase}: {record.passed} of the last {last} passed, {passed} are needed"
    return ""


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n"
