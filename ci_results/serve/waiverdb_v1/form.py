"""The form in which people waive, and what leads to it: COMPAT 2.10, `/waivers/new`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from ...domain.user import ANONYMOUS, User
from ...errors import UnauthorisedError
from ..answers import Answers
from ..api_v1_0 import JAVASCRIPT
from ..call import HTML, Call
from ..surroundings import Surroundings
from .asking import NOBODY, Askers
from .writing import Writing

SCRIPT = (Path(__file__).parent / "new_waiver.js").read_bytes()
LABELS = {
    "subject_type": "Subject type", "subject_identifier": "Subject identifier", "testcase": "Testcase",
    "product_version": "Product version", "scenario": "Scenario", "comment": "Comment",
}  # fmt: skip


class Form:
    """The handlers; each answers the call it is given."""

    def __init__(self, around: Surroundings, askers: Askers, writing: Writing) -> None:
        self._around, self._askers, self._writing = around, askers, writing
        self._answers = Answers()

    async def show(self, call: Call, _name: str) -> None:
        """Show the form, filled in as the query says; whoever has to log in is led there first."""
        access = self._around.access
        user = await self._askers.logged_in(call.scope) or await access.user(call.scope)
        if user is ANONYMOUS and access.login is not None:
            here = f"{call.scope['below']}{call.path}" + (f"?{call.query}" if call.query else "")
            await _lead(call, f"{call.root}/auth/oidclogin?next={quote(here, safe='')}")
            return
        if user is ANONYMOUS and not access.claims:
            raise UnauthorisedError(NOBODY)
        page = self._answers.html(
            "waiverdb_form.html", await self._facts(call, user), path=call.path, now=self._around.clock()
        )
        await call.answer(200, bytes(page.body), HTML, [(b"cache-control", b"no-store")])

    async def script(self, call: Call, _name: str) -> None:
        """Answer what the form runs."""
        await call.answer(200, SCRIPT, JAVASCRIPT)

    async def lead_to_form(self, call: Call, _name: str) -> None:
        """Lead to the form, with the same query."""
        await _lead(call, f"{call.base}/waivers/new" + (f"?{call.query}" if call.query else ""))

    async def lead_to_reference(self, call: Call, _name: str) -> None:
        """Lead to the page about all APIs."""
        await _lead(call, f"{call.root}/api")

    async def lead_to_document(self, call: Call, _name: str) -> None:
        """Lead to the document of all APIs."""
        await _lead(call, f"{call.root}/openapi.json")

    async def _facts(self, call: Call, user: User) -> dict[str, Any]:
        given = {name: values[0] for name, values in parse_qs(call.query).items()}
        testcase = given.get("testcase", "")
        return {
            "user": user.name,
            "claims": user is ANONYMOUS,
            "error": await self._refusal(user, testcase),
            "testcase": testcase,
            "permissions": f"{call.base}/permissions?testcase={quote(testcase, safe='')}&html=true",
            "action": f"{call.base}/waivers/new",
            "script": f"{call.base}/waivers/new/new_waiver.js",
            "fields": [
                {"name": name, "label": label, "value": given.get(name, ""), "required": name != "scenario"}
                for name, label in LABELS.items()
            ],
        }

    async def _refusal(self, user: User, testcase: str) -> str:
        """Return why this user may not waive a testcase, "" where they may."""
        people = self._around.waive.of(testcase).request
        if not testcase or people is None:
            return ""
        groups = await self._around.access.groups(user)
        if user is not ANONYMOUS and people.has(user.name, groups):
            return ""
        return f"403 Forbidden: {self._writing.forbidden(user.name, testcase, groups)}"


async def _lead(call: Call, where: str) -> None:
    await call.answer(302, b"", HTML, [(b"location", where.encode("latin-1", "replace"))])
