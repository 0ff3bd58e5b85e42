"""Trial: one row of a table of facts and the verdict that policies must give, as a file of tests says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from ..domain.decision import State, Verdict
from ..domain.facts import Evidence, Selected
from ..domain.outcome import Outcome
from ..domain.plan import Plan, PlanCase
from ..domain.policy import Place
from ..domain.purpose import Purpose
from ..domain.subject import Subject
from ..domain.tiers import Tiers
from ..domain.waiver import Act, Step, Terms, Turn, Waiver, WaiverEvent
from ..errors import InvalidError
from ..wire.tier_graph import read_tiers
from . import values
from .findings import near
from .yaml_tree import Node, Unreadable, plain, read_documents

T = TypeVar("T")
WHEN = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When a trial takes place, where the file says no time."""

_SOON = timedelta(hours=1)
_COMMON = ("product_version", "context", "contexts", "subject_type", "time", "purposes")
_FILE = ("policies", "tests", *_COMMON)
_TRIAL = (
    *("name", "subject", "results", "waivers", "plans", "tiers", "selects", "remote_file", "built"),
    *("baseline", "verdict", "blockers", "informational", *_COMMON),
)
_RESULT = (
    *("testcase", "outcome", "scenario", "arch", "variant", "item", "age", "time", "data", "note"),
    *("imported", "signature"),
)
_WAIVER = (
    *("testcase", "by", "approved_by", "comment", "scenario", "arch", "purpose", "product_version"),
    *("subject", "state", "expires", "signatures", "lenient"),
)
_STANDINGS = ("active", "pending", "rejected", "withdrawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One requirement that is expected: what is None may be anything."""

    testcase: str
    state: str | None
    scenario: str | None
    arch: str | None
    place: Place

    def __str__(self) -> str:
        about = ", ".join(word for word in (self.scenario, self.arch) if word)
        named = f"{self.testcase} ({about})" if about else self.testcase
        return f"{named}: {self.state}" if self.state else named


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is known of a subject, and what must be decided of it.

    results     (item, result), of the subject and of others; each has an id of its own
    verdict_at  where the verdict is written
    blockers, informational  what stands in the way, and what only informs; None = whatever
    """

    name: str
    place: Place
    subject: Subject
    product_version: str
    contexts: tuple[str, ...]
    now: datetime
    verdict: Verdict
    verdict_at: Place
    results: tuple[tuple[str, Evidence], ...] = ()
    waivers: tuple[Waiver, ...] = ()
    purposes: frozenset[Purpose] = frozenset()
    plans: Mapping[str, Plan] = field(default_factory=dict)
    tiers: Tiers | None = None
    selects: Mapping[str, Selected] = field(default_factory=dict)
    remote_file: str | None = None
    built: datetime | None = None
    baseline: str | None = None
    blockers: tuple[Expected, ...] | None = None
    informational: tuple[Expected, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFile:
    """One file: its trials, and globs of their policies, from its own folder; () = those beside it."""

    policies: tuple[str, ...]
    trials: tuple[Trial, ...]


def read_trials(file: str, text: bytes) -> TrialFile:
    """Read a file of tests. Raises Unreadable with the line; docs/policy-tools.md tells the form."""
    documents = list(read_documents(text))
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise Unreadable("a file of tests is one mapping, with a list of `tests`", 1)
    head = _Keys(documents[0], _FILE, "the file")
    listed = head.need("tests", _rows)
    if not listed:
        raise Unreadable("tests: there is none", head.node.line)
    policies = head.get("policies", _texts) or ()
    return TrialFile(policies=policies, trials=tuple(_trial(file, each, head) for each in listed))


class _Keys:
    """The keys of a mapping, each of which must be known."""

    def __init__(self, node: Node, known: tuple[str, ...], what: str) -> None:
        if not isinstance(node.value, dict):
            raise Unreadable(f"{what} must be a mapping of {', '.join(known)}", node.line)
        for key in node.value:
            if key not in known:
                meant = near(key, known)
                told = f"{what} has no key {key!r}" + (f"; did you mean {meant}" if meant else "")
                raise Unreadable(f"{told}; keys are {', '.join(known)}", node.lines.get(key, node.line))
        for key, line in node.repeated:
            raise Unreadable(f"{what} has the key {key!r} twice", line)
        self.node, self.what = node, what

    def get(self, key: str, read: Callable[[Node], T]) -> T | None:
        node = self.node.value.get(key)
        if node is None or node.value is None:
            return None
        try:
            return read(node)
        except Unreadable as err:
            raise Unreadable(f"{key}: {err.message}", err.line or node.line) from err
        except (InvalidError, ValueError) as err:
            raise Unreadable(f"{key}: {err}", node.line) from err

    def need(self, key: str, read: Callable[[Node], T]) -> T:
        found = self.get(key, read)
        if found is None:
            raise Unreadable(f"{self.what} needs {key}", self.node.line)
        return found

    def line(self, key: str) -> int:
        return self.node.lines.get(key, self.node.line)


def _trial(file: str, node: Node, head: _Keys) -> Trial:
    keys = _Keys(node, _TRIAL, "a test")

    def either(key: str, read: Callable[[Node], T]) -> T | None:
        found = keys.get(key, read)
        return head.get(key, read) if found is None else found

    now = either("time", values.moment) or WHEN
    version = either("product_version", values.text)
    own = "context" in node.value or "contexts" in node.value
    said = keys if own else head
    context = said.get("context", values.text)
    contexts = (context,) if context else said.get("contexts", _texts)
    if not version or not contexts:
        raise Unreadable("a test needs a product_version and a context, of its own or of the file", node.line)
    subject = Subject(either("subject_type", values.text) or "koji_build", keys.need("subject", values.text))
    rows = keys.get("results", _rows) or ()
    results = tuple(_result(row, number, now, subject) for number, row in enumerate(rows, 1))
    waived = keys.get("waivers", _rows) or ()
    purposes = either("purposes", _texts) or ()
    try:
        wanted = frozenset(map(Purpose.parse, purposes))
    except InvalidError as err:
        raise Unreadable(f"purposes: {err}", keys.line("purposes")) from err
    return Trial(
        name=keys.need("name", values.text),
        place=Place(file, node.line),
        subject=subject,
        product_version=version,
        contexts=contexts,
        now=now,
        verdict=keys.need("verdict", lambda each: Verdict(_word(each, tuple(map(str, Verdict))))),
        verdict_at=Place(file, keys.line("verdict")),
        results=results,
        waivers=tuple(
            _waiver(row, 2 * number + 1, now, subject, version) for number, row in enumerate(waived)
        )[::-1],
        purposes=wanted,
        plans=keys.get("plans", lambda each: _plans(each, subject)) or {},
        tiers=keys.get("tiers", _tiers),
        selects=keys.get("selects", _selects) or {},
        remote_file=keys.get("remote_file", values.text),
        built=keys.get("built", values.moment),
        baseline=keys.get("baseline", values.text),
        blockers=_expected(file, keys, "blockers"),
        informational=_expected(file, keys, "informational"),
    )


def _result(node: Node, number: int, now: datetime, subject: Subject) -> tuple[str, Evidence]:
    keys, (testcase, said) = _pair(node, _RESULT, "a result", "outcome")
    outcome = said.upper()
    if outcome not in tuple(map(str, Outcome)) and (meant := near(outcome, map(str, Outcome))):
        raise Unreadable(f"outcome {said!r} is not known; did you mean {meant}", node.line)
    age = keys.get("age", lambda each: values.duration(each.value))
    time = keys.get("time", values.moment) or now - (_SOON if age is None else age)
    get = keys.get
    return get("item", values.text) or subject.identifier, Evidence(
        id=number, testcase=testcase, outcome=outcome, time=time,
        scenario=get("scenario", values.text), arch=get("arch", values.text),
        variant=get("variant", values.text), data=get("data", _data) or {}, note=get("note", values.text),
        imported=get("imported", values.boolean) or False, signature=get("signature", values.text),
    )  # fmt: skip


def _waiver(node: Node, number: int, now: datetime, subject: Subject, version: str) -> Waiver:
    keys = _Keys(node, _WAIVER, "a waiver")
    get, testcase = keys.get, keys.need("testcase", values.text)
    state = get("state", lambda each: _word(each, _STANDINGS)) or "active"
    terms = Terms(
        subject_type=subject.type, subject=get("subject", values.text) or subject.identifier,
        testcase=testcase, product_version=get("product_version", values.text) or version,
        scenario=get("scenario", values.text), arch=get("arch", values.text),
        purpose=get("purpose", lambda each: Purpose.parse(values.text(each))),
        signatures=get("signatures", _texts) or (), lenient=get("lenient", values.boolean) or False,
        expires_at=get("expires", lambda each: _end(each, now)),
    )  # fmt: skip
    by, comment = get("by", values.text) or "somebody", get("comment", values.text) or "of the test"
    approvers = get("approved_by", _texts) or ()
    opens = state in ("active", "withdrawn")
    then = min(now, terms.expires_at or now) - _SOON

    def event(step: Step, who: str, turn: Turn | None, later: int, terms: Terms | None = None) -> WaiverEvent:
        act = Act(step=step, username=who, comment=comment, via="test", waiver=number, turn=turn, terms=terms)
        return WaiverEvent(id=number + later, seq=number, time=then, act=act, hash="0" * 64)

    granted = opens and not approvers
    first = event(Step.GRANT if granted else Step.REQUEST, by, Turn.OPENS if granted else None, 0, terms)
    approvals = tuple(event(Step.APPROVE, who, Turn.OPENS, 0) for who in approvers)
    closed = None
    if state in ("rejected", "withdrawn"):
        closed = event(Step.REJECT if state == "rejected" else Step.WITHDRAW, by, Turn.CLOSES, 1)
    opened = (approvals[-1] if approvals else first) if opens else None
    return Waiver(
        id=number, terms=terms, first=first, approvals=approvals, opened=opened, closed=closed,
        last=number + (closed is not None),
    )  # fmt: skip


def _expected(file: str, keys: _Keys, key: str) -> tuple[Expected, ...] | None:
    rows = keys.get(key, _rows)
    if rows is None:
        return () if key in keys.node.value else None
    return tuple(_requirement(file, row) for row in rows)


def _requirement(file: str, node: Node) -> Expected:
    place, states = Place(file, node.line), tuple(map(str, State))
    if not isinstance(node.value, dict):
        return Expected(testcase=values.text(node), state=None, scenario=None, arch=None, place=place)
    known = ("testcase", "state", "scenario", "arch")
    keys, (testcase, state) = _pair(node, known, "a requirement", "state", needed=False)
    if state and state not in states:
        meant = near(state, states)
        told = f"; did you mean {meant}" if meant else f"; states are {', '.join(states)}"
        raise Unreadable(f"state {state!r} is not known{told}", node.line)
    return Expected(
        testcase=testcase, state=state or None, scenario=keys.get("scenario", values.text),
        arch=keys.get("arch", values.text), place=place,
    )  # fmt: skip


def _pair(
    node: Node, known: tuple[str, ...], what: str, second: str, *, needed: bool = True
) -> tuple[_Keys, tuple[str, str]]:
    """Read a row: {ns.case: passed}, or the same with keys."""
    if isinstance(node.value, dict) and len(node.value) == 1 and not set(node.value) & set(known):
        ((name, word),) = node.value.items()
        return _Keys(Node({}, node.line), known, what), (name, values.text(word))
    keys = _Keys(node, known, what)
    word = keys.need(second, values.text) if needed else keys.get(second, values.text) or ""
    return keys, (keys.need("testcase", values.text), word)


def _rows(node: Node) -> tuple[Node, ...]:
    if not isinstance(node.value, list):
        raise Unreadable("must be a list", node.line)
    return tuple(node.value)


def _texts(node: Node) -> tuple[str, ...]:
    return tuple(map(values.text, _rows(node))) if isinstance(node.value, list) else (values.text(node),)


def _word(node: Node, known: tuple[str, ...]) -> str:
    word = values.text(node)
    if word not in known:
        meant = near(word, known)
        told = f"; did you mean {meant}" if meant else ""
        raise Unreadable(f"{word!r} is none of {', '.join(known)}{told}", node.line)
    return word


def _end(node: Node, now: datetime) -> datetime:
    """Read an end: a time, or how long from the time of the test."""
    try:
        return now + values.duration(node.value)
    except ValueError:
        return values.moment(node)


def _data(node: Node) -> dict[str, list[str]]:
    return {key: list(_texts(each)) for key, each in _items(node)}


def _items(node: Node) -> Iterator[tuple[str, Node]]:
    if not isinstance(node.value, dict):
        raise Unreadable("must be a mapping", node.line)
    yield from node.value.items()


def _plans(node: Node, subject: Subject) -> dict[str, Plan]:
    return {
        name: Plan(
            name=name, item_type=subject.type, item="*",
            cases=tuple(PlanCase(testcase=case) for case in _texts(cases)),
        )
        for name, cases in _items(node)
    }  # fmt: skip


def _selects(node: Node) -> dict[str, Selected]:
    """Read answers by the name of the rule: a list of rows, or a text that says why there is none."""
    found = {}
    for name, answer in _items(node):
        rows: Any = plain(answer)
        if isinstance(rows, str):
            found[name] = Selected(error=rows)
        else:
            found[name] = Selected(
                tuple(tuple(row) if isinstance(row, list) else (row,) for row in rows or [])
            )
    return found


def _tiers(node: Node) -> Tiers:
    return read_tiers(plain(node))
