"""Gather what a bundle holds: results, waivers and their events, policies, decisions, plans, as rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from ...decide.concerned import product_versions
from ...decide.policy_set import PolicySet
from ...decide.text import tell
from ...domain.asked import Request
from ...domain.decision import Decision, Requirement
from ...domain.purpose import Purpose
from ...domain.recorded import RecordedDecision
from ...domain.search import Attribute, Search
from ...domain.stored import StoredResult
from ...domain.subject import Subject, unique
from ...domain.waiver import Waiver, WaiverEvent
from ...errors import BusyError, InvalidError, NotFoundError, shown
from ...normalise.items import BUILT_IN as ITEM_TYPES
from ...query.results import ResultQuery
from ...query.waivers import WaiverFilter, WaiverQuery
from ...store.identity import to_us
from ...waive.chain import GENESIS, described
from ...waive.standing import standing
from ...wire import decision_json
from ..export import all_results
from ..gate import Gate, decide
from . import sealing, tables
from .tables import Row, Rows

_TRIES = 10
_ADVISORY = next(kind for kind in ITEM_TYPES if kind.name == "advisory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be in a bundle.

    names             items or advisories
    builds            further items of an advisory, where the store does not know them by it
    product_versions, contexts  to decide for; () = those that the names of items tell, that policies have
    """

    names: tuple[str, ...]
    builds: tuple[str, ...] = ()
    subject_type: str | None = None
    product_versions: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    purposes: frozenset[Purpose] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """What was written: how many rows of each table, and by which keys it is signed."""

    file: Path
    subjects: tuple[Subject, ...]
    verdicts: tuple[tuple[Subject, str, str, str], ...]
    rows: dict[str, int]


def bundle(
    gate: Gate, wanted: Wanted, files: Sequence[tuple[str, bytes]], target: Path, keys: Iterable[Path] = ()
) -> Bundled:
    """Write a bundle of what the store holds now. The same store, moment and keys give the same bytes.

    files  the policies that are in force, by the names that the bundle shows

    Raises NotFoundError for a name that nothing is known of, BusyError where it changes meanwhile.
    """
    gate = replace(gate, now=_fixed(gate.now()))
    for _ in range(_TRIES):
        before = gate.store.waivers.seq()
        gathered = _Gathering(gate, wanted, files)
        rows = gathered.rows(before)
        if gate.store.waivers.seq() == before:
            break
    else:
        raise BusyError("what is bundled changes faster than it can be read: do it again later")
    names = [str(each) for each in gathered.subjects]
    empty = target.with_name(f".{target.name}.schema")
    try:
        tables.write(empty, {}, b"")
        connection = tables.read(empty)
        schema = tables.schema(connection)
        connection.close()
    finally:
        empty.unlink(missing_ok=True)
    tables.write(target, rows, sealing.seal(sealing.state(rows, schema, names), keys))
    return Bundled(
        file=target,
        subjects=gathered.subjects,
        verdicts=tuple((Subject(row[2], row[3]), row[4], row[5], row[7]) for row in rows["decision"]),
        rows={name: len(found) for name, found in rows.items()},
    )


def _fixed(moment: datetime) -> Any:
    return lambda: moment


