from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.collect.quoted import from_raw, to_raw
from ci_results.domain.observation import Observation
from ci_results.domain.run import Run
from ci_results.errors import InvalidError

TEXT = st.text(min_size=1)
MAYBE = st.none() | TEXT
DATA = st.dictionaries(TEXT, TEXT | st.lists(TEXT).map(tuple), max_size=3)
OBSERVATIONS = st.builds(
    Observation,
    key=TEXT,
    testcase=TEXT,
    outcome=TEXT,
    item=TEXT,
    item_type=TEXT,
    time=st.none() | st.datetimes(timezones=st.just(UTC)),
    duration_s=st.none() | st.floats(0, 1e6),
    note=MAYBE,
    scenario=MAYBE,
    data=DATA,
    run=st.none() | st.builds(Run, key=TEXT, ref_url=MAYBE, data=DATA),
)


@given(OBSERVATIONS)
def test_an_observation_comes_back_as_it_was(seen: Observation) -> None:
    assert from_raw(to_raw(seen)) == seen


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b'"x"', b'{"key": "1", "odd": 2}', b"\xff"])
def test_anything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidError):
        from_raw(raw)
