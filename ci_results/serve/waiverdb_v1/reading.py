"""GET of waivers, and the two POSTs that only ask."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool

from ...operations import peer_waivers
from ...operations.peer_waivers import BY_ANYBODY, BY_AUTHOR
from ...query.waivers import TOGETHER, WaiverFilter
from ...wire import waiverdb_json as encode
from ...wire.waiverdb_query import BadSinceError, Sifting, Sought, by_subjects, filtered, listing
from ..api_v1_0 import NOT_FOUND, answer_json, json_of, told
from ..call import HTML, Call
from ..surroundings import Surroundings
from ..telling import Told, message, tell

CALLED = (b"(", b")")
"""Around JSON for `?callback=f`."""

_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


class Reading:
    """The handlers; each answers the call it is given."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def listing(self, call: Call, _name: str) -> None:
        """List waivers, a page at a time."""
        asked = listing(call.query)
        replaced = None if asked.include_obsolete else BY_AUTHOR
        found = await self._around.read(
            peer_waivers.page, self._around.desk(), _filter(asked.sought), replaced, asked.page, asked.limit
        )
        said = encode.NO_PAGE
        if found is not None:
            url = f"{call.base}/waivers/"
            said = encode.page(found.waivers, url, asked.others, asked.page, found.pages)
        await answer_json(call, said, jsonp=CALLED)

    async def one(self, call: Call, name: str) -> None:
        """Show one waiver."""
        if not _ID.fullmatch(name):
            await tell(call, message(404, NOT_FOUND))
            return
        found = await self._around.read(peer_waivers.one, self._around.desk(), int(name))
        await answer_json(call, encode.waiver(found), jsonp=CALLED)

    async def filtered(self, call: Call, _name: str) -> None:
        """List all waivers that satisfy any of some filters: what Greenwave asks."""
        await self._sift(call, filtered(await json_of(call)), BY_ANYBODY)

    async def by_subjects(self, call: Call, _name: str) -> None:
        """List all waivers of some subjects and testcases, as old clients ask."""
        await self._sift(call, by_subjects(await json_of(call)), BY_AUTHOR, jsonp=CALLED)

    async def add_slash(self, call: Call, _name: str) -> None:
        """Lead to the same address with a slash at its end; method and body go along."""
        query = f"?{call.query}" if call.query else ""
        where = f"{call.base}/waivers/{query}".encode("latin-1", "replace")
        await call.answer(308, b"", HTML, [(b"location", where)])

    async def _sift(
        self,
        call: Call,
        asked: Sifting,
        replaced: tuple[str, ...],
        jsonp: tuple[bytes, bytes] | None = None,
    ) -> None:
        filters = [_filter(each) for each in asked.sought]
        if not filters:
            await answer_json(call, encode.listed([]), jsonp=jsonp)
            return
        # One statement takes so many filters; more of them are not for the loop that all wait for.
        read = self._around.read if len(filters) <= TOGETHER else run_in_threadpool
        found = await read(
            peer_waivers.every, self._around.desk(), filters, None if asked.include_obsolete else replaced
        )
        await answer_json(call, encode.listed(found), jsonp=jsonp)


def told_here(err: Exception) -> Told | None:
    """Return what the client is told of an error; a bad `since` has a form of its own."""
    if isinstance(err, BadSinceError):
        return Told(400, {"message": {"since": str(err)}})
    return told(err)


def _filter(sought: Sought) -> WaiverFilter:
    return WaiverFilter(
        subject_type=sought.subject_type, subject=sought.subject_identifier, testcase=sought.testcase,
        scenario=sought.scenario, product_version=sought.product_version, username=sought.username,
        proxied_by=sought.proxied_by, since=sought.since, until=sought.until,
    )  # fmt: skip
