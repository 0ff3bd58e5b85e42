"""A plan of manual tests keeps the gate closed at 77.5 %, and opens it by itself when all is done."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from .conftest import LONG_S, House, furnished, open_house

BETA = "Fedora-44-20260301.0"
CASES = [f"desktop.case{number:02}" for number in range(40)]
POLICY = """\
id: beta
product_versions: [fedora-*]
decision_context: beta_release
subject_type: compose
rules: [!ManualPlanRule {plan: beta}]
"""
TABLES = """
[serve]
follow = true
[sink.feed]
kind = "jsonlines"
path = "feed.jsonl"
"""


@pytest.fixture
def followed_house(tmp_path: Path) -> Iterator[House]:
    """A house with a follower, and with a sink that is delivered to at once."""
    with open_house(furnished(tmp_path, POLICY, TABLES)) as opened:
        opened.get("/healthcheck")
        words = [sys.executable, "-m", "ci_results", "deliver", "--follow"]
        with subprocess.Popen(
            words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as sink:
            yield opened
            sink.terminate()


@pytest.mark.timeout(4 * LONG_S)
@pytest.mark.demand("S-133", "S-134", "S-135", "S-136")
def test_a_plan_stays_closed_at_three_quarters_and_opens_by_itself(followed_house: House) -> None:
    house = followed_house

    def record(cases: list[str], outcome: str) -> None:
        for case in cases:
            found = {"testcase": case, "item": BETA, "type": "compose", "outcome": outcome}
            house.post("/api/ci/v1/manual/results", found)

    def asked() -> Any:
        return house.decide("beta_release", BETA, kind="compose", product_version="fedora-44")

    def told(verdict: str) -> list[Any]:
        lines = [line for line in house.lines("feed.jsonl") if line["event"] == "decision"]
        return [line for line in lines if line["verdict"] == verdict]

    plan = {"item": BETA, "type": "compose", "cases": [{"testcase": case} for case in CASES]}
    house.post("/api/ci/v1/manual/plans/beta", plan)
    record(CASES[:30], "PASSED")
    record(CASES[30:31], "FAILED")

    closed = asked()
    assert (closed["verdict"], closed["policies_satisfied"]) == ("no-go", False)
    counted = {name: closed["progress"][name] for name in ("required", "done", "passed", "failed", "percent")}
    assert counted == {"required": 40, "done": 31, "passed": 30, "failed": 1, "percent": 77.5}
    assert "77.5" in requests.get(f"{house.url}/manual/beta/{BETA}", timeout=LONG_S).text

    record(CASES[31:], "PASSED")
    done = asked()
    assert (done["verdict"], done["progress"]["percent"]) == ("no-go", 100.0), "done is not passed"
    house.until(lambda: told("no-go"))
    assert told("go") == []

    record(CASES[30:31], "PASSED")
    (opened,) = house.until(lambda: told("go"))
    assert (opened["old_verdict"], opened["previous"]["policies_satisfied"]) == ("no-go", False)
    assert (opened["policies_satisfied"], opened["unsatisfied_requirements"]) == (True, [])
    assert asked()["verdict"] == "go"
