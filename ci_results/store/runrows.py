"""Store once what the results of one run share, and enter attributes into the index of pairs."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import orjson

from ..domain.result import Result
from ..domain.run import Run
from .bulk import insert_rows
from .fresh import New
from .interning import Names

_OF_RUN = (("item", "item"), ("type", "item_type"), ("scenario", "scenario"), ("arch", "arch"))
"""Attributes of a result that its run keeps where all its results agree: (on the wire, in Result)."""

PARENT = "parent"
"""Most results of a run have the same parent: the run keeps it, and an exception says [] or its own."""

_NOTHING: Mapping[str, Sequence[str]] = {}

Entry = tuple[int, int, Iterable[tuple[str, Sequence[str]]]]
"""rank, row id, attributes"""


class RunRows:
    """Places the results of one page: each names its run and keeps what is its own."""

    def __init__(self, connection: sqlite3.Connection, names: Names, seq: int, source: int) -> None:
        self._connection = connection
        self._names = names
        self._seq = seq
        self._source = source

    def place(self, new: Sequence[New]) -> list[tuple[int | None, Mapping[str, Sequence[str]]]]:
        """Return for each result its run's row id (None: no run) and the attributes left to itself."""
        groups: dict[tuple[int, int], tuple[Run, list[Result]]] = {}
        for result, common, _number, seen, _submitted in new:
            if common.run is not None:
                groups.setdefault((id(common), seen.rank), (common.run, []))[1].append(result)
        shared = {name: _shared(members) for name, (_run, members) in groups.items()}
        rows = self._insert_runs(groups, shared)
        placed: list[tuple[int | None, Mapping[str, Sequence[str]]]] = []
        entries: list[Entry] = []
        for result, common, _number, seen, _submitted in new:
            name = (id(common), seen.rank)
            taken = shared.get(name, {})
            own = _own(result, taken)
            placed.append((rows.get(name), own))
            if own:
                entries.append((seen.rank, seen.id, own.items()))
        self._index("_result_pair", "result", entries)
        return placed

    def _insert_runs(
        self,
        groups: Mapping[tuple[int, int], tuple[Run, list[Result]]],
        shared: Mapping[tuple[int, int], Mapping[str, Sequence[str]]],
    ) -> dict[tuple[int, int], int]:
        first = (self._connection.execute("select max(id) from _run").fetchone()[0] or 0) + 1
        ids = {name: first + n for n, name in enumerate(groups)}
        rows, entries = [], []
        for name, (run, _members) in groups.items():
            data = {
                key: [value] if isinstance(value, str) else list(value) for key, value in run.data.items()
            }
            data |= {key: list(values) for key, values in shared[name].items() if values}
            _key, rank = name
            text = orjson.dumps(data).decode()
            rows.append((ids[name], self._seq, self._source, run.key, rank, run.ref_url, text))
            entries.append((rank, ids[name], data.items()))
        insert_rows(self._connection, "insert into _run (id, seq, source, key, rank, ref_url, data)", rows)
        self._index("_run_pair", "run", entries)
        return ids

    def _index(self, table: str, column: str, entries: Sequence[Entry]) -> None:
        """Enter attributes into an index of pairs; `table` and `column` are ours, never a value."""
        if not entries:
            return
        wanted = {(key, value) for _rank, _id, data in entries for key, values in data for value in values}
        pairs = self._names.pairs.ids(self._connection, wanted)
        self._connection.executemany(
            f"insert or ignore into {table} (pair, rank, {column}) values (?, ?, ?)",  # noqa: S608
            [
                (pairs[key, value], rank, row)
                for rank, row, data in entries
                for key, values in data
                for value in values
            ],
        )


def _shared(members: Sequence[Result]) -> dict[str, Sequence[str]]:
    """Return the attributes that a run keeps for its results; a value may be () where none has it."""
    kinds = {(one.item, one.item_type, one.scenario, one.arch) for one in members}
    columns = zip(_OF_RUN, zip(*kinds, strict=True), strict=True)
    shared: dict[str, Sequence[str]] = {
        key: (values[0],) if values[0] else () for (key, _), values in columns if len(set(values)) == 1
    }
    parents = Counter(one.data.get(PARENT, ()) for one in members)
    parent, number = parents.most_common(1)[0]
    if parent and number * 2 > len(members):
        shared[PARENT] = parent
    return shared


def _own(result: Result, shared: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """Return the attributes of a result that its run does not keep, or that differ from the run's."""
    data = result.data
    parent = shared.get(PARENT)
    if len(shared) >= len(_OF_RUN) and len(data) == 1 and parent is not None and data.get(PARENT) == parent:
        return _NOTHING
    own: dict[str, Sequence[str]] = dict(data)
    if parent is not None:
        if data.get(PARENT) == parent:
            del own[PARENT]
        elif PARENT not in data:
            own[PARENT] = ()
    for key, attribute in _OF_RUN:
        value = getattr(result, attribute)
        if value and key not in shared:
            own[key] = (value,)
    return own
