"""What the API says of itself: about, config, permissions."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import parse_qs

from ...errors import InvalidError
from ...waive.rules import Rule
from ...wire.validation import Wrong, boolean
from ..api_v1_0 import answer_json, function_of
from ..call import HTML, Call
from ..surroundings import Surroundings
from .reading import CALLED

SPEAKS = "1.4.0"
"""The WaiverDB whose API this is."""

_PAGE = """<!doctype html>
<html lang=en><meta charset=utf-8><title>Permissions</title>
<h1>Who may waive what</h1>
<table>
<thead><tr><th>name<th>testcases<th>but not<th>users<th>groups<th>approvals</tr></thead>
<tbody>
{rows}</tbody></table>
</html>
"""


class Saying:
    """The handlers; each answers the call it is given."""

    def __init__(self, around: Surroundings) -> None:
        self._around, self._rules = around, around.waive

    async def about(self, call: Call, _name: str) -> None:
        """Say which API this is, and how users show who they are."""
        methods = self._around.access.methods
        said = {"version": SPEAKS, "auth_method": methods[0] if methods else None}
        await answer_json(call, said, jsonp=CALLED)

    async def config(self, call: Call, _name: str) -> None:
        """Say who may act for others; permissions have an address of their own."""
        said = {"permission_mapping": {}, "superusers": sorted(self._rules.superusers)}
        await answer_json(call, said, jsonp=CALLED)

    async def permissions(self, call: Call, _name: str) -> None:
        """Say who may waive what: all of it, or what holds for one testcase; as JSON or as a page."""
        given = {name: values[0] for name, values in parse_qs(call.query).items()}
        rules: Iterable[Rule] = self._rules.rules
        if testcase := given.get("testcase"):
            rules = [rule for rule in rules if rule.covers(testcase)][:1]
        said = [permission(rule) for rule in rules]
        if _truth(given.get("html", "false")):
            function_of(call)  # a page calls none, and a wrong one is refused all the same
            rows = "".join(map(_row, said))
            await call.answer(200, _PAGE.format(rows=rows).encode(), HTML)
        else:
            await answer_json(call, said, jsonp=CALLED)


def permission(rule: Rule) -> dict[str, Any]:
    """Return a rule in the peer's form; `everybody` says that users and groups are not looked at."""
    people = rule.request
    return {
        "name": ", ".join(rule.testcases),
        "maintainers": [],
        "testcases": list(rule.testcases),
        "testcases_ignore": list(rule.testcases_ignore),
        "users": sorted(people.users) if people else [],
        "groups": sorted(people.groups) if people else [],
        "everybody": people is None,
        "approvals": rule.approvals,
    }


def _row(said: dict[str, Any]) -> str:
    cells = [said["name"], *(", ".join(said[name]) for name in ("testcases", "testcases_ignore"))]
    cells += ["everybody" if said["everybody"] else ", ".join(said["users"]), ", ".join(said["groups"])]
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in [*cells, str(said['approvals'])])}</tr>\n"


def _truth(text: str) -> bool:
    try:
        return boolean(text)
    except Wrong:
        raise InvalidError("html must be true or false") from None
