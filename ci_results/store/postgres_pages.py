"""Write pages on PostgreSQL: prepared side by side, stored one after the other under one lock.

What needs no lock is done before it: names are interned, repeats found, rows built with numbers
that count from one. Under the lock a page learns its seq and ids, so that seq is commit order and
whoever follows "after seq n" loses nothing; then its rows are copied in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, cast

from ..domain.bus_message import BusMessage
from ..domain.outcome import UNFINISHED
from ..domain.page import Committed, Page
from ..domain.result import Result
from ..errors import InvalidError
from ..query.dialect import POSTGRES
from .bus_log import brings_new, enter_messages, known_messages, only_new
from .changes import enter_changes, of_page, other_reasons
from .columns import NO_VARIANT, item_rows, result_columns, variants_of
from .fresh import Fresh, Numbered, stored_ids
from .identity import to_us
from .postgres_connections import Connection, lock_key
from .postgres_names import Names
from .postgres_partitions import ensure_partitions
from .postgres_rows import FIRST, Draft, Sorted, asked, enter, many, move_on, moved
from .postgres_sql import array
from .runrows import place
from .sidenotes import Bad, bad_records
from .sorting import Commons, as_noted, check_once, check_standing, numbered, put_in_place, sort_out
from .waivers import PUBLISH

STANDING = """
select s.cursor, s.lease, coalesce((select max(seq) from _commit), 0) from _source s where s.id = %s
"""

KNOWN = """
select r.key, coalesce(u.key, ''), r.digest, r.id, coalesce(r.submit_time, r.rank), r.rank, r.outcome,
    r.testcase, coalesce(r.duration, 0), p.new, null::bytea
from unnest(%(identities)s::bigint[]) a (identity)
join _identity i on i.identity = a.identity
join _result r on r.id = i.result and r.source = %(source)s
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id
union all
select null, null, g.digest, g.result, g.identity, null, null, null, null, null, g.key
from unnest(%(identities)s::bigint[]) a (identity)
join _pruned g on g.identity = a.identity and g.source = %(source)s
order by 4
"""

STATE = """
select s.cursor, s.lease, coalesce(c.seq, 0), coalesce(c.last_result, 0),
    coalesce((select max(id) from _run), 0), (select value::bigint from _meta where key = 'result_until'),
    exists (select 1 from _commit n where n.seq > %s and (n.source = s.id or n.door = 'prune'))
