"""Copy a store into an empty one of another kind, and prove that the two say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import zip_longest

from ..errors import StoreError, shown
from ..store.copying import TABLES, Reading, Side, Told, copy_tables, one
from ..store.dump import dump
from ..store.opening import create_store, is_postgres, migrate_store, sqlite_path

TOLD_EVERY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was copied.

    rows    of each table
    facts   lines of the canonical dump, which are the same in both
    digest  of these lines, 32 hexadecimal digits
    """

    rows: Mapping[str, int]
    facts: int
    digest: str


def copy(source: str, target: str, tell: Told = lambda what, done, total: None) -> Copied:
    """Copy the store at the URL `source`, which may be in use, into the one at `target`.

    Ids, seq, times of receipt and ranks are kept. The target is made where it is not there. Raises
    NotFoundError where there is no source, StoreError where the target has rows already, or where its
    canonical dump is not the source's in the end.
    """
    migrate_store(source)
    create_store(target)
    giving, taking = side(source), side(target)
    with giving.reading() as given:
        with taking.filling() as filled:
            rows = copy_tables(given, filled, tell)
        with taking.reading() as taken:
            _compare_counts(rows, taken, taking.name)
            return _compare(rows, given, taken, tell)


def side(url: str) -> Side:
    """Return the store at `url`, which has the schema of this version, as something to read whole."""
    if is_postgres(url):
        from ..store.postgres_copying import PostgresSide

        return PostgresSide(url)
    from ..store.sqlite_copying import SqliteSide

    return SqliteSide(sqlite_path(url))


def _compare_counts(rows: Mapping[str, int], taken: Reading, name: str) -> None:
    for table in TABLES:
        there = int(one(taken.ask(f"select count(*) from {table}")))  # noqa: S608 (names of ours)
        if there != rows[table]:
            raise StoreError(f"{name}: {rows[table]} rows of {table} were copied, {there} are there")


def _compare(rows: Mapping[str, int], given: Reading, taken: Reading, tell: Told) -> Copied:
    """Hold the two dumps against each other, line by line; neither is ever in memory."""
    told = (
        "_result",
        "_group",
        "_testcase",
        "_waiver_event",
        "_quarantine",
        "_plan",
        "_event",
        "_expectation",
        "_decision",
    )
    total = sum(rows[table] for table in told)
    digest = blake2b(digest_size=16)
    facts = 0
    both = zip_longest(dump(given.ask, portable=False), dump(taken.ask, portable=False))
    for facts, (old, new) in enumerate(both, start=1):
        if old != new:
            raise StoreError(f"the copy differs in fact {facts}: {shown(old)} became {shown(new)}")
        digest.update(f"{old}\n".encode())
        if not facts % TOLD_EVERY:
            tell("comparing the dumps", facts, total)
    tell("comparing the dumps", facts, facts)
    return Copied(rows=rows, facts=facts, digest=digest.hexdigest())
