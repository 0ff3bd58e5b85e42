"""docs/api-waiverdb.md says what is so: its example, its addresses, and the tests that it names."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ci_results.serve.app import application
from ci_results.serve.surroundings import Surroundings
from ci_results.serve.waiverdb_v1 import service
from ci_results.store.sqlite import SqliteStore

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "api-waiverdb.md"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "results.db") as found:
        yield found


def test_the_example_is_answered_as_shown(store: SqliteStore) -> None:
    given, answer = (json.loads(block.text) for block in blocks(DOCUMENT, "json"))
    app = application(Surroundings(store=store), None)
    with TestClient(app, base_url="http://127.0.0.1:8001") as client:
        said = client.post("/api/v1.0/waivers/", json=given, auth=("jane", "")).json()
    time = datetime.fromisoformat(said.pop("timestamp")).replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - time).total_seconds()) < 60
    assert datetime.fromisoformat(answer.pop("timestamp"))
    assert said == answer


def test_the_addresses_are_those_that_are_served(store: SqliteStore) -> None:
    table = DOCUMENT.read_text(encoding="utf-8").partition("## What there is")[2].partition("\n\nThe last")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[4:] if line]
    shown = {
        (re.sub(r"[A-Z]+$", "{id}", address.strip("`")), method)
        for address, get, post in rows
        for method, said in (("GET", get), ("POST", post))
        if said
    }
    endpoints = service(Surroundings(store=store)).endpoints
    slashed = {"/about/", "/config/", "/permissions/"}
    served = {(path, method) for path, methods in endpoints.items() for method in methods}
    assert shown == {(path, method) for path, method in served if path not in slashed}
    assert slashed < set(endpoints)


def test_every_test_it_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)` \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    there = {
        name
        for path in ROOT.glob("tests/conformance/*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 8
    assert named - there == set()
