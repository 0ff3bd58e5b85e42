"""Write a database of results as clients post them: what `serve.py` measures on.

    python bench/posted.py FILE ROWS

The rows follow formulas, so that a bigger store begins with the rows of a smaller one: four
attributes a result, 20 results an item (50 items at a time, interleaved), 5,000 testcases of which
ten `dist.*` have half of all results, groups of 50, two years.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from generated import _batches, _create_tables

from ci_results.domain.outcome import Outcome
from ci_results.store.days import DAY_US
from ci_results.store.identity import to_text
from ci_results.store.migrations import VERSION

END = 1_790_000_000_000_000
SPAN = 730 * 86_400_000_000
PAGE = 1000
TESTCASES, SCENARIOS, GROUP = 5_000, 50, 50
ARCHES = ("x86_64", "aarch64", "ppc64le", "s390x")
_WORDS = ("item", "type", "scenario", "system_architecture")


def item_of(number: int) -> int:
    """Return the item of a result: 50 items take turns for 1,000 results."""
    return number // 1000 * 50 + number % 50


def item_name(item: int) -> str:
    """Return an item's name, e.g. "pkg0042-1.42-3.el10"."""
    return f"pkg{item % 5000:04d}-1.{item}-{item % 7 + 1}.el10"


def item_type(item: int) -> str:
    """Return an item's type: mostly builds."""
    dice = item * 7919 % 100
    return "koji_build" if dice < 80 else "bodhi_update" if dice < 95 else "compose"


def testcase_name(testcase: int) -> str:
    """Return a testcase's name; the first ten are `dist.*`."""
    return (
        f"dist.check{testcase}"
        if testcase < 10
        else f"team{testcase % 40:02d}.suite{testcase // 40:03d}.case"
    )


testcase_name.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test


def group_uuid(group: int) -> str:
    """Return a group's uuid."""
    return f"00000000-0000-4000-8000-{group:012d}"


def generate(path: Path, rows: int) -> Path:
    """Write `rows` results to `path`, which must not exist, and analyse it."""
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    db = sqlite3.connect(part, isolation_level=None)
    for pragma in ("page_size=8192", "journal_mode=off", "synchronous=off", "cache_size=-1000000"):
        db.execute(f"pragma {pragma}").fetchall()
    later = _create_tables(db)
    db.execute("begin")
    pairs = _names(db, rows)
    for batch in _batches(_results(rows)):
        db.executemany(f"insert into _result values ({', '.join('?' * 19)})", batch)
    for batch in _batches(_members(rows)):
        db.executemany("insert into _result_group values (?, ?, ?)", batch)
    for batch in _batches(_pairs(rows, pairs)):
        db.executemany("insert into _result_pair values (?, ?, ?)", batch)
    db.execute("commit")
    for statement in later:
        db.execute(statement)
    db.execute(
        f"insert into _daily select testcase, rank / {DAY_US}, outcome, count(*), 0 from _result"
        " group by 2, 1, 3"
    )
    db.execute(
        f"insert into _daily_source select rank / {DAY_US}, 1, outcome, count(*) from _result group by 1, 3"
    )
    db.execute("pragma analysis_limit=1000")
    db.execute("analyze")
    db.execute("pragma journal_mode=wal").fetchall()
    db.close()
    part.rename(path)
    return path


