"""A page is sorted out at once as its results would be one by one; digests stay what they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_results import Run
from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.store.identity import to_us
from ci_results.store.sorting import Commons, numbered
from ci_results.store.sqlite import SqliteStore

START = datetime(2026, 1, 1, tzinfo=UTC)
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A folder where a hundred commits need no disk."""


def result(**fields: Any) -> Result:
    given = {
        "source": "ci", "key": "k", "testcase": "a.b", "outcome": "PASSED", "item": "bash-5-1",
        "item_type": "koji_build", "data": {},
    }  # fmt: skip
    return Result(**(given | fields))


@pytest.mark.parametrize(
    ("one", "digest"),
    [
        (result(), -5489724397197046566),
        (
            result(
                run=Run(key="rpm/bash#7", ref_url="https://ci.example/7", data={"job": "rpm/bash"}),
                data={"z": ("1",), "parent": ("overall",)}, duration_s=1.5, note="ž", groups=("g",),
                submit_time=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=5),
            ),
            5444223079606970241,
        ),
    ],
    ids=["alone", "of a run"],
)  # fmt: skip
def test_digests_are_those_that_stores_hold_already(one: Result, digest: int) -> None:
    found = numbered([one], Commons())
    assert found.digests == (digest,)
    assert found.claimed == [one.submit_time and to_us(one.submit_time)]


def test_the_identities_of_one_run_lie_together() -> None:
    runs = [Run(key="one"), Run(key="two")]
    found = numbered([result(key=f"k{n}", run=runs[n % 2]) for n in range(100)], Commons())
    upper = [identity >> 32 for identity in found.identities]
    assert set(upper[::2]) == {upper[0]}
    assert set(upper[1::2]) == {upper[1]}
    assert upper[0] != upper[1]
    assert len(set(found.identities)) == 100


RESULTS = st.lists(
    st.builds(
        result,
        key=st.sampled_from("ab"),
        testcase=st.sampled_from(["t.a", "t.b"]),
        outcome=st.sampled_from(["RUNNING", "PASSED", "FAILED"]),
        run=st.sampled_from([None, Run(key="r"), Run(key="r", data={"x": "1"}), Run(key="s")]),
        submit_time=st.sampled_from([START, START + timedelta(days=1), START + timedelta(days=2)]),
        item=st.sampled_from(["bash-5-1", "zsh-5-1"]),
        arch=st.sampled_from([None, "x86_64"]),
        data=st.sampled_from([{}, {"parent": ("p",)}, {"parent": ("p",), "stage": ("1", "2")}]),
        duration_s=st.sampled_from([None, 0.5]),
        note=st.sampled_from([None, "said"]),
        groups=st.sampled_from([(), ("g", "h")]),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(before=RESULTS, results=RESULTS)
def test_a_page_at_once_gives_what_its_results_give_one_by_one(
    before: list[Result], results: list[Result]
) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
        together, singly = (SqliteStore.open(Path(folder) / f"{name}.db") for name in ("together", "singly"))
        with together, singly:
            for store in (together, singly):
                store.commit_page(Page(source="ci", results=before))
            told = together.commit_page(Page(source="ci", results=results, tell_ids=True))
            one_by_one = [singly.commit_page(Page(source="ci", results=[one])) for one in results]
            for name in ("stored", "same", "superseding"):
                assert getattr(told, name) == sum(getattr(each, name) for each in one_by_one)
            for one, number in zip(results, told.ids, strict=True):
                stored = together.result(number)
                assert (stored.key, stored.run) == (one.key, one.run and one.run.key)
                assert (stored.outcome, stored.testcase) == (one.outcome, one.testcase)
            assert list(together.dump(portable=True)) == list(singly.dump(portable=True))
            assert together.check() == singly.check() == []
