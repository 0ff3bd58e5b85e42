"""Changes: what is said anew of groups, testcases and quarantined records; both stores share it.

A group or a testcase may be described anew, a record of the quarantine closed. Each such change is a row
for good, in a commit of its own and in the outbox, so that whoever follows the commits has it too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from ..domain.page import Page
from ..errors import NotFoundError
from ..query.dialect import Dialect
from .outgoing import Ask
from .sidenotes import Bad, storable
from .waivers import COMMIT, PUBLISH

KIND = "change"
"""Of its rows in the outbox."""

GROUP, TESTCASE, QUARANTINE = "group", "testcase", "quarantine"
"""What a change is about."""

UNDESCRIBED: Mapping[str, Mapping[str, Any]] = {
    GROUP: {"description": None, "ref_url": None},
    TESTCASE: {"ref_url": None},
    QUARANTINE: {"resolution": None, "resolved_at": None},
}
"""All that may change of each kind, and what it is at first; a record's `reason` only where it came again."""

NEXT = "select coalesce(max(id), 0) + 1 from _change"

INSERT = "insert into _change (id, seq, kind, subject, said) values (:id, :seq, :kind, :subject, :said)"

CLOSE = """
update _quarantine set resolved_at = :now, resolution = :resolution where id = :id returning id
"""

SAME = """
select q.digest, q.id, q.reason from {digests} j join _quarantine q on q.digest = j.value
where q.source = :source
"""

LAST = """
select c.subject, c.said from {ids} j
join _change c on c.id = (select max(n.id) from _change n where n.kind = :kind and n.subject = j.value)
"""

Many = Callable[[str, Sequence[Mapping[str, object]]], None]
"""Runs one statement with named parameters for each of several sets of values."""


class Subject(NamedTuple):
    """What a change is about: its kind, and its id there."""

    kind: str
    id: int


def of_page(page: Page, groups: Mapping[str, int], testcases: Mapping[str, int]) -> dict[Subject, Any]:
    """Return what a page says of groups and testcases; `groups` and `testcases` are their ids."""
    said: dict[Subject, Any] = {Subject(TESTCASE, testcases[name]): {} for name in page.testcases}
    said |= {Subject(TESTCASE, testcases[name]): {"ref_url": url} for name, url in page.ref_urls.items()}
    return said | {Subject(GROUP, groups[uuid]): dict(it) for uuid, it in page.groups.items()}


def enter_changes(
    ask: Ask, many: Many, dialect: Dialect, said: Mapping[Subject, Mapping[str, Any]], *, now: int, door: str
) -> int:
    """Write down what `said` changes, in a commit of its own; return its seq, 0 where nothing does.

    The open transaction is ordered among all commits. What is only named is written down once.
    """
    if not said:
        return 0
    known = _known(ask, dialect, said)
    whole = {what: {**known.get(what, UNDESCRIBED[what.kind]), **it} for what, it in said.items()}
    changed = {what: it for what, it in whole.items() if known.get(what) != it}
    if not changed:
        return 0
    seq = int(ask(COMMIT, {"now": now, "door": door})[0][0])
    first = int(ask(NEXT, {})[0][0])
    rows = [
        {"id": number, "seq": seq, "kind": what.kind, "subject": what.id, "said": orjson.dumps(it).decode()}
        for number, (what, it) in enumerate(sorted(changed.items(), key=itemgetter(0)), start=first)
    ]
    many(INSERT, rows)
    many(PUBLISH, [{"seq": seq, "kind": KIND}])
    return seq


def close_record(
    ask: Ask, many: Many, dialect: Dialect, record_id: int, resolution: str, *, now: int
) -> None:
    """Close a quarantined record, and write that down. Raises NotFoundError."""
    text = storable(resolution)
    if not ask(CLOSE, {"now": now, "resolution": text, "id": record_id}):
        raise NotFoundError(f"no quarantined record {record_id}")
    said = {Subject(QUARANTINE, record_id): {"resolution": text, "resolved_at": now}}
    enter_changes(ask, many, dialect, said, now=now, door=QUARANTINE)


def other_reasons(
    ask: Ask, dialect: Dialect, source: int, bad: Sequence[Bad]
) -> dict[Subject, Mapping[str, Any]]:
    """Return what changes of records that are there already: why they cannot be read."""
    if not bad:
        return {}
    asked = {"digests": json.dumps(sorted({record[-1] for record in bad})), "source": source}
    found = ask(SAME.format(digests=dialect.numbers("digests")), asked)
    reasons = {record[-1]: record[3] for record in bad}
    return {
        Subject(QUARANTINE, number): {"reason": reasons[digest]}
        for digest, number, reason in found
        if reasons[digest] != reason
    }


def _known(ask: Ask, dialect: Dialect, said: Iterable[Subject]) -> dict[Subject, Mapping[str, Any]]:
    """Return what was said last of each."""
    known: dict[Subject, Mapping[str, Any]] = {}
    by_kind: dict[str, list[int]] = {}
    for what in said:
        by_kind.setdefault(what.kind, []).append(what.id)
    for kind, ids in by_kind.items():
        rows = ask(LAST.format(ids=dialect.numbers("ids")), {"ids": json.dumps(ids), "kind": kind})
        known |= {Subject(kind, number): orjson.loads(text) for number, text in rows}
    return known
