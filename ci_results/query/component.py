"""SQL of what is known of a component: its items, and what a testcase said of them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from ..domain.search import ComponentQuery
from .dialect import Dialect
from .facts import current
from .known import Values


def items_sql(component: str, item_types: Sequence[str], limit: int, dialect: Dialect) -> tuple[str, Values]:
    """Return SQL for the names of a component's items, those that came last first, and its parameters."""
    values: Values = {"component": component, "types": _listed(item_types), "items": limit}
    return f"select i.name from _item i {_last_items(dialect)}", values


def results_sql(query: ComponentQuery, dialect: Dialect) -> tuple[str, Values]:
    """Return SQL for (rank, id) of results, the newest first, and its parameters.

    It goes from the component's items to the results of each: a walk along the testcase could pass
    all results of all other components. So it is sorted by rank, along which no index of testcases goes.
    """
    values: Values = {
        "component": query.component, "types": _listed(query.item_types), "items": query.items,
        "testcase": query.testcase, "outcomes": _listed(query.passed_over),
        "sources": _listed(query.sources_passed_over), "limit": query.limit,
    }  # fmt: skip
    if query.until is not None:
        values["until"] = query.until
    after = ""
    if query.after is not None:
        values["after_rank"], values["after_id"] = query.after
        after = " and (r.rank, r.id) < (:after_rank, :after_id)"
    return (
        f"select r.rank, r.id from (select i.id from _item i {_last_items(dialect)}) c"
        " cross join _result r"
        " where r.item = c.id and r.testcase = (select t.id from _testcase t where t.name = :testcase)"
        f" and r.outcome not in (select o.id from _outcome o where o.word in"
        f" (select value from {dialect.texts('outcomes')}))"
        f" and r.source not in (select s.id from _source s where s.name in"
        f" (select value from {dialect.texts('sources')}))"
        f" and {current(then=query.until is not None)}{after} order by r.rank desc, r.id desc limit :limit",
        values,
    )


def _last_items(dialect: Dialect) -> str:
    return (
        f"where i.component = :component and i.type in (select value from {dialect.texts('types')})"
        " order by i.id desc limit :items"
    )


def _listed(words: Sequence[str]) -> str:
    return orjson.dumps(words).decode()
