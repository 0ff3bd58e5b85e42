from __future__ import annotations

import pytest

from ci_results.domain.ownership import Owner, Ownership
from ci_results.domain.permission import Permission
from ci_results.errors import InvalidError

OURS = Ownership(
    owned=Permission(testcases=("baseos.*", "general.rpmlint")),
    where="ci-results.toml: [source.baseos] owns",
    others=[
        Owner(source="kernel", owned=Permission(testcases=("kernel.*",)), who="kernel-qe@example.com"),
        Owner(source="perf", owned=Permission(testcases=("*.speed",))),
    ],
)


@pytest.mark.parametrize("testcase", ["baseos.tier1", "baseos.a.b/c", "general.rpmlint"])
def test_what_is_owned_is_let_in(testcase: str) -> None:
    OURS.check(testcase)


@pytest.mark.demand("S-043")
@pytest.mark.parametrize(
    ("testcase", "whose"),
    [
        ("kernel.tier1", ", it belongs to source kernel (kernel-qe@example.com);"),
        ("kernel.speed", ", it belongs to source kernel (kernel-qe@example.com) and source perf;"),
        ("general.rpmlint2", ");"),
        ("baseos", ");"),
        ("Baseos.tier1", ");"),
    ],
)
def test_what_is_not_says_whose_it_is_and_what_to_change(testcase: str, whose: str) -> None:
    with pytest.raises(InvalidError) as caught:
        OURS.check(testcase)
    assert whose in str(caught.value)
    assert str(caught.value).endswith("if it should be, add it to ci-results.toml: [source.baseos] owns")
