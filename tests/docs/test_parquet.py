"""docs/parquet.md: each question runs as it stands, on what the export writes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ci_results.domain.page import Page
from ci_results.operations.export_parquet import export_parquet
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

DOCUMENT = Path(__file__).parents[2] / "docs" / "parquet.md"
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


def test_every_question_runs_and_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteStore.open(tmp_path / "results.db") as store:
        store.commit_page(
            Page(
                source="ci",
                results=[
                    result(
                        str(number), testcase=f"baseos.t{number % 2}", time=BEGIN + timedelta(days=number),
                        outcome="failed" if number % 3 else "passed", duration_s=float(number + 1),
                    )
                    for number in range(40)
                ],
            )
        )  # fmt: skip
    export_parquet(f"sqlite:{tmp_path / 'results.db'}", tmp_path / "parquet")
    monkeypatch.chdir(tmp_path)
    questions = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    answers = [duckdb.sql(question).fetchall() for question in questions]
    assert len(answers) == 4
    weeks, changes, medians, jobs = answers
    assert weeks[0][1:] == ("baseos", 7, 57.1)
    assert sorted(row[0] for row in changes) == ["baseos.t0", "baseos.t1"]
    assert medians[0][:3] == ("baseos.t0", "2026-01", 14.0)
    assert jobs == [("job", 40)]
