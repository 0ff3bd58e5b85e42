"""POST: waivers, one or a list of them, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool

from ...domain.subject import Subject
from ...domain.user import User
from ...domain.waiver import Terms, Waiver
from ...errors import ForbiddenError, InvalidError, NotFoundError, UnauthorisedError
from ...operations.waive import Wish, request_each
from ...waive.life import Actor
from ...wire import resultsdb_json
from ...wire import waiverdb_json as encode
from ...wire.waiverdb_post import Posted, posted, posted_one
from ...wire.waiverdb_subject import of_result, stored_type
from ..api_v1_0 import answer_json, json_of
from ..call import Call
from ..surroundings import Surroundings
from .asking import MERE_NAME, Asker, Askers

NO_SUBJECT = "subject names nothing: it needs type and item, original_spec_nvr or productmd.compose.id"
NO_RESULT = "Result id not found in Resultsdb"
NOT_BY_RESULT = (
    "It is not possible to submit a waiver by id for this result. Please try again specifying a subject"
    " and a testcase."
)

Asked = tuple[Wish, Actor]


class Writing:
    """The handlers of POST; each answers the call it is given."""

    def __init__(self, around: Surroundings, askers: Askers) -> None:
        self._around, self._askers = around, askers
        self._rules = around.waive

    async def create(self, call: Call, _name: str) -> None:
        """Store what is asked for; a list is answered with a list."""
        asked, several = posted(await json_of(call))
        made = [encode.waiver(one) for one in await self._made(call, asked)]
        await answer_json(call, made if several else made[0], 201)

    async def create_one(self, call: Call, _name: str) -> None:
        """Store the one waiver that a form asks for."""
        (made,) = await self._made(call, [posted_one(await json_of(call))])
        await answer_json(call, encode.waiver(made), 201)

    async def _made(self, call: Call, asked: Sequence[Posted]) -> list[Waiver]:
        asker = await self._askers.asker(call.scope)
        wishes: list[Asked] = []
        for each in asked:
            actor = await self._askers.actor(asker, each.username)
            wish = await self._wish(each)
            self._refuse_mere_name(asker, wish)
            wishes.append((wish, actor))
        try:
            return await run_in_threadpool(request_each, self._around.desk(), wishes, as_peer=True)
        except ForbiddenError as err:
            raise self._refusal(wishes) or err from err

    async def _wish(self, each: Posted) -> Wish:
        subject, testcase, scenario = each.subject, each.testcase, each.scenario
        if each.result_id is not None:
            subject, testcase, scenario = await self._of_result(each.result_id)
        if subject is None:
            raise InvalidError(NO_SUBJECT)
        terms = Terms(
            subject_type=stored_type(subject.type), subject=subject.identifier, testcase=testcase or "",
            product_version=each.product_version, scenario=scenario, waived=each.waived,
        )  # fmt: skip
        return Wish(terms=terms, comment=each.comment)

    async def _of_result(self, number: int) -> tuple[Subject, str, str | None]:
        """Return subject, testcase and scenario of a result of ours."""
        try:
            fact = await self._around.read(self._around.store.fact, number)
        except NotFoundError:
            raise InvalidError(NO_RESULT) from None
        served: dict[str, Any] = orjson.loads(resultsdb_json.dump(resultsdb_json.result(fact, "")))
        subject = of_result(served["data"])
        if subject is None:
            raise InvalidError(NOT_BY_RESULT)
        return subject, fact.testcase, next(iter(served["data"].get("scenario", ())), None)

    def _refuse_mere_name(self, asker: Asker, wish: Wish) -> None:
        """Refuse who only claims to be somebody, where it matters who it is."""
        rule = self._rules.of(wish.terms.testcase)
        if not asker.known and (rule.request is not None or rule.approvals):
            raise UnauthorisedError(MERE_NAME.format(what=wish.terms.testcase))

    def _refusal(self, wishes: Sequence[Asked]) -> ForbiddenError | None:
        """Return the refusal in the peer's words, None where it is about acting for somebody."""
        for wish, actor in wishes:
            if actor.proxied_by is not None and actor.proxied_by not in self._rules.superusers:
                return None
            people = self._rules.of(wish.terms.testcase).request
            if people is not None and not people.has(actor.username, actor.groups):
                return self.forbidden(actor.username, wish.terms.testcase, actor.groups)
        return None

    def forbidden(self, user: str, testcase: str, groups: frozenset[str]) -> ForbiddenError:
        """Return what a user is told who may not waive a testcase."""
        hint = self._around.access.hint(User(name=user, groups=None), groups)
        return ForbiddenError(
            f"User {user} is not authorized to submit results for the test case {testcase}{hint}"
        )
