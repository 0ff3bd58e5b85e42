"""Any JSON at all gives a submission or the list of what is wrong with it; schema and reader agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.serve.surroundings import vocabulary
from ci_results.wire.resultsdb_v3 import forms
from ci_results.wire.validation import RefusedBody

FORMS = forms(vocabulary(["CRASHED"]))
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


@given(st.data(), st.sampled_from(sorted(FORMS)))
def test_any_value_of_any_field_is_read_or_told_of(data: st.DataObject, path: str) -> None:
    form = FORMS[path]
    name = data.draw(st.sampled_from(list(form.parameters)))
    body = {**form.example(), name: data.draw(ANY)}
    try:
        said = form.submission(body, "jdoe")
    except RefusedBody as refused:
        told = {tuple(each["loc"][:1]) for each in refused.problems}
    else:
        told = set()
        assert all(isinstance(value, str) for values in said.data.values() for value in values)
    assert told <= {(name,), ()}


@given(ANY)
def test_any_body_is_read_or_told_of(body: Any) -> None:
    with pytest.raises(RefusedBody) as refused:
        FORMS["redhat-modules"].submission(body, "jdoe")
    assert refused.value.problems


@pytest.mark.parametrize("path", FORMS)
def test_the_example_is_accepted_and_has_all_that_the_schema_wants(path: str) -> None:
    form = FORMS[path]
    assert form.submission(form.example(), "jdoe").testcase
    schema = form.schema()
    assert set(schema["required"]) <= set(form.example())
    for name in schema["required"]:
        body = form.example()
        del body[name]
        with pytest.raises(RefusedBody) as refused:
            form.submission(body, "jdoe")
        assert [each["loc"] for each in refused.value.problems] == [[name]]


def test_the_outcomes_are_those_of_the_installation() -> None:
    outcome = FORMS["brew-builds"].schema()["properties"]["outcome"]["enum"]
    assert outcome[-1] == "CRASHED"
    assert {"QUEUED", "RUNNING", "ERROR"} <= set(outcome)
