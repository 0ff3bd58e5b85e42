"""examples/rebuild_bot.py against a running server: it uses the public HTTP API, and nothing of ours."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).parents[2]
BOT = ROOT / "examples" / "rebuild_bot.py"
POLICIES = """\
--- !Policy
id: good
product_versions: ["*"]
decision_context: tier_good
subject_type: koji_build
rules: [!PassingTestCaseRule {test_case_name: tier.boot}]
--- !Policy
id: next
product_versions: ["*"]
decision_context: rebuild_next_tier
subject_type: koji_build
rules: [!TierRule {scope: closure, decision_context: tier_good}]
"""
GRAPH = {
    "a": {"tier": 1, "needs": []},
    "b": {"tier": 1, "needs": []},
    "c": {"tier": 2, "needs": ["a"]},
    "d": {"tier": 3, "needs": ["c"]},
}


def test_it_imports_nothing_of_ours() -> None:
    tree = ast.parse(BOT.read_text(encoding="utf-8"))
    names = {
        name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        )
    }
    assert not any(str(name).startswith("ci_results") for name in names)
    assert "requests" in names


def bot(url: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BOT), url, "graph.json", "--product-version", "fedora-40",
         "--build", str(folder / "build.sh"), *more],
        cwd=folder, capture_output=True, text=True, check=False, timeout=80,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ci-results.toml").write_text('store = "sqlite:r.db"\n[gate]\npolicies = ["p.yaml"]\n')
    (tmp_path / "p.yaml").write_text(POLICIES)
    (tmp_path / "graph.json").write_text(json.dumps(GRAPH))
    (tmp_path / "build.sh").write_text('#!/bin/sh\necho "building $1" >&2\necho "$1-1-1.fc40"\n')
    (tmp_path / "build.sh").chmod(0o755)
    return tmp_path


def test_without_a_server_nothing_is_built(folder: Path) -> None:
    done = bot("http://127.0.0.1:9", folder)
    assert (done.returncode, "nothing is built" in done.stderr) == (3, True)
    assert json.loads((folder / "graph.json").read_text()) == GRAPH


served_decisions = pytest.mark.skipif(
    find_spec("ci_results.serve.greenwave_v1") is None, reason="the API of decisions is not served yet"
)


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    words = [
        sys.executable,
        "-m",
        "ci_results",
        "--config",
        str(folder / "ci-results.toml"),
        "serve",
        "--port",
        "0",
    ]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        yield next(
            found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
        )
        process.terminate()


def put(url: str, part: str, outcome: str) -> None:
    body = {
        "testcase": "tier.boot", "outcome": outcome,
        "data": {"item": f"{part}-1-1.fc40", "type": "koji_build"},
    }  # fmt: skip
    requests.post(f"{url}/api/v2.0/results", json=body, timeout=20).raise_for_status()


def built(folder: Path) -> list[str]:
    graph: dict[str, Any] = json.loads((folder / "graph.json").read_text())
    return [name for name, node in graph.items() if "subject" in node]


@served_decisions
@pytest.mark.demand("S-090")
def test_parts_are_built_when_what_they_need_is_good(url: str, folder: Path) -> None:
    first = bot(url, folder)
    assert (first.returncode, built(folder)) == (2, ["a", "b"]), first.stdout + first.stderr
    again = bot(url, folder)
    assert (again.returncode, built(folder)) == (2, ["a", "b"])
    put(url, "a", "PASSED")
    put(url, "b", "FAILED")
    second = bot(url, folder)
    assert (second.returncode, built(folder)) == (1, ["a", "b", "c"]), second.stdout + second.stderr
    assert "b: b-1-1.fc40 is no-go" in second.stdout
    for part in "bcd":
        put(url, part, "PASSED")
    last = bot(url, folder)
    assert (last.returncode, built(folder)) == (0, ["a", "b", "c", "d"]), last.stdout + last.stderr


@served_decisions
def test_where_no_policy_is_for_it_nothing_is_built(url: str, folder: Path) -> None:
    done = bot(url, folder, "--gate", "elsewhere")
    assert (done.returncode, built(folder)) == (3, []), done.stdout
    assert "HTTP 404" in done.stderr
