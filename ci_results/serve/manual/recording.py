"""What a form about one testcase brings: a finding to record, or why it is not."""

from __future__ import annotations

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...errors import (
    AuthorityUnavailableError,
    CiResultsError,
    ConfigError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ReusedKeyError,
    UnauthorisedError,
)
from ...operations.manual import Finding, record
from ..auth.visitor import Visitor, claimed_name, remember, sent_form
from ..surroundings import Surroundings
from .pages import SHOWN, ManualPages, applying, part_path

log = logging.getLogger(__name__)

AWAY = "Who knows the users cannot be reached, or does not answer as it should"


class Recording:
    """POST of a form on the page of one plan and item."""

    def __init__(self, around: Surroundings, pages: ManualPages) -> None:
        self._around, self._pages = around, pages

    async def record(self, request: Request) -> Response:
        """Store the finding, once however often the form is sent, and go back to the testcase."""
        tried: dict[str, str] = {}
        try:
            tried = await sent_form(request)
            visitor = await self._pages.visitors.visitor(request)
            name, item = request.path_params["plan"], request.path_params["item"]
            version = await run_in_threadpool(applying, self._around.store, name, item)
            testcases = version.plan.testcases
            said = self._finding(tried, visitor, item, version.plan.item_type, testcases)
            await self._around.access.permit_where_ruled(visitor.user, [said.testcase])
            number = await run_in_threadpool(
                record, said, self._around.store, vocabulary=self._around.outcomes
            )
        except NotFoundError as err:
            return await self._pages.missing(request, str(err))
        except (ForbiddenError, UnauthorisedError, AuthorityUnavailableError, ConfigError) as err:
            return await self._refused(request, err, tried)
        except ReusedKeyError:
            why = "this form was sent before with other words, which are kept: send it again to add these"
            return await self._pages.item_page(request, status=409, tried=tried, why=why)
        except InvalidError as err:
            return await self._pages.item_page(request, status=400, tried=tried, why=str(err))
        place = testcases.index(said.testcase) + 1
        path = part_path(name, item, (place - 1) // SHOWN * SHOWN)
        back = f"{path}{'&' if '?' in path else '?'}recorded={number}#case-{place}"
        answer = RedirectResponse(back, status_code=303)
        return answer if visitor.known else remember(request, answer, name=said.actor)

    def _finding(
        self, form: dict[str, str], visitor: Visitor, item: str, item_type: str, testcases: tuple[str, ...]
    ) -> Finding:
        if not visitor.may_record:
            raise UnauthorisedError("nobody is logged in here (any more)")
        testcase, once = form.get("testcase", ""), form.get("once", "")
        if testcase not in testcases:
            raise InvalidError(
                "the plan does not require this testcase (any more): look at the list below, which is new"
            )
        if not form.get("outcome"):
            raise InvalidError("say how it went: choose an outcome")
        if not 16 <= len(once) <= 64 or not once.isalnum():
            raise InvalidError("the form is not whole: send it again")
        return Finding(
            testcase=testcase,
            item=item,
            item_type=item_type,
            outcome=form["outcome"],
            comment=form.get("comment", "").strip().replace("\r\n", "\n"),
            ref_url=form.get("ref_url", "").strip(),
            actor=visitor.user.name if visitor.known else claimed_name(form.get("actor", "")),
            verified=visitor.known,
            once=once,
        )

    async def _refused(self, request: Request, err: CiResultsError, tried: dict[str, str]) -> Response:
        """Say why it may not be, and what to do."""
        status = {ForbiddenError: 403, UnauthorisedError: 401, AuthorityUnavailableError: 502}
        code = status.get(type(err), 500)
        why = str(err) if code in (401, 403) else AWAY
        if code >= 500:
            log.error("nobody can say who a user is", extra={"reason": str(err)})
        facts = {"why": why, "testcase": tried.get("testcase"), "status": code}
        answer = await self._pages.answer(request, "manual_refused.html", facts, status=code)
        if code == 401:
            answer.headers["WWW-Authenticate"] = 'Bearer realm="ci_results"'
        return answer
