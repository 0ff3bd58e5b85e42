"""From the source's words to ours: what is kept, what is refused, and in which words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results import InvalidError, Observation, Run
from ci_results.domain.outcome import Outcome
from ci_results.normalise.normaliser import Normaliser

WORDS = {"success": "PASSED", "unstable": "FAILED"}


def seen(**fields: Any) -> Observation:
    usual = {"key": "1", "testcase": "ns.case", "outcome": "SUCCESS", "item": "thing", "item_type": "plain"}
    return Observation(**(usual | fields))


@pytest.mark.demand("S-022", "S-141")
@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("SUCCESS", "PASSED"),
        ("success", "PASSED"),
        ("Unstable", "FAILED"),
        ("PASSED", "PASSED"),
        ("ERROR", "ERROR"),
        ("NEEDS_INSPECTION", "NEEDS_INSPECTION"),
    ],
)
def test_a_known_word_becomes_our_outcome(word: str, outcome: str) -> None:
    assert Normaliser("ci", WORDS)(seen(outcome=word)).outcome == outcome


@pytest.mark.demand("S-032")
@pytest.mark.parametrize("word", ["", "GREEN", "passed!", "pass"])
def test_an_unknown_word_is_refused_not_guessed(word: str) -> None:
    with pytest.raises(InvalidError, match=r"not known; map it in `outcomes`"):
        Normaliser("ci", WORDS)(seen(outcome=word))


class Odd:
    """What no field of an observation may be."""


@pytest.mark.parametrize(
    "value",
    [7, 1.5, True, ["FAILED"], {"a": 1}, b"SUCCESS", ("a",), Odd()],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "field",
    ["key", "testcase", "outcome", "item", "item_type", "ref_url", "note", "scenario", "arch", "run"],
)
def test_a_field_of_another_type_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(InvalidError, match=rf"\b{field}\b.* is n|item type .* is not known"):
        Normaliser("ci", WORDS)(seen(**{field: value}))


@pytest.mark.parametrize(
    "data", [7, ["x"], "x", {"a": 1}, {"a": None}, {1: "x"}, {"a": ("x", 2)}, {"a": {"b": "c"}}], ids=repr
)
def test_data_that_are_no_texts_are_refused(data: object) -> None:
    with pytest.raises(InvalidError, match=r"data|a is no text"):
        Normaliser("ci", WORDS)(seen(data=data))
    with pytest.raises(InvalidError, match=r"data|a is no text"):
        Normaliser("ci", WORDS)(seen(run=Run(key="r", data=data)))  # type: ignore[arg-type]


def test_an_outcome_that_is_missing_is_refused() -> None:
    with pytest.raises(InvalidError, match="outcome is no text: None"):
        Normaliser("ci", WORDS)(seen(outcome=None))


def test_a_parent_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidError, match="key is no text: 7"):
        Normaliser("ci", WORDS)(seen(parent=7))


def test_a_duration_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidError, match="duration_s is no number of seconds: 'long'"):
        Normaliser("ci", WORDS)(seen(duration_s="long"))


def test_a_configured_outcome_is_known() -> None:
    normaliser = Normaliser("ci", {"incomplete": "CRASHED"}, vocabulary=["CRASHED"])
    assert normaliser(seen(outcome="incomplete")).outcome == "CRASHED"
    with pytest.raises(InvalidError, match="no outcome of ours: 'CRASHED'"):
        Normaliser("ci", {"incomplete": "CRASHED"})


@pytest.mark.demand("S-058")
def test_nothing_executed_is_never_passed() -> None:
    made = Normaliser("ci", WORDS)(seen(data={"executed": "0"}, note="0 tests"))
    assert (made.outcome, made.note) == (Outcome.NEEDS_INSPECTION, "nothing executed\n0 tests")
    assert Normaliser("ci", WORDS)(seen(data={"executed": "1"})).outcome == "PASSED"
    assert Normaliser("ci", WORDS)(seen(data={"executed": "0"}, outcome="unstable")).outcome == "FAILED"


@pytest.mark.demand("S-032", "S-042", "S-043", "S-044")
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"testcase": ""}, "testcase needs a namespace"),
        ({"testcase": "rpmlint"}, "testcase needs a namespace before a dot: 'rpmlint'"),
        ({"testcase": ".x"}, "namespace"),
        ({"testcase": "a.b\n"}, "unprintable"),
        ({"testcase": "a." + "b" * 1100}, "longer than 1024"),
        ({"item": ""}, "empty"),
        ({"item": "a\tb"}, "unprintable"),
        ({"item_type": "car"}, "item type 'car' is not known; known are"),
        ({"ref_url": "javascript:alert(1)"}, "not http or https"),
        ({"ref_url": "http://a\nb"}, "not http or https"),
        ({"note": "a\0b"}, "note holds a NUL"),
        ({"note": "\ud800"}, "note holds a lone surrogate"),
        ({"key": "a\0"}, "key holds a NUL"),
        ({"data": {"a:b": "1"}}, "holds a colon: 'a:b'"),
        ({"data": {"": "1"}}, "empty"),
        ({"data": {"a": "x" * 70_000}}, "a is longer than 65536 characters"),
        ({"data": {"a": ("x", 1)}}, "a is no text: 1"),
        ({"duration_s": -1.0}, "no time in seconds"),
        ({"duration_s": float("nan")}, "no time in seconds"),
        ({"time": datetime(1970, 1, 1, tzinfo=UTC)}, "not of this world"),
        ({"run": Run(key="r\0")}, "NUL"),
        ({"run": Run(key="r", ref_url="file:///etc")}, "not http"),
        ({"run": Run(key="r", data={"a:b": "1"})}, "colon"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
)
def test_what_breaks_a_rule_is_refused_with_the_value(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        Normaliser("ci", WORDS)(seen(**fields))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidError, match="has no zone"):
        seen(time=datetime(2026, 1, 1))


def test_parent_and_values_become_attributes() -> None:
    made = Normaliser("ci", WORDS)(seen(parent="build", data={"tier": "1", "mail": ("a", "b")}))
    assert made.data == {"tier": ("1",), "mail": ("a", "b"), "parent": ("build",)}


@given(
    st.builds(
        seen, key=st.text(min_size=1), testcase=st.text(), outcome=st.text(), item=st.text(), note=st.text()
    )
)
def test_any_text_gives_a_result_or_says_why_not(observation: Observation) -> None:
    normaliser = Normaliser("ci", WORDS)
    try:
        made = normaliser(observation)
    except InvalidError:
        return
    else:
        assert made.key == observation.key
        assert made.outcome in set(Outcome)


def test_results_that_take_turns_keep_their_own_item_and_parent() -> None:
    normaliser = Normaliser("ci", WORDS)
    told = [
        ("bash-5.2-1.fc40", "koji_build", None),
        ("vim-9.1-2.fc40", "koji_build", "overall"),
        ("vim-9.1-2.fc40", "plain", "overall"),
        ("bash-5.2-1.fc40", "koji_build", "other"),
        ("bash-5.2-1.fc40", "koji_build", None),
    ]
    made = [normaliser(seen(item=item, item_type=kind, parent=parent)) for item, kind, parent in told]
    assert [(one.item, one.item_type) for one in made] == [(item, kind) for item, kind, _parent in told]
    assert [one.item_parts.get("component") for one in made] == ["bash", "vim", None, "bash", "bash"]
    assert [one.data.get("parent") for one in made] == [None, ("overall",), ("overall",), ("other",), None]


def test_an_item_that_was_refused_is_refused_again() -> None:
    normaliser, wrong = Normaliser("ci", WORDS), seen(item_type="no such type")
    for _ in range(2):
        with pytest.raises(InvalidError, match="item type"):
            normaliser(wrong)
