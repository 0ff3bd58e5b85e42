"""POST /decision: may these subjects pass?"""

from __future__ import annotations

from typing import Any

from ...domain.asked import Request
from ...operations.gate import Gate, decide
from ...operations.gate_shown import shown
from ...wire.greenwave_answer import additions, answer, no_policy
from ...wire.greenwave_request import RefusedRequest
from ...wire.resultsdb_json import dump, results
from ...wire.waiverdb_json import waiver
from ..api_v1_0 import answer_json, json_of
from ..call import Call
from ..deciding import read_decision
from ..surroundings import Surroundings
from .telling import CALLED


class Deciding:
    """The handler; it answers the call it is given."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def decide(self, call: Call, _name: str) -> None:
        """Decide by what the store holds."""
        said = await json_of(call)
        gate = self._around.gate()
        request = self._around.request_reader(gate.policies).read(said)
        base = f"{call.root}/api/v2.0" if request.verbose else ""
        body = await read_decision(self._around, _answered, gate, request, base)
        await answer_json(call, body, jsonp=CALLED)


def _answered(gate: Gate, request: Request, base: str) -> bytes:
    """Return the JSON of an answer; `base` is the address of results in it. Raises RefusedRequest."""
    if not request.verbose:
        return _told(gate, request)
    with gate.store.at_one_commit():  # what is shown is what was decided by
        return _told(gate, request, base)


def _told(gate: Gate, request: Request, base: str | None = None) -> bytes:
    types, distinct = gate.policies.subject_types, gate.policies.settings.distinct_latest_results_on
    decision = decide(gate, request)
    message = no_policy(decision)
    if message is not None:
        raise RefusedRequest(message, 404)
    found: dict[str, Any] = {}
    if base is not None:
        seen = shown(gate, decision)
        found = {"results": results(seen.results, base), "waivers": list(map(waiver, seen.waivers))}
    said = answer(decision, types, distinct_on=distinct)
    return dump(said | found | additions(decision, types, distinct))
