"""A prune of a feed, done again as it was; both stores share it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..errors import InvalidError
from ..query.dialect import Dialect
from .outgoing import Ask
from .pruned import COUNT_DAYS, KIND, PRUNE, TOMBSTONES, read_going, take_out
from .restored import SOURCE, SOURCE_ID, commit

TESTCASE = "insert into _testcase (name) values (:name) on conflict do nothing"
TESTCASE_ID = "select id from _testcase where name = :name"
OUTCOME = "insert into _outcome (word) values (:name) on conflict do nothing"
OUTCOME_ID = "select id from _outcome where word = :name"

HIGHEST = "update _commit set last_result = :highest where seq >= :seq and last_result < :highest"

KNOWN = "select 1 from {ids} j join _pruned p on p.result = j.value limit 1"
STORED = "select r.id from {ids} j join _result r on r.id = j.value"
THESE = "and result in (select j.value from {ids} j)"

TOMBSTONE = """
insert into _pruned (result, prune, source, identity, digest, key, testcase, outcome, day, duration, counted)
values (:id, :prune, :source, :identity, :digest, :key, :testcase, :outcome, :day,
    cast(:duration as double precision), :counted)
"""


def take_out_again(ask: Ask, dialect: Dialect, said: Mapping[str, Any], *, count: bool) -> bool:
    """Let results go that a prune let go, those that are here; say whether that was not done yet.

    Those that are not are known as pruned all the same; `count`: and the roll-ups get what they counted.
    Raises InvalidError for a prune that does not name what left.
    """
    number, left = said["id"], said["left"]
    if ask("select 1 from _prune where id = :id", {"id": number}):
        return False
    if len(left) != said["results"] or len({each["id"] for each in left}) != len(left):
        raise InvalidError(f"tells of {said['results']} results that left, and names {len(left)}")
    numbers = dialect.numbers("ids")
    ids = {"ids": json.dumps([each["id"] for each in left])}
    if ask(KNOWN.format(ids=numbers), ids):
        raise InvalidError("names a result that left by another prune")
    commit(ask, KIND, said)
    ask(HIGHEST, {"highest": said["highest"], "seq": said["seq"]})
    names = ("id", "seq", "begun", "time", "username", "comment", "results", "first", "last", "digest")
    row = {**{name: said[name] for name in names}, "criteria": orjson.dumps(said["criteria"]).decode()}
    ask(PRUNE, row)
    here = {found for (found,) in ask(STORED.format(ids=numbers), ids)}
    if here:
        of_here: dict[str, object] = {"ids": json.dumps(sorted(here))}
        ask(TOMBSTONES.format(ids=numbers), {**of_here, "prune": number})
        take_out(ask, dialect, read_going(ask, dialect, sorted(here)))
    _name(ask, dialect, number, [each for each in left if each["id"] not in here], count=count)
    return True


def _name(
    ask: Ask, dialect: Dialect, number: int, absent: Sequence[Mapping[str, Any]], *, count: bool
) -> None:
    """Let results be known as pruned that are not here."""
    known: dict[tuple[str, str], int] = {}
    for each in absent:
        row = {"prune": number, **each}
        for kind, create, find in (
            ("source", SOURCE, SOURCE_ID),
            ("testcase", TESTCASE, TESTCASE_ID),
            ("outcome", OUTCOME, OUTCOME_ID),
        ):
            name = kind, each[kind]
            if name not in known:
                ask(create, {"name": each[kind]})
                known[name] = int(ask(find, {"name": each[kind]})[0][0])
            row[kind] = known[name]
        ask(TOMBSTONE, row)
    if count and absent:
        ids = json.dumps([each["id"] for each in absent])
        for statement in COUNT_DAYS:
            ask(statement.format(of=THESE.format(ids=dialect.numbers("ids"))), {"ids": ids})
