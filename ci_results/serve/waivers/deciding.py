"""What forms about waivers bring: a request, an approval, a rejection, a withdrawal; or why they do not."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...domain.waiver import Standing, Terms, Waiver
from ...errors import (
    AuthorityUnavailableError,
    CiResultsError,
    ConfigError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthorisedError,
)
from ...operations import waive
from ...operations.waive import Desk, Wish
from ...query.waivers import WaiverFilter, WaiverQuery
from ...store.identity import to_us
from ...waive.life import Actor
from ..auth.visitor import sent_form
from ..gates.links import waiver_path
from ..surroundings import Surroundings
from .facts import terms_of
from .pages import STEPS, WaiverPages, waiver_number

log = logging.getLogger(__name__)

AWAY = "Who knows the users cannot be reached, or does not answer as it should"
_CODES = {ForbiddenError: 403, UnauthorisedError: 401, AuthorityUnavailableError: 502, ConfigError: 500}
_DONE = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}


class Deciding:
    """POST of the forms of waivers. Whoever may not is refused, and the attempt is kept in the chain."""

    def __init__(self, around: Surroundings, pages: WaiverPages) -> None:
        self._around, self._pages = around, pages

    async def ask(self, request: Request) -> Response:
        """Show what a request would do, or make it."""
        tried: dict[str, str] = {}
        try:
            tried = await sent_form(request)
            actor = await self._actor(request)
            if tried.get("step") == "preview":
                return await self._pages.form_page(request, tried)
            made = await run_in_threadpool(self._ask, actor, tried)
        except (InvalidError, ConflictError) as err:
            status = 409 if isinstance(err, ConflictError) else 400
            return await self._pages.form_page(request, tried, status=status, why=str(err))
        except (ForbiddenError, UnauthorisedError, AuthorityUnavailableError, ConfigError) as err:
            if isinstance(err, ForbiddenError) and tried:
                return await self._pages.form_page(request, tried, status=403, why=str(err))
            return await self._refused(request, err)
        done = "granted" if made.opened is not None else "requested"
        return RedirectResponse(f"{waiver_path(made.id)}?done={done}", status_code=303)

    async def step(self, request: Request) -> Response:
        """Approve, reject or withdraw; where somebody was faster, say who."""
        tried: dict[str, str] = {}
        try:
            tried = await sent_form(request)
            actor = await self._actor(request)
            number = waiver_number(request.path_params["name"])
            if number is None:
                raise NotFoundError("no such waiver")
            await run_in_threadpool(self._step, actor, number, tried)
        except NotFoundError:
            return await self._pages.waiver_page(request)
        except (InvalidError, ConflictError) as err:
            status = 409 if isinstance(err, ConflictError) else 400
            return await self._pages.waiver_page(request, status=status, tried=tried, why=str(err))
        except (ForbiddenError, UnauthorisedError, AuthorityUnavailableError, ConfigError) as err:
            if isinstance(err, ForbiddenError) and tried:
                return await self._pages.waiver_page(request, status=403, tried=tried, why=str(err))
            return await self._refused(request, err)
        return RedirectResponse(f"{waiver_path(number)}?done={_DONE[tried['step']]}", status_code=303)

    async def _actor(self, request: Request) -> Actor:
        actor = await self._pages.actor(await self._pages.visitors.visitor(request))
        if actor is None:
            raise UnauthorisedError("nobody is logged in here (any more)")
        return actor

    def _ask(self, actor: Actor, form: dict[str, str]) -> Waiver:
        desk = self._around.desk()
        terms = terms_of(form, self._around.clock())
        comment = form.get("comment", "").strip().replace("\r\n", "\n")
        if (before := _asked_already(desk, terms, actor)) is not None:
            raise ConflictError(f"{before.name} of yours says the same: look at it instead of asking twice")
        wish = Wish(terms=terms, comment=comment, broad=bool(form.get("broad")))
        (made,) = waive.request(desk, [wish], actor)
        log.info("waiver requested", extra={"waiver": made.name, "user": actor.username})
        return made

    def _step(self, actor: Actor, number: int, form: dict[str, str]) -> None:
        desk, name = self._around.desk(), form.get("step", "")
        if name not in STEPS:
            raise InvalidError("say what to do: approve, reject or withdraw")
        comment = form.get("comment", "").strip().replace("\r\n", "\n")
        waiver = desk.store.waivers.waiver(number)
        taken: dict[str, Callable[[], Waiver]] = {
            "approve": lambda: waive.approve(
                desk, number, actor, comment, anyway=form.get("anyway") == str(waiver.last)
            ),
            "reject": lambda: waive.reject(desk, number, actor, comment),
            "withdraw": lambda: waive.withdraw(desk, number, actor, comment),
        }
        try:
            taken[name]()
        except ConflictError as err:
            if "--anyway" in str(err):
                told = f"the failure changed since {waiver.name} was requested: look at it below first"
                raise ConflictError(told) from err
            raise
        log.info("waiver decided", extra={"waiver": waiver.name, "user": actor.username, "step": name})

    async def _refused(self, request: Request, err: CiResultsError) -> Response:
        code = _CODES.get(type(err), 500)
        if code >= 500:
            log.error("nobody can say who a user is", extra={"reason": str(err)})
        answer = await self._pages.refused(request, str(err) if code < 500 else AWAY, code)
        if code == 401:
            answer.headers["WWW-Authenticate"] = 'Bearer realm="ci_results"'
        return answer


def _asked_already(desk: Desk, terms: Terms, actor: Actor) -> Waiver | None:
    """Return an open waiver of the same person that says the same: a form is easily sent twice."""
    asked = WaiverFilter(subject=terms.subject, testcase=terms.testcase, username=actor.username)
    log_ = desk.store.waivers
    for one in log_.find(WaiverQuery(filters=[asked], seq=log_.seq(), now=to_us(desk.now()), limit=100)):
        same = all(
            getattr(one.terms, name) == getattr(terms, name)
            for name in ("subject_type", "product_version", "scenario", "arch", "purpose")
        )
        if same and desk.standing(one) in (Standing.PENDING, Standing.ACTIVE):
            return one
    return None
