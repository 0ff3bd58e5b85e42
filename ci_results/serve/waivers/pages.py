"""The pages of waivers that are read: the inbox, one waiver, and the form that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...domain.waiver import Act, Standing, Waiver
from ...errors import (
    AuthorityUnavailableError,
    ConfigError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from ...operations.waive import Wish
from ...waive import life
from ...waive.life import Actor
from ...waive.rules import Rule
from ..answers import Answers
from ..auth.pages import INBOX
from ..auth.visitor import Visitor, Visitors
from ..gates.facts import gate_of
from ..gates.finding import nameable
from ..gates.links import new_waiver_path, typed_item_path, waiver_path
from ..surroundings import Surroundings
from ..visited import Visited
from .facts import TEXTS, inbox_facts, request_facts, terms_of, waiver_facts

STEPS = ("approve", "reject", "withdraw")
FIELDS = (*TEXTS, "comment", "lenient", "broad", "step", "anyway")
"""What forms send, beside their secret."""


class WaiverPages:
    """Pages that are read; each has its twin in JSON, which is the same for all."""

    def __init__(self, around: Surroundings, answers: Answers, visitors: Visitors) -> None:
        self._around, self.visitors = around, visitors
        self._visited = Visited(around, answers, visitors)

    async def inbox(self, request: Request) -> Response:
        """Answer /inbox: requests that wait, waivers whose failure changed, those that end soon."""
        facts = await run_in_threadpool(lambda: inbox_facts(self._around.desk(), gate_of(self._around)))
        actor = await self._looking(request)
        mine = await run_in_threadpool(self._objections, actor, facts["pending"])
        return await self._answer(request, "inbox.html", facts, mine=mine)

    async def waiver(self, request: Request) -> Response:
        """Answer /waiver/W-118."""
        return await self.waiver_page(request)

    async def waiver_page(
        self, request: Request, *, status: int = 200, tried: Mapping[str, str] | None = None, why: str = ""
    ) -> Response:
        """Show a waiver; `tried` is what somebody sent that was refused, and `why`."""
        name: str = request.path_params["name"].removesuffix(".json")
        number = waiver_number(name)
        try:
            if number is None:
                raise NotFoundError
            facts = await run_in_threadpool(
                lambda: waiver_facts(self._around.desk(), gate_of(self._around), number)
            )
        except NotFoundError:
            return await self._answer(request, "waiver_missing.html", {"name": name}, status=404)
        actor = await self._looking(request)
        objections = {} if actor is None else await run_in_threadpool(self._may, actor, number)
        return await self._answer(
            request, "waiver.html", facts, status=status, objections=objections, why=why,
            may=[step for step, objection in objections.items() if not objection],
            tried={name: (tried or {}).get(name, "") for name in FIELDS},
            done=request.query_params.get("done", ""),
        )  # fmt: skip

    async def new(self, request: Request) -> Response:
        """Answer /waiver/-/new, filled in with what the address says."""
        return await self.form_page(request, dict(request.query_params))

    async def form_page(
        self, request: Request, tried: Mapping[str, str], *, status: int = 200, why: str = ""
    ) -> Response:
        """Show the form, and what a waiver with these terms would do."""
        said = {name: tried.get(name, "") for name in FIELDS}
        facts: dict[str, Any] = {"asked": said, "error": None}
        try:
            terms = terms_of(said, self._around.clock())
            if not (nameable(terms.subject) and nameable(terms.testcase)):
                raise InvalidError("nothing can be called so: the name is too long, or holds a NUL")
            facts |= await run_in_threadpool(
                lambda: request_facts(
                    self._around.desk(),
                    gate_of(self._around),
                    Wish(terms=terms, comment="", broad=bool(said["broad"])),
                )
            )
        except InvalidError as err:
            asked_for = any(said[name] for name in TEXTS)
            facts |= dict.fromkeys(("covers", "effect", "refused")) | {"before": 0, "approvals_needed": 0}
            facts["error"] = str(err) if asked_for else None
        here = new_waiver_path(**{name: said[name] for name in TEXTS})
        kinds = sorted(self._around.desk().kinds)
        return await self._answer(
            request, "waiver_request.html", facts, status=status, why=why, here=here, kinds=kinds
        )

    async def go(self, request: Request) -> Response:
        """Answer /waiver: the inbox has what is to be seen."""
        return RedirectResponse(INBOX, status_code=303)

    async def _looking(self, request: Request) -> Actor | None:
        """Return who looks, None where nobody can say: reading needs nobody."""
        try:
            return await self.actor((await self._visited.visitor(request))[0])
        except (AuthorityUnavailableError, ConfigError):
            return None

    async def actor(self, visitor: Visitor) -> Actor | None:
        """Return who would take a step, None for somebody whom we do not know."""
        if not visitor.known:
            return None
        groups = await self._around.access.groups(visitor.user)
        return Actor(username=visitor.user.name, groups=groups, via="page")

    async def refused(self, request: Request, why: str, status: int) -> Response:
        """Say why a form is not taken from here."""
        return await self._answer(
            request, "waiver_refused.html", {"why": why, "status": status}, status=status
        )

    def _objections(self, actor: Actor | None, pending: list[dict[str, Any]]) -> dict[int, str]:
        """Say of each request why this person cannot approve it; "" where they can."""
        if actor is None:
            return {}
        return {row["id"]: self._may(actor, row["id"])["approve"] for row in pending}

    def _may(self, actor: Actor, number: int) -> dict[str, str]:
        """Say why a person may not take each step; "" where they may."""
        desk = self._around.desk()
        waiver = desk.store.waivers.waiver(number)
        stands, rule = desk.standing(waiver), desk.rules.of(waiver.terms.testcase)
        steps = dict(zip(STEPS, (life.approve, life.reject, life.withdraw), strict=True))
        return {name: _objection(step, waiver, actor, rule, stands) for name, step in steps.items()}

    async def _answer(
        self, request: Request, template: str, facts: dict[str, Any], *, status: int = 200, **more: Any
    ) -> Response:
        return await self._visited.answer(
            request, template, facts, status=status, home=INBOX, waiver_path=waiver_path,
            typed_item_path=typed_item_path, new_waiver_path=new_waiver_path, **more,
        )  # fmt: skip


def waiver_number(name: str) -> int | None:
    """Read the number of a waiver: 118 of "W-118" or "118".

    >>> waiver_number("W-118"), waiver_number("w-118"), waiver_number("W-x")
    (118, 118, None)
    """
    digits = name[2:] if name[:2] in ("W-", "w-") else name
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def _objection(
    step: Callable[[Waiver, Actor, str, Rule, Standing], Act],
    waiver: Waiver,
    actor: Actor,
    rule: Rule,
    stands: Standing,
) -> str:
    try:
        step(waiver, actor, "", rule, stands)
    except (ForbiddenError, ConflictError) as err:
        return str(err)
    return ""
