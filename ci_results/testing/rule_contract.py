"""RuleContract: inherit it, and pytest holds a type of rules to all that decisions rely on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, ClassVar

from ..decide.judge import asked_of, judge, questions
from ..decide.policy_set import PolicySet
from ..domain.asked import LatestOf, Request
from ..domain.decision import Requirement, Verdict
from ..domain.facts import Evidence, Facts
from ..domain.policy import Place, Policy, Rule
from ..domain.rule import RuleType
from ..domain.subject import Subject
from .hooks import modules_of
from .lessons import broken
from .plugin_rules import check_hooks, check_offered, check_options

_TAG = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class RuleContract:
    """The rules of a type of rules, each a test named as the rule.

        class TestWeekday(RuleContract):
            rule = Weekday()
            options = WeekdayOptions()

    `subject` is decided about; `facts` may be overridden to know more than results.
    """

    rule: ClassVar[RuleType[Any]]
    options: ClassVar[Any]
    subject: ClassVar[Subject] = Subject("koji_build", "bash-5.2.26-3.fc40")
    plugin: ClassVar[ModuleType | None] = None

    def facts(self, latest: Mapping[str, Sequence[Evidence]]) -> Facts:
        """Return what is known, with these latest results of the subject by testcase."""
        return Facts(as_of=1, now=_NOW, latest={self.subject: latest})

    def test_the_name_is_a_tag(self) -> None:
        """Letters and digits, a capital first: it is written as !WeekdayRule."""
        if not isinstance(self.rule.name, str) or not _TAG.fullmatch(self.rule.name):
            raise broken("tag", f"name of {type(self.rule).__name__} is {self.rule.name!r}")

    def test_options_cannot_change(self) -> None:
        """A frozen dataclass of values that cannot change either."""
        check_options(self.rule, self.options)

    def test_hooks_are_spelt_and_marked(self) -> None:
        """A function meant as a hook carries @hookimpl and a name that the core calls."""
        check_hooks(modules_of(self.rule, self.plugin))

    def test_a_hook_offers_the_type(self) -> None:
        """register_rules gives it to the core."""
        check_offered(modules_of(self.rule, self.plugin), "register_rules", self.rule)

    def test_the_same_is_asked_again(self) -> None:
        """questions() gives values that follow from the options and the subject alone."""
        first, second = (questions(self._policies(), self._request()) for _ in range(2))
        if first != second:
            raise broken("asks", f"asked twice, it wants {first} and then {second}")

    def test_a_plain_rule_asks_for_its_testcases_alone(self) -> None:
        """questions() of a type that says it is plain() are the latest results of testcases()."""
        if not self.rule.plain(self.options):
            return
        (asked,) = asked_of(self._policies(), self._request(), self.subject, ("contract",))
        wanted = {LatestOf(self.subject, name) for name in self.rule.testcases(self.options)}
        found = set(self.rule.questions(self.options, asked))
        if found != wanted:
            raise broken("plain", f"it asks {found}, and its testcases are {wanted}")

    def test_the_same_facts_give_the_same_requirements(self) -> None:
        """judge() is a pure function; where nothing is known it says so instead of raising."""
        for latest in ({}, self._passed()):
            first, second = (self._judged(latest) for _ in range(2))
            if first != second:
                raise broken("judges", f"judged twice, it requires {first} and then {second}")
            for each in first:
                if each.said and " broke: " in each.said:
                    raise broken("judges", each.said)

    def test_one_more_passed_result_never_closes_the_gate(self) -> None:
        """A type whose gate a passed result may close says so in monotonic()."""
        if not self.rule.monotonic(self.options):
            return
        passed = self._passed()
        for name in ["", *passed]:
            some = {other: results for other, results in passed.items() if other < name}
            more = {other: results for other, results in passed.items() if other <= name}
            if self._opens(some) and not self._opens(more):
                raise broken("monotonic", f"a passed result of {name} closed the gate")

    def _passed(self) -> dict[str, Sequence[Evidence]]:
        """Return a passed result of each testcase that it asks for."""
        asked = questions(self._policies(), self._request()).latest.get(self.subject, frozenset())
        return {name: (Evidence(n, name, "PASSED", _NOW),) for n, name in enumerate(sorted(asked), 1)}

    def _judged(self, latest: Mapping[str, Sequence[Evidence]]) -> list[Requirement]:
        return list(judge(self._policies(), self._request(), self.facts(latest)).requirements)

    def _opens(self, latest: Mapping[str, Sequence[Evidence]]) -> bool:
        return all(each.verdict is Verdict.GO for each in self._judged(latest))

    def _policies(self) -> PolicySet:
        place = Place("contract.yaml", 1)
        policy = Policy(
            id="contract",
            product_versions=("*",),
            decision_contexts=("contract",),
            subject_types=(self.subject.type,),
            rules=(Rule(type=self.rule, options=self.options, place=place),),
            place=place,
            digest="",
        )
        return PolicySet([policy], {self.rule.name: self.rule})

    def _request(self) -> Request:
        return Request(subjects=(self.subject,), product_version="fedora-40", contexts=("contract",))
