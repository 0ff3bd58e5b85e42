"""The page of one item, "why is this gated", and of two side by side."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...decide.policy_set import PolicySet
from ...domain.subject import Subject
from ...errors import InvalidError
from ...operations.compare import Change, Compared, compare
from ..answers import Answers, item_path
from ..surroundings import Surroundings
from ..visited import wants_json
from .facts import Asked, gate_of, gates_facts, view_time
from .finding import Finder, nameable
from .links import compare_path, gate_path, typed_item_path

TYPES = 3
"""Types of one item of which a page decides."""


class ItemPages:
    """What is known of an item, and whether it may go on. Each page has its twin in JSON."""

    def __init__(self, around: Surroundings, answers: Answers, finder: Finder) -> None:
        self._around, self._answers, self._finder = around, answers, finder

    async def find(self, request: Request) -> Response:
        """Go where the name in the search box leads: an item, a component, or a testcase."""
        name = request.query_params.get("q", "").strip()
        if not name:
            return RedirectResponse("/", status_code=303)
        if self._answers.browsable and await run_in_threadpool(self._finder.is_testcase, name):
            return RedirectResponse(
                f"/browse/results/testcase_by_day?testcase={quote(name, safe='')}", status_code=303
            )
        return RedirectResponse(item_path(name), status_code=303)

    async def item(self, request: Request) -> Response:
        """Answer /item/NAME and /item/TYPE/NAME; `format` tells apart a name that ends in .json."""
        name: str = request.path_params["name"]
        query = request.query_params
        if "format" not in query:
            name = name.removesuffix(".json")
        try:
            asked = Asked(*(query.get(key, "").strip() for key in ("product_version", "context", "purpose")))
        except InvalidError as err:
            return self._answer(request, "wrong.html", {"why": str(err), "item": name}, 400)
        facts = await run_in_threadpool(self._facts, name, asked)
        template = "item.html" if facts["known"] else "unknown.html"
        return self._answer(request, template, facts, 200 if facts["known"] else 404)

    async def compare(self, request: Request) -> Response:
        """Answer /compare: two items side by side, testcase by testcase, worst first."""
        left, right = (request.query_params.get(side, "").strip() for side in ("left", "right"))
        facts: dict[str, Any] = {
            "left": left, "right": right, "left_known": None, "right_known": None, "nearest": {},
            "counts": {}, "rows": None, "cut": False,
        }  # fmt: skip
        if not left or not right:
            return self._answer(request, "compare.html", facts, 200)
        facts |= await run_in_threadpool(self._compared, left, right)
        known = facts["left_known"] and facts["right_known"]
        return self._answer(request, "compare.html", facts, 200 if known else 404)

    def _compared(self, left: str, right: str) -> dict[str, Any]:
        askable = nameable(left) and nameable(right)
        found = compare(self._around.store, left, right) if askable else None
        known = [False, False] if found is None else [found.left_known, found.right_known]
        return {
            "left_known": known[0],
            "right_known": known[1],
            "nearest": {
                side: self._finder.nearest(name)["items"]
                for side, name, there in zip(("left", "right"), (left, right), known, strict=True)
                if not there
            },
            "counts": {str(change): found.count(change) if found else 0 for change in Change},
            "rows": [_compared(row) for row in found.rows] if found else [],
            "cut": found is not None and found.cut,
        }

    def _facts(self, name: str, asked: Asked) -> dict[str, Any]:
        """Return the facts about whatever goes by `name`, or is called so after a type and a slash."""
        found, kind = self._finder.item(name), None
        if found is None and "/" in name:
            kind, _, rest = name.partition("/")
            if (of_type := self._of_type(kind, rest)) is not None:
                return self._with_gates({**of_type, "type": kind}, [kind], asked)
            if self._is_type(kind) and nameable(rest):
                unknown = {
                    "known": False, "item": rest, "type": kind, "nearest": self._finder.nearest(rest),
                    "expected": self._expected(rest, kind),
                }  # fmt: skip
                return self._with_gates(unknown, [kind], asked)
        if found is None:
            nearest = self._finder.nearest(name)
            told = {"known": False, "item": name, "type": None, "nearest": nearest}
            return told | {"expected": self._expected(name)} | self._gates([])
        types = list(dict.fromkeys(each["type"] for each in found["items"])) if found["results"] else []
        return self._with_gates({**found, "known": True, "type": None}, types, asked)

    def _expected(self, name: str, kind: str | None = None) -> list[dict[str, Any]]:
        """Return what events let expect of a subject of which no result has come, of any type or of one."""
        policies = self._policies()
        if policies is None or not nameable(name):
            return []
        types = policies.subject_types
        kinds = [each.id for each in types.types] if kind is None else [types.find(kind).id]
        found = self._around.store.expectations.of([Subject(each, name) for each in kinds])
        return [
            {"testcase": testcase, "since": view_time(one.since), "event": one.event, "owner": one.owner,
             "due": None if one.due is None else view_time(one.due)}
            for (_subject, testcase), one in found.items()
        ]  # fmt: skip

    def _of_type(self, kind: str, name: str) -> dict[str, Any] | None:
        found = self._finder.item(name)
        if found is None or not found["results"]:
            return None
        policies = self._policies()
        names = {kind} if policies is None else {kind, *policies.subject_types.find(kind).names}
        results = [row for row in found["results"] if row["item_type"] in names]
        return {**found, "known": True, "results": results} if results else None

    def _is_type(self, kind: str) -> bool:
        policies = self._policies()
        if policies is None:
            return False
        return any(kind in each.names for each in policies.subject_types.types) or any(
            kind in each.subject_types for each in policies.policies
        )

    def _with_gates(self, facts: dict[str, Any], types: list[str], asked: Asked) -> dict[str, Any]:
        gate = gate_of(self._around)
        if gate is None:
            return facts | self._gates([])
        kinds = gate.policies.subject_types
        subjects = dict.fromkeys(kinds.subject(kind, facts["item"]) for kind in types)
        return facts | self._gates([gates_facts(gate, each, asked) for each in list(subjects)[:TYPES]])

    def _gates(self, gates: list[dict[str, Any]]) -> dict[str, Any]:
        return {"policies": self._policies() is not None, "gates": gates}

    def _policies(self) -> PolicySet | None:
        gate = gate_of(self._around)
        return None if gate is None else gate.policies

    def _answer(self, request: Request, template: str, facts: dict[str, Any], status: int) -> Response:
        if wants_json(request):
            return self._answers.json(facts, status=status)
        return self._answers.html(
            template, facts, path=request.scope["path"], now=self._around.clock(), status=status,
            query=request.url.query, gate_path=gate_path, compare_path=compare_path,
            typed_item_path=typed_item_path,
        )  # fmt: skip


def _compared(row: Compared) -> dict[str, Any]:
    return {
        "change": str(row.change),
        **row.variant._asdict(),
        **{
            side: None
            if one is None
            else {"id": one.id, "outcome": one.outcome, "time": view_time(one.time), "note": one.note,
                  "ref_url": one.ref_url}
            for side, one in (("left", row.left), ("right", row.right))
        },
    }  # fmt: skip
