"""Known differences: why an old system and ours differ. Each error names file, table and key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from pathlib import Path

from ..domain.outcome import Outcome
from ..errors import ConfigError, shown
from ..strict import structure

MISSING = "missing"
"""The outcome of a verdict that one side has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDifference:
    """A difference that somebody knows and explains: globs of item and testcase, words of both sides.

    old, new  an outcome, "missing", or "*"; until = it is no explanation from this day on
    """

    reason: str
    item: str = "*"
    testcase: str = "*"
    old: str = "*"
    new: str = "*"
    until: datetime | None = None

    def covers(self, item: str, testcase: str, old: str, new: str, now: datetime) -> bool:
        """Say whether this explains one difference at the time `now`."""
        return (
            fnmatchcase(item, self.item)
            and fnmatchcase(testcase, self.testcase)
            and self.old in ("*", old)
            and self.new in ("*", new)
            and (self.until is None or now < self.until)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations:
    """What is known of the two sides.

    testcases    the old system's name of a test to ours: {"rpmdiff": "dist.rpmdiff"}
    outcomes     its words to ours, before those that are known
    differences  in the order in which they are looked at
    """

    testcases: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[KnownDifference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceTable:
    """One table `difference`: see KnownDifference; `until` is a day, in UTC."""

    reason: str
    item: str = "*"
    testcase: str = "*"
    old: str = "*"
    new: str = "*"
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainFile:
    """The whole file."""

    testcases: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    difference: tuple[DifferenceTable, ...] = ()


def read_explanations(path: Path, vocabulary: Iterable[str] = ()) -> Explanations:
    """Read the file at `path`; `vocabulary`: outcomes that the configuration adds. Raises ConfigError."""
    try:
        whole = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise ConfigError(f"{path}: {err}") from err
    file: ExplainFile = structure(whole, ExplainFile, f"{path}:")
    words = {*map(str, Outcome), *vocabulary}
    for word, ours in file.outcomes.items():
        _check(ours, words, f"{path}: [outcomes] {word}")
    for number, table in enumerate(file.difference):
        where = f"{path}: difference[{number}]"
        if not table.reason.strip():
            raise ConfigError(f"{where} reason: empty; say why the two differ")
        for key in ("old", "new"):
            _check(getattr(table, key), {*words, MISSING, "*"}, f"{where} {key}")
    differences = tuple(_known(table) for table in file.difference)
    return Explanations(testcases=file.testcases, outcomes=file.outcomes, differences=differences)


def _known(table: DifferenceTable) -> KnownDifference:
    until = None if table.until is None else datetime.combine(table.until, time(), UTC)
    return KnownDifference(
        reason=table.reason,
        item=table.item,
        testcase=table.testcase,
        old=table.old,
        new=table.new,
        until=until,
    )


def _check(word: str, words: Iterable[str], where: str) -> None:
    if word not in words:
        raise ConfigError(f"{where}: {shown(word)} is none of {', '.join(sorted(words))}")
