"""Concerning: which gating points a page of news is about, and what was new for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ..decide.concerned import concerned, product_versions
from ..domain.recorded import Followed, GatingPoint, News, ResultNews
from ..domain.subject import Subject
from .gate import Gate

_REMEMBERED = 20_000


@dataclass(slots=True)
class Cause:
    """What was new for one gating point, and how it stood before."""

    before: Followed
    counts: Counter[str] = field(default_factory=Counter)
    testcases: set[str] = field(default_factory=set)

    def told(self) -> dict[str, object]:
        """Return it as JSON: {"results": 3, "testcase": "dist.rpmlint"}; of several testcases none."""
        said: dict[str, object] = dict(self.counts)
        if len(self.testcases) == 1:
            (testcase,) = self.testcases
            said["testcase"] = testcase
            if set(self.counts) == {"waivers"}:
                said["waiver"] = testcase
        return said


@dataclass(frozen=True, slots=True)
class _Touched:
    """A fact about a subject: its kind, the testcase it is about (None = any), known product versions."""

    kind: str
    testcase: str | None
    versions: tuple[str, ...] = ()


class Concerning:
    """Finds gating points: those that policies make of a subject, and those that are followed already."""

    def __init__(self, gate: Gate) -> None:
        self._gate, self._policies = gate, gate.policies
        self._types = gate.policies.subject_types
        self._points = lru_cache(_REMEMBERED)(self._points_of)

    def news(self, news: News) -> dict[GatingPoint, Cause]:
        """Return the gating points that a page concerns, those of a subject together."""
        touched: dict[Subject, dict[_Touched, int]] = {}
        for subject, fact in self._facts(news):
            each = touched.setdefault(subject, {})
            each[fact] = each.get(fact, 0) + 1
        known: dict[Subject, list[Followed]] = {}
        if touched:
            identifiers = {subject.identifier for subject in touched}
            for one in self._gate.store.decisions.followed(identifiers):
                known.setdefault(one.point.subject, []).append(one)
        found: dict[GatingPoint, Cause] = {}
        for subject, facts in touched.items():
            self._subject(subject, facts, known.get(subject, []), found)
        return found

    def again(self, points: Iterable[Followed], why: str) -> dict[GatingPoint, Cause]:
        """Return gating points that are looked at again for another reason than news."""
        return {one.point: Cause(one, Counter({why: 1})) for one in sorted(points)}

    def _facts(self, news: News) -> Iterator[tuple[Subject, _Touched]]:
        for result in news.results:
            yield self._tested(result), _Touched("results", result.testcase)
        for waiver in news.waivers:
            subject = self._types.subject(*waiver.subject)
            yield subject, _Touched("waivers", waiver.testcase, (waiver.product_version,))
        for event in news.events:
            yield self._types.subject(*event.subject), _Touched("events", None, event.product_versions)
        for plan in news.plans:
            if "*" not in plan.item:
                yield self._types.subject(plan.item_type, plan.item), _Touched("plans", None)

    def _tested(self, result: ResultNews) -> Subject:
        """Return the subject of a result, as Greenwave makes it of its data. Obeys COMPAT 3.8."""
        single = {key: values[0] for key, values in result.data.items() if len(values) == 1}
        given = {**single, "type": result.item_type, "item": result.item}
        return self._types.detect(given) or self._types.subject(result.item_type, result.item)

    def _subject(
        self,
        subject: Subject,
        facts: Mapping[_Touched, int],
        known: list[Followed],
        found: dict[GatingPoint, Cause],
    ) -> None:
        kind = self._types.find(subject.type)
        told = product_versions(kind, subject.identifier)
        followed = {one.point: one for one in known}
        versions = {*told, *(one.point.product_version for one in known)}
        for fact, times in facts.items():
            asked = tuple(sorted(versions | set(fact.versions)))
            for context, version in self._points(subject.type, fact.testcase, asked):
                point = GatingPoint(subject, version, context)
                cause = found.get(point)
                if cause is None:
                    cause = found[point] = Cause(followed.get(point) or Followed(point))
                cause.counts[fact.kind] += times
                if fact.testcase is not None:
                    cause.testcases.add(fact.testcase)

    def _points_of(self, kind: str, testcase: str | None, versions: tuple[str, ...]) -> list[tuple[str, str]]:
        """Return (context, product version) of the decisions that may change."""
        named = self._types.find(kind)
        return [
            (context, version)
            for context, version in concerned(self._policies, named, testcase, versions)
            if self._policies.applicable(named, (context,), version)
        ]
