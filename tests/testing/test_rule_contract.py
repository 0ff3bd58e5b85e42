"""RuleContract: good types of rules pass; each faulty one is caught by its rule."""

from __future__ import annotations

import random
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ci_results import Requirement, RuleType, State, Weighing, hookimpl
from ci_results.decide import peers_rules
from ci_results.decide.choice_rules import AtLeast, AtLeastOptions
from ci_results.decide.trend_rules import NoNewFailures, NoNewFailuresOptions
from ci_results.domain.asked import Asked, LatestOf, Question
from ci_results.plugin import builtin
from ci_results.testing import RuleContract


class TestPassingTestCase(RuleContract):
    rule = peers_rules.PassingTestCase()
    options = peers_rules.TestcaseOptions(test_case_name="team.smoke")
    plugin = builtin


class TestAtLeast(RuleContract):
    rule = AtLeast()
    options = AtLeastOptions(at_least=2, testcases=("team.a", "team.b", "team.c"))
    plugin = builtin


class TestNoNewFailures(RuleContract):
    rule = NoNewFailures()
    options = NoNewFailuresOptions(testcases=("team.a", "team.*"))
    plugin = builtin


@dataclass(frozen=True, kw_only=True)
class Options:
    testcases: tuple[str, ...] = ("team.a", "team.b")


class Both(RuleType[Options]):
    """Requires both; every way to break a rule is an override."""

    name = "BothRule"
    options = Options

    def questions(self, options: Options, asked: Asked) -> Iterator[Question]:
        for testcase in options.testcases:
            yield LatestOf(asked.subject, testcase)

    def judge(self, options: Options, weighing: Weighing) -> Iterator[Requirement]:
        for testcase in options.testcases:
            found = weighing.latest(testcase)
            yield weighing.tested(found[0]) if found else weighing.missing(testcase)


class Plain(Both):
    def testcases(self, options: Options) -> tuple[str, ...]:
        return options.testcases

    def plain(self, options: Options) -> bool:
        return True


class Silent(Plain):
    """Would never be given what it needs."""

    def testcases(self, options: Options) -> tuple[str, ...]:
        return ("team.a",)


class Lower(Both):
    name = "bothRule"


class Forgetful(Both):
    def questions(self, options: Options, asked: Asked) -> Iterator[Question]:
        yield LatestOf(asked.subject, f"team.{random.random()}")


class Moody(Both):
    def judge(self, options: Options, weighing: Weighing) -> Iterator[Requirement]:
        yield weighing.told(State.WAITING, "mood", f"{random.random()}")


class Greedy(Both):
    def judge(self, options: Options, weighing: Weighing) -> Iterator[Requirement]:
        yield weighing.tested(weighing.latest("team.a")[0])


class Contrary(Both):
    def judge(self, options: Options, weighing: Weighing) -> Iterator[Requirement]:
        passed = weighing.latest("team.b")
        yield weighing.told(State.FAILED if passed else State.PASSED, "contrary", "the fewer the better")


class Honest(Contrary):
    def monotonic(self, options: Options) -> bool:
        return False


@dataclass
class Loose:
    testcases: tuple[str, ...] = ("team.a",)


class Changing(Both):
    options = Loose


def broken_rules(rule: RuleType[Any], options: Any, offered: Callable[[], Any]) -> set[str]:
    plugin = types.ModuleType("faulty_rules")
    plugin.register_rules = offered  # type: ignore[attr-defined]
    case = type("Case", (RuleContract,), {"rule": rule, "options": options, "plugin": plugin})()
    broken = set()
    for name in [name for name in dir(case) if name.startswith("test_")]:
        try:
            getattr(case, name)()
        except AssertionError:
            broken.add(name.removeprefix("test_"))
    return broken


@pytest.mark.parametrize(
    ("rule", "caught"),
    [
        (Both(), set()),
        (Honest(), set()),
        (Plain(), set()),
        (Silent(), {"a_plain_rule_asks_for_its_testcases_alone"}),
        (Lower(), {"the_name_is_a_tag"}),
        (Changing(), {"options_cannot_change"}),
        (Forgetful(), {"the_same_is_asked_again"}),
        (Moody(), {"the_same_facts_give_the_same_requirements"}),
        (Greedy(), {"the_same_facts_give_the_same_requirements"}),
        (Contrary(), {"one_more_passed_result_never_closes_the_gate"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_fault_is_caught_by_its_rule(rule: RuleType[Any], caught: set[str]) -> None:
    assert broken_rules(rule, rule.options(), hookimpl(lambda: [rule])) == caught


def test_a_type_that_no_hook_offers_is_caught() -> None:
    unmarked = broken_rules(Both(), Options(), lambda: [Both()])
    assert unmarked == {"hooks_are_spelt_and_marked", "a_hook_offers_the_type"}
