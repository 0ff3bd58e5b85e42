"""POST: results, testcases and groups. Answered once what was posted is safe on disk."""

from __future__ import annotations

from asyncio import wrap_future

from ...domain.page import Page
from ...wire import resultsdb_json as encode
from ...wire import resultsdb_post as decode
from ...wire.body import parse
from ..call import Call
from ..idempotency import HEADER, checked, uuids
from ..storing import store_submission
from ..surroundings import Surroundings

_KEY = HEADER.encode()


class Writing:
    """The handlers of POST; each answers the call it is given."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._store, self._access = around.store, around.access
        self._table = decode.result_table(around.outcomes)

    async def result(self, call: Call, _name: str) -> None:
        """Store a result. With an Idempotency-Key a retry answers with what is stored already."""
        if not call.sends_json:
            await call.refuse_media_type()
            return
        user = await self._access.submitter(call.scope)
        key = checked(call.header(_KEY))
        said = decode.submission(parse(await call.body()), self._table, uuids(key))
        await self._access.permit_where_ruled(user, (said.testcase,))
        fact = await store_submission(self._around, said, user, key)
        await call.answer(201, encode.dump(encode.result(fact, call.base)))

    async def testcase(self, call: Call, _name: str) -> None:
        """Create a testcase, or say anew where it is described."""
        if not call.sends_json:
            await call.refuse_media_type()
            return
        user = await self._access.submitter(call.scope)
        name, ref_url = decode.testcase(parse(await call.body()))
        await self._access.permit_where_ruled(user, (name,))
        ref_urls = {} if ref_url is None else {name: ref_url}
        page = Page(source=user.source, door="api", testcases=(name,), ref_urls=ref_urls)
        await wrap_future(self._store.submit(page))
        found = await self._around.read(self._store.testcase, name)
        await call.answer(201, encode.dump(encode.testcase(found, call.base)))

    async def group(self, call: Call, _name: str) -> None:
        """Create a group, or describe it anew."""
        if not call.sends_json:
            await call.refuse_media_type()
            return
        user = await self._access.submitter(call.scope)
        uuid, said = decode.group(parse(await call.body()), uuids(checked(call.header(_KEY))))
        await wrap_future(self._store.submit(Page(source=user.source, door="api", groups={uuid: said})))
        found = await self._around.read(self._store.group, uuid)
        await call.answer(201, encode.dump(encode.group(found, call.base)))
