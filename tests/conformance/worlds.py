"""A store that is filled step by step beside an oracle that is told the same, and held against it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ci_results.domain.page import Page
from ci_results.domain.run import Run
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import result

from .asking import BASE, Asked
from .oracle import Group, Oracle, Query, Stored
from .places import opened

FUTURE = ("2150-01-01T00:00:00.0", "2150-01-02T00:00:00.0")
"""Claims that lie after their receipt; every other claim of a step lies long before it."""

RUNS = [Run(key=f"job#{n}", data={"job": "job", **({"tier": ("1", "2")} if n else {})}) for n in range(3)]
TESTCASE_QUERIES: list[Query] = [
    [],
    [("name", "ns.a, plain,nobody")],
    [("name:like", "ns.*,*n")],
    [("name", " "), ("name:like", "%a")],
]
GROUP_QUERIES: list[Query] = [
    [],
    [("uuid", "g1,g 3")],
    [("description", "nightly,x")],
    [("description:like", "*x,n%")],
    [("uuid", "g1,g2"), ("description:like", "*")],
]


class World:
    """A store filled step by step, and the oracle that was told the same."""

    def __init__(self, store: Store, api: Asked) -> None:
        self.store = store
        self.api = api
        self.oracle = Oracle()
        self._events = 0
        self._known: dict[tuple[str | None, str], list[tuple[Any, Stored]]] = {}

    def take(self, step: tuple[str, Any]) -> None:
        kind, said = step
        getattr(self, f"_{kind}")(said)

    def check(self, query: Query, limit: int, distinct_on: list[str]) -> None:
        """Hold each answer to a question about results against the oracle's."""
        wanted = self.oracle.results(query)
        ordered = dict(query).get("_sort") != "disable_sorting" or len(query) == 1
        self._check_pages("/results", query, wanted, limit, ordered=ordered)
        plain = [pair for pair in query if pair[0] not in ("outcome", "_sort")]
        assert self.shown(self.api.get("/results/latest", query)["data"]) == self.told(
            self.oracle.latest(plain)
        )
        if distinct_on and plain:
            asked = [*plain, ("_distinct_on", ",".join(distinct_on))]
            assert self.shown(self.api.get("/results/latest", asked)["data"]) == self.told(
                self.oracle.latest(asked)
            )

    def check_below(self, query: Query, limit: int) -> None:
        """Hold the results of each testcase and each group against the oracle's."""
        for name in self.oracle.testcases:
            rest = [pair for pair in query if not pair[0].startswith("testcases")]
            wanted = self.oracle.results(rest, lambda one, name=name: one.testcase == name)  # type: ignore[misc]
            self._check_pages(f"/testcases/{name}/results", query, wanted, limit, ordered=not has_sort(query))
        for uuid in self.oracle.groups:
            if "/" in uuid:
                continue
            rest = [pair for pair in query if pair[0] != "groups"]
            wanted = self.oracle.results(rest, lambda one, uuid=uuid: uuid in one.groups)  # type: ignore[misc]
            self._check_pages(f"/groups/{uuid}/results", query, wanted, limit, ordered=not has_sort(query))

    def check_names(self, limit: int) -> None:
        """Hold testcases and groups against the oracle's."""
        for query in TESTCASE_QUERIES:
            found = [one["name"] for one in self._all("/testcases", query, limit)]
            assert found == self.oracle.listed_testcases(query)
        for query in GROUP_QUERIES:
            found = self._all("/groups", query, limit)
            assert sorted(one["uuid"] for one in found) == sorted(self.oracle.listed_groups(query))
            for one in found:
                group = self.oracle.groups[one["uuid"]]
                assert (one["description"], one["ref_url"]) == (group.description, group.ref_url)
                assert one["results_count"] == self.oracle.members(one["uuid"])

    def shown(self, rows: list[dict[str, Any]]) -> list[Any]:
        """Return what was answered, without addresses."""
        for row in rows:
            assert row.pop("href") == f"{BASE}/results/{row['id']}"
            assert row["testcase"].pop("href").startswith(f"{BASE}/testcases/")
        return rows

    def told(self, rows: list[Stored]) -> list[Any]:
        """Return what the oracle would answer."""
        return [
            {
                "id": one.id, "groups": one.groups, "submit_time": one.submit_time.isoformat(),
                "testcase": {"name": one.testcase, "ref_url": self.oracle.testcases[one.testcase]},
                "outcome": one.outcome, "note": one.note, "ref_url": one.ref_url, "data": one.data,
            }
            for one in rows
        ]  # fmt: skip

    # -- steps

    def _post(self, body: dict[str, Any]) -> None:
        answer = self.api.post("/results", body)
        case = body["testcase"]
        name = case if isinstance(case, str) else case["name"]
        self.oracle.testcases.setdefault(name, None)
        if isinstance(case, dict) and "ref_url" in case:
            self.oracle.testcases[name] = case["ref_url"]
        uuids = []
        for each in body.get("groups") or []:
            uuid = each if isinstance(each, str) else each["uuid"]
            group = self.oracle.groups.setdefault(uuid, Group())
            if isinstance(each, dict) and "description" in each:
                group.description = each["description"]
            uuids.append(uuid)
        data = {
            key: value if isinstance(value, list) else [value] for key, value in body.get("data", {}).items()
        }
        one = self._stored(answer["id"], body.get("submit_time"), body["outcome"], name,
                           {key: value for key, value in data.items() if value})  # fmt: skip
        one.groups, one.note = list(dict.fromkeys(uuids)), body.get("note")
        assert self.shown([answer]) == self.told([one])

    def _harvest(self, seen: list[dict[str, Any]]) -> None:
        """Commit a page as a harvest does; what the store says of ids is believed, and nothing else."""
        runs = [None if one["run"] is None else RUNS[one["run"]] for one in seen]
        page = [
            result(**(one | {"run": run, "time": one["time"] and aware(one["time"])}))
            for one, run in zip(seen, runs, strict=True)
        ]
        self._events += 1
        event = self._events
        ids = self.store.commit_page(Page(source="ci", results=page, tell_ids=True)).ids
        for one, said, run, number in zip(seen, page, runs, ids, strict=True):
            data = {
                key: [v] if isinstance(v, str) else list(v) for key, v in (run.data.items() if run else ())
            }
            data |= {"item": [one["item"]], "type": ["koji_build"]}
            data |= {key: [one[key]] for key in ("scenario", "arch", "parent") if key in one}
            data |= {key: [value] for key, value in one.get("data", {}).items()}
            self.oracle.testcases.setdefault(one["testcase"], None)
            identity = (run and run.key, one["key"])
            earlier = self._known.setdefault(identity, [])
            if said in [before for before, _stored in earlier]:
                continue
            stored = self._stored(number, one["time"], one["outcome"].upper(), one["testcase"], data, event)
            self._settle([before for _said, before in earlier], stored)
            earlier.append((said, stored))

    def _settle(self, earlier: list[Stored], new: Stored) -> None:
        """Mark who is superseded: a finished run beats an unfinished one, else the later event does."""
        current = next((one for one in earlier if not one.superseded), None)
        if current is not None:
            ended, had_ended = new.outcome != "RUNNING", current.outcome != "RUNNING"
            later = new.submit_time >= current.submit_time if ended == had_ended else ended
            (current if later else new).superseded = True

    def _group(self, said: dict[str, Any]) -> None:
        self.api.post("/groups", said)
        group = self.oracle.groups.setdefault(said["uuid"], Group())
        group.description = said.get("description") or group.description

    def _testcase(self, name: str) -> None:
        self.api.post("/testcases", {"name": name})
        self.oracle.testcases.setdefault(name, None)

    def _stored(
        self, number: int, claim: str | None, outcome: str, testcase: str, data: Any, event: int | None = None
    ) -> Stored:
        """Enter a result; its receipt is known by order alone. Without a claim its time is what is served."""
        if event is None:
            self._events += 1
            event = self._events
        time = datetime.fromisoformat(claim or self.api.get(f"/results/{number}")["submit_time"])
        past = claim is not None and claim not in FUTURE
        rank = (0, max(time, datetime(1970, 1, 1)), 0) if past else (1, datetime.max, event)
        one = Stored(number, rank, time, outcome, testcase, data)
        self.oracle.stored.append(one)
        return one

    # -- pages

    def _check_pages(
        self, path: str, query: Query, wanted: list[Stored], limit: int, *, ordered: bool
    ) -> None:
        """Read a list to its end by `next`, and by `_after`; both give every row once, in order."""
        told = self.told(wanted)
        for rows in (
            self._all(path, query, limit),
            self._by_cursor(path, query, limit),
            self.api.get(path, [*query, ("limit", "1000")])["data"],
        ):
            shown = self.shown(rows)
            assert (shown if ordered else sorted(shown, key=by_id)) == (
                told if ordered else sorted(told, key=by_id)
            )

    def _all(self, path: str, query: Query, limit: int) -> list[Any]:
        page = self.api.get(path, [*query, ("limit", str(limit))])
        rows = list(page["data"])
        while page["next"]:
            page = self.api.follow(page["next"])
            rows += page["data"]
        return rows

    def _by_cursor(self, path: str, query: Query, limit: int) -> list[Any]:
        asked = [*query, ("limit", str(limit))]
        page = self.api.get(path, asked)
        rows = list(page["data"])
        while page["next_cursor"]:
            page = self.api.get(path, [*asked, ("_after", page["next_cursor"])])
            rows += page["data"]
        return rows


def by_id(row: dict[str, Any]) -> int:
    number: int = row["id"]
    return number


def has_sort(query: Query) -> bool:
    return dict(query).get("_sort") == "disable_sorting"


def aware(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@contextmanager
def world(kind: str) -> Iterator[World]:
    with TemporaryDirectory() as folder, opened(kind, Path(folder)) as store, closing(Asked(store)) as api:
        yield World(store, api)
