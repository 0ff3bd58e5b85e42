"""kill -9 of the follower, again and again while results come in: no change is lost, and none told twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ci_results.decide.builtin import RULE_TYPES
from ci_results.domain.asked import Request
from ci_results.domain.page import Page
from ci_results.domain.recorded import GatingPoint
from ci_results.domain.subject import Subject
from ci_results.operations.gate import Gate, decide, load_policies
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import NOON, result
from ci_results.testing.waiver_contract import grant

KILLS = int(os.environ.get("KILLS", "5"))
"""How often the follower is killed; all of it is KILLS=20."""

ITEMS = [f"pkg{n}-1-1.fc40" for n in range(12)]
CONTEXTS = ("push", "compose")
POLICY = """
id: x
product_versions: [fedora-*]
decision_contexts: [push, compose]
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.case}
- !PassingTestCaseRule {test_case_name: ns.more}
"""


def _store_without_end(store: Store, end: threading.Event) -> None:
    """Commit results of all kinds, and now and then a waiver, until the end."""
    lot, moment = random.Random(5), NOON
    while not end.wait(0.1):
        moment += timedelta(minutes=1)
        store.commit_page(
            Page(
                source="ci",
                results=[
                    result(
                        f"{moment}-{n}", item=lot.choice(ITEMS), time=moment,
                        testcase=lot.choice(("ns.case", "ns.more")), outcome=lot.choice(("passed", "failed")),
                    )
                    for n in range(3)
                ],
            )
        )  # fmt: skip
        if lot.random() < 0.1:
            store.waivers.append([grant(subject=lot.choice(ITEMS), testcase="ns.case")])


@contextmanager
def _follower(config: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "ci_results", "--config", str(config), "follow", *options]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _run(config: Path, *words: str) -> None:
    command = [sys.executable, "-m", "ci_results", "--config", str(config), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'results.db'}"
    place: Callable[[str], str] = request.getfixturevalue("postgresql")
    return place("killed")


@pytest.mark.demand("S-012", "S-136")
@pytest.mark.timeout(120 + 20 * KILLS)
def test_every_change_is_recorded_once_whenever_the_follower_is_killed(url: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    config = tmp_path / "ci-results.toml"
    feed = tmp_path / "feed.jsonl"
    config.write_text(
        f'store = "{url}"\n[gate]\npolicies = ["policy.yaml"]\n[sink.feed]\nkind = "jsonlines"\n'
        f'path = "{feed}"\n'
    )
    lot, end, killed = random.Random(3), threading.Event(), 0
    with open_store(url) as store:
        writing = threading.Thread(target=_store_without_end, args=(store, end))
        writing.start()
        try:
            for _ in range(KILLS):
                with _follower(config, "--every", "0.05") as process:
                    assert process.stderr is not None
                    next(line for line in process.stderr if "recorded" in line)
                    time.sleep(lot.uniform(0, 0.25))
                    process.kill()
                    killed += process.wait() == -signal.SIGKILL
        finally:
            end.set()
            writing.join()
        assert killed == KILLS
        _run(config, "follow", "--once")
        _run(config, "deliver")
        _check(store, Gate(store=store, policies=load_policies(["policy.yaml"], tmp_path, _types())), feed)


def _types() -> dict[str, object]:
    return {kind.name: kind for kind in RULE_TYPES}


def _check(store: Store, gate: Gate, feed: Path) -> None:
    """The newest is the truth; each differs from the one before; each is in the feed once."""
    recorded = 0
    seqs = set()
    for item in ITEMS:
        subject = Subject("koji_build", item)
        for context in CONTEXTS:
            history = store.decisions.history(GatingPoint(subject, "fedora-40", context), limit=100_000)
            request = Request(subjects=(subject,), product_version="fedora-40", contexts=(context,))
            assert history[0].verdict == decide(gate, request).verdict
            assert [each.number for each in history] == list(range(len(history), 0, -1))
            for newer, older in pairwise(history):
                assert newer.old_verdict == older.verdict
                assert newer.answer != older.answer
                assert newer.seq > older.seq
            recorded += len(history)
            seqs |= {each.seq for each in history}
    lines = [json.loads(line) for line in feed.read_text().splitlines()]
    decisions = [(line["seq"], line["n"]) for line in lines if line["event"] == "decision"]
    assert len(decisions) == len(set(decisions)) == recorded
    assert {seq for seq, _ in decisions} == seqs
    assert len({(line["seq"], line["event"], line.get("n", line.get("id"))) for line in lines}) == len(lines)
    assert store.check() == []
