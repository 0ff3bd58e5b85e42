"""Write the store of the newest schema as SQL: run it once, when a version is released.

python tests/store/write_released.py
"""

from __future__ import annotations

import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path

from ci_results.domain.delivery import Position
from ci_results.domain.garbled import Garbled
from ci_results.domain.page import Page
from ci_results.domain.plan import Plan, PlanCase
from ci_results.domain.pruning import Criteria, Order
from ci_results.domain.recorded import Followed
from ci_results.store.migrations import VERSION
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.bus_rules import message
from ci_results.testing.decision_rules import POINT, awaited, recorded
from ci_results.testing.store_contract import NOON, result
from ci_results.testing.waiver_contract import grant, request


def main() -> None:
    """Fill a store with a little of everything, and write it beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.db"
        note = f"made by schema {VERSION}"
        with SqliteStore.open(path) as store:
            made = [
                result(f"k{n}", note=note, outcome="passed" if n % 3 else "failed", data={"n": str(n)})
                for n in range(10)
            ]
            bad = Garbled(raw=b"<x", reason="no XML")
            store.commit_page(Page(source="ci", results=made, quarantine=[bad], cursor="c1"))
            later = result("k0", note=note, time=NOON + timedelta(hours=1))
            store.commit_page(Page(source="ci", results=[later]))
            cases = (PlanCase(testcase="desktop.login", title="Log in"),)
            plan = Plan(name="beta", item_type="compose", item="Fedora-44-*", cases=cases)
            store.save_plan(plan, "jdoe", before=0)
            store.commit_page(Page(source="bus", results=[result("m1", source="bus")], messages=[message()]))
            store.waivers.append([grant(), request()])
            store.save_events([awaited()])
            old = [
                result(f"o{n}", source="old", item="zlib-1-1", note=note, time=NOON.replace(year=2000 + n))
                for n in (1, 2)
            ]
            store.commit_page(Page(source="old", results=old))
            pruning = Criteria(before=NOON.replace(year=2020), source="old", all_states=True)
            list(store.pruning.prune(pruning, Order(username="jdoe", comment="old", begun=NOON)))
            state = store.decisions.begin()
            store.decisions.record(
                state, Position(5, 11), "sha256:1", [recorded()], [Followed(POINT, 1, "wait")]
            )
        connection = sqlite3.connect(path)
        target = Path(__file__).parent / "released" / f"schema{VERSION}.sql"
        target.write_text("\n".join(connection.iterdump()) + "\n", encoding="utf-8")
        connection.close()


if __name__ == "__main__":
    main()
