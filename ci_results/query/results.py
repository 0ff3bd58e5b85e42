"""ResultQuery: which results, how many, from where on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ..errors import InvalidError

MAX_LIMIT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultQuery:
    """What to ask of the view `result`; an empty field asks nothing.

    testcase   exact name, or a prefix with a trailing `*`: "dist.*"
    item       an identifier as given, an NVR or a component name: "bash-5.2-1.fc40", "bash"
    outcomes   any of these words
    since      not older than this, aware
    latest     only the newest current result of each testcase, item, scenario and architecture
    limit      at most so many rows, newest first
    before     (time, id) of the last row of the page before, for the next one
    """

    testcase: str | None = None
    item: str | None = None
    outcomes: tuple[str, ...] = ()
    source: str | None = None
    run: str | None = None
    since: datetime | None = None
    latest: bool = False
    limit: int = 50
    before: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.limit <= MAX_LIMIT:
            raise InvalidError(f"limit must be 1 to {MAX_LIMIT}, got {self.limit}")
        if self.since is not None and self.since.tzinfo is None:
            raise InvalidError(f"since has no zone: {self.since.isoformat()}")


_CURRENT = """
not exists (select 1 from _superseded p where p.old = r.id)
and not exists (
    select 1 from _result n
    where n.item = r.item and n.testcase = r.testcase and n.variant = r.variant
      and (n.rank, n.id) > (r.rank, r.id)
      and not exists (select 1 from _superseded q where q.old = n.id))
"""


def ids_sql(query: ResultQuery, nvr: str | None, arch: str | None) -> tuple[str, dict[str, object]]:
    """Return SQL for the ids that `query` asks for, newest first, and its parameters.

    `nvr` and `arch` say what else the asked item is known by (normalise.same_item). The ids come
    from one index; who wants rows fetches them by id.
    """
    where: list[str] = []
    values: dict[str, object] = {"limit": query.limit}
    if query.item is not None:
        where.append(
            "r.item in (select id from _item where name = :item"
            " union select id from _item where component = :item"
            " union select id from _item where nvr = :nvr and (:arch is null or arch = :arch))"
        )
        values |= {"item": query.item, "nvr": nvr, "arch": arch}
    if query.testcase is not None:
        if query.testcase.endswith("*"):
            where.append("r.testcase in (select id from _testcase where name >= :low and name < :high)")
            low = query.testcase[:-1]
            values |= {"low": low, "high": low + "\U0010ffff"}
        else:
            where.append("r.testcase = (select id from _testcase where name = :testcase)")
            values["testcase"] = query.testcase
    if query.outcomes:
        names = [f"outcome{n}" for n in range(len(query.outcomes))]
        listed = ", ".join(f":{name}" for name in names)
        where.append(f"r.outcome in (select id from _outcome where word in ({listed}))")
        values |= dict(zip(names, query.outcomes, strict=True))
    if query.source is not None:
        where.append("r.source = (select id from _source where name = :source)")
        values["source"] = query.source
    if query.run is not None:
        where.append("(r.seq, r.run) in (select seq, id from _run where key = :run)")
        values["run"] = query.run
    if query.since is not None:
        where.append("r.time >= :since")
        values["since"] = query.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    if query.latest:
        where.append(_CURRENT)
    if query.before is not None:
        where.append("(r.time, r.id) < (:time, :id)")
        values["time"], values["id"] = query.before
    condition = " and ".join(where) or "true"
    order = "order by r.time desc, r.id desc limit :limit"
    return f"select r.id from _result r where {condition} {order}", values
