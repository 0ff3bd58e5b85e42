"""/decision and /policies: decisions with their whole proof, and what is in force."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from ...decide.explain import chosen, effective
from ...domain import asked
from ...domain.decision import Verdict
from ...errors import CiResultsError, InvalidError, NotFoundError
from ...operations.gate import Gate, decide
from ...wire import decision_json, policy_json
from ...wire.body import Unparsable, parse
from ...wire.decision_request import DEFAULT_TYPE, of_body, of_query
from ...wire.greenwave_request import RefusedRequest
from ...wire.resultsdb_json import dump
from ..awaiting import MOST_S, Awaiting
from ..deciding import read_decision
from ..greenwave_v1.telling import told
from ..surroundings import Surroundings

FILTERS = ("product_version", "decision_context", "type", "package")


class Decisions:
    """The endpoints. docs/api-greenwave.md says what is answered when."""

    def __init__(self, around: Surroundings) -> None:
        self._around, self._awaiting = around, Awaiting(around)

    async def decision(self, request: Request) -> Response:
        """Decide, for parameters or for a body."""
        try:
            return await self._decision(request)
        except (RefusedRequest, Unparsable, CiResultsError) as err:
            return _error(err)

    async def policies(self, request: Request) -> Response:
        """List the policies in force; for one product version also their rules, as they are weighed."""
        try:
            return self._policies(request)
        except CiResultsError as err:
            return _error(err)

    async def _decision(self, request: Request) -> Response:
        gate = self._around.gate()
        policies = gate.policies
        query = _query(request)
        reader = self._around.request_reader(policies)
        if request.method == "POST":
            wanted = of_body(parse(await request.body()), reader)
        else:
            asked_for = {name: values for name, values in query.items() if name != "wait"}
            wanted = of_query(asked_for, reader)
        if (unknown := policies.unknown_contexts(wanted.contexts)) is not None:
            raise NotFoundError(unknown)
        until = time.monotonic() + (_wait(query) if wanted.when is None else 0)
        known = request.headers.get("if-none-match", "")
        while True:
            made = await read_decision(self._around, _decided, gate, wanted, "")
            same = made.tag.removeprefix("W/") in known
            if not same and (known or made.verdict is not Verdict.WAIT):
                break
            if not await self._awaiting.news(request, made.as_of, until):
                break
            gate = self._around.gate()
        headers = {"ETag": made.tag}
        if same:
            return Response(b"", 304, headers)
        return Response(made.body, 200, headers, media_type="application/json")

    def _policies(self, request: Request) -> Response:
        given = _query(request)
        for name, values in given.items():
            if name not in FILTERS:
                raise InvalidError(f"{name[:40]!r} is no filter; known are {', '.join(FILTERS)}")
            if len(values) > 1 and name != "decision_context":
                raise InvalidError(f"{name} is given {len(values)} times: leave one")
        version, kind, package = (
            next(iter(given.get(name, [])), None) for name in ("product_version", "type", "package")
        )
        contexts = tuple(given.get("decision_context", ()))
        state = self._around.policies.state._replace(policies=self._around.policies.current())
        policies = state.policies
        found = chosen(policies, product_version=version, contexts=contexts, subject_type=kind)
        rules = None
        if version is not None:
            rules = [
                policy_json.rule_row(*each)
                for each in effective(
                    policies,
                    policies.subject_types.find(kind or DEFAULT_TYPE),
                    product_version=version,
                    contexts=contexts,
                    package=package,
                )
            ]
        return _answer(
            {
                "policies": list(map(policy_json.policy, found)),
                "rules": rules,
                "digest": policies.digest,
                "since": state.since.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "problem": state.problem,
            }
        )


class _Decided(NamedTuple):
    """A decision in JSON; `tag` names all that it says but for the moment."""

    body: bytes
    tag: str
    verdict: Verdict
    as_of: int


def _decided(gate: Gate, wanted: asked.Request, _base: str) -> _Decided:
    made = decide(gate, wanted)
    said = decision_json.decision(made)
    lasting = {name: value for name, value in said.items() if name != "as_of"}
    tag = f'W/"{sha256(dump(lasting)).hexdigest()[:32]}"'
    return _Decided(dump(said), tag, made.verdict, made.as_of)


def _wait(query: dict[str, list[str]]) -> float:
    """Return for how many seconds a client would wait. Raises RefusedRequest."""
    given = query.get("wait", ["0"])
    try:
        (seconds,) = map(float, given)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= MOST_S:
        raise RefusedRequest(f"wait is a number of seconds, 0 to {MOST_S:g}")
    return seconds


def _query(request: Request) -> dict[str, list[str]]:
    return parse_qs(request.scope["query_string"].decode("utf-8", "replace").replace("%00", "%EF%BF%BD"))


def _answer(said: Any) -> Response:
    return Response(dump(said), media_type="application/json")


def _error(err: Exception) -> Response:
    found = told(err)
    if found is None:
        raise err
    headers = {name.decode(): value.decode() for name, value in found.headers}
    return Response(dump(found.said), found.status, headers, media_type="application/json")
