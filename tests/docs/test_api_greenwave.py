"""docs/api-greenwave.md says what is so: its example, its addresses, and the tests that it names."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import PolicySet, load
from ci_results.operations.policies import FixedPolicies
from ci_results.serve.app import application
from ci_results.serve.greenwave_v1 import service
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "api-greenwave.md"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with SqliteStore.open(tmp_path / "results.db") as found:
        yield found


def policies() -> PolicySet:
    text = blocks(ROOT / "docs" / "policies.md", "yaml")[0].text
    return load([("policies.yaml", text.encode())], {kind.name: kind for kind in RULE_TYPES})


def test_the_example_is_answered_as_shown(store: SqliteStore) -> None:
    given, answer = (json.loads(block.text) for block in blocks(DOCUMENT, "json"))
    around = Surroundings(store=store, policies=FixedPolicies(policies()))
    with TestClient(application(around, None, hosts=None)) as client:
        data = {"item": "bash-5.2-1.fc40", "type": "koji_build"}
        said = {"outcome": "FAILED", "testcase": "dist.rpmdeplint", "data": data}
        assert client.post("/api/v2.0/results", json=said).status_code == 201
        found = client.post("/api/v1.0/decision", json=given).json()
    assert re.fullmatch("sha256:[0-9a-f]{32}", answer.pop("policies_digest"))
    assert re.fullmatch("sha256:[0-9a-f]{64}", found.pop("policies_digest"))
    assert found == answer


def test_the_addresses_are_those_that_are_served(store: SqliteStore) -> None:
    table = DOCUMENT.read_text(encoding="utf-8").partition("## What there is")[2].partition("\n\n`?call")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[4:] if line]
    shown = {
        (address.strip("`"), method)
        for address, get, post in rows
        for method, said in (("GET", get), ("POST", post))
        if said
    }
    endpoints = service(Surroundings(store=store)).endpoints
    assert shown == {(path or "/", method) for path, methods in endpoints.items() for method in methods}


def test_every_test_it_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)` \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    there = {
        name
        for path in ROOT.glob("tests/*/*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 5
    assert named - there == set()
