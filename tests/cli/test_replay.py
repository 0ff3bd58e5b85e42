"""Feeds on the command line: export, replay, check; and messages mapped anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ci_results import Arrival
from ci_results.cli.published import printed
from ci_results.domain.page import Page
from ci_results.operations.ingest import Ingest, Taking
from ci_results.operations.replay import difference
from ci_results.plugin.manager import load_plugins
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result
from ci_results.testing.waiver_contract import grant

Ask = Callable[..., Any]


@pytest.fixture
def filled(folder: Path) -> Path:
    """Give the folder with a store of a little of everything in it."""
    with SqliteStore.open(folder / "old.db") as store:
        store.commit_page(Page(source="ci", results=[result("k1"), result("k2", outcome="failed", note="n")]))
        store.commit_page(Page(source="ci", groups={"u1": {"description": "nightly"}}))
        store.waivers.append([grant()])
    return folder


def answer(said: Any, command: str) -> Any:
    """Return what a command printed with --json, held against its schema."""
    found = json.loads(said.stdout)
    assert not list(Draft202012Validator(printed()[command]).iter_errors(found))
    return found


@pytest.mark.demand("S-039")
def test_a_store_that_is_gone_is_made_anew_of_its_feed(filled: Path, ask: Ask) -> None:
    said = ask("--store", "sqlite:old.db", "export", "feed", "feed.jsonl.gz", "--json")
    assert answer(said, "export-feed")["lines"] == {"result": 2, "change": 1, "waiver": 1}
    said = ask("--store", "sqlite:new.db", "replay", "feed.jsonl.gz", "--json")
    assert said.exit_code == 0
    told = answer(said, "replay")
    assert (told["new"], told["whole"]) == ({"result": 2, "change": 1, "waiver": 1}, True)
    with SqliteStore.open(filled / "old.db") as old, SqliteStore.open(filled / "new.db") as new:
        assert difference(old, new) is None
    assert ask("--store", "sqlite:new.db", "audit", "verify").exit_code == 0
    said = ask("--store", "sqlite:new.db", "replay", "feed.jsonl.gz")
    assert said.exit_code == 0
    assert "2 there already" in said.stdout
    assert told["digest"] in said.stdout


@pytest.mark.demand("S-039")
def test_a_check_says_whether_a_feed_makes_this_store(filled: Path, ask: Ask) -> None:
    ask("--store", "sqlite:old.db", "export", "feed", "feed.jsonl")
    said = ask("--store", "sqlite:old.db", "replay", "--check", "feed.jsonl")
    assert (said.exit_code, "makes this very store" in said.stderr) == (0, True)
    with SqliteStore.open(filled / "old.db") as store:
        store.commit_page(Page(source="ci", results=[result("k3")]))
        before = list(store.dump())
    said = ask("--store", "sqlite:old.db", "replay", "--check", "feed.jsonl", "--json")
    assert said.exit_code == 1
    assert answer(said, "replay")["difference"].startswith("fact 3: ")
    with SqliteStore.open(filled / "old.db") as store:
        assert list(store.dump()) == before


def test_a_damaged_line_is_told_with_its_place(filled: Path, ask: Ask) -> None:
    ask("--store", "sqlite:old.db", "export", "feed", "feed.jsonl")
    lines = (filled / "feed.jsonl").read_bytes().splitlines(keepends=True)
    (filled / "feed.jsonl").write_bytes(b"".join([lines[0], lines[1][:99] + b"\n", *lines[2:]]))
    said = ask("--store", "sqlite:new.db", "replay", "feed.jsonl")
    assert said.exit_code == 2
    assert "feed.jsonl:2" in said.stdout
    said = ask("--store", "sqlite:new.db", "quarantine", "list", "--source", "replay")
    assert "feed.jsonl:2" in said.stdout
    assert ask("--store", "sqlite:new.db", "db", "check").exit_code == 0


def test_a_damaged_line_is_not_retried_but_replayed(filled: Path, ask: Ask) -> None:
    (filled / "feed.jsonl").write_bytes(b"nonsense\n")
    ask("--store", "sqlite:new.db", "replay", "feed.jsonl")
    said = ask("--store", "sqlite:new.db", "quarantine", "retry", "1")
    assert "ci-results replay" in said.stdout + said.stderr


def test_a_store_that_holds_something_else_is_left_alone(filled: Path, ask: Ask) -> None:
    ask("--store", "sqlite:old.db", "export", "feed", "feed.jsonl")
    assert ask("--store", "sqlite:old.db", "replay", "feed.jsonl").exit_code == 1
    said = ask("--store", "sqlite:old.db", "replay", "--merge", "feed.jsonl")
    assert said.exit_code == 0
    assert "1 left out" in said.stdout


def test_options_that_exclude_each_other_and_feeds_that_are_not_there(filled: Path, ask: Ask) -> None:
    ask("--store", "sqlite:old.db", "export", "feed", "feed.jsonl")
    assert ask("--store", "sqlite:n.db", "replay", "--check", "--merge", "feed.jsonl").exit_code == 64
    assert ask("--store", "sqlite:n.db", "replay", "gone.jsonl").exit_code == 1
    assert ask("--store", "sqlite:n.db", "replay").exit_code == 64
    assert ask("--store", "sqlite:old.db", "export", "feed", "feed.jsonl").exit_code == 1


@pytest.mark.demand("S-116")
def test_messages_are_mapped_anew(folder: Path, ask: Ask) -> None:
    sample = Path(__file__).parents[1] / "messages" / "samples" / "ci_messages" / "brew-build-error.json"
    taken = Ingest(Taking(name="bus"), load_plugins([])).prepare(
        [Arrival(raw=sample.read_bytes(), topic="", id="1", kind="saved")]
    )
    older = [replace(each, mapping="ci_messages@0") for each in taken.page.messages]
    wrong = [replace(each, outcome="PASSED") for each in taken.page.results]
    with SqliteStore.open(folder / "r.db") as store:
        store.commit_page(replace(taken.page, messages=older, results=wrong))
    remap = ("--store", "sqlite:r.db", "remap", "--mapping", "ci_messages@1")
    said = ask(*remap, "--dry-run", "--json")
    (change,) = answer(said, "remap")["changes"]
    assert (change["before"], change["outcome"], change["results"]) == ("PASSED", "ERROR", 1)
    said = ask(*remap, "--since", "2026-01-01")
    assert (said.exit_code, "ERROR" in said.stdout) == (0, True)
    assert "1 result changed" in said.stderr
    assert answer(ask(*remap, "--json"), "remap")["messages"] == 0
    with SqliteStore.open(folder / "r.db") as store:
        found = [(each.outcome, each.superseded_by) for each in store.results(ResultQuery())]
        assert sorted(found, key=str) == [("ERROR", None), ("PASSED", 2)]
    assert ask(*remap[:-1], "ci_messages@99").exit_code == 3
    assert ask(*remap, "--since", "x").exit_code == 64
