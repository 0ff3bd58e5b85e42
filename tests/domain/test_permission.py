from __future__ import annotations

import pytest

from ci_results.domain.permission import Permission, covering, ruling


def permission(*testcases: str, users: str = "", groups: str = "", ignore: str = "") -> Permission:
    return Permission(
        testcases=testcases,
        testcases_ignore=tuple(ignore.split()),
        users=frozenset(users.split()),
        groups=frozenset(groups.split()),
    )


@pytest.mark.parametrize(
    ("glob", "testcase", "covered"),
    [
        ("baseos.*", "baseos.tier1", True),
        ("baseos.*", "baseos.tier1/a/b.c", True),
        ("baseos.*", "baseos", False),
        ("baseos.*", "xbaseos.tier1", False),
        ("*", "", True),
        ("*", "a\nb", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", True),
        ("a?c", "ac", False),
        ("a[bd]c", "adc", True),
        ("a[!bd]c", "adc", False),
        ("a[!bd]c", "axc", True),
        ("A*", "abc", False),
        ("a.c", "abc", False),
        ("a[", "a[", True),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_globs_are_the_shells(glob: str, testcase: str, covered: bool) -> None:
    assert permission(glob).covers(testcase) is covered
    assert permission("nothing", glob).covers(testcase) is covered


def test_a_permission_without_globs_covers_nothing() -> None:
    assert not permission(users="jdoe").covers("baseos.tier1")
    assert not permission(users="jdoe").covers("")


def test_what_is_ignored_is_left_out() -> None:
    ours = permission("baseos.*", ignore="baseos.secret.* *.tmp")
    assert ours.covers("baseos.tier1")
    assert not ours.covers("baseos.secret.x")
    assert not ours.covers("baseos.x.tmp")


def test_many_stars_are_matched_in_no_time() -> None:
    assert not permission("*a" * 40 + "b").covers("a" * 1000)


def test_whoever_is_named_in_any_permission_that_covers_it_is_allowed() -> None:
    permissions = [permission("*", groups="qe"), permission("x.*", users="jdoe")]
    assert ruling(permissions, "jdoe", "x.y").named
    assert not ruling(permissions, "jdoe", "z.y").named
    assert not ruling(permissions, "JDOE", "x.y").named


def test_groups_of_all_permissions_that_cover_it_are_joined() -> None:
    permissions = [
        permission("x.*", groups="qe dev"),
        permission("*", groups="all"),
        permission("y", groups="no"),
    ]
    assert ruling(permissions, "jdoe", "x.y") == (False, {"qe", "dev", "all"})


def test_no_permission_names_nobody() -> None:
    assert ruling([], "jdoe", "x.y") == (False, set())


def test_those_over_a_testcase_keep_their_order() -> None:
    first, second, third = permission("*"), permission("a"), permission("a*")
    assert covering([first, second, third], "ab") == [first, third]
