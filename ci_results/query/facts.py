"""SQL of facts (results as machines are served them), of testcases and of groups."""

from __future__ import annotations

import orjson

from ..domain.search import NameQuery
from .dialect import Dialect, low_high
from .known import Values
from .walks import Walks

FACT = """
select r.id, r.rank, r.time, r.submit_time, o.word, t.name, t.ref_url, r.note,
    coalesce(r.ref_url, u.ref_url), r.groups, r.data, u.data
"""

NAMES = """
left join _outcome o on o.id = r.outcome
left join _testcase t on t.id = r.testcase
left join _run u on u.id = r.run
"""

CURRENT = "not exists (select 1 from _superseded s where s.old = r.id)"

_CURRENT_THEN = """
coalesce(r.submit_time, r.rank) <= :until and not exists (
    select 1 from _superseded s join _result n on n.id = s.new
    where s.old = r.id and coalesce(n.submit_time, n.rank) <= :until)
"""

FLOOR = "select min(rank) from _result where submit_time >= :since"
"""The lowest rank of those whose claim lies in the future of their receipt, and in the asked range."""


def current(*, then: bool) -> str:
    """Return a condition: a row `r` counts, now or as it was at :until, by the times that results claim."""
    return _CURRENT_THEN if then else CURRENT


def facts_sql(walks: Walks) -> str:
    """Return SQL for the facts that the walks reach; in no order."""
    return _facts(walks.sql())


def handful_sql(walks: Walks) -> str:
    """Return SQL for :most of the current facts that the walks pass; in no order, some several times."""
    return f"{_facts(walks.sql(limited=False))} where {CURRENT} limit :most"


def _facts(walks: str) -> str:
    return f"{FACT} from ({walks}) i join _result r on r.id = i.id {NAMES}"


def fact_sql() -> str:
    """Return SQL for the fact with :id."""
    return f"{FACT} from _result r {NAMES} where r.id = :id"


def listed_sql(dialect: Dialect) -> str:
    """Return SQL for the facts with these :ids, a JSON list; in no order."""
    return f"{FACT} from _result r {NAMES} where {dialect.among('r.id', 'ids')}"


def weighed_sql(walks: Walks) -> str:
    """Return SQL for what "latest" weighs of :most current results: testcase, rank, id."""
    return (
        f"select r.testcase, r.rank, r.id from ({walks.sql(limited=False)}) i join _result r on r.id = i.id"
        f" where {CURRENT} limit :most"
    )


def weighed_by_values_sql(walks: Walks) -> str:
    """Return SQL for the same with the attributes of the result and of its run."""
    return (
        f"select r.testcase, r.rank, r.id, r.data, u.data from ({walks.sql(limited=False)}) i"
        f" join _result r on r.id = i.id left join _run u on u.id = r.run where {CURRENT} limit :most"
    )


def heads_sql(walks: Walks) -> str:
    """Return SQL for the newest current result of each testcase, one seek each: testcase, rank, id.

    Of the testcases whose ids are in :heads, a JSON list, where the search names some.
    """
    every = walks.shape.testcases is None
    table = "(select id as value from _testcase)" if every else walks.dialect.numbers("heads")
    return (
        f"select h.testcase, h.rank, h.id from {table} t join _result h on h.id = (select r.id from _result r"
        f" where r.testcase = t.value and {_current(walks)} order by r.time desc, r.id desc limit 1)"
    )


def ties_sql(walks: Walks) -> str:
    """Return SQL for the current results with the testcase and rank of those with these :ids."""
    return (
        f"select r.testcase, r.rank, r.id from {walks.dialect.numbers('ids')} i"
        " join _result h on h.id = i.value"
        f" join _result r on r.testcase = h.testcase and r.time = h.time where {_current(walks)}"
    )


def _current(walks: Walks) -> str:
    return " and ".join([CURRENT, *walks.row_conditions()])


def newest_testcases_sql(dialect: Dialect) -> str:
    """Return SQL for those of :testcases that have the newest results, at most :reach of them."""
    return (
        f"select t.value from {dialect.numbers('testcases')} t join _result h on h.id = (select r.id from"
        " _result r where r.testcase = t.value order by r.time desc, r.id desc limit 1)"
        " order by h.time desc, h.id desc limit :reach"
    )


def testcases_sql(query: NameQuery, dialect: Dialect) -> tuple[str, Values]:
    """Return SQL for testcases (name, ref_url) by name, and its parameters."""
    values: Values = {"limit": query.limit, "offset": query.offset}
    where = names_condition("name", query.names, query.patterns, dialect, values)
    order = f"order by {dialect.order('name')} limit :limit offset :offset"
    return f"select name, ref_url from _testcase{where} {order}", values


testcases_sql.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test


def groups_sql(query: NameQuery, dialect: Dialect) -> tuple[str, Values]:
    """Return SQL for groups (uuid, description, ref_url, results), the newest first, and its parameters."""
    values: Values = {"limit": query.limit, "offset": query.offset}
    by_uuid = names_condition("uuid", query.names, (), dialect, values)
    described = names_condition(
        "description", query.descriptions, query.description_patterns, dialect, values, prefix="d"
    )
    where = by_uuid + (described.replace(" where ", " and ", 1) if by_uuid else described)
    return (
        f"select uuid, description, ref_url, results from _group{where} order by id desc"
        " limit :limit offset :offset",
        values,
    )


def names_condition(
    column: str, names: tuple[str, ...], patterns: tuple[str, ...], dialect: Dialect, values: Values,
    prefix: str = "n",
) -> str:  # fmt: skip
    """Return " where ..." that holds where a text column is one of `names` or matches a pattern; or ""."""
    found = []
    if names:
        values[f"{prefix}s"] = _json(names)
        found.append(f"{column} in (select value from {dialect.texts(f'{prefix}s')})")
    for n, pattern in enumerate(patterns):
        name = f"{prefix}{n}"
        low, high = low_high(pattern)
        values |= {f"{name}_low": low, f"{name}_high": high, name: dialect.pattern(pattern)}
        matches = dialect.matches(column, name)
        found.append(f"({column} >= :{name}_low and {column} < :{name}_high and {matches})")
    return f" where ({' or '.join(found)})" if found else ""


def _json(names: tuple[str, ...]) -> str:
    return orjson.dumps(names).decode()
