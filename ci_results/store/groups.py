"""Write what a page says of groups and testcases, the two things whose description may change."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..domain.page import Page
from .changes import Subject, of_page
from .fresh import Fresh
from .interning import Names

MEMBER = "insert or ignore into _result_group (grp, rank, result) values (?, ?, ?)"
COUNT = "update _group set results = results + ? where id = ?"
DESCRIBE = {
    "description": "update _group set description = ? where id = ?",
    "ref_url": "update _group set ref_url = ? where id = ?",
}
REF_URL = "update _testcase set ref_url = ? where id = ?"

Member = tuple[tuple[str, ...], int, int]
"""uuids of groups, and rank and id of a result that is in them"""


def members(fresh: Fresh) -> list[Member]:
    """Return those new results that are in groups."""
    return [
        (result.groups, rank, number)
        for result, rank, number in zip(fresh.new.results, fresh.ranks, fresh.ids, strict=True)
        if result.groups
    ]


def enter_groups(connection: sqlite3.Connection, names: Names, members: Sequence[Member]) -> None:
    """Enter new results into their groups, which are created where unknown."""
    if not members:
        return
    groups = names.groups.ids(
        connection, dict.fromkeys(uuid for uuids, _rank, _id in members for uuid in uuids)
    )
    rows, counts = member_rows(groups, members)
    connection.executemany(MEMBER, rows)
    connection.executemany(COUNT, counts)


def member_rows(
    groups: Mapping[str, int], members: Sequence[Member]
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
    """Return the rows of _result_group, and how many each group gains: (number, group)."""
    rows = {(groups[uuid], rank, number) for uuids, rank, number in members for uuid in uuids}
    counts = Counter(group for group, _rank, _id in rows)
    return sorted(rows), [(n, group) for group, n in sorted(counts.items())]


def describe(connection: sqlite3.Connection, names: Names, page: Page) -> dict[Subject, Any]:
    """Create or describe anew the groups and testcases that a page names for that; return what it says."""
    ids: Mapping[str, int] = {}
    testcases: Mapping[str, int] = {}
    if page.groups:
        ids = names.groups.ids(connection, page.groups)
        for column, statement in DESCRIBE.items():
            connection.executemany(
                statement,
                [(said[column], ids[uuid]) for uuid, said in page.groups.items() if column in said],
            )
    if page.ref_urls or page.testcases:
        testcases = names.testcases.ids(connection, (*page.testcases, *page.ref_urls))
        connection.executemany(REF_URL, [(url, testcases[name]) for name, url in page.ref_urls.items()])
    return of_page(page, ids, testcases)
