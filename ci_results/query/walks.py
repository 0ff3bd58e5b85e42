"""Walks: SQL that gives ids in order straight from one index, and stops at its limit.

A search is answered by one walk, or by several of which the newest rows are merged; so it costs what
its answer costs, however large the store is. Conditions that no index answers are checked row by
row along the walk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.search import Order
from .dialect import Dialect
from .known import MERGED, Shape


@dataclass(frozen=True, slots=True)
class Walks:
    """Writes the walks of all searches of one shape."""

    shape: Shape
    dialect: Dialect

    def sql(self, limited: bool = True) -> str:
        """Return SQL that gives `rank` and `id`, with `limited` in order, limit and offset of the search.

        Without it a result comes once for each of its values that match.
        """
        walks = self._walks(limited)
        if not limited:
            return " union all ".join(walks)
        order = "id" if self.shape.driver == "id" else self._down("rank", "id")
        if len(walks) == 1:  # the database passes over rows of an index faster than over rows of a query
            return walks[0].removesuffix("limit :reach") + "limit :limit offset :offset"
        end = f"order by {order} limit :limit offset :offset"
        merged = " union ".join(f"select rank, id from ({walk}) w" for walk in walks)
        return f"select rank, id from ({merged}) m {end}"

    def _walks(self, limited: bool) -> list[str]:
        """Return one walk for each id that the driver names, or one for all where they are many."""
        driver, walks = self.shape.driver, []
        if isinstance(driver, int):
            for one in self._driven("p.pair"):
                walks += self._of_pair(driver, one, limited)
        elif driver == "group" and self.shape.drives:
            for one in self._driven("p.grp"):
                walks.append(self._of_narrow("_result_group", one, limited))
        else:
            for one in self._driven(f"r.{driver}") or [""]:
                walks.append(self._of_result(one, limited))
        return walks

    def _driven(self, column: str) -> list[str]:
        if self.shape.drives > MERGED:
            return [self.dialect.among(column, "drive")]
        return [f"{column} = :drive{n}" for n in range(self.shape.drives)]

    def _of_result(self, condition: str, limited: bool) -> str:
        where = [condition] if condition else []
        order = self._down("r.time", "r.id")
        if self.shape.driver != "id":
            where += self.row_conditions()
        else:
            order = "r.id"
            where += self.conditions()
            where += ["r.id > :after_id"] if self.shape.after else []
        # The time orders as the rank does, and lies in the index: no row is looked at to merge walks.
        return self._select("r.time as rank, r.id as id from _result r", where, order, limited)

    def _of_pair(self, driver: int, condition: str, limited: bool) -> list[str]:
        """Return two walks: of results that have the pair themselves, and of runs that have it for theirs."""
        kept = self._kept_by_run(f"key{driver}")
        by_run = [condition, *self._within("p.rank", "r.id"), kept, *self.conditions()]
        if self.shape.after:  # which no index has as one: the run's rank, the result's id
            by_run.append(f"p.rank {'>=' if self._rising else '<='} :after_rank")
        table = (
            "p.rank as rank, r.id as id from _run_pair p join _run u on u.id = p.run"
            " join _result r on r.seq = u.seq and r.run = u.id"
        )
        order = self._down("p.rank", "p.run", "r.id")
        return [
            self._of_narrow("_result_pair", condition, limited),
            self._select(table, by_run, order, limited),
        ]

    def _of_narrow(self, name: str, condition: str, limited: bool) -> str:
        """Walk a narrow table of (rank, result); rows themselves are looked at only for conditions."""
        conditions = self.conditions()
        join = " join _result r on r.id = p.result" if conditions else ""
        where = [condition, *self._within("p.rank", "p.result"), *conditions]
        table = f"p.rank as rank, p.result as id from {name} p{join}"
        return self._select(table, where, self._down("p.rank", "p.result"), limited)

    def _select(self, table: str, where: Sequence[str], order: str, limited: bool) -> str:
        """Write one walk. Where it follows many ids at once it is sorted, and gives each result once."""
        condition = f" where {' and '.join(where)}" if where else ""
        distinct, order = ("distinct ", self._down("rank", "id")) if self._follows_many else ("", order)
        end = f" order by {order} limit :reach" if limited else ""
        return f"select {distinct}{table}{condition}{end}"

    @property
    def _follows_many(self) -> bool:
        """Whether the walk follows so many pairs or groups at once that a result may have several."""
        driver = self.shape.driver
        return self.shape.drives > MERGED and (isinstance(driver, int) or driver == "group")

    def _within(self, rank: str, number: str, *, text: bool = False) -> list[str]:
        """Bound a walk: where the page before ended, and where nothing more can match."""
        suffix = "_time" if text else ""
        bounds = []
        if self.shape.floor:
            bounds.append(f"{rank} >= :floor{suffix}")
        if self.shape.until:
            bounds.append(f"{rank} <= :ceiling{suffix}")
        if self.shape.after:
            sign = ">" if self._rising else "<"
            bounds.append(f"({rank}, {number}) {sign} (:after_rank{suffix}, :after_id)")
        return bounds

    @property
    def _rising(self) -> bool:
        return self.shape.order is Order.OLDEST

    def _down(self, *columns: str) -> str:
        word = "" if self._rising else " desc"
        return ", ".join(f"{column}{word}" for column in columns)

    def row_conditions(self) -> list[str]:
        """Return what a row `r` must fulfil, with what bounds a walk along its time."""
        return [*self._within("r.time", "r.id", text=True), *self.conditions()]

    def conditions(self) -> list[str]:
        """Return what a row `r` must fulfil besides what the walk is driven by."""
        asked, found = self.shape, []
        for name, several in (("outcome", asked.outcomes), ("testcase", asked.testcases)):
            if several is not None and asked.driver != name:
                found.append(self._among(f"r.{name}", name, several))
        if asked.groups is not None and asked.driver != "group":
            found.append(
                f"exists (select 1 from _result_group g where {self._among('g.grp', 'groups', asked.groups)}"
                " and g.rank = r.rank and g.result = r.id)"
            )
        for n, several in enumerate(asked.pairs):
            if n != asked.driver:
                found.append(self._has_pair(n, several))
        if asked.since:
            found.append("coalesce(r.submit_time, r.rank) >= :since")
        if asked.until:
            found.append("coalesce(r.submit_time, r.rank) <= :until")
        return found

    def _has_pair(self, n: int, several: bool) -> str:
        among = self._among("q.pair", f"pairs{n}", several)
        return (
            f"(exists (select 1 from _result_pair q where {among} and q.rank = r.rank"
            f" and q.result = r.id) or (r.run is not null and exists (select 1 from _run_pair q"
            f" where {among} and q.rank = r.rank and q.run = r.run)"
            f" and {self._kept_by_run(f'key{n}')}))"
        )

    def _kept_by_run(self, key: str) -> str:
        """Say that a result has no attribute of its own that hides its run's."""
        return f"(r.data is null or not {self.dialect.has_key('r.data', key)})"

    def _among(self, column: str, name: str, several: bool) -> str:
        """Say that a column is the id, or one of the ids, that parameter `name` holds."""
        return self.dialect.among(column, name) if several else f"{column} = :{name}"
