"""The `tree=` language, as a real Jenkins answers it."""

from __future__ import annotations

from typing import Any

import pytest
from ci_results_jenkins.tree import parse, select

BODY: dict[str, Any] = {
    "_class": "Job",
    "name": "bash",
    "builds": [{"_class": "B", "number": n, "url": "u"} for n in (5, 4, 3, 2, 1)],
    "last": {"number": 5, "url": "u"},
    "empty": None,
}


def ask(tree: str) -> Any:
    return select(BODY, parse(tree), lambda name, entry, holder: entry)


@pytest.mark.parametrize(
    ("tree", "answer"),
    [
        ("name", {"_class": "Job", "name": "bash"}),
        ("nmae", {"_class": "Job"}),
        ("last[number],empty", {"_class": "Job", "last": {"number": 5}, "empty": None}),
        ("last", {"_class": "Job", "last": {"number": 5, "url": "u"}}),
    ],
)
def test_only_what_is_asked_for_comes(tree: str, answer: Any) -> None:
    assert ask(tree) == answer


@pytest.mark.parametrize(
    ("ranged", "numbers"),
    [("{0,2}", [5, 4]), ("{3,}", [2, 1]), ("{,1}", [5]), ("{1}", [4]), ("{7,9}", []), ("", [5, 4, 3, 2, 1])],
)
def test_a_range_cuts_a_list(ranged: str, numbers: list[int]) -> None:
    assert [build["number"] for build in ask(f"builds[number]{ranged}")["builds"]] == numbers


@pytest.mark.parametrize("tree", ["a[b", "a]", "[a]", "a{2,1}", "a{x}", "a{}", "a;b"])
def test_what_jenkins_cannot_read_is_refused(tree: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(tree)
