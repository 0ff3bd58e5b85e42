"""What the page of one item says, and what to offer where nobody knows its name."""

from __future__ import annotations

from difflib import get_close_matches

from ..domain.outcome import WORST_FIRST
from ..normalise.items import same_item
from .reading import Reader, Row

MOST = 2000
_COLUMNS = (
    "id, time, outcome, testcase, item, item_type, scenario, arch, duration_s, note, ref_url, source, run"
)
BY_NAME = f"select {_COLUMNS} from latest_result where item = :name limit {MOST + 1}"  # noqa: S608  # constants
KNOWN = """
select * from (
    select name, type, nvr, component, id from _item where name = :name
    union select name, type, nvr, component, id from _item where nvr = :name
    union select name, type, nvr, component, id from _item
        where nvr = :nvr and (:arch is null or arch = :arch)
) order by name <> :name, id limit 50
"""
OF_COMPONENT = "select name, type from _item where component = :name order by id desc limit 100"
BEFORE = """
select name from _item where component = :component and type = :type and id < :id and nvr is not :nvr
order by id desc limit 1
"""
STARTING = (
    "select name from _item where name >= :start and name < :start || char(1114111) order by name limit 200"
)
TESTCASES_STARTING = """
select name from testcase where name >= :start and name < :start || char(1114111) order by name limit 100
"""
COMPONENTS = """
with recursive seen(name) as (
    select min(component) from _item
    union all
    select (select min(component) from _item where component > seen.name)
    from seen where seen.name is not null
)
select name from seen where name is not null limit 20000
"""
TESTCASE = "select name from testcase where name = :name"
_WORST: dict[str, int] = {word: place for place, word in enumerate(WORST_FIRST)}


def item(reader: Reader, name: str) -> Row | None:
    """Return the facts about an item: by its name, its name-version-release, or a component.

    `results` has the newest current result of each testcase, scenario and architecture, worst
    first. For a component's name, `items` lists its items instead. None: nobody knows the name.
    """
    _, nvr, arch = same_item(name)
    known = reader.ask(KNOWN, {"name": name, "nvr": nvr, "arch": arch})
    if not known:
        items = reader.ask(OF_COMPONENT, {"name": name})
        return _facts(name, items=items) if items else None
    found = {row["id"]: row for one in known for row in reader.ask(BY_NAME, {"name": one["name"]})}
    results = sorted(found.values(), key=worst_first)[:MOST]
    before = reader.ask(BEFORE, known[0]) if known[0]["component"] else []
    return _facts(
        name,
        items=[{"name": row["name"], "type": row["type"]} for row in known],
        results=results,
        component=known[0]["component"],
        before=before[0]["name"] if before else None,
        cut=len(found) > MOST,
    )


def nearest(reader: Reader, name: str) -> Row:
    """Return names close to one that nobody knows, under "items", "components" and "testcases"."""
    return {
        "items": _closest(name, _starting(reader, STARTING, name)),
        "components": _closest(name, [row["name"] for row in reader.ask(COMPONENTS)]),
        "testcases": _closest(name, _starting(reader, TESTCASES_STARTING, name)),
    }


def is_testcase(reader: Reader, name: str) -> bool:
    """Say whether a testcase of this very name exists."""
    return bool(reader.ask(TESTCASE, {"name": name}))


def _facts(
    name: str,
    *,
    items: list[Row],
    results: list[Row] | None = None,
    component: str | None = None,
    before: str | None = None,
    cut: bool = False,
) -> Row:
    tally: dict[str, int] = {}
    for row in results or []:
        tally[row["outcome"]] = tally.get(row["outcome"], 0) + 1
    return {
        "item": name,
        "component": component,
        "items": items,
        "before": before,
        "outcomes": dict(sorted(tally.items(), key=lambda pair: _WORST.get(pair[0], 0))),
        "results": results or [],
        "cut": cut,
    }


def worst_first(row: Row) -> tuple[int, str, str, str]:
    """Order results for a reader: an outcome that configuration added comes before all known ones."""
    return (_WORST.get(row["outcome"], -1), row["testcase"], row["scenario"], row["arch"])


def _starting(reader: Reader, sql: str, name: str) -> list[str]:
    """Return names that share the longest beginning with `name` that any name has."""
    for length in range(len(name), 1, -1):
        rows = reader.ask(sql, {"start": name[:length]})
        if rows:
            return [row["name"] for row in rows]
    return []


def _closest(name: str, candidates: list[str]) -> list[str]:
    return get_close_matches(name[:200], candidates, n=8, cutoff=0.5)
