"""Taking rules out of an !ExperimentalRule in the text of a file: what is written, and what stays."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.decide.promoting import promote, watched
from ci_results.decide.reading import read_policies
from ci_results.errors import InvalidError

from .making import TYPES

HEAD = """\
# Policies of the example.
--- !Policy
id: push
product_versions: ['*']
decision_context: push
subject_type: koji_build
"""


def one(name: str) -> str:
    return f"!PassingTestCaseRule {{test_case_name: ns.{name}}}"


BLOCK = f"""{HEAD}rules:
- {one("a")}   # stays
# watched since May
- !ExperimentalRule
  # a reason
  rules:
  # about b
  - {one("b")}  # new

  - !PassingTestCaseRule
    test_case_name: "ns.c"   # c
    scenario: uefi
  # at the end
- {one("d")}
"""
FLOW = f"""{HEAD}rules:
  - {one("a")}
  - !ExperimentalRule {{rules: [{one("b")}, {one("c")}, {one("d")}]}}
  - {one("e")}
"""
ALL_FLOW = f"{HEAD}rules: [{one('a')}, !ExperimentalRule {{rules: [{one('b')}, {one('c')}]}}]\n"
TWO = f"""{HEAD}rules:
- !ExperimentalRule
  rules: [{one("b")},
    {one("c")}]
- !ExperimentalRule
  rules:
  - {one("e")}
--- !Policy
id: other
product_versions: ['*']
decision_context: push
subject_type: koji_build
rules:
- !ExperimentalRule
  rules:
      - {one("x")}
      - {one("y")}"""
CRLF = BLOCK.replace("\n", "\r\n")


def promoted(text: str, *testcases: str) -> str:
    found = watched(read_policies("x.yaml", text.encode(), TYPES, []))
    chosen = [each for each in found if set(each.testcases) & {f"ns.{name}" for name in testcases}]
    assert len(chosen) == len(testcases)
    return promote("x.yaml", text.encode(), TYPES, chosen).decode()


def test_one_rule_goes_behind_those_that_are_still_watched_with_its_comments() -> None:
    assert promoted(BLOCK, "b") == BLOCK.replace(f"  # about b\n  - {one('b')}  # new\n", "").replace(
        "  # at the end\n", f"# about b\n- {one('b')}  # new\n  # at the end\n"
    )


def test_where_all_are_promoted_nothing_is_left_of_the_rule_but_its_comments() -> None:
    assert promoted(BLOCK, "b", "c") == (
        f"{HEAD}rules:\n- {one('a')}   # stays\n# watched since May\n# a reason\n"
        f"# about b\n- {one('b')}  # new\n"
        '- !PassingTestCaseRule\n  test_case_name: "ns.c"   # c\n  scenario: uefi\n'
        f"  # at the end\n- {one('d')}\n"
    )


def test_a_list_on_one_line_is_changed_on_that_line() -> None:
    assert promoted(FLOW, "c") == FLOW.replace(f"{one('c')}, ", "").replace(
        f"  - {one('e')}", f"  - {one('c')}\n  - {one('e')}"
    )
    assert promoted(ALL_FLOW, "b", "c") == f"{HEAD}rules: [{one('a')}, {one('b')}, {one('c')}]\n"
    assert promoted(ALL_FLOW, "c") == (
        f"{HEAD}rules: [{one('a')}, !ExperimentalRule {{rules: [{one('b')}]}}, {one('c')}]\n"
    )


def test_line_ends_stay_as_they_are() -> None:
    for chosen in ("b", "bc"):
        assert promoted(CRLF, *chosen) == promoted(BLOCK, *chosen).replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text", [BLOCK, FLOW, ALL_FLOW, TWO, CRLF], ids=["block", "flow", "all", "two", "crlf"]
)
def test_every_choice_makes_what_it_says_and_nothing_else(text: str) -> None:
    found = watched(read_policies("x.yaml", text.encode(), TYPES, []))
    for count in range(1, len(found) + 1):
        for chosen in combinations(found, count):
            new = promote("x.yaml", text.encode(), TYPES, chosen)  # which reads it again and compares
            left = watched(read_policies("x.yaml", new, TYPES, []))
            names = {each.testcases for each in chosen}
            assert {each.testcases for each in left} == {each.testcases for each in found} - names
            for comment in ("# Policies of", "# stays", "# about b", "# c", "# at the end"):
                assert new.decode().count(comment) == text.count(comment)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}rules:\n- &x !ExperimentalRule\n  rules: [{one('b')}]\n- !ExperimentalRule\n  <<: *x\n",
        f"{HEAD}rules:\n- !ExperimentalRule\n  rules: &r\n  - {one('b')}\n- !PackagesRule\n  rules: *r\n",
        f"{HEAD}rules:\n-\n  !ExperimentalRule\n  rules:\n  - {one('b')}\n",
    ],
    ids=["merged", "anchor", "dash on its own line"],
)
def test_what_cannot_be_changed_for_certain_is_refused_with_its_place(text: str) -> None:
    found = watched(read_policies("x.yaml", text.encode(), TYPES, []))
    with pytest.raises(InvalidError, match=r"move by hand the rules at x.yaml:\d+"):
        promote("x.yaml", text.encode(), TYPES, found)


rules = st.sampled_from(["b", "c", "d", "e"])


@given(
    st.lists(rules, min_size=1, max_size=4, unique=True),
    st.sets(rules, min_size=1),
    st.sampled_from(["", "  "]),
    st.sampled_from(["  ", "    "]),
    st.sampled_from(["", "\n", "\n    # between\n"]),
    st.booleans(),
)
def test_however_it_is_indented_it_is_changed_or_refused(
    names: list[str], chosen: set[str], outer: str, inner: str, between: str, flow: bool
) -> None:
    if flow:
        listed = f" [{', '.join(map(one, names))}]\n"
    else:
        listed = "\n" + between.join(f"{outer}{inner}- {one(name)}\n" for name in names)
    text = f"{HEAD}rules:\n{outer}- !ExperimentalRule\n{outer}  rules:{listed}{outer}- {one('z')}\n"
    found = watched(read_policies("x.yaml", text.encode(), TYPES, []))
    wanted = [each for each in found if set(each.testcases) & {f"ns.{name}" for name in chosen}]
    if wanted:
        new = promote("x.yaml", text.encode(), TYPES, wanted).decode()
        assert new.count("# between") == text.count("# between")
