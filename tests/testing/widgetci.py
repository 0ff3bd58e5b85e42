"""Widget CI: a well-behaved collector and the recording of its source, that faulty ones are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ci_results import Checkpoint, Collector, Observation, Seen, SourceSession, hookimpl, read_each
from ci_results.testing.exchange import Exchange

URL = "https://source.test"


@dataclass(frozen=True, kw_only=True)
class Options:
    """`url` is the server's root; `page` is how many runs one request asks for."""

    url: str
    page: int = 2


class WidgetCI(Collector[Options]):
    """Every finished run, in the order of its id, which the cursor holds."""

    name = "widgetci"
    options = Options
    outcomes: ClassVar[dict[str, str]] = {"success": "PASSED", "failure": "FAILED"}

    def harvest(self, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        while runs := http.get_list(f"{options.url}/api/runs", after=cursor, limit=options.page):
            yield from read_each(runs, observation)
            cursor = http.field(runs[-1], "id")
            yield Checkpoint(cursor)


def observation(run: dict[str, Any]) -> Observation:
    return Observation(
        key=run["id"],
        testcase=f"widgetci.{run['suite']}",
        outcome=run["status"],
        item=run["build"],
        item_type="koji_build",
        time=datetime.fromisoformat(run["finished"]),
        ref_url=run["url"],
    )


@hookimpl
def register_collectors() -> list[Collector[Any]]:
    return [WidgetCI()]


def run(number: int, status: str = "success") -> dict[str, Any]:
    return {
        "id": f"r{number}",
        "suite": f"tier{number % 2}",
        "status": status,
        "build": f"bash-5.2.{number}-1.fc40",
        "finished": f"2026-03-0{number}T10:00:00+00:00",
        "url": f"{URL}/runs/{number}",
    }


def page(after: str | None, runs: list[dict[str, Any]], limit: int = 2) -> Exchange:
    query = f"after={after}&limit={limit}" if after else f"limit={limit}"
    return Exchange(
        url=f"{URL}/api/runs?{query}",
        headers={"Content-Type": "application/json"},
        body=json.dumps(runs).encode(),
        name=f"runs-after-{after}.json",
    )


def recording() -> list[Exchange]:
    return [
        page(None, [run(1), run(2, "failure")]),
        page("r2", [run(3), run(4)]),
        page("r4", [run(5), run(6)]),
        page("r6", []),
    ]
