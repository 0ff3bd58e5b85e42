from __future__ import annotations

import doctest
from dataclasses import replace

import pytest

from ci_results.domain import plan as module
from ci_results.domain.plan import MAX_CASES, Plan, PlanCase, check_plan_name, required
from ci_results.errors import InvalidError


def plan(*testcases: str, name: str = "beta", item: str = "Fedora-44-20260301.0") -> Plan:
    cases = tuple(PlanCase(testcase=testcase) for testcase in testcases or ("desktop.login",))
    return Plan(name=name, item_type="compose", item=item, cases=cases)


def test_the_examples_are_true() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("item", "asked", "applies"),
    [
        ("Fedora-44-20260301.0", "Fedora-44-20260301.0", True),
        ("Fedora-44-20260301.0", "Fedora-44-20260301x0", False),
        ("Fedora-44-20260301.0", "Fedora-44-20260301.0.1", False),
        ("Fedora-44-*", "Fedora-44-20260301.0", True),
        ("Fedora-44-*", "xFedora-44-20260301.0", False),
        ("*-44-*", "Fedora-44-1", True),
        ("*", "", True),
        ("job[a]#*", "job[a]#1", True),
        ("job[a]#*", "joba#1", False),
        ("job?", "jobs", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "axbxbxc", True),
        ("a*bc*c", "abc", False),
        ("a**c", "ac", True),
    ],
)
def test_a_plan_applies_to_its_item_where_a_star_is_any_run_of_characters(
    item: str, asked: str, applies: bool
) -> None:
    assert plan(item=item).applies_to("compose", asked) is applies
    assert not plan(item=item).applies_to("koji_build", asked)
    assert plan(item=item).is_for_one is ("*" not in item)


def test_a_pattern_of_many_stars_is_answered_at_once() -> None:
    assert not plan(item="a*" * 8 + "b").applies_to("compose", "a" * 60)


@pytest.mark.demand("S-134")
def test_what_is_required_of_an_item_is_told_by_plan() -> None:
    plans = [plan("a.b", "c.d"), plan("e.f", name="all", item="Fedora-*"), plan(name="other", item="x")]
    assert required(plans, "compose", "Fedora-44-20260301.0") == {"beta": ("a.b", "c.d"), "all": ("e.f",)}


@pytest.mark.parametrize("name", ["", "-a", ".a", "a/b", "a b", "ž", "a.json", "x" * 101, "a\n"])
def test_a_plan_has_a_name_that_fits_into_addresses(name: str) -> None:
    with pytest.raises(InvalidError, match="plan name"):
        check_plan_name(name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"item": " "}, "item is empty"),
        ({"item_type": ""}, "item_type is empty"),
        ({"item": "a\nb"}, "unprintable"),
        ({"item": "x" * 1025}, "longer than"),
        ({"cases": ()}, "1 to 1000 testcases, not 0"),
        ({"cases": (PlanCase(testcase="a.b"),) * 2}, "twice"),
        ({"cases": tuple(PlanCase(testcase=f"a.{n}") for n in range(MAX_CASES + 1))}, "not 1001"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        replace(plan(), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("testcase", "login", "namespace"),
        ("title", "a\nb", "unprintable"),
        ("owner", "\ud800", "unprintable"),
        ("contact", "x" * 1025, "longer than"),
        ("steps", "a\0b", "NUL"),
        ("steps", "\ud800", "surrogate"),
        ("steps", "x" * 65_537, "longer than"),
        ("ref_url", "javascript:alert(1)", "http"),
        ("ref_url", "https://a b\n", "unprintable"),
    ],
)
def test_a_case_that_breaks_a_rule_is_refused(field: str, value: str, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        replace(PlanCase(testcase="a.b"), **{field: value})  # type: ignore[arg-type]
