"""What the page of an item says of its gates: verdict, progress, what blocks and what would open it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from ...decide.concerned import product_versions
from ...decide.gates import gates_of
from ...decide.text import named, told_opening, told_progress
from ...domain.decision import Decision, Requirement, State, Verdict
from ...domain.outcome import WORST_FIRST, Outcome
from ...domain.purpose import Purpose
from ...domain.stored import Fact
from ...domain.subject import Subject, SubjectType
from ...errors import BusyError, InvalidError, PluginError, TooBroadError
from ...operations.gate import Gate
from ...operations.gated import decisions, last_results, single
from ...store.protocol import Store
from ...wire import decision_json
from ..surroundings import Surroundings
from .links import waive_path

MOST_GATES = 12
"""Gates that one page decides; the others are links."""

STRIPS = 40
"""Testcases whose history one page shows."""

WAIVED = "waived"
LAST = 20
"""Results of one testcase that its history shows."""

_ORDER = {state: number for number, state in enumerate((
    State.FAILED, State.FILE_INVALID, State.FILE_MISSING, State.ERRORED, State.UNKNOWN, State.FILE_UNREACHED,
    State.WAITING, State.MISSING,
))}  # fmt: skip

_MAYBE = (
    "said", "source", "owner", "result", "waiver", "waivers_not_counted", "expected_since", "due", "scenario",
)  # fmt: skip

Facts = dict[str, Any]


def gate_of(around: Surroundings) -> Gate | None:
    """Return where decisions are made, None where no policy is configured."""
    gate = around.gate()
    return gate if gate.policies.policies else None


class Asked:
    """What somebody asks about the gates of an item; empty texts ask nothing.

    Raises InvalidError for a purpose that is none.
    """

    def __init__(self, product_version: str = "", context: str = "", purpose: str = "") -> None:
        self.product_version, self.context, self.purpose = product_version, context, purpose
        self.purposes = frozenset({Purpose.parse(purpose)}) if purpose else frozenset()


def gates_facts(gate: Gate, subject: Subject, asked: Asked) -> Facts:
    """Return what is decided about `subject` at each gate that concerns it, the worst verdict first.

    `unasked` are gates beyond the first dozen, and `versions` says for which product versions it is.
    """
    kind = gate.policies.subject_types.find(subject.type)
    known = product_versions(kind, subject.identifier)
    versions = [asked.product_version] if asked.product_version else known
    names = gates_of(gate.policies, kind, versions, [asked.context] if asked.context else [])
    told: Facts = {
        "subject_type": subject.type,
        "versions": versions,
        "asked": {"product_version": asked.product_version, "context": asked.context,
                  "purpose": asked.purpose},
        "contexts": sorted(_contexts(gate, kind)),
        "unasked": [name._asdict() for name in names[MOST_GATES:]],
        "error": None,
    }  # fmt: skip
    try:
        made = decisions(gate, subject, names[:MOST_GATES], asked.purposes)
        strips = _strips(gate.store, made)
    except (BusyError, PluginError, TooBroadError, InvalidError) as err:
        return told | {"gates": [], "error": str(err)}
    found = [_gate(each, strips) for each in made]
    spared = {each.product_version for each in names}
    found += [_no_policy(version, kind) for version in versions if version not in spared]
    return told | {"gates": found}


def _contexts(gate: Gate, kind: SubjectType) -> set[str]:
    return {
        context
        for policy in gate.policies.policies
        if set(policy.subject_types) & set(kind.names)
        for context in policy.decision_contexts
    }


def _gate(made: Decision, strips: Mapping[str, Facts]) -> Facts:
    version = made.request.product_version
    requirements = single(made.requirements)
    blocks = [each for each in requirements if each.blocking and not each.satisfied]
    blocks.sort(key=lambda each: (_ORDER.get(each.state, -1), each.testcase))
    met = [each for each in requirements if each.blocking and each.satisfied]
    waived = [each for each in met if word_of(each) == WAIVED]
    good = [each for each in met if word_of(each) != WAIVED]
    (only,) = made.subjects
    return {
        "product_version": version,
        "decision_context": made.request.contexts[0],
        "verdict": str(made.verdict),
        "summary": told_progress(made.progress)
        if only.verdict is not Verdict.NO_POLICY
        else f"no policy is for {only.subject.type} in {made.request.contexts[0]} of {version}",
        "blocks": [_told(each, made, strips) for each in blocks],
        "waived": [_told(each, made, strips) for each in waived],
        "informs": [_told(each, made, strips) for each in made.informational],
        "passed": [_told(each, made, {}) for each in good],
        "opens": [told_opening(each) for each in made.openings],
        "decision": decision_json.decision(made),
    }


def _no_policy(version: str, kind: SubjectType) -> Facts:
    """Tell a product version that no policy is for: that is never silence, and no permission."""
    return {
        "product_version": version,
        "decision_context": None,
        "verdict": str(Verdict.NO_POLICY),
        "summary": f"no policy is for {kind.id} of {version}",
        "blocks": [], "waived": [], "informs": [], "passed": [], "opens": [], "decision": None,
    }  # fmt: skip


def _told(each: Requirement, made: Decision, strips: Mapping[str, Facts]) -> Facts:
    """Return a requirement with what a page adds to it; of a choice each part can be waived, not itself."""
    waivable = each.state not in (State.WAITING, State.UNKNOWN) and not each.satisfied and each.blocking
    history = None if each.parts else strips.get(each.testcase)
    if history and not history["results"] and each.state is not State.MISSING:
        history = None  # a name that a rule goes by, and no testcase
    return {
        **_whole(decision_json.requirement(each, made.now)),
        "name": named(each),
        "note": None if each.result is None else each.result.note,
        "word": word_of(each),
        "history": history,
        "waive": waive_path(each, made.request) if waivable and not each.parts else None,
        "parts": [_told(part, made, strips) for part in each.parts],
    }


def _whole(said: Facts) -> Facts:
    """Return what is told of a requirement with null for what does not apply, as a page wants it."""
    parts = [_whole(part) for part in said.get("parts", ())]
    return dict.fromkeys(_MAYBE) | said | {"parts": parts}


def word_of(each: Requirement) -> str:
    """Return the one word that stands for a requirement; what a waiver opened is never drawn as passed."""
    return WAIVED if each.waived else str(each.state)


def _strips(store: Store, made: Sequence[Decision]) -> dict[str, Facts]:
    """Return the history of each testcase that does not simply pass."""
    wanted: dict[str, None] = {}
    for decision in made:
        for each in (*single(decision.requirements), *decision.informational):
            if each.state is not State.PASSED:
                wanted |= dict.fromkeys(part.testcase for part in each.parts or (each,))
    names = list(wanted)[:STRIPS]
    return {name: strip(last_results(store, name, LAST)) for name in names}


def strip(found: Sequence[Fact]) -> Facts:
    """Return the last results of a testcase, the oldest first, and the same in words."""
    results = [{"id": one.id, "outcome": one.outcome, "time": one.time, "item": _item(one)} for one in found]
    passed = next((each for each in results if each["outcome"] == Outcome.PASSED), None)
    return {
        "results": results[::-1],
        "said": said_of(one.outcome for one in found),
        "last_passed": passed,
    }


def said_of(outcomes: Iterable[str]) -> str:
    """Say how often a testcase went how.

    >>> said_of(["PASSED", "FAILED", "PASSED"]), said_of([])
    ('the last 3: 1 failed, 2 passed', 'it never reported')
    """
    counts = Counter(outcomes)
    if not counts:
        return "it never reported"
    order: dict[str, int] = {word: number for number, word in enumerate(WORST_FIRST)}
    words = sorted(counts, key=lambda word: (order.get(word, -1), word))
    listed = ", ".join(f"{counts[word]} {word.lower().replace('_', ' ')}" for word in words)
    total = counts.total()
    return f"the last {total}: {listed}" if total > 1 else f"once: {listed}"


def _item(fact: Fact) -> str | None:
    for text in (fact.own, fact.shared):
        found = orjson.loads(text).get("item") if text else None
        if found:
            return str(found[0])
    return None


def view_time(time: datetime) -> str:
    """Write a time as the views do: pages know that form."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