class _Gathering:
    """Reads for one bundle."""

    def __init__(self, gate: Gate, wanted: Wanted, files: Sequence[tuple[str, bytes]]) -> None:
        self._gate, self._wanted, self._files = gate, wanted, files
        self._store, self._now = gate.store, gate.now()
        self._purposes = set(wanted.purposes)
        self.subjects = unique(self._subjects())

    def rows(self, seq: int) -> Rows:
        """Return all rows, by table, each table in the order of its keys."""
        results = {one.id: one for subject in self.subjects for one in self._results(subject)}
        decisions = list(self._decisions())
        for _, decision in decisions:
            for number in _evidence(decision.requirements):
                results.setdefault(number, self._store.result(number))
        waivers = self._waivers(seq)
        said = {
            "format": str(tables.FORMAT), "as_of": str(seq), "time": _time(self._now),
            "names": _json(list(self._wanted.names)), "policies_digest": self._gate.policies.digest,
            "purposes": _json(sorted(map(str, self._purposes))),
        }  # fmt: skip
        return {
            "bundle": sorted(said.items()),
            "subject": sorted(map(tuple, self.subjects)),
            "result": [_result(results[number]) for number in sorted(results)],
            "waiver": [self._waiver(each, seq) for each in waivers],
            "waiver_event": list(self._events(waivers)),
            "policy_file": sorted(
                (name, hashlib.sha256(text).hexdigest(), text.decode("utf-8", "replace"))
                for name, text in self._files
            ),
            "policy": sorted(
                (each.place.file, each.place.line, each.id, each.digest)
                for each in self._gate.policies.policies
            ),
            "decision": [
                _decision(number, context, made) for number, (context, made) in enumerate(decisions, 1)
            ],
            "recorded_decision": sorted(self._recorded()),
            "plan": sorted(self._plans()),
        }

    # -- what it is about --------------------------------------------------------------------------

    def _subjects(self) -> Iterable[Subject]:
        for name in self._wanted.names:
            found = list(self._of_item(name))
            if _ADVISORY.pattern is not None and _ADVISORY.pattern.fullmatch(name):
                self._purposes.add(Purpose("advisory", name))
                found += self._of_advisory(name)
                found += [one for build in self._wanted.builds for one in self._of_item(build)]
            if not found:
                known = "; name its builds with --build" if ":" in name or name[:1].isupper() else ""
                raise NotFoundError(f"nothing is known of {shown(name)}{known}")
            yield from sorted(found)

    def _of_item(self, name: str) -> Iterator[Subject]:
        types = self._gate.policies.subject_types
        if self._wanted.subject_type is not None:
            yield types.subject(self._wanted.subject_type, name)
            return
        for one in all_results(self._store, ResultQuery(item=name)):
            if one.item == name:
                yield types.subject(one.item_type, name)
        for waiver in self._find(WaiverFilter(subject=name)):
            yield types.subject(waiver.terms.subject_type, name)

    def _of_advisory(self, name: str) -> Iterator[Subject]:
        """Yield what waivers for it are about, and what results say that they were run for it."""
        types = self._gate.policies.subject_types
        for waiver in self._find(WaiverFilter(purpose=f"advisory:{name}")):
            yield types.subject(waiver.terms.subject_type, waiver.terms.subject)
        asked = Search(attributes=(Attribute(key="advisory", values=(name,)),), limit=1_000)
        while page := self._store.search(asked):
            for fact in page:
                one = self._store.result(fact.id)
                yield types.subject(one.item_type, one.item)
            if len(page) < asked.limit:
                return
            asked = replace(asked, after=(page[-1].rank, page[-1].id))

    # -- what is known of it -----------------------------------------------------------------------

    def _results(self, subject: Subject) -> Iterator[StoredResult]:
        names = self._gate.policies.subject_types.find(subject.type).names
        for one in all_results(self._store, ResultQuery(item=subject.identifier)):
            if one.item == subject.identifier and one.item_type in names:
                yield one

    def _find(self, asked: WaiverFilter) -> list[Waiver]:
        log = self._store.waivers
        return log.find(WaiverQuery(filters=[asked], seq=log.seq(), now=to_us(self._now)))

    def _waivers(self, seq: int) -> list[Waiver]:
        found = {
            waiver.id: waiver
            for subject in self.subjects
            for waiver in self._find(WaiverFilter(subject=subject.identifier))
        }
        return [found[number] for number in sorted(found)]

    def _events(self, waivers: Iterable[Waiver]) -> Iterator[Row]:
        events = {event.id: event for each in waivers for event in self._store.waivers.of_waiver(each.id)}
        for number in sorted(events):
            before = GENESIS
            if number > 1:
                before = next(self._store.waivers.events(number - 2)).hash
            first = events[events[number].act.waiver or number]
            yield _event(events[number], first, before)

    def _waiver(self, each: Waiver, seq: int) -> Row:
        terms = each.terms
        return (
            each.id, *_scope(each.first), str(standing(each, seq, self._now)), each.username, each.proxied_by,
            ", ".join(each.approved_by) or None, each.comment, _maybe(each.granted_at),
            _maybe(each.expires_at), int(terms.lenient), int(terms.waived),
        )  # fmt: skip

    def _plans(self) -> Iterator[Row]:
        found = {
            (each.plan.name, each.version): each
            for subject in self.subjects
            for each in self._store.plans_for(subject.type, subject.identifier)
        }
        for version in found.values():
            plan = version.plan
            cases = [{"testcase": case.testcase, "title": case.title} for case in plan.cases]
            yield (
                plan.name, version.version, plan.item_type, plan.item, version.actor, _time(version.time),
                _json(cases),
            )  # fmt: skip

    def _recorded(self) -> Iterator[Row]:
        log = self._store.decisions
        types = self._gate.policies.subject_types
        for one in log.followed(subject.identifier for subject in self.subjects):
            if types.subject(*one.point.subject) in self.subjects:
                yield from map(_recorded, log.history(one.point, limit=one.number))

    def _decisions(self) -> Iterator[tuple[str, Decision]]:
        policies = self._gate.policies
        for subject in self.subjects:
            kind = policies.subject_types.find(subject.type)
            versions = self._wanted.product_versions or product_versions(kind, subject.identifier)
            for version in versions:
                for context in self._wanted.contexts or _contexts(policies, subject, version):
                    request = Request(
                        subjects=(subject,), product_version=version, contexts=(context,),
                        purposes=frozenset(self._purposes),
                    )  # fmt: skip
                    yield context, decide(self._gate, request)


