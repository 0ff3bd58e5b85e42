"""Which results a rule of ours counts: by testcase, scenario, architecture, attributes, age, origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ..domain.asked import LatestLike, LatestOf, Question
from ..domain.facts import Evidence
from ..domain.policy import globs, is_glob
from ..domain.subject import Subject
from ..domain.weighing import Weighing


@dataclass(frozen=True, slots=True, kw_only=True)
class Picking:
    """Conditions on results, all of which must hold; an empty one asks nothing.

    testcases  names, or shell globs
    data       values by attribute, any of which the result must have
    max_age    a result that is older when the decision is made does not count
    imported   False: a copy of what another system had does not count
    """

    testcases: tuple[str, ...]
    scenario: str | None = None
    arch: str | None = None
    data: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    max_age: timedelta | None = None
    imported: bool = True

    @property
    def picky(self) -> bool:
        """Whether a newer result may not count though an older one did."""
        return bool(self.data) or self.max_age is not None or not self.imported

    def questions(self, subject: Subject) -> Iterable[Question]:
        """Yield what must be read."""
        for testcase in self.testcases:
            if is_glob(testcase):
                yield LatestLike(subject, testcase)
            else:
                yield LatestOf(subject, testcase)

    def pick(self, weighing: Weighing) -> dict[str, list[Evidence]]:
        """Return the results that count by testcase, in the order of the rule, then by name.

        A testcase that is named is there, with no result if there is none; what a glob matches is
        there only if it has results.
        """
        found: dict[str, list[Evidence]] = {}
        for testcase in self.testcases:
            if is_glob(testcase):
                matches = globs((testcase,))
                for name, results in sorted(weighing.all_latest().items()):
                    if results and matches(name) and name not in found:
                        found[name] = self._counted(results, weighing)
            else:
                found[testcase] = self._counted(weighing.latest(testcase), weighing)
        return found

    def why_not(self, testcase: str, weighing: Weighing) -> str | None:
        """Say why the results that a testcase has do not count; None where it has none."""
        for result in weighing.latest(testcase):
            if result.imported and not self.imported:
                return f"result {result.id} is a copy of what another system had, which does not count"
            if self.max_age is not None and weighing.facts.now - result.time > self.max_age:
                return f"result {result.id} of {result.time:%Y-%m-%d %H:%M} UTC is too old to count"
            return f"result {result.id} is of another scenario, architecture or attribute"
        return None

    def _counted(self, results: Sequence[Evidence], weighing: Weighing) -> list[Evidence]:
        return [result for result in results if self._counts(result, weighing)]

    def _counts(self, result: Evidence, weighing: Weighing) -> bool:
        if self.scenario is not None and result.scenario != self.scenario:
            return False
        if self.arch is not None and result.arch != self.arch:
            return False
        if result.imported and not self.imported:
            return False
        if self.max_age is not None and weighing.facts.now - result.time > self.max_age:
            return False
        return all(set(result.data.get(key, ())) & set(values) for key, values in self.data.items())
