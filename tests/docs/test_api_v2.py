"""docs/api-v2.md says what is so: its example, its addresses, and the tests that it names."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from ci_results.serve.resultsdb_v2.app import ResultsDB
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore
from ci_results.wire import resultsdb_json as encode
from ci_results.wire.resultsdb_post import result_table, submission

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "api-v2.md"
BASE = "http://127.0.0.1:8001/api/v2.0"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with SqliteStore.open(tmp_path / "results.db") as found:
        yield found


def test_the_example_is_answered_as_shown(store: SqliteStore) -> None:
    from ci_results.normalise.submitted import submitted

    given, answer = (json.loads(block.text) for block in blocks(DOCUMENT, "json"))
    said = submission(given, result_table(Surroundings(store=store).outcomes), str)
    (number,) = store.submit(submitted(said, "k", "api")).result()
    assert json.loads(encode.dump(encode.result(store.fact(number), BASE))) == answer


def test_the_addresses_are_those_that_are_served(store: SqliteStore) -> None:
    table = (
        DOCUMENT.read_text(encoding="utf-8").partition("## What there is")[2].partition("\n\n`/openapi")[0]
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[4:] if line]
    shown = {
        (re.sub(r"[A-Z]+", "{}", address.strip("`")), method)
        for address, get, post in rows
        for method, said in (("GET", get), ("POST", post))
        if said
    }
    endpoints = ResultsDB(Surroundings(store=store)).endpoints
    assert shown == {
        (re.sub(r"\{\w+(:path)?\}", "{}", path) or "/", method)
        for path, methods in endpoints.items()
        for method in methods
    }


def test_every_test_it_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)` \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    there = {
        name
        for path in ROOT.glob("tests/conformance/*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 10
    assert named - there == set()
