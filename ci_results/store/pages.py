"""Write one page inside a transaction: intern, tell new from same, insert, roll up."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

import orjson

from ..domain.outcome import UNFINISHED
from ..domain.page import Committed, Page
from ..domain.result import Result
from ..domain.run import Run
from ..errors import BusyError, StaleError, shown
from .bulk import insert_rows
from .fresh import Fresh, Seen, Shared
from .identity import content, content_base, identity, identity_base, record_digest, to_us
from .interning import Names
from .runrows import RunRows

KNOWN = """
select r.key, coalesce(u.key, ''), r.digest, r.id, coalesce(r.submit_time, r.rank), r.rank, r.outcome,
    r.testcase, coalesce(r.duration, 0), p.new
from _result r
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id
where r.identity in (select value from json_each(?)) and r.source = ?
"""

RESULT = """
insert into _result (id, seq, source, run, testcase, item, variant, outcome, rank, submit_time, duration,
    note, ref_url, data, key, identity, digest)
"""

QUARANTINE = """
insert into _quarantine (seq, source, door, kind, key, position, reason, raw, digest, received_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (source, digest) do update set seen = seen + 1, reason = excluded.reason
"""

JOB = """
insert into _job (source, name, state, last_build, last_report) values (?, ?, ?, ?, ?)
on conflict (source, name) do update set state = excluded.state,
    last_build = nullif(max(coalesce(last_build, 0), coalesce(excluded.last_build, 0)), 0),
    last_report = nullif(max(coalesce(last_report, 0), coalesce(excluded.last_report, 0)), 0)
"""


class PageWriter:
    """Writes pages through one connection. Not thread-safe: the writer thread owns it."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names
        outcomes = names.outcomes.ids(connection, sorted(UNFINISHED))
        self._unfinished = frozenset(outcomes.values())

    def write(self, page: Page, now: int, *, preview: bool = False) -> Committed:
        """Write `page` as of `now` (microseconds) inside the open transaction.

        Raises StaleError or BusyError before anything is written.
        """
        source = self._names.sources.ids(self._connection, [page.source])[page.source]
        if not preview:
            self._check_standing(page, source)
        fresh, same, superseding = self._sort_out(page.results, source, now)
        known_bad = self._known_bad(page, source)
        if preview:
            return Committed(
                stored=len(fresh.new),
                same=same,
                superseding=superseding,
                quarantined=len(page.quarantine) - known_bad,
            )
        seq = 0
        if fresh.new or page.quarantine:
            seq = self._commit_row(page, source, now, fresh, len(page.quarantine) - known_bad)
            self._insert(fresh, seq, source)
            self._quarantine(page, seq, source, now)
        self._move_on(page, source)
        return Committed(
            seq=seq, stored=len(fresh.new), same=same, superseding=superseding,
            quarantined=len(page.quarantine) - known_bad,
        )  # fmt: skip

    def _check_standing(self, page: Page, source: int) -> None:
        if page.lease is None and page.cursor is None:
            return
        cursor, lease = self._connection.execute(
            "select cursor, lease from _source where id = ?", (source,)
        ).fetchone()
        if page.lease is not None and lease != page.lease:
            raise BusyError(f"the lease on source {page.source} went to another harvest")
        if page.cursor is not None and cursor != page.read_from:
            raise StaleError(
                f"source {page.source} moved on to {shown(cursor)} since {shown(page.read_from)}"
            )

    def _sort_out(self, results: Sequence[Result], source: int, now: int) -> tuple[Fresh, int, int]:
        """Tell new results from repeats, and say which of two of one identity is current."""
        fresh = Fresh(self._next_result(), source)
        if not results:
            return fresh, 0, 0
        connection, names = self._connection, self._names
        testcases = names.testcases.ids(connection, {result.testcase for result in results})
        outcomes = names.outcomes.ids(connection, {result.outcome for result in results})
        commons = Commons()
        found = _numbered(results, commons)
        self._recall([number for _result, _common, number, _digest, _submitted in found], source, commons)
        same = superseding = 0
        for result, common, number, digest, submitted in found:
            earlier = common.known.get(result.key)
            if earlier is not None and any(one.digest == digest for one in earlier):
                same += 1
                continue
            event_time = now if submitted is None else submitted
            seen = Seen(
                fresh.next_id(), digest, event_time, min(now, event_time), outcomes[result.outcome],
                testcases[result.testcase], result.duration_s or 0.0,
            )  # fmt: skip
            fresh.new.append((result, common, number, seen, submitted))
            fresh.count(seen, 1)
            if earlier is None:
                common.known[result.key] = [seen]
            else:
                superseding += self._supersede(fresh, earlier, seen)
                earlier.append(seen)
        return fresh, same, superseding

    def _supersede(self, fresh: Fresh, earlier: list[Seen], new: Seen) -> int:
        """Settle who is current: a finished run beats an unfinished one, else the later event does."""
        current = next(one for one in earlier if not one.superseded)
        ended, had_ended = (one.outcome not in self._unfinished for one in (new, current))
        later = new.event_time >= current.event_time if ended == had_ended else ended
        old, kept = (current, new) if later else (new, current)
        old.superseded = True
        fresh.superseded.append((old.id, kept.id))
        fresh.count(old, -1)
        return int(later)

    def _recall(self, identities: list[int], source: int, commons: Commons) -> None:
        """Enter what the store has of these identities; that numbers are equal proves nothing, texts do."""
        asked = orjson.dumps(identities).decode()
        for key, run_key, digest, number, time, rank, outcome, testcase, duration, new in (
            self._connection.execute(KNOWN, (asked, source))
        ):  # fmt: skip
            known = commons.known(run_key)
            if known is not None:
                seen = Seen(number, digest, time, rank, outcome, testcase, duration)
                seen.superseded = new is not None
                known.setdefault(key, []).append(seen)

    def _next_result(self) -> int:
        last = self._connection.execute(
            "select last_result from _commit order by seq desc limit 1"
        ).fetchone()
        return (last[0] if last else 0) + 1

    def _commit_row(self, page: Page, source: int, now: int, fresh: Fresh, quarantined: int) -> int:
        connection = self._connection
        seq = (connection.execute("select max(seq) from _commit").fetchone()[0] or 0) + 1
        connection.execute(
            "insert into _commit (seq, received_at, source, door, last_result, results, quarantined)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (seq, now, source, page.door, fresh.last_id, len(fresh.new), quarantined),
        )
        if fresh.new:
            connection.execute("insert into _outbox (seq, kind) values (?, 'results')", (seq,))
        return int(seq)

    def _insert(self, fresh: Fresh, seq: int, source: int) -> None:
        connection, names = self._connection, self._names
        new = fresh.new
        if not new:
            return
        kinds = {(result.item, result.item_type): result for result, *_ in new}
        items = names.items.rows(connection, {name: _item_row(result) for name, result in kinds.items()})
        pairs = {(result.scenario or "", result.arch or "") for result, *_ in new}
        variants = {NO_VARIANT: 0, **names.variants.ids(connection, pairs - {NO_VARIANT})}
        placed = RunRows(connection, names, seq, source).place(new)
        rows = [
            (
                seen.id, seq, source, run, seen.testcase, items[result.item, result.item_type],
                variants[result.scenario or "", result.arch or ""], seen.outcome, seen.rank,
                None if submitted == seen.rank else submitted, result.duration_s, result.note, result.ref_url,
                orjson.dumps(own).decode() if own else None, result.key, number, seen.digest,
            )
            for (result, _common, number, seen, submitted), (run, own) in zip(new, placed, strict=True)
        ]  # fmt: skip
        insert_rows(connection, RESULT, rows)
        if fresh.superseded:
            connection.executemany("insert into _superseded (old, new) values (?, ?)", fresh.superseded)
        fresh.roll_up(connection)

    def _known_bad(self, page: Page, source: int) -> int:
        if not page.quarantine:
            return 0
        digests = {record_digest(bad.kind, bad.key, bad.raw) for bad in page.quarantine}
        known = self._connection.execute(
            "select count(*) from _quarantine where source = ?"
            " and digest in (select value from json_each(?))",
            (source, json.dumps(sorted(digests))),
        ).fetchone()[0]
        return int(known) + len(page.quarantine) - len(digests)

    def _quarantine(self, page: Page, seq: int, source: int, now: int) -> None:
        self._connection.executemany(
            QUARANTINE,
            [
                (seq, source, page.door, bad.kind, bad.key, bad.position, bad.reason, bad.raw,
                 record_digest(bad.kind, bad.key, bad.raw), now)
                for bad in page.quarantine
            ],
        )  # fmt: skip

    def _move_on(self, page: Page, source: int) -> None:
        if page.cursor is not None and page.cursor != page.read_from:
            self._connection.execute("update _source set cursor = ? where id = ?", (page.cursor, source))
        self._connection.executemany(
            JOB,
            [
                (source, job.name, job.state, job.last_build and to_us(job.last_build),
                 job.last_report and to_us(job.last_report))
                for job in page.jobs
            ],
        )  # fmt: skip


def _numbered(
    results: Sequence[Result], commons: Commons
) -> list[tuple[Result, Shared, int, int, int | None]]:
    """Return each result with what it shares, its identity, digest and claimed time."""
    found: list[tuple[Result, Shared, int, int, int | None]] = []
    time: datetime | None = None
    submitted: int | None = None
    for result in results:
        common = commons.of(result)
        if result.submit_time is not time:
            time = result.submit_time
            submitted = None if time is None else to_us(time)
        key = result.key
        base = identity_base(result.source, key) if common.base is None else common.base
        digest = content(common.content, result, submitted)
        found.append((result, common, identity(base, key), digest, submitted))
    return found


NO_VARIANT = ("", "")


def _item_row(result: Result) -> tuple[str | None, ...]:
    parts = result.item_parts
    return result.item, result.item_type, parts.get("nvr"), parts.get("component"), parts.get("arch")


class Commons:
    """What the results of each run of a page share; equal runs are one, whoever made the objects."""

    def __init__(self) -> None:
        self._last: Run | None = None
        self._last_common: Shared | None = None
        self._by_content: dict[bytes, Shared] = {}
        self._by_run: dict[str, Shared] = {}

    def of(self, result: Result) -> Shared:
        """Return what `result` shares; results of one run mostly follow each other."""
        run = result.run
        if run is self._last and self._last_common is not None:
            return self._last_common
        content = content_base(result.source, run)
        common = self._by_content.get(content)
        if common is None:
            base = None if run is None else identity_base(result.source, run.key)
            common = self._by_content[content] = Shared(run, base, content)
            common.known = self._by_run.setdefault("" if run is None else run.key, common).known
        self._last, self._last_common = run, common
        return common

    def known(self, run_key: str) -> dict[str, list[Seen]] | None:
        """Return the keys that are known of the run with this key; "" for results without a run."""
        common = self._by_run.get(run_key)
        return None if common is None else common.known
