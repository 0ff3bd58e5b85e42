"""What the pages about manual tests show: all plans, one plan, one plan for one item."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...domain.outcome import Outcome
from ...domain.plan import PlanVersion
from ...errors import NotFoundError
from ...operations.manual import history, items_of, plan_status, vouched
from ...operations.manual_facts import plan_facts, result_facts, status_facts
from ...store.protocol import Store
from ..answers import Answers
from ..auth.visitor import Visitors
from ..surroundings import Surroundings
from ..visited import Visited

MOST_PLANS, MOST_ITEMS, MOST_HERE = 50, 20, 5
"""Plans that are shown with their progress; items of one plan on its own page, and on the page of all."""

SHOWN = 100
"""Testcases that one page shows with their forms; the twin has all."""

OLDER = 20
"""Results of one testcase that its history shows."""


FIELDS = ("testcase", "outcome", "comment", "ref_url", "actor")
"""What a form says of a finding."""


class ManualPages:
    """The pages that are read. Each answers HTML, and under `.json` or `?format=json` the same facts."""

    def __init__(self, around: Surroundings, answers: Answers, visitors: Visitors) -> None:
        self._around, self.visitors = around, visitors
        self._visited = Visited(around, answers, visitors)

    async def plans(self, request: Request) -> Response:
        """Answer /manual."""
        facts = await run_in_threadpool(all_plans, self._around.store)
        return await self.answer(request, "manual.html", facts)

    async def plan(self, request: Request) -> Response:
        """Answer /manual/PLAN; with `item` go to the page of that item."""
        name = self.named(request, "plan")
        asked = request.query_params
        if item := asked.get("item", "").strip():
            return RedirectResponse(manual_path(name, item), status_code=303)
        version = asked.get("version", "")
        try:
            facts = await run_in_threadpool(one_plan, self._around.store, name, _version(version))
        except NotFoundError:
            return await self.missing(request, f"plan {name}" + (f" version {version}" if version else ""))
        return await self.answer(request, "manual_plan.html", facts)

    async def item(self, request: Request) -> Response:
        """Answer /manual/PLAN/ITEM."""
        return await self.item_page(request)

    async def item_page(
        self, request: Request, *, status: int = 200, tried: Mapping[str, str] | None = None, why: str = ""
    ) -> Response:
        """Show one plan for one item; `tried` is what somebody sent that was refused, and `why`."""
        name, item = request.path_params["plan"], self.named(request, "item")
        try:
            version = await run_in_threadpool(applying, self._around.store, name, item)
        except NotFoundError as err:
            return await self.missing(request, str(err))
        facts = await run_in_threadpool(one_item, self._around.store, version, item)
        words, tried = self._around.outcomes, tried or {}
        begins = _begins(request.query_params.get("from", ""), tried.get("testcase", ""), version)
        return await self.answer(
            request,
            "manual_item.html",
            facts,
            status=status,
            tried={name: tried.get(name, "") for name in FIELDS},
            begins=begins,
            shown=SHOWN,
            part_path=lambda begins: part_path(name, item, begins),
            why=why,
            recorded=request.query_params.get("recorded"),
            once=secrets.token_hex(12),
            outcomes=[word for word in words if word != Outcome.QUEUED],
        )

    async def missing(self, request: Request, what: str) -> Response:
        """Explain that there is no such plan, or that it is for something else."""
        return await self.answer(request, "manual_missing.html", {"what": what}, status=404)

    async def answer(
        self, request: Request, template: str, facts: dict[str, Any], *, status: int = 200, **more: Any
    ) -> Response:
        """Render a page for whoever looks, or its twin."""
        return await self._visited.answer(
            request, template, facts, status=status, manual_path=manual_path, **more
        )

    def named(self, request: Request, what: str) -> str:
        """Return a name in the path, without the ending that asks for the twin."""
        name: str = request.path_params[what]
        return name if "format" in request.query_params else name.removesuffix(".json")


def manual_path(plan: str, item: str | None = None) -> str:
    """Return the address of a plan's page, or of its page for an item."""
    if item is None:
        return f"/manual/{quote(plan)}"
    suffix = "?format=html" if item.endswith(".json") else ""
    return f"/manual/{quote(plan)}/{quote(item, safe='')}{suffix}"


def part_path(plan: str, item: str, begins: int) -> str:
    """Return the address of that part of an item's page which has the testcases after `begins`."""
    path = manual_path(plan, item)
    return f"{path}{'&' if '?' in path else '?'}from={begins + 1}" if begins else path


def all_plans(store: Store) -> dict[str, Any]:
    """Return the facts of /manual: the newest plans, and how far each is."""
    plans = store.plans(limit=MOST_PLANS + 1)
    return {
        "plans": [_with_items(each, store, MOST_HERE) for each in plans[:MOST_PLANS]],
        "cut": len(plans) > MOST_PLANS,
    }


def one_plan(store: Store, name: str, number: int | None) -> dict[str, Any]:
    """Return the facts of one version of a plan. Raises NotFoundError."""
    version = store.plan(name, number)
    versions = [plan_facts(each, cases=False) for each in store.plan_versions(name)]
    return {**_with_items(version, store, MOST_ITEMS), **plan_facts(version), "versions": versions}


def applying(store: Store, name: str, item: str) -> PlanVersion:
    """Return the newest version of a plan. Raises NotFoundError where it is not for that item."""
    try:
        version = store.plan(name)
    except NotFoundError as err:
        raise NotFoundError(f"plan {name}") from err
    if not version.plan.applies_to(version.plan.item_type, item):
        raise NotFoundError(f"plan {name} for {item}: it is for {version.plan.item}")
    return version


def one_item(store: Store, version: PlanVersion, item: str) -> dict[str, Any]:
    """Return the facts of one plan for one item: each testcase, its newest results, and those before."""
    known = vouched(store, item)
    facts = status_facts(plan_status(version, item, store), known)
    older = history(version.plan, item, store)
    for case in facts["cases"]:
        newest = {one["id"] for one in case["results"]}
        before = [fact for fact in older[case["testcase"]] if fact.id not in newest]
        case["older"] = [result_facts(fact, known) for fact in before[:OLDER]]
        case["cut"] = len(before) > OLDER
    return facts


def _version(asked: str) -> int | None:
    """Return the version that is asked for, None = the newest; 0, which none has, for what is no number."""
    if not asked:
        return None
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0


def _begins(asked: str, testcase: str, version: PlanVersion) -> int:
    """Return how many testcases come before the part that is asked for, or that has `testcase`."""
    testcases = version.plan.testcases
    place = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    if testcase in testcases:
        place = testcases.index(testcase) + 1
    return max(0, min(place, len(testcases)) - 1) // SHOWN * SHOWN


def _with_items(version: PlanVersion, store: Store, most: int) -> dict[str, Any]:
    items = items_of(version.plan, store, most)
    progress = [status_facts(plan_status(version, item, store)) for item in items]
    return {**plan_facts(version, cases=False), "items": progress}
