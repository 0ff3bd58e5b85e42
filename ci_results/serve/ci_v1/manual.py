"""/manual: plans of manual tests, how far they are, and what somebody found, for machines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...domain.plan import Plan, PlanCase, PlanVersion
from ...domain.user import ANONYMOUS, User, check_user_name
from ...errors import CiResultsError, InvalidError, StaleError
from ...formats.plan_files import Problem, RefusedPlan
from ...operations.manual import Finding, plan_status, record, statuses, vouched
from ...operations.manual_facts import plan_facts, status_facts
from ...operations.manual_plans import Imported, current, import_plan, touched
from ...wire.body import Unparsable, parse
from ...wire.manual import finding_table, read_finding, read_plan
from ...wire.resultsdb_json import dump
from ...wire.validation import RefusedBody
from .. import telling
from ..idempotency import HEADER, checked
from ..surroundings import Surroundings

MOST_ITEMS = 20
"""Items of one plan that its status tells of, where none is asked for."""

_TRIES = 5

Handler = Callable[["Manual", Request], Awaitable[Response]]


def told(handle: Handler) -> Handler:
    """Answer errors as JSON."""

    async def answered(self: Manual, request: Request) -> Response:
        try:
            return await handle(self, request)
        except (RefusedBody, Unparsable, CiResultsError) as err:
            answer = telling.told(err)
            if answer is None:
                raise
            headers = {name.decode(): value.decode() for name, value in answer.headers}
            return Response(dump(answer.said), answer.status, headers, media_type="application/json")

    return answered


class Manual:
    """The endpoints. docs/manual.md says what is answered when."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._finding = finding_table(around.outcomes)

    @told
    async def plans(self, request: Request) -> Response:
        """List the newest version of each plan."""
        found = await run_in_threadpool(self._around.store.plans)
        return _answer(200, {"plans": [plan_facts(each, cases=False) for each in found]})

    async def either(self, request: Request) -> Response:
        """Show a plan, or take one."""
        return await (self.import_(request) if request.method == "POST" else self.plan(request))

    @told
    async def plan(self, request: Request) -> Response:
        """Show one version of a plan."""
        said = request.query_params.get("version")
        if said is not None and not (said.isascii() and said.isdigit() and len(said) < 10):
            raise InvalidError(f"version must be a number, not {said[:40]!r}")
        number = None if said is None else int(said)
        found = await run_in_threadpool(
            self._around.store.plan, _storable(request.path_params["plan"]), number
        )
        return _answer(200, plan_facts(found))

    @told
    async def import_(self, request: Request) -> Response:
        """Take a plan, whole or not at all; what changes it is a new version."""
        user = await self._around.access.submitter(request.scope)
        said = read_plan(parse(await request.body()))
        plan = _plan(request.path_params["plan"], said)
        done = await self._imported(plan, _actor(user, said), user)
        return _answer(
            200 if done.state == "same" else 201,
            {**plan_facts(done.version), "state": done.state, "added": done.added, "removed": done.removed},
        )

    @told
    async def status(self, request: Request) -> Response:
        """Say how far plans are."""
        asked = map(request.query_params.get, ("plan", "item", "type"))
        found = await run_in_threadpool(self._statuses, *(name and _storable(name) for name in asked))
        return _answer(200, {"status": found})

    @told
    async def record(self, request: Request) -> Response:
        """Store what somebody found."""
        around = self._around
        user = await around.access.submitter(request.scope)
        said = read_finding(parse(await request.body()), self._finding)
        key = checked(request.headers.get(HEADER, ""))
        finding = Finding(
            testcase=said["testcase"],
            item=said["item"],
            item_type=said["type"],
            outcome=said["outcome"],
            comment=said.get("comment"),
            ref_url=said.get("ref_url"),
            actor=_actor(user, said),
            verified=user is not ANONYMOUS,
            **({"once": f"key:{key}"} if key else {}),
        )
        await around.access.permit_where_ruled(user, [finding.testcase])
        number = await run_in_threadpool(record, finding, around.store, vocabulary=around.outcomes)
        plans = await run_in_threadpool(self._counting, finding)
        return _answer(
            201,
            {
                "id": number,
                "testcase": finding.testcase,
                "item": finding.item,
                "type": finding.item_type,
                "outcome": finding.outcome,
                "actor": finding.actor,
                "actor_verified": finding.verified,
                "plans": plans,
            },
        )

    async def _imported(self, plan: Plan, actor: str, user: User) -> Imported:
        """Import as `user` may, who has to be permitted what the newest version requires as well."""
        store = self._around.store
        for left in reversed(range(_TRIES)):
            before = await run_in_threadpool(current, store, plan.name)
            await self._around.access.permit_where_ruled(user, touched(plan, before))
            try:
                return await run_in_threadpool(import_plan, plan, actor, store, before)
            except StaleError as err:
                if not left:
                    raise InvalidError(str(err)) from err
        raise AssertionError

    def _statuses(self, name: str | None, item: str | None, item_type: str | None) -> list[dict[str, Any]]:
        store = self._around.store
        plans = store.plans() if name is None else [store.plan(name)]
        plans = [each for each in plans if item_type in (None, each.plan.item_type)]
        if item is not None:
            plans = [each for each in plans if each.plan.applies_to(each.plan.item_type, item)]
        return [
            status_facts(each, vouched(store, each.item)) for each in statuses(plans, store, item, MOST_ITEMS)
        ]

    def _counting(self, finding: Finding) -> list[dict[str, Any]]:
        """Return how far the plans are that require what was found."""
        store = self._around.store
        plans: list[PlanVersion] = store.plans_for(finding.item_type, finding.item)
        return [
            status_facts(plan_status(each, finding.item, store))
            for each in plans
            if finding.testcase in each.plan.testcases
        ]


def _plan(name: str, said: dict[str, Any]) -> Plan:
    """Make a plan of a body. Raises RefusedPlan that tells every case that is wrong."""
    cases, problems = [], []
    for number, case in enumerate(said["cases"]):
        given = {key: value for key, value in case.items() if value}
        try:
            cases.append(PlanCase(**given))
        except InvalidError as err:
            problems.append(Problem(f"cases, {number}", str(err)))
    if problems:
        raise RefusedPlan(problems)
    return Plan(name=name, item_type=said["type"], item=said["item"], cases=tuple(cases))


def _storable(name: str) -> str:
    """Return a name that is asked for, without NUL: no stored name has it, and not every store takes it."""
    return name.replace("\0", "\ufffd")


def _actor(user: User, said: dict[str, Any]) -> str:
    """Return who says so: whom we know, or a name that is only claimed. Raises InvalidError."""
    claimed = said.get("actor")
    if user is ANONYMOUS:
        if not claimed:
            raise InvalidError("say who you are: actor is missing, and no token is shown")
        return check_user_name(claimed)
    if claimed not in (None, user.name):
        raise InvalidError(f"leave actor out: your token says that you are {user.name}")
    return user.name


def _answer(status: int, said: dict[str, Any]) -> Response:
    return Response(dump(said), status_code=status, media_type="application/json")