def _contexts(policies: PolicySet, subject: Subject, version: str) -> list[str]:
    kind = policies.subject_types.find(subject.type)
    return [name for name in sorted(policies.contexts) if policies.applicable(kind, (name,), version)]


def _evidence(requirements: Iterable[Requirement]) -> Iterator[int]:
    for each in requirements:
        if each.result is not None:
            yield each.result.id
        yield from _evidence(each.parts)


def _result(one: StoredResult) -> Row:
    return (
        one.id, _time(one.time), one.outcome, one.testcase, one.item, one.item_type, one.scenario, one.arch,
        one.duration_s, one.note, one.ref_url, one.source, one.run, one.key, _json(dict(one.data)), one.seq,
        one.superseded_by, one.signature,
    )  # fmt: skip


def _event(event: WaiverEvent, first: WaiverEvent, before: str) -> Row:
    act = event.act
    return (
        event.id, _time(event.time), act.waiver, str(act.step), act.turn and str(act.turn), act.refused,
        act.username, act.proxied_by, act.via, act.comment, *_scope(first), event.seq, event.hash, before,
        _json(described(event)),
    )  # fmt: skip


def _scope(first: WaiverEvent) -> Row:
    terms = first.act.terms
    if terms is None:
        raise InvalidError(f"waiver event {first.id} has no terms")
    return (
        terms.subject_type, terms.subject, terms.testcase, terms.product_version, terms.scenario, terms.arch,
        terms.purpose and str(terms.purpose),
    )  # fmt: skip


def _decision(number: int, context: str, made: Decision) -> Row:
    (subject,), request = made.request.subjects, made.request
    return (
        number, _time(made.now), subject.type, subject.identifier, request.product_version, context,
        _json(sorted(map(str, request.purposes))), str(made.verdict), tell(made, verbose=True), made.as_of,
        made.digest, _json(decision_json.decision(made)),
    )  # fmt: skip


def _recorded(one: RecordedDecision) -> Row:
    subject, version, context = one.point
    return (
        one.id, _time(one.at), subject.type, subject.identifier, version, context, one.number, one.verdict,
        one.old_verdict, one.summary, _json(one.cause), one.as_of, one.digest, _json(one.proof),
    )  # fmt: skip


def _maybe(time: datetime | None) -> str | None:
    return None if time is None else _time(time)


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
