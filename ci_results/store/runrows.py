"""Store once what the results of one run share, and enter attributes into the index of pairs."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from ..domain.result import Result
from ..domain.run import Run
from .bulk import insert_rows
from .fresh import Fresh, Kind, Shared, kinds_of
from .interning import Names

_OF_RUN = (("item", "item"), ("type", "item_type"), ("scenario", "scenario"), ("arch", "arch"))
"""Attributes of a result that its run keeps where all its results agree: (on the wire, in Result)."""

PARENT = "parent"
"""Most results of a run have the same parent: the run keeps it, and an exception says [] or its own."""

Attributes = Mapping[str, Sequence[str]]

Entry = tuple[int, int, Iterable[tuple[str, Sequence[str]]]]
"""rank, row id, attributes"""

RunRow = tuple[Run, int, Attributes]
"""A run, its rank, and the attributes that it keeps."""


class Places(NamedTuple):
    """Where results belong: the number of the run of each (None: no run), and the attributes left to it."""

    runs: Sequence[int | None]
    own: Sequence[Attributes]


class RunRows:
    """Places the results of one page: each names its run and keeps what is its own."""

    def __init__(self, connection: sqlite3.Connection, names: Names, seq: int) -> None:
        self._connection = connection
        self._names = names
        self._seq = seq

    def place(self, fresh: Fresh) -> Places:
        """Return for each result its run's row id (None: no run) and the attributes left to itself."""
        runs, placed = place(fresh)
        first = (self._connection.execute("select max(id) from _run").fetchone()[0] or 0) + 1
        insert_rows(
            self._connection,
            "insert into _run (id, seq, source, key, rank, ref_url, data)",
            [
                (first + n, self._seq, fresh.source, run.key, rank, run.ref_url, orjson.dumps(data).decode())
                for n, (run, rank, data) in enumerate(runs)
            ],
        )
        self._index(
            "_run_pair", "run", [(rank, first + n, data.items()) for n, (_run, rank, data) in enumerate(runs)]
        )
        self._index("_result_pair", "result", own_entries(fresh, placed.own))
        return Places([None if run is None else first + run for run in placed.runs], placed.own)

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


class _Keeper:
    """Knows what a run keeps for its results; None: no run, which keeps nothing.

    sorted_out  another store has seen to it that the run has what its results share
    """

    def __init__(
        self, run: Run | None, members: Sequence[Result], kinds: Collection[Kind], *, sorted_out: bool
    ) -> None:
        self._members = members
        self._numbers = [id(one.data) for one in members]  # nearly all results of a file share their data
        self._one_of_each = dict(zip(self._numbers, members, strict=True))
        self.shared: Attributes = {} if run is None or sorted_out else self._agreed(kinds)

    def left(self) -> Sequence[Attributes]:
        """Return the attributes that are left to each result: where the rest is agreed, its data decide."""
        if not all(key in self.shared for key, _ in _OF_RUN):
            return [_own(one, self.shared) for one in self._members]
        left = {number: _own(one, self.shared) for number, one in self._one_of_each.items()}
        return [left[number] for number in self._numbers]

    def _agreed(self, kinds: Collection[Kind]) -> dict[str, Sequence[str]]:
        """Return the attributes that the run keeps for its results; a value may be () where none has it."""
        columns = zip(_OF_RUN, zip(*kinds, strict=True), strict=True)
        shared: dict[str, Sequence[str]] = {
            key: (values[0],) if values[0] else () for (key, _), values in columns if len(set(values)) == 1
        }
        parents: Counter[Sequence[str]] = Counter()
        for number, times in Counter(self._numbers).items():
            parents[self._one_of_each[number].data.get(PARENT, ())] += times
        parent, times = parents.most_common(1)[0]
        if parent and times * 2 > len(self._members):
            shared[PARENT] = parent
        return shared


def place(fresh: Fresh) -> tuple[list[RunRow], Places]:
    """Tell which attributes the runs of a page keep, and which are left to the results.

    Runs are numbered from 0, in the order in which the results name them; one that has results of
    two ranks is there twice.
    """
    results, shared, ranks = fresh.new.results, fresh.new.shared, fresh.ranks
    order: dict[tuple[Shared, int], int] = {}
    if results and shared.count(shared[0]) == ranks.count(ranks[0]) == len(results):  # a page of one file
        order[shared[0], ranks[0]] = 0
        groups, members = [0] * len(results), [list(results)]
    else:
        groups = [order.setdefault(name, len(order)) for name in zip(shared, ranks, strict=True)]
        members = [[] for _ in order]
        for group, result in zip(groups, results, strict=True):
            members[group].append(result)
    keepers = [
        _Keeper(
            common.run,
            its,
            fresh.kinds if len(fresh.kinds) == 1 else kinds_of(its),
            sorted_out=fresh.signatures is not None,
        )
        for (common, _rank), its in zip(order, members, strict=True)
    ]
    runs: list[RunRow] = []
    numbers: list[int | None] = []
    for (common, rank), keeper in zip(order, keepers, strict=True):
        numbers.append(None if common.run is None else len(runs))
        if common.run is not None:
            runs.append((common.run, rank, _kept(common.run, keeper.shared)))
    left = [iter(keeper.left()) for keeper in keepers]
    return runs, Places([numbers[group] for group in groups], [next(left[group]) for group in groups])


def own_entries(fresh: Fresh, own: Sequence[Attributes]) -> list[Entry]:
    """Return what results enter into the index of pairs."""
    return [
        (rank, number, attributes.items())
        for rank, number, attributes in zip(fresh.ranks, fresh.ids, own, strict=True)
        if attributes
    ]


def _kept(run: Run, shared: Attributes) -> Attributes:
    """Return the attributes that a run keeps: its own, and those that its results share."""
    data = {key: [value] if isinstance(value, str) else list(value) for key, value in run.data.items()}
    return data | {key: list(values) for key, values in shared.items() if values}


def _own(result: Result, shared: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """Return the attributes of a result that its run does not keep, or that differ from the run's."""
    data = result.data
    parent = shared.get(PARENT)
    own: dict[str, Sequence[str]] = dict(data)
    if parent is not None:
        if data.get(PARENT) == parent:
            del own[PARENT]
        elif PARENT not in data:
            own[PARENT] = ()
    if result.verbatim:
        return own
    for key, attribute in _OF_RUN:
        value = getattr(result, attribute)
        if value and key not in shared:
            own[key] = (value,)
    return own
