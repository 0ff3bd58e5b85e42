"""What the old system said and what we say, pair by pair."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.errors import ConfigError
from ci_results.formats.errata_table import read_verdicts
from ci_results.operations.import_et import Reading, import_et
from ci_results.operations.known_differences import Explanations, KnownDifference, read_explanations
from ci_results.operations.parity import Match, Parity, parity
from ci_results.plugin.manager import Plugins
from ci_results.store.sqlite import SqliteStore

HEAD = "item,testcase,outcome,time,arch,waived_by,waiver\n"
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def stored(store: SqliteStore, **outcomes: str) -> None:
    """Store a result of bash-5.2-1.fc40 for each testcase `dist.NAME`."""
    for number, (name, outcome) in enumerate(outcomes.items()):
        put(store, f"{name}{number}", testcase=f"dist.{name}", outcome=outcome)


def put(store: SqliteStore, key: str, **fields: Any) -> None:
    given = {
        "testcase": "dist.x", "outcome": "PASSED", "item": "bash-5.2-1.fc40", "item_type": "koji_build",
        "submit_time": datetime(2026, 1, 1, tzinfo=UTC), "data": {},
    }  # fmt: skip
    store.commit_page(Page(source="ci", results=[Result(source="ci", key=key, **{**given, **fields})]))


def compared(store: SqliteStore, *rows: str, known: Explanations = Explanations(), **fields: Any) -> Parity:  # noqa: B008
    table = io.BytesIO((HEAD + "".join(f"bash-5.2-1.fc40,{row}\n" for row in rows)).encode())
    return parity(read_verdicts(table), store, known, now=NOW, **fields)


def brief(found: Parity) -> dict[str, tuple[str, str, str]]:
    return {each.testcase: (each.match, each.old, each.new) for each in found.compared}


@pytest.mark.demand("S-050")
def test_pairs_are_matched_mismatched_or_missing_on_a_side(store: SqliteStore) -> None:
    stored(store, rpmdiff="PASSED", tps="FAILED", new="PASSED")
    found = compared(store, "dist.rpmdiff,PASSED,,,,", "dist.tps,GOOD,,,,", "dist.covscan,BAD,,,,")
    assert brief(found) == {
        "dist.rpmdiff": ("matched", "PASSED", "PASSED"),
        "dist.tps": ("mismatched", "PASSED", "FAILED"),
        "dist.covscan": ("missing here", "FAILED", "missing"),
        "dist.new": ("missing there", "missing", "PASSED"),
    }
    assert found.counts()["mismatched"] == {"all": 1, "explained": 0, "unexplained": 1}
    assert sum(each.unexplained for each in found.compared) == 3


@pytest.mark.demand("S-050")
def test_every_difference_of_the_fixture_is_explained(store: SqliteStore) -> None:
    stored(store, rpmdiff="NEEDS_INSPECTION", tps="FAILED", new="PASSED")
    differences = (
        KnownDifference(testcase="dist.tps", old="PASSED", new="FAILED", reason="stricter now"),
        KnownDifference(testcase="dist.cov*", new="missing", reason="not run any more"),
        KnownDifference(item="bash-*", old="missing", reason="a new test"),
    )
    known = Explanations(testcases={"tps": "dist.tps"}, outcomes={"meh": "FAILED"}, differences=differences)
    found = compared(
        store,
        'dist.rpmdiff,Waived,,,jane,"known, RHBZ#1"',
        "tps,GOOD,,,,",
        "dist.covscan,MEH,,,,",
        known=known,
    )
    assert {each.testcase: each.explanation for each in found.compared} == {
        "dist.rpmdiff": "",
        "dist.tps": "stricter now",
        "dist.covscan": "not run any more",
        "dist.new": "a new test",
    }
    assert not any(each.unexplained for each in found.compared)


@pytest.mark.parametrize(
    ("here", "explanation"),
    [
        ("FAILED", "waived there by jane: known; a waiver changes no result here"),
        ("PASSED", None),
        ("ERROR", None),
    ],
)
def test_a_waiver_there_explains_what_is_bad_here_and_nothing_else(
    store: SqliteStore, here: str, explanation: str | None
) -> None:
    stored(store, x=here)
    (each,) = compared(store, "dist.x,Waived,,,jane,known").compared
    assert (each.match, each.explanation) == (Match.MISMATCHED, explanation)


def test_an_explanation_holds_to_its_day(store: SqliteStore) -> None:
    stored(store, x="FAILED")
    for until, explained in ((datetime(2026, 5, 2, tzinfo=UTC), True), (NOW, False)):
        known = Explanations(differences=(KnownDifference(reason="soon", until=until),))
        (each,) = compared(store, "dist.x,PASSED,,,,", known=known).compared
        assert each.unexplained is not explained


def test_the_newest_verdict_counts_and_the_worst_architecture(store: SqliteStore) -> None:
    put(store, "1", arch="x86_64", outcome="FAILED")
    put(store, "2", arch="x86_64", submit_time=datetime(2026, 2, 1, tzinfo=UTC))
    put(store, "3", arch="s390x", outcome="NEEDS_INSPECTION")
    found = compared(
        store,
        "dist.x,PASSED,2026-01-03,x86_64,,", "dist.x,FAILED,2026-01-02,x86_64,,", "dist.x,VERIFY,,s390x,,",
    )  # fmt: skip
    assert brief(found) == {"dist.x": ("matched", "NEEDS_INSPECTION", "NEEDS_INSPECTION")}


def test_imported_results_are_no_evidence_of_ours_even_where_they_are_newer(
    store: SqliteStore, plugins: Plugins
) -> None:
    put(store, "1", outcome="FAILED")
    table = (
        HEAD + "bash-5.2-1.fc40,dist.x,PASSED,2026-02-01,,,\nbash-5.2-1.fc40,dist.y,PASSED,2026-02-01,,,\n"
    )
    import_et(io.BytesIO(table.encode()), "et.csv", store, Reading(plugins=plugins))
    found = parity(read_verdicts(io.BytesIO(table.encode())), store, Explanations())
    assert brief(found) == {
        "dist.x": ("mismatched", "PASSED", "FAILED"),
        "dist.y": ("missing here", "PASSED", "missing"),
    }


def test_a_superseded_result_says_nothing(store: SqliteStore) -> None:
    put(store, "1", outcome="RUNNING")
    put(store, "1", outcome="PASSED")
    assert brief(compared(store, "dist.x,PASSED,,,,")) == {"dist.x": ("matched", "PASSED", "PASSED")}


def test_only_testcases_of_the_globs_are_looked_at(store: SqliteStore) -> None:
    stored(store, a="PASSED", b="PASSED")
    found = compared(store, "dist.a,PASSED,,,,", "other.c,ODD,,,,", testcases=["dist.a", "else.*"])
    assert (list(brief(found)), found.unread) == (["dist.a"], ())


def test_rows_that_say_nothing_are_told_apart_from_verdicts(store: SqliteStore) -> None:
    found = compared(store, "dist.x,ODD,,,,", "dist.y,PASSED,soon,,,", "dist.z", "dist.ok,INFO,,,,")
    assert [(each.line, each.reason.split(":")[0][:24]) for each in found.unread] == [
        ("line 2", "outcome word 'ODD' is no"),
        ("line 3", "time is none that can be"),
        ("line 4", "row has 2 cells, the fir"),
    ]
    assert list(brief(found)) == ["dist.ok"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[outcomes]\nmeh = 'NOPE'", "[outcomes] meh: 'NOPE' is none of"),
        ("[[difference]]\nreason = ' '", "difference[0] reason: empty"),
        ("[[difference]]\nreason = 'x'\nold = 'passed'", "difference[0] old: 'passed' is none of"),
        ("[[difference]]\nold = 'PASSED'", "difference[0]"),
        ("[[differences]]", "differences"),
        ("= 1", "Invalid"),
    ],
)
def test_a_fault_of_the_file_of_explanations_names_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_explanations(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