from _source s
left join lateral (select seq, last_result from _commit order by seq desc limit 1) c on true
where s.id = %s
"""


SMALL = 100
"""Results of a commit that is sent in a pipeline: it waits for the server twice instead of fifteen times."""


class PageWriter:
    """Writes pages through connections that it is given. Safe to use from many threads."""

    def __init__(self, names: Names, schema: str) -> None:
        self._names = names
        self._lock = lock_key(schema, "pages")

    def preview(self, connection: Connection, page: Page, now: int) -> Committed:
        """Count what `write` would do."""
        source = self._names.sources.known(connection, [page.source]).get(page.source, 0)
        fresh, same, superseding = self._sort_out(connection, page, source, now, create=False)
        bad = bad_records(page)
        return Committed(
            stored=len(fresh), same=same, superseding=superseding,
            quarantined=len(bad) - _known_bad(connection, bad, source),
            ids=stored_ids(fresh) if page.tell_ids else (),
        )  # fmt: skip

    def write(self, connection: Connection, pages: Sequence[Page], now: int) -> list[Committed]:
        """Write `pages` as of `now` (microseconds) in one transaction, each with a seq of its own.

        The connection is in autocommit. Raises StaleError or BusyError before anything is written.
        """
        drafts = [self._prepare(connection, page, now) for page in pages]
        if not any(draft.writes for draft in drafts):
            return [_committed(draft, 0, 0, 0) for draft in drafts]
        small = sum(len(draft.fresh) for draft in drafts) <= SMALL
        with connection.pipeline() if small else nullcontext():
            connection.execute("begin")  # what raises rolls back: the pool sees to it
            connection.execute("select pg_advisory_xact_lock(%s)", (self._lock,))
            committed = [self._store(connection, draft, now) for draft in drafts]
            connection.execute("commit")
        return committed

    # -- before the lock ---------------------------------------------------------------------------

    def _prepare(self, connection: Connection, page: Page, now: int) -> Draft:
        source = self._names.sources.ids(connection, [page.source])[page.source]
        cursor, lease, seen = _one(connection.execute(STANDING, (source,)))
        check_standing(page, cursor, lease)
        messages = page.messages
        page = only_new(page, _known_messages(connection, messages, source))
        found = self._sort_out(connection, page, source, now)
        return replace(self._draft(connection, page, source, seen, found), messages=messages)

    def _draft(self, connection: Connection, page: Page, source: int, seen: int, found: Sorted) -> Draft:
        """Intern the names of what is new, and build its rows."""
        names, fresh = self._names, found.fresh
        results = fresh.new.results
        runs, places = place(fresh)
        entries = [data.items() for _run, _rank, data in runs] + [own.items() for own in places.own if own]
        pairs = names.pairs.ids(
            connection, {(key, value) for data in entries for key, values in data for value in values}
        )
        items = names.items.rows(connection, item_rows(fresh.kinds))
        variants = names.variants.ids(connection, {NO_VARIANT, *variants_of(fresh.kinds)})
        uuids = {uuid for result in results for uuid in result.groups}
        return Draft(
            page=page, source=source, seen=seen, sorted=found, runs=runs, places=places,
            columns=result_columns(fresh, places, items, variants, 0),
            bad=bad_records(page), pairs=pairs, groups=names.groups.ids(connection, uuids | set(page.groups)),
            testcases=names.testcases.ids(connection, (*page.testcases, *page.ref_urls)),
        )  # fmt: skip

    def _sort_out(
        self, connection: Connection, page: Page, source: int, now: int, *, create: bool = True
    ) -> Sorted:
        """Tell new results from repeats, and say which of two of one identity is current."""
        fresh, noted = Fresh(FIRST, source), page.noted
        fresh.replaced = page.replaces
        if noted is not None:
            fresh.signatures = noted.signatures
            now = now if noted.received_at is None else to_us(noted.received_at)
        if not page.results:
            return Sorted(fresh, 0, 0)
        commons = Commons()
        found = as_noted(_numbered(page.results, commons), page)
        asked = array(set(found.identities))
        commons.recall(
            cast(Iterable[Sequence[Any]], connection.execute(KNOWN, {"identities": asked, "source": source}))
        )
        testcases = {result.testcase for result in page.results}
        outcomes = {result.outcome for result in page.results} | UNFINISHED
        names = self._names
        if create:
            numbers = names.testcases.ids(connection, testcases), names.outcomes.ids(connection, outcomes)
        else:
            known = names.outcomes.known(connection, outcomes)
            numbers = dict.fromkeys(testcases, 0), dict.fromkeys(outcomes, 0) | known
        unfinished = frozenset(numbers[1][word] for word in UNFINISHED)
        if noted is not None and noted.seq:
            counted = put_in_place(found, fresh, noted, *numbers, unfinished)
        else:
            counted = sort_out(found, fresh, now, *numbers, unfinished)
        check_once(page, fresh)
        return Sorted(fresh, *counted)

    # -- under the lock ----------------------------------------------------------------------------

    def _store(self, connection: Connection, draft: Draft, now: int) -> Committed:
        """Write one page inside the open transaction, which holds the lock."""
        page, source = draft.page, draft.source
        cursor, lease, seq, last_id, last_run, until, overtaken = _one(
            connection.execute(STATE, (draft.seen, source))
        )
        check_standing(page, cursor, lease)
        messages = draft.messages
        known = _known_messages(connection, messages, source)
        late = not known.keys().isdisjoint(each.key for each in page.messages)
        if late or (overtaken and page.results):  # the names are known by now
            page = only_new(page, known)
            found = self._sort_out(connection, page, source, now)
            draft = self._draft(connection, page, source, draft.seen, found)
        fresh = draft.fresh
        quarantined = len(draft.bad) - _known_bad(connection, draft.bad, source)
        doing = partial(asked, connection), partial(many, connection)
        reasons = other_reasons(doing[0], POSTGRES, source, draft.bad)
        stores = bool(len(fresh) or draft.bad or brings_new(draft.page, known))
        if page.noted is not None and page.noted.seq:
            seq, last_id = page.noted.seq - 1, page.noted.first_id - 1
            now = now if page.noted.received_at is None else to_us(page.noted.received_at)
        if stores:
            seq += 1
            ensure_partitions(connection, until, last_id + len(fresh))
            enter(connection, draft, seq, now, (last_id, last_run), quarantined)
        move_on(connection, draft)
        if messages:
            ids = [moved(number, last_id + 1 - FIRST) for number in fresh.told]
            if stores and draft.page.messages:
                doing[1](PUBLISH, [{"seq": seq, "kind": "message"}])
            enter_messages(
                *doing, messages, draft.page, known,
                source=source, seq=seq if stores else 0, now=now, results=ids,
            )  # fmt: skip
        said = reasons | of_page(draft.page, draft.groups, draft.testcases)
        enter_changes(*doing, POSTGRES, said, now=now, door=page.door)
        return _committed(draft, seq if stores else 0, last_id + 1 - FIRST, quarantined)


def _known_messages(connection: Connection, messages: Sequence[BusMessage], source: int) -> Mapping[str, int]:
    if not messages:
        return {}
    keys = [each.key for each in messages]
    return known_messages(partial(asked, connection), POSTGRES, source, keys)


def _numbered(results: Sequence[Result], commons: Commons) -> Numbered:
    try:
        return numbered(results, commons)
    except TypeError as err:  # of orjson; it has no class of its own for a lone surrogate
        if "surrogates" not in str(err):
            raise
        raise InvalidError(f"text that cannot be stored: {err}") from err


def _known_bad(connection: Connection, bad: Sequence[Bad], source: int) -> int:
    if not bad:
        return 0
    digests = {record[-1] for record in bad}
    (known,) = _one(connection.execute(
        "select count(*) from _quarantine where source = %s and digest = any(%s::bigint[])",
        (source, array(digests)),
    ))  # fmt: skip
    return int(known) + len(bad) - len(digests)


def _committed(draft: Draft, seq: int, shift: int, quarantined: int) -> Committed:
    ids = tuple(moved(number, shift) for number in draft.fresh.told) if draft.page.tell_ids else ()
    return Committed(
        seq=seq, stored=len(draft.fresh), same=draft.sorted.same,
        superseding=draft.sorted.superseding, quarantined=quarantined, ids=ids,
    )  # fmt: skip


def _one(cursor: Any) -> Any:
    return cursor.fetchone()
