"""The `tree=` language, as a real Jenkins answers it."""

from __future__ import annotations

from typing import Any

import pytest
from ci_results_jenkins.tree import parse, select

BODY: dict[str, Any] = {
    "_class": "Job",
    "name": "bash",
    "builds": [{"_class": "B", "number": n, "url": "u"} for n in (5, 4, 3, 2, 1)],
    "last": {"_class": "B", "number": 5, "url": "u", "run": {"_class": "R", "number": 5}},
    "empty": None,
}


def ask(tree: str) -> Any:
    return select(BODY, parse(tree), lambda name, entry, holder: entry)


@pytest.mark.parametrize(
    ("tree", "answer"),
    [
        ("name", {"_class": "Job", "name": "bash"}),
        ("nmae", {"_class": "Job"}),
        ("last[number],empty", {"_class": "Job", "last": {"_class": "B", "number": 5}, "empty": None}),
        (
            "last[run[number]]",
            {"_class": "Job", "last": {"_class": "B", "run": {"_class": "R", "number": 5}}},
        ),
        ("name[x]", {"_class": "Job", "name": "bash"}),
        ("", BODY),
    ],
)
def test_only_what_is_asked_for_comes(tree: str, answer: Any) -> None:
    assert ask(tree) == answer


def test_an_object_without_brackets_comes_empty() -> None:
    """So a question that lacks them finds nothing here either, not only at a real master."""
    assert ask("last,builds{0,1}") == {"_class": "Job", "builds": [{"_class": "B"}], "last": {"_class": "B"}}


def test_a_star_asks_for_all_fields() -> None:
    assert ask("last[*]")["last"] == {"_class": "B", "number": 5, "url": "u", "run": {"_class": "R"}}


def test_fields_come_in_the_order_of_the_document() -> None:
    assert list(ask("empty,builds[url,number],name")) == ["_class", "name", "builds", "empty"]


@pytest.mark.parametrize(
    ("ranged", "numbers"),
    [("{0,2}", [5, 4]), ("{3,}", [2, 1]), ("{,1}", [5]), ("{1}", [4]), ("{7,9}", []), ("", [5, 4, 3, 2, 1])],
)
def test_a_range_cuts_a_list(ranged: str, numbers: list[int]) -> None:
    assert [build["number"] for build in ask(f"builds[number]{ranged}")["builds"]] == numbers


@pytest.mark.parametrize(
    "tree",
    [
        "a[b",
        "a]",
        "[a]",
        "a[]",
        "a[b]]",
        "a,,b",
        "a,",
        ",a",
        "a b",
        "a[b]c",
        "a[b}",
        "a{2,1}",
        "a{x}",
        "a{}",
        "a{1}{2}",
        "a{1",
        "a;b",
    ],
)
def test_what_jenkins_cannot_read_is_refused(tree: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(tree)
