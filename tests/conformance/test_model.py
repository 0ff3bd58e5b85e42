"""Random stores, random questions: the API answers as plain Python does."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .worlds import FUTURE, world

CASES = ["ns.a", "ns.ab", "ns.b/c", "other.a", "plain", "ns.ž x"]
GROUPS = ["g1", "g2", "g 3", "g/4"]
TIMES = ["2020-01-01T00:00:00.0", "2020-01-01T00:00:00.5", "2020-01-02T00:00:00.0", "1950-01-01T00:00:00.0"]
SINCE = [
    "2020-01-01", "2020-01-01T00:00:00.5", "2020-01-02,2150-01-01", "1940-01-01,1960-01-01",
    "2150-01-02", "2020-01-01,2020-01-01 00:00:00.25", "2100-01-01",
]  # fmt: skip
ITEMS = ["bash-5.2-1.fc40", "bash-5.2-2.fc40", "zsh-5.9-1.fc40"]
KEYS = {
    "item": [*ITEMS, "odd item"],
    "type": ["koji_build", "compose"],
    "tier": ["1", "2", ""],
    "arch": ["x86_64", "s390x"],
    "scenario": ["uefi", "bios"],
    "job": ["job", "mine"],
    "parent": ["up", "down"],
}
DESCRIPTIONS = [None, "nightly", "weekly x"]

# -- what is stored ----------------------------------------------------------------------------------

values = {
    key: st.one_of(st.sampled_from(pool), st.lists(st.sampled_from(pool), max_size=3))
    for key, pool in KEYS.items()
}
uuids = st.sampled_from(GROUPS)
group_objects = st.fixed_dictionaries(
    {"uuid": uuids}, optional={"description": st.sampled_from(DESCRIPTIONS)}
)
testcases = st.one_of(
    st.sampled_from(CASES),
    st.fixed_dictionaries(
        {"name": st.sampled_from(CASES)}, optional={"ref_url": st.sampled_from(["https://t", None])}
    ),
)
posts = st.fixed_dictionaries(
    {"outcome": st.sampled_from(["PASSED", "FAILED", "INFO"]), "testcase": testcases},
    optional={
        "data": st.fixed_dictionaries({}, optional=values),
        "groups": st.lists(uuids | group_objects, max_size=2),
        "submit_time": st.sampled_from([*TIMES, *FUTURE, None]),
        "note": st.sampled_from(["a note", None]),
    },
)
observations = st.fixed_dictionaries(
    {
        "key": st.sampled_from("abcdefgh"),
        "run": st.sampled_from([0, 1, 2, None]),
        "testcase": st.sampled_from([case for case in CASES if "." in case]),
        "outcome": st.sampled_from(["passed", "failed", "running"]),
        "item": st.sampled_from(ITEMS),
        "time": st.sampled_from([*TIMES[:3], FUTURE[0], None]),
    },
    optional={
        "scenario": st.sampled_from(KEYS["scenario"]),
        "arch": st.sampled_from(KEYS["arch"]),
        "parent": st.sampled_from(KEYS["parent"]),
        "data": st.fixed_dictionaries(
            {}, optional={key: st.sampled_from(KEYS[key]) for key in ("tier", "job")}
        ),
    },
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("post"), posts),
        st.tuples(st.just("harvest"), st.lists(observations, min_size=1, max_size=12)),
        st.tuples(st.just("group"), group_objects),
        st.tuples(st.just("testcase"), st.sampled_from(CASES)),
    ),
    min_size=1,
    max_size=14,
)

# -- what is asked -----------------------------------------------------------------------------------


def some(pool: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pool), min_size=1, max_size=3).map(",".join)


patterns = ["ns.*", "*a", "ns._", "%/c", "bash*", "*", "_", "ns.a", "1", "up*", "z%"]
filters = st.one_of(
    st.tuples(st.just("outcome"), some(["passed", "FAILED", " info"])),
    st.tuples(st.just("groups"), some([*GROUPS, "nobody"])),
    st.tuples(st.just("testcases"), some([*CASES, "nobody"])),
    st.tuples(st.just("testcases:like"), some(patterns)),
    st.tuples(st.just("since"), st.sampled_from(SINCE)),
    *(st.tuples(st.just(key), some([*pool, "nobody"])) for key, pool in KEYS.items()),
    *(st.tuples(st.just(f"{key}:like"), some(patterns)) for key in ("item", "tier", "parent", "job")),
    st.tuples(st.just("tier:odd"), some(KEYS["tier"])),
)
sorts = st.sampled_from(["asc:submit_time", "desc:submit_time", "disable_sorting", "nonsense"]).map(
    lambda w: ("_sort", w)
)
result_queries = st.tuples(
    st.lists(filters, max_size=3, unique_by=lambda pair: pair[0]), st.lists(sorts, max_size=1)
).map(lambda parts: [*parts[0], *parts[1]])
distinct = st.lists(st.sampled_from(["scenario", "arch", "tier", "job", "nobody"]), max_size=2, unique=True)
limits = st.integers(1, 6)
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "20"))
questions = st.lists(st.tuples(result_queries, limits, distinct), min_size=6, max_size=10)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


@given(taken=steps, queries=questions)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_the_oracles(taken: Any, queries: Any) -> None:
    check("sqlite", taken, queries)


@pytest.mark.needs("postgresql")
@pytest.mark.timeout(120)
@given(taken=steps, queries=questions)
@settings(
    max_examples=EXAMPLES // 2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=WITHOUT_SHRINKING,
)
def test_every_answer_is_the_oracles_on_postgresql(taken: Any, queries: Any) -> None:
    """Without shrinking: what fails here mostly fails above too, and a database for each try takes long."""
    check("postgresql", taken, queries)


def check(kind: str, taken: Any, queries: Any) -> None:
    with world(kind) as one:
        for step in taken:
            one.take(step)
        for query, limit, distinct_on in queries:
            one.check(query, limit, distinct_on)
        one.check_below(queries[0][0], queries[0][1])
        one.check_names(queries[0][1])
