"""`ci-results prune`: a dry run first, then for good, with who and why."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ci_results.cli.prune import WHY
from ci_results.cli.published import printed
from ci_results.domain.page import Page
from ci_results.domain.pruning import Kept
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.prune_rules import keys, states
from ci_results.testing.store_contract import NOON
from ci_results.testing.waiver_contract import grant

Ask = Callable[..., Any]
PRUNE = ("--store", "sqlite:r.db", "prune")


@pytest.fixture
def filled(folder: Path) -> Path:
    """Give the folder with a store of old results, three of a testcase."""
    with SqliteStore.open(folder / "r.db") as store:
        store.commit_page(Page(source="ci", results=states()))
        store.commit_page(Page(source="other", results=states(source="other", item="zsh-5-1.fc40")))
        store.commit_page(Page(source="ci", results=states(1, time=NOON + timedelta(days=900), run=None)))
        store.waivers.append([grant(subject="zsh-5-1.fc40")])
    return folder


def of(folder: Path) -> list[str]:
    with SqliteStore.open(folder / "r.db") as store:
        assert store.check() == []
        return keys(store)


def answer(said: Any) -> Any:
    found = json.loads(said.stdout)
    assert not list(Draft202012Validator(printed()["prune"]).iter_errors(found))
    return found


def test_without_yes_nothing_leaves_and_the_next_command_does_it(filled: Path, ask: Ask) -> None:
    said = ask(*PRUNE, "--older-than", "2026-03-02")
    assert said.exit_code == 0
    assert "ci      2026-03  3" in said.stdout
    assert "waived  3        a waiver is about their item" in said.stdout
    assert "newest" not in said.stdout, "a later one of the same testcase and item is there"
    assert len(of(filled)) == 7
    next_one = shlex.split(said.stderr.rpartition("next: ci-results ")[2])
    assert next_one[:3] == ["prune", "--older-than", "2026-03-02T00:00:00"]
    assert ask("--store", "sqlite:r.db", *next_one).exit_code == 0
    assert of(filled) == ["s0", "s0", "s1", "s2"]  # of other, and the newest of ci


def test_what_leaves_is_told_as_json_and_in_the_view(filled: Path, ask: Ask) -> None:
    before = "2026-03-02T00:00:00"
    asked = ("--older-than", before, "--source", "ci", "--testcase", "ns.*", "--all-states")
    told = answer(ask(*PRUNE, *asked, "--json"))
    assert (told["dry_run"], told["results"], told["kept"], told["whole"]) == (True, 3, {}, True)
    done = answer(ask(*PRUNE, *asked, "--yes", "--by", "jdoe", "--comment", "room", "--json"))
    assert (done["dry_run"], done["results"], done["pages"]) == (False, 3, 1)
    assert done["months"] == told["months"]
    with SqliteStore.open(filled / "r.db") as store:
        (page,) = store.pruning.pages()
    assert (page.username, page.comment, page.criteria) == ("jdoe", "room", done["criteria"])
    said = ask("--store", "sqlite:r.db", "result", "show", "1")
    assert said.exit_code == 1
    assert "no result 1: jdoe let it go on" in said.stderr
    assert answer(ask(*PRUNE, *asked, "--json"))["results"] == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--older-than", "180d", "--yes"), 64, "--comment"),
        (("--older-than", "180d", "--yes", "--comment", " "), 64, "--comment"),
        (("--older-than", "long ago"), 64, "neither a time"),
        ((), 64, "--older-than"),
        (("--older-than", "180d", "--yes", "--comment", "x", "--by", " "), 3, "say who"),
    ],
    ids=["no reason", "an empty one", "no age", "nothing", "nobody"],
)
def test_nothing_leaves_without_a_reason(
    filled: Path, ask: Ask, words: tuple[str, ...], code: int, told: str
) -> None:
    said = ask(*PRUNE, *words)
    assert (said.exit_code, told in said.stderr) == (code, True)
    assert len(of(filled)) == 7


def test_a_store_that_is_not_there_is_not_made(folder: Path, ask: Ask) -> None:
    assert ask(*PRUNE, "--older-than", "1d", "--yes", "--comment", "x").exit_code == 1
    assert ask(*PRUNE, "--older-than", "1d").exit_code == 1
    assert not (folder / "r.db").exists()


def test_each_reason_to_stay_is_told_in_words() -> None:
    assert set(WHY) == set(map(str, Kept))
