"""Plans of manual tests in a store, each version for good; both stores share it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson

from ..domain.plan import Plan, PlanCase, PlanVersion
from ..domain.user import check_user_name
from ..errors import NotFoundError, StaleError
from .identity import from_us
from .outgoing import Ask

PLAN = """
select p.name, p.version, p.seq, p.item_type, p.item, p.actor, p.imported_at, p.cases from _plan p
"""

NEWEST = f"{PLAN} where not exists (select 1 from _plan n where n.name = p.name and n.version > p.version)"
LISTED = f"{NEWEST} order by p.seq desc limit :limit"
APPLYING = f"""
{NEWEST} and p.item_type = :item_type and (p.item = :item or replace(p.item, '*', '') <> p.item)
order by p.name
"""

VERSIONS = f"{PLAN} where p.name = :name order by p.version desc limit :limit"
ONE = f"{PLAN} where p.name = :name and p.version = :version"

COMMIT = """
insert into _commit (seq, received_at, source, door, last_result, results, quarantined)
select coalesce(max(seq), 0) + 1, :now, null, 'manual', coalesce(max(last_result), 0), 0, 0 from _commit
returning seq
"""

ANNOUNCE = "insert into _outbox (seq, kind) values (:seq, 'plan')"

INSERT = """
insert into _plan (name, version, seq, item_type, item, actor, imported_at, cases)
values (:name, :version, :seq, :item_type, :item, :actor, :now, :cases)
"""


class Plans:
    """What a store does about plans.

    ask     reads with one statement
    change  runs an operation in a transaction in which no other commit takes a seq

    Raises StoreError where the store cannot take or give data now.
    """

    def __init__(self, ask: Ask, change: Callable[[Callable[[Ask], Any]], Any]) -> None:
        self._ask, self._change = ask, change

    def save(self, plan: Plan, actor: str, before: int) -> tuple[PlanVersion, bool]:
        """Store a version; see Store.save_plan."""
        check_user_name(actor)
        cases = orjson.dumps([asdict(case) for case in plan.cases]).decode()

        def enter(ask: Ask) -> tuple[PlanVersion, bool]:
            found = [plan_version(row) for row in ask(VERSIONS, {"name": plan.name, "limit": 1})]
            if found and found[0].plan == plan:
                return found[0], False
            newest = found[0].version if found else 0
            if newest != before:
                raise StaleError(f"plan {plan.name} has version {newest} by now, not {before}: look again")
            now = time.time_ns() // 1000
            ((seq,),) = ask(COMMIT, {"now": now})
            ask(ANNOUNCE, {"seq": seq})
            values = {
                "name": plan.name, "version": newest + 1, "seq": seq, "item_type": plan.item_type,
                "item": plan.item, "actor": actor, "now": now, "cases": cases,
            }  # fmt: skip
            ask(INSERT, values)
            stored = PlanVersion(plan=plan, version=newest + 1, seq=seq, actor=actor, time=from_us(now))
            return stored, True

        saved: tuple[PlanVersion, bool] = self._change(enter)
        return saved

    def plans(self, *, limit: int = 1_000) -> list[PlanVersion]:
        """Give the newest version of each plan; see Store."""
        return [plan_version(row) for row in self._ask(LISTED, {"limit": limit})]

    def plans_for(self, item_type: str, item: str) -> list[PlanVersion]:
        """Give what applies to an item; see Store."""
        found = self._ask(APPLYING, {"item_type": item_type, "item": item})
        return [each for each in map(plan_version, found) if each.plan.applies_to(item_type, item)]

    def plan(self, name: str, version: int | None = None) -> PlanVersion:
        """Give one version; see Store."""
        if version is None:
            found = self._ask(VERSIONS, {"name": name, "limit": 1})
        else:
            found = self._ask(ONE, {"name": name, "version": version})
        if not found:
            which = "" if version is None else f"version {version} of "
            raise NotFoundError(f"no {which}plan {name}; list them with: ci-results manual plan list")
        return plan_version(found[0])

    def plan_versions(self, name: str, *, limit: int = 100) -> list[PlanVersion]:
        """Give the versions of one plan; see Store."""
        return [plan_version(row) for row in self._ask(VERSIONS, {"name": name, "limit": limit})]


def plan_version(row: Any) -> PlanVersion:
    """Return one row of PLAN as a value."""
    name, version, seq, item_type, item, actor, imported_at, cases = row
    made = tuple(PlanCase(**case) for case in orjson.loads(cases))
    plan = Plan(name=name, item_type=item_type, item=item, cases=made)
    return PlanVersion(plan=plan, version=version, seq=seq, actor=actor, time=from_us(imported_at))
