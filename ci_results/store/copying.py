"""Move every row of one store into another, table by table: both have the same tables and columns.

The source is read as of one moment, while it is used; the target, which must be empty, is filled in
one transaction: what is interrupted leaves it empty. Roll-ups are counted anew in the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Protocol

from ..errors import StoreError

BATCH = 20_000

TABLES = {
    "_outcome": "id, word",
    "_source": "id, name, collector, url, owner, contact, cursor, last_try, last_ok, last_error",
    "_job": "source, name, state, last_build, last_report",
    "_testcase": "id, name, ref_url, owner, contact",
    "_item": "id, type, name, nvr, component, arch",
    "_variant": "id, scenario, arch",
    "_group": "id, uuid, description, ref_url, results",
    "_pair": "id, key, value",
    "_commit": "seq, received_at, source, door, last_result, results, quarantined",
    "_run": "id, seq, source, key, rank, ref_url, data",
    "_result": "id, seq, source, run, testcase, item, variant, outcome, rank, submit_time, duration, note,"
    " ref_url, data, key, identity, digest, time, groups",
    "_prune": "id, seq, begun, time, username, comment, criteria, results, first, last, digest",
    "_pruned": "result, prune, source, identity, digest, key, testcase, outcome, day, duration, counted",
    "_superseded": "old, new",
    "_run_pair": "pair, rank, run",
    "_result_pair": "pair, rank, result",
    "_result_group": "grp, rank, result",
    "_signature": "result, signature",
    "_waiver_event": "id, seq, time, waiver, step, turn, refused, username, proxied_by, via, comment,"
    " subject_type, subject, testcase, product_version, scenario, arch, purpose, signatures, lenient, waived,"
    " expires_at, hash",
    "_waiver_head": "one, id, hash",
    "_outbox": "seq, kind",
    "_delivery": "sink, seq, result, sent, last_try, last_ok, last_error",
    "_parked": "id, sink, result, reason, parked_at, tries",
    "_plan": "id, name, version, seq, item_type, item, actor, imported_at, cases",
    "_event": "id, seq, source, key, kind, time, received_at, subject_type, subject, product_versions, owner,"
    " actor, digest",
    "_expectation": "id, event, subject_type, subject, testcase, since, due, owner",
    "_decision": "id, seq, gate, number, subject_type, subject, product_version, context, verdict,"
    " old_verdict, satisfied, summary, at, as_of, cause, digest, answer, proof",
    "_followed": "gate, subject_type, subject, product_version, context, number, verdict, shape, digest,"
    " wake",
    "_follower": "one, turn, seq, result, digest",
    "_message": "id, seq, source, key, topic, mapping, received_at, digest, size, raw, told",
    "_message_via": "message, transport, received_at",
    "_result_message": "result, message, mapping",
    "_listener": "name, told, told_at",
    "_change": "id, seq, kind, subject, said",
    "_quarantine": "id, seq, source, door, kind, key, position, reason, raw, digest, received_at, seen,"
    " resolved_at, resolution, told",
}
"""What is copied, in order. A lease is nobody's in a copy; roll-ups are counted anew."""

USED = "select exists (select 1 from _source) or exists (select 1 from _commit)"
"""Whether anything was ever stored."""

OWN = ("_outcome", "_variant", "_waiver_head")
"""Tables of which a new store has rows: the copy brings its own."""

Told = Callable[[str, int, int], None]
"""Gets what is being done (a table), how much of it is done, and how much it is."""


class Reading(Protocol):
    """One moment of a store."""

    def ask(self, sql: str) -> Iterable[Any]:
        """Give the rows of `sql`, which is the same on both stores."""


class Filling(Protocol):
    """A store that is being filled, all or nothing."""

    def empty(self) -> bool:
        """Say whether the store holds nothing, and see to it that it stays so."""

    def prepare(self, last_result: int) -> None:
        """Make room for ids up to `last_result`, and take out what a new store has of its own."""

    def fill(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows."""

    def finish(self) -> None:
        """Count the roll-ups, and let new ids go on from the copied ones."""


class Side(Protocol):
    """Where to copy from or to."""

    name: str

    def reading(self) -> AbstractContextManager[Reading]:
        """See one moment of the store."""

    def filling(self) -> AbstractContextManager[Filling]:
        """Fill the store in one transaction."""


def copy_tables(source: Reading, target: Filling, tell: Told) -> dict[str, int]:
    """Copy all tables; return how many rows each has. Raises StoreError for a target that is not empty."""
    if not target.empty():
        raise StoreError("the target has rows already: copy into a new one")
    target.prepare(int(one(source.ask("select coalesce(max(last_result), 0) from _commit"))))
    counts = {}
    for table, columns in TABLES.items():
        total = int(one(source.ask(f"select count(*) from {table}")))  # noqa: S608 (names of ours)
        counts[table] = 0
        tell(table, 0, total)
        for rows in batches(source.ask(f"select {columns} from {table} order by 1, 2")):  # noqa: S608
            target.fill(table, columns, rows)
            counts[table] += len(rows)
            tell(table, counts[table], total)
    target.finish()
    return counts


def batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Cut rows into lists."""
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


def one(rows: Iterable[Any]) -> Any:
    """Return the one value that SQL gives."""
    return next(iter(rows))[0]
