"""Which request goes where, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from ...domain.permission import covering
from ...wire.body import parse
from ...wire.resultsdb_json import dump, result
from ...wire.resultsdb_v3 import Form, forms
from ..auth.refusals import refusal
from ..call import HTML, Call, Gone
from ..idempotency import HEADER, checked
from ..storing import store_submission
from ..surroundings import Surroundings
from ..telling import message, refuse_method, tell
from .page import Reference

Methods = dict[str, Callable[[Call], Awaitable[None]]]


class TypedResultsDB:
    """The ASGI application.

    endpoints  path below the prefix -> method -> what answers
    """

    def __init__(self, around: Surroundings) -> None:
        self._around, self._access = around, around.access
        known = forms(around.outcomes)
        self._reference = Reference(around, known.values())
        self.endpoints: dict[str, Methods] = {
            "": {"GET": self._redirect},
            "/": {"GET": self._page},
            "/permissions": {"GET": self._permissions},
        }
        for path, form in known.items():
            self.endpoints[f"/results/{path}"] = {"POST": self._submits(form)}
            self.endpoints[f"/schemas/{path}"] = {"GET": self._shows(dump(form.schema()))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = Call(scope, receive, send)
        methods = self.endpoints.get(call.path)
        if methods is None:
            await tell(call, message(404, "Not found"))
            return
        scope["template"] = call.path
        handler = methods.get("GET" if call.method == "HEAD" else call.method)
        if handler is None:
            await refuse_method(call, methods)
            return
        try:
            await handler(call)
        except Gone:
            return
        except Exception as err:
            answer = refusal(err)
            if answer is None:
                raise
            await tell(call, answer)

    def _submits(self, form: Form) -> Callable[[Call], Awaitable[None]]:
        async def submit(call: Call) -> None:
            """Look who asks, then at the body, then whether they may; store."""
            user = await self._access.known_user(call.scope)
            if not call.sends_json:
                await call.refuse_media_type()
                return
            said = form.submission(parse(await call.body()), user.name)
            await self._access.permit(user, said.testcase)
            fact = await store_submission(self._around, said, user, checked(call.header(HEADER.encode())))
            await call.answer(201, dump(result(fact, _api_2(call))))

        return submit

    def _shows(self, schema: bytes) -> Callable[[Call], Awaitable[None]]:
        async def show(call: Call) -> None:
            """Answer the JSON schema of a body."""
            await call.answer_tagged(schema)

        return show

    async def _permissions(self, call: Call) -> None:
        """Answer the permissions, or those over one testcase."""
        found = self._access.permissions
        if testcase := parse_qs(call.query).get("testcase", [""])[-1]:
            found = covering(found, testcase)
        await call.answer(200, dump([permission.told for permission in found]))

    async def _page(self, call: Call) -> None:
        """Show the reference page."""
        await call.answer(200, self._reference.html(call), HTML)

    async def _redirect(self, call: Call) -> None:
        """Lead to the page."""
        where = f"{call.base}/".encode("latin-1")
        await call.answer_html(
            308, "Permanent Redirect", "The page is one slash further.", [(b"location", where)]
        )


def _api_2(call: Call) -> str:
    """Return the address of API 2.0 beside this one: results link there."""
    return call.base.removesuffix("/api/v3") + "/api/v2.0"
