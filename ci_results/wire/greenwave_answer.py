"""Tell a decision as Greenwave tells it; what we add stands in keys of its own. Obeys COMPAT 3.3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..domain.decision import TESTED, Decision, Requirement, State, Verdict
from ..domain.facts import Evidence
from ..domain.subject import SubjectType, SubjectTypes

DISTINCT_ON = ("scenario", "system_architecture", "system_variant")
_TYPES = {
    State.FAILED: "test-result-failed",
    State.ERRORED: "test-result-errored",
    State.UNKNOWN: "test-result-errored",
    State.WAITING: "test-result-missing",
    State.MISSING: "test-result-missing",
}
_PARTS = (
    (State.MISSING, "result", "missing"),
    (State.ERRORED, "test", "errored"),
    (State.FAILED, "test", "failed"),
    (State.WAITING, "test", "incomplete"),
)
_FILE_PARTS = (
    (State.FILE_INVALID, "due to invalid remote rule file"),
    (State.FILE_MISSING, "due to missing remote rule file"),
    (State.FILE_UNREACHED, "while trying to fetch remote rule file"),
)
NO_TESTS = "No tests are required"
_FILES = frozenset(state for state, _ in _FILE_PARTS)


def answer(
    decision: Decision,
    types: SubjectTypes,
    *,
    results: Sequence[Any] = (),
    waivers: Sequence[Any] = (),
    distinct_on: Sequence[str] = DISTINCT_ON,
) -> dict[str, Any]:
    """Return the answer of 200.

    results, waivers  those of the subjects as their own APIs serve them, for a verbose request
    distinct_on       the attributes that tell results of one testcase apart
    """
    told = [
        each
        for each in flat(decision.requirements)
        if each.blocking
        and (each.waiver is None or each.state not in _FILES)  # trouble with a waived file is not told
    ]
    open_ = [each for each in told if each.state is not State.PASSED and not each.satisfied]
    met = [each for each in told if each.satisfied] if open_ else told
    encode = _Encoder(types, distinct_on)
    found: dict[str, Any] = {
        "policies_satisfied": not open_,
        "summary": _summary(told, open_),
        "satisfied_requirements": [encode(each) for each in met],
        "unsatisfied_requirements": [encode(each) for each in open_],
    }
    if decision.request.policy is None:
        found["applicable_policies"] = [each.id for subject in decision.subjects for each in subject.policies]
    if decision.request.verbose:
        found |= {"results": list(results), "waivers": list(waivers)}
    return found


def additions(
    decision: Decision, types: SubjectTypes, distinct_on: Sequence[str] = DISTINCT_ON
) -> dict[str, Any]:
    """Return what we add to that answer, in keys that the peer does not have."""
    progress, informational = decision.progress, decision.informational
    encode = _Encoder(types, distinct_on)
    return {
        "verdict": decision.verdict,
        "progress": {**progress._asdict(), "percent": progress.percent},
        "informational": [encode(each) for each in flat(informational)] if informational else [],
        "expected": [] if decision.verdict is Verdict.GO else list(_expected(decision)),
        "policies_digest": decision.digest,
        "as_of": {"seq": decision.as_of},
    }


def _expected(decision: Decision) -> Iterator[dict[str, Any]]:
    """Yield of what is missing what is known: since when it is expected, or who answers for it."""
    for each in flat(decision.requirements):
        if each.state is not State.MISSING or not each.blocking or each.satisfied:
            continue
        if each.expected is not None or each.owner:
            yield {
                "subject_type": each.subject.type,
                "subject_identifier": each.subject.identifier,
                "testcase": each.testcase,
                "expected_since": None if each.expected is None else each.expected.since.isoformat(),
                "overdue": each.expected is not None and each.expected.overdue(decision.now),
                "owner": each.owner,
            }


def no_policy(decision: Decision) -> str | None:
    """Return the message of a 404, where a subject that must come under a policy comes under none."""
    for each in decision.subjects:
        if each.verdict is Verdict.NO_POLICY:
            contexts = " ".join(decision.request.contexts)
            return (
                f"Found no applicable policies for {each.subject.type} subjects "
                f"at gating point(s) {contexts} in {decision.request.product_version}"
            )
    return None


def _summary(told: Sequence[Requirement], open_: Sequence[Requirement]) -> str:
    """Return the one sentence that the peer makes of requirements, and of those not satisfied."""
    tests = len([each for each in told if each.state in TESTED])
    if not open_:
        return f"All required tests ({tests} total) have passed or been waived" if tests else NO_TESTS
    counts = Counter([_summed(each.state) for each in open_])
    files = ", ".join(
        f"{_several(counts[state], 'error')} {what}" for state, what in _FILE_PARTS if counts[state]
    )
    parts = ", ".join(
        f"{_several(counts[state], what)} {how}" for state, what, how in _PARTS if counts[state]
    )
    if not parts:
        return files
    required = f"Of {tests} required {'test' if tests == 1 else 'tests'}, {parts}"
    return f"{files}. {required}" if files else required


def flat(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Return the single requirements that the peer knows: of a choice those that decided it."""
    found: list[Requirement] = []
    for each in requirements:
        if each.needed is None or not each.parts:
            found.append(each)
        elif each.choice:
            found += flat(part for part in each.parts if part.satisfied == each.satisfied)
        else:
            found += flat(each.parts)
    return found


