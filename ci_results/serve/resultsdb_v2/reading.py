"""GET: results, latest, testcases, groups, the landing page and the health check."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ...domain.search import NameQuery
from ...errors import NotFoundError, StoreError
from ...wire import resultsdb_json as encode
from ...wire.resultsdb_query import Asked, names_question, question
from ..call import Call
from ..surroundings import Surroundings

_ID = re.compile(r"[0-9]{1,18}")
_WELCOME = "This is ci_results, which speaks ResultsDB's API 2.0. All of it is shown at {root}/api"
_DOCUMENTATION = "http://docs.resultsdb20.apiary.io/"
_TOO_OPEN = "Please, provide at least one filter beside '_distinct_on'"


class Reading:
    """The handlers of GET; each answers the call it is given."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._store = around.store
        self._outcomes = around.outcomes
        self._max_limit = around.settings.max_limit

    async def landing(self, call: Call, _name: str) -> None:
        """Tell what is here, with status 300 as the peer does."""
        said = {
            "message": _WELCOME.format(root=call.root),
            "documentation": _DOCUMENTATION,
            "groups": f"{call.base}/groups",
            "results": f"{call.base}/results",
            "testcases": f"{call.base}/testcases",
            "outcomes": list(self._outcomes),
        }
        await call.answer(300, encode.dump(said))

    async def healthcheck(self, call: Call, _name: str) -> None:
        """Say whether results can be read."""
        try:
            await self._around.read(self._store.testcases, NameQuery(limit=1))
        except StoreError:
            await call.answer(503, encode.dump({"message": "Unable to communicate with database"}))
        else:
            await call.answer(200, encode.dump({"message": "Health check OK"}))

    async def results(self, call: Call, _name: str) -> None:
        """List results."""
        asked = question(call.query, self._outcomes, self._max_limit)
        await self._list(call, asked)

    async def latest(self, call: Call, _name: str) -> None:
        """List the newest result of each testcase, or of each combination of values."""
        asked = question(call.query, self._outcomes, self._max_limit)
        # The peer validates these here, and lets them have no effect.
        search = asked.search
        if search.outcomes or search.after:
            search = replace(search, outcomes=(), after=None)
        if asked.distinct_on and not _narrowed(asked):
            await call.answer(400, encode.dump({"message": _TOO_OPEN}))
            return
        facts = await self._around.read(self._store.latest, search, asked.distinct_on)
        await call.answer_tagged(encode.dump({"data": encode.results(facts, call.base)}))

    async def result(self, call: Call, name: str) -> None:
        """Show one result."""
        if not _ID.fullmatch(name):
            raise NotFoundError("Result not found")
        fact = await self._one(self._store.fact, int(name), "Result not found")
        await call.answer_tagged(encode.dump(encode.result(fact, call.base)))

    async def testcases(self, call: Call, _name: str) -> None:
        """List testcases by name."""
        query, page, limit = names_question(call.query, "testcases", self._max_limit)
        found = await self._around.read(self._store.testcases, query)
        rows = [encode.testcase(one, call.base) for one in found]
        await call.answer_tagged(encode.dump(encode.listing(rows, call.url, page, limit)))

    async def testcase(self, call: Call, name: str) -> None:
        """Show one testcase."""
        found = await self._one(self._store.testcase, name, "Testcase not found")
        await call.answer_tagged(encode.dump(encode.testcase(found, call.base)))

    async def testcase_results(self, call: Call, name: str) -> None:
        """List the results of one testcase."""
        await self._one(self._store.testcase, name, "Testcase not found")
        asked = question(call.query, self._outcomes, self._max_limit)
        search = replace(asked.search, testcases=(name,), testcase_patterns=())
        await self._list(call, replace(asked, search=search))

    async def groups(self, call: Call, _name: str) -> None:
        """List groups, the newest first."""
        query, page, limit = names_question(call.query, "groups", self._max_limit)
        found = await self._around.read(self._store.groups, query)
        rows = [encode.group(one, call.base) for one in found]
        await call.answer_tagged(encode.dump(encode.listing(rows, call.url, page, limit)))

    async def group(self, call: Call, uuid: str) -> None:
        """Show one group."""
        found = await self._one(self._store.group, uuid, "Group not found")
        await call.answer_tagged(encode.dump(encode.group(found, call.base)))

    async def group_results(self, call: Call, uuid: str) -> None:
        """List the results of one group."""
        await self._one(self._store.group, uuid, f"Group not found: {uuid}")
        asked = question(call.query, self._outcomes, self._max_limit)
        await self._list(call, replace(asked, search=replace(asked.search, groups=(uuid,))))

    async def _list(self, call: Call, asked: Asked) -> None:
        facts = await self._around.read(self._store.search, asked.search)
        found = encode.results_listing(facts, call.base, call.url, asked.page, asked.limit)
        await call.answer_tagged(encode.dump(found))

    async def _one(self, question: Any, name: Any, absent: str) -> Any:
        try:
            return await self._around.read(question, name)
        except NotFoundError:
            raise NotFoundError(absent) from None


def _narrowed(asked: Asked) -> bool:
    search = asked.search
    return bool(search.names_testcases or search.since is not None or search.groups or search.attributes)
