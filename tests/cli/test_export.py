"""`ci-results export parquet`: what it says, and that a second call finds nothing to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from ci_results.domain.page import Page
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

Ask = Callable[..., Result]


def test_an_export_tells_the_months_it_wrote(ask: Ask, folder: Path) -> None:
    nothing = ask("export", "parquet", "out")
    assert (nothing.exit_code, "no store" in nothing.stderr) == (1, True)
    with SqliteStore.open(folder / "ci-results.db") as store:
        store.commit_page(Page(source="ci", results=[result("a"), result("b")]))
    first = ask("export", "parquet", "out")
    assert (first.exit_code, first.stdout) == (0, "2026-03           2 results\n")
    assert "1 month written, 1 file; commit 1" in first.stderr
    second = ask("export", "parquet", "out", "--json")
    assert json.loads(second.stdout) == {"seq": 1, "rows": {}, "files": 0}
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.doc").write_text("")
    refused = ask("export", "parquet", "mine")
    assert (refused.exit_code, "choose another folder" in refused.stderr) == (3, True)