def _summed(state: State) -> State:
    return State.ERRORED if state is State.UNKNOWN else state


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


class _Encoder:
    """Tells one requirement."""

    def __init__(self, types: SubjectTypes, distinct_on: Sequence[str]) -> None:
        self._types, self._distinct_on = types, distinct_on
        self._kinds: dict[str, SubjectType] = {}

    def __call__(self, requirement: Requirement) -> dict[str, Any]:
        state, subject, source = requirement.state, requirement.subject, requirement.policy.source
        if state is State.EXCLUDED:
            return {
                "type": "excluded",
                "subject_identifier": subject.identifier,
                "policy": requirement.policy.id or None,
                "source": source,
            }
        told = {
            "testcase": requirement.testcase,
            "subject_type": subject.type,
            "subject_identifier": subject.identifier,
            "source": source,
        }
        if state is State.PASSED:
            told["type"] = "test-result-passed"
            self._add_result(requirement.result, told)
        elif state in _TYPES:
            self._add_failure(requirement, told)
        elif state is State.FETCHED:
            told |= {"type": "fetched-gating-yaml", "source": requirement.addresses[0]}
        else:
            return self._file(requirement, told)
        return told

    def _file(self, requirement: Requirement, told: dict[str, Any]) -> dict[str, Any]:
        told |= {"type": requirement.testcase, "scenario": None}
        if requirement.state is State.FILE_INVALID:
            return told | {"source": requirement.addresses[0], "details": requirement.said}
        del told["source"]
        told["sources"] = list(requirement.addresses)
        if requirement.state is State.FILE_UNREACHED:
            told["error"] = requirement.said
        return told

    def _add_failure(self, requirement: Requirement, told: dict[str, Any]) -> None:
        state, waiver = requirement.state, requirement.waiver
        told["type"] = _TYPES[state]
        if state is State.MISSING:
            told["scenario"] = requirement.scenario
        else:
            self._add_result(requirement.result, told)
        if state in (State.ERRORED, State.UNKNOWN):
            told["error_reason"] = requirement.said
        if waiver is not None:
            told |= {"type": f"{told['type']}-waived", "waiver_id": waiver.id}
        else:
            told["item"] = self._kind(requirement).item(requirement.subject.identifier)

    def _add_result(self, result: Evidence | None, told: dict[str, Any]) -> None:
        if result is None:
            told["result_id"] = None
            told.update(dict.fromkeys(self._distinct_on))
            return
        told["result_id"], data = result.id, result.data
        for key in self._distinct_on:
            values = data.get(key)
            told[key] = values[0] if values else None

    def _kind(self, requirement: Requirement) -> SubjectType:
        name = requirement.subject.type
        if name not in self._kinds:
            self._kinds[name] = self._types.find(name)
        return self._kinds[name]