def _names(db: sqlite3.Connection, rows: int) -> dict[tuple[str, str], int]:
    """Fill the small tables; return the ids of pairs."""
    items = item_of(rows - 1) // 50 * 50 + 50
    pairs: dict[tuple[str, str], int] = {}
    for word in ("koji_build", "bodhi_update", "compose"):
        pairs["type", word] = len(pairs) + 1
    for n in range(SCENARIOS):
        pairs["scenario", f"s{n:02d}"] = len(pairs) + 1
    for arch in ARCHES:
        pairs["system_architecture", arch] = len(pairs) + 1
    for item in range(items):
        pairs["item", item_name(item)] = len(pairs) + 1
    db.executemany("insert into _pair values (?, ?, ?)", [(n, *pair) for pair, n in pairs.items()])
    db.executemany(
        "insert into _outcome values (?, ?)", [(n, str(word)) for n, word in enumerate(Outcome, start=1)]
    )
    db.execute("insert into _variant values (0, '', '')")
    db.executemany(
        "insert into _variant values (?, ?, ?)",
        [(1 + s * 4 + a, f"s{s:02d}", arch) for s in range(SCENARIOS) for a, arch in enumerate(ARCHES)],
    )
    db.execute("insert into _source (id, name, collector) values (1, 'api', 'api')")
    db.executemany(
        "insert into _testcase (id, name) values (?, ?)",
        [(n + 1, testcase_name(n)) for n in range(TESTCASES)],
    )
    db.executemany(
        "insert into _item (id, type, name, nvr, component) values (?, ?, ?, ?, ?)",
        [(n + 1, item_type(n), item_name(n), item_name(n), f"pkg{n % 5000:04d}") for n in range(items)],
    )
    db.executemany(
        "insert into _group values (?, ?, ?, null, ?)",
        [
            (n + 1, group_uuid(n), f"nightly {n}", min(GROUP, rows - n * GROUP))
            for n in range(-(-rows // GROUP))
        ],
    )
    db.executemany(
        "insert into _commit values (?, ?, 1, 'api', ?, ?, 0)",
        [
            (
                n + 1,
                _rank(min(n * PAGE + PAGE, rows) - 1, rows),
                min(n * PAGE + PAGE, rows),
                min(PAGE, rows - n * PAGE),
            )
            for n in range(-(-rows // PAGE))
        ],
    )
    db.executemany("insert into _outbox values (?, 'results')", [(n + 1,) for n in range(-(-rows // PAGE))])
    db.execute("insert into _meta values ('schema', ?)", (str(VERSION),))
    return pairs


def _rank(number: int, rows: int) -> int:
    return END - SPAN + (number + 1) * (SPAN // rows)


def _parts(number: int) -> tuple[str, str, str, str]:
    item = item_of(number)
    return item_name(item), item_type(item), f"s{number * 31 % SCENARIOS:02d}", ARCHES[number * 17 % 4]


def _testcase(number: int) -> int:
    dice = number * 2_654_435_761 % 4_294_967_296
    if dice % 2:
        return dice // 2 % 10
    skew = (dice // 2 % 10_000) / 10_000
    return 10 + int(skew**3 * (TESTCASES - 10))


def _results(rows: int) -> Iterator[tuple[Any, ...]]:
    for number in range(rows):
        parts = _parts(number)
        dice = number * 40_503 % 100
        outcome = 1 if dice < 85 else 3 if dice < 95 else 2 if dice < 98 else 4
        rank = _rank(number, rows)
        data = orjson.dumps({word: [part] for word, part in zip(_WORDS, parts, strict=True)}).decode()
        yield (
            number + 1, number // PAGE + 1, 1, None, _testcase(number) + 1, item_of(number) + 1,
            1 + number * 31 % SCENARIOS * 4 + number * 17 % 4, outcome, rank, None, None,
            f"note {number}" if outcome == 3 else None, f"https://ci.example/{number}", data, f"k{number}",
            number * 2_654_435_761 % 9_223_372_036_854_775_807, number, to_text(rank),
            f'["{group_uuid(number // GROUP)}"]',
        )  # fmt: skip


def _members(rows: int) -> Iterator[tuple[int, int, int]]:
    for number in range(rows):
        yield number // GROUP + 1, _rank(number, rows), number + 1


def _pairs(rows: int, pairs: dict[tuple[str, str], int]) -> Iterator[tuple[int, int, int]]:
    for word, column in (("item", 0), ("type", 1), ("scenario", 2), ("system_architecture", 3)):
        for number in range(rows):
            yield pairs[word, _parts(number)[column]], _rank(number, rows), number + 1


if __name__ == "__main__":
    began = time.perf_counter()
    made = generate(Path(sys.argv[1]), int(sys.argv[2]))
    print(f"{made}: {made.stat().st_size / 1e6:.0f} MB in {time.perf_counter() - began:.1f} s")
