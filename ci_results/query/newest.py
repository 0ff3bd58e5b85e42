"""SQL of the results that decisions weigh: those of many subjects and some testcases, at once."""

from __future__ import annotations

from .dialect import Dialect
from .facts import current

_ROW = """
select w.pair, r.id, r.rank, r.testcase, r.outcome, r.source, r.note, coalesce(r.ref_url, u.ref_url), r.data,
    u.data, v.scenario, coalesce(nullif(v.arch, ''), (select i.arch from _item i where i.id = r.item), ''),
    case when r.outcome = :passed then null
    else (select g.signature from _signature g where g.result = r.id) end,
    r.source in (select o.id from _source o where o.collector = :copies)
"""
"""Ids instead of names: who reads the rows remembers those, and each join costs a tenth of the whole."""

_JOINS = """
left join _run u on u.id = r.run
left join _variant v on v.id = r.variant
"""


def newest_sql(dialect: Dialect, *, until: bool) -> str:
    """Return SQL for at most :most results of :testcases that have one of the pairs of :drive, in no order.

    drive, testcases  JSON lists of ids; a result comes once for each of its pairs, with the pair
    passed            the id of an outcome that has no signature
    copies            a collector: the last column says whether the row's source is one of its
    until             as it was at :until: claimed by then, and not superseded by what was claimed by then

    A pair that a run has may be hidden by a result's own attributes: who reads the rows looks at them.
    """
    numbers = dialect.numbers("drive")
    # The pairs lead: testcases have results by the million, which `+` keeps a planner from walking.
    return f"""
{_ROW} from (
    select p.pair as pair, p.result as id from {numbers} d join _result_pair p on p.pair = d.value
    union all
    select p.pair as pair, x.id as id from {numbers} d join _run_pair p on p.pair = d.value
    join _run y on y.id = p.run join _result x on x.seq = y.seq and x.run = y.id
) w join _result r on r.id = w.id {_JOINS}
where {dialect.among("+r.testcase", "testcases")} and {current(then=until)}
limit :most
"""
