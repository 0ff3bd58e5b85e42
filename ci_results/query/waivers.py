"""WaiverQuery: which waivers, in which order; and the SQL that finds them by an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from ..errors import InvalidError

MAX_LIMIT = 1_000_000
TOGETHER = 100
"""Filters of one statement; more are asked one hundred after the other."""


class Stage(StrEnum):
    """How far a waiver has come. ACTIVE and PENDING are those at the moment of the question."""

    ANY = "any"
    OPENED = "opened"
    ACTIVE = "active"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverFilter:
    """What a waiver must say; None asks nothing, and all that is asked must hold.

    since, until  of its first event, in microseconds since 1970, both inclusive
    """

    subject_type: str | None = None
    subject: str | None = None
    testcase: str | None = None
    scenario: str | None = None
    product_version: str | None = None
    username: str | None = None
    proxied_by: str | None = None
    purpose: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverQuery:
    """Waivers that satisfy any of `filters` (none = all), the newest first.

    stage        see Stage; seq, now = the moment, microseconds since 1970
    obsolete_by  leave out those after which another was opened that says the same in these columns beside
                 subject, testcase and scenario; None = leave out none. So do WaiverDB's listings
                 where the stage is ACTIVE, only those replace others that are active themselves
    plain        only those without architecture and purpose, all that WaiverDB can say; nor do others
                 replace any
    limit        None = all
    """

    filters: Sequence[WaiverFilter] = ()
    stage: Stage = Stage.ANY
    seq: int
    now: int
    obsolete_by: tuple[str, ...] | None = None
    plain: bool = False
    limit: int | None = None
    offset: int = 0

    def __post_init__(self) -> None:
        if not 0 <= (self.limit or 0) <= MAX_LIMIT or self.offset < 0:
            raise InvalidError(f"limit must be 0 to {MAX_LIMIT} and offset not negative")
        if not set(self.obsolete_by or ()) <= {"username", "product_version"}:
            raise InvalidError(f"waivers are not told apart by {self.obsolete_by}")


OPENED_AND_CLOSED = """
left join _waiver_event o on o.waiver = w.id and o.turn = 'opens'
left join _waiver_event c on c.waiver = w.id and c.turn = 'closes'
"""

NO_INDEX = " || ''"
"""After a column: keeps a database from walking an index by it where it should by the subject's."""

_LIVE = "(c.seq is null or c.seq > :seq) and (w.expires_at is null or w.expires_at > :now)"
ACTIVE = f"+o.seq <= :seq and {_LIVE}"
"""What `waive.standing` says of a waiver that counts, so that a page of a list can be cut; tests compare."""

_STAGES = {
    Stage.ANY: "w.seq <= :seq",
    Stage.OPENED: "+o.seq <= :seq",
    Stage.ACTIVE: ACTIVE,
    Stage.PENDING: f"w.seq <= :seq and w.step = 'request' and (o.seq is null or o.seq > :seq) and {_LIVE}",
}

_OBSOLETE = """
not exists (
    select 1 from _waiver_event n
    join _waiver_event g on g.waiver = n.id and g.turn = 'opens'
    where n.waiver = n.id and n.subject = w.subject and n.testcase{no_index} = w.testcase
      and +n.waiver > w.waiver and n.subject_type = w.subject_type
      and (n.scenario = w.scenario or (n.scenario is null and w.scenario is null)){further})
"""
_ALSO_ACTIVE = """
      and +g.seq <= :seq and (n.expires_at is null or n.expires_at > :now)
      and not exists (
        select 1 from _waiver_event d where d.waiver = n.id and d.turn = 'closes' and d.seq <= :seq)
"""
_ALSO_PLAIN = " and n.arch is null and n.purpose is null"


def found_sql(query: WaiverQuery) -> tuple[str, dict[str, object]]:
    """Return SQL for the ids that `query` asks for, the newest first, and its parameters."""
    where, values = _where(query)
    sql = f"select w.id from _waiver_event w {OPENED_AND_CLOSED} where {where} order by w.waiver desc"
    if query.limit is not None:
        sql += " limit :limit offset :offset"
        values |= {"limit": query.limit, "offset": query.offset}
    return sql, values


def count_sql(query: WaiverQuery) -> tuple[str, dict[str, object]]:
    """Return SQL for how many `query` asks for, whatever its limit."""
    where, values = _where(query)
    return f"select count(*) from _waiver_event w {OPENED_AND_CLOSED} where {where}", values


def _where(query: WaiverQuery) -> tuple[str, dict[str, object]]:
    values: dict[str, object] = {"seq": query.seq, "now": query.now}
    conditions = ["w.waiver = w.id", _STAGES[query.stage]]
    any_of = [one for number, each in enumerate(query.filters) if (one := _filter(each, number, values))]
    if len(any_of) == 1:
        conditions.append(any_of[0])
    elif any_of:
        arms = (f"select w.id from _waiver_event w where w.waiver = w.id and {one}" for one in any_of)
        # Materialized, or a PostgreSQL that knows nothing yet of the table asks them anew for each row.
        asked = f"with asked (id) as materialized ({' union all '.join(arms)})"
        conditions.append(f"w.id in ({asked} select id from asked)")
    if query.plain:
        conditions.append("w.arch is null and w.purpose is null")
    if query.obsolete_by is not None:
        further = "".join(f" and n.{column}{NO_INDEX} = w.{column}" for column in query.obsolete_by)
        further += _ALSO_ACTIVE if query.stage is Stage.ACTIVE else ""
        further += _ALSO_PLAIN if query.plain else ""
        conditions.append(_OBSOLETE.format(further=further, no_index=NO_INDEX))
    return " and ".join(conditions), values


def _filter(asked: WaiverFilter, number: int, values: dict[str, object]) -> str:
    """Return what one filter demands, "" for nothing; its values are entered under names of its number."""
    found = []
    for each in fields(asked):
        value = getattr(asked, each.name)
        if value is None:
            continue
        name = f"{each.name}{number}"
        values[name] = value
        if each.name in ("since", "until"):
            found.append(f"w.time {'>=' if each.name == 'since' else '<='} :{name}")
        else:
            narrow = each.name == "subject" or asked.subject is None
            found.append(f"w.{each.name}{'' if narrow else NO_INDEX} = :{name}")
    return " and ".join(found)
