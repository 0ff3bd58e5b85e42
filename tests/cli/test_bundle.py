"""`ci-results bundle` and `verify`, from the outside."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result as Done

from ci_results.domain.page import Page
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

from .test_policy_tools import POLICY, holds

Ask = Callable[..., Done]
BASH = "bash-5.2-1.fc40"


@pytest.fixture
def filled(folder: Path) -> Path:
    (folder / "ci-results.toml").write_text('store = "sqlite:r.db"\n[gate]\npolicies = ["policies/*.yaml"]\n')
    (folder / "policies").mkdir()
    (folder / "policies" / "push.yaml").write_text(POLICY)
    with SqliteStore.open(folder / "r.db") as store:
        store.commit_page(Page(source="ci", results=[result("1", outcome="failed")]))
    return folder


def test_a_bundle_is_written_signed_and_verified(ask: Ask, filled: Path) -> None:
    made = ask("bundle", "keygen", "releng")
    assert (made.exit_code, "next: ci-results bundle ITEM" in made.stderr) == (0, True)
    done = ask("bundle", BASH, "-o", "e.sqlite", "--sign", "releng.key")
    assert (done.exit_code, done.stdout) == (0, f"no-go      {BASH}  push of fedora-40\n"), done.output
    assert "next: ci-results verify e.sqlite --key KEY.pub" in done.stderr
    good = ask("verify", "e.sqlite", "--key", "releng.pub")
    assert (good.exit_code, good.stderr.startswith("e.sqlite: whole; ")) == (0, True), good.output
    nobody = ask("verify", "e.sqlite")
    assert (nobody.exit_code, "whole, but nobody vouches" in nobody.stderr) == (2, True)
    value = holds("verify", ask("verify", "e.sqlite", "--key", "releng.pub", "--json"))
    assert isinstance(value, dict)
    assert (value["state"], value["rows"]["result"]) == ("whole", 1)
    connection = sqlite3.connect("e.sqlite")
    connection.execute("update result set outcome = 'PASSED'")
    connection.commit()
    connection.close()
    bad = ask("verify", "e.sqlite", "--key", "releng.pub")
    assert (bad.exit_code, bad.stdout) == (1, "result: row 1 was altered\n")
    assert ask("verify", "r.db").exit_code == 3
    assert ask("verify", "gone.sqlite").exit_code == 3


def test_nothing_is_written_over_unless_that_is_said(ask: Ask, filled: Path) -> None:
    words = ("bundle", BASH, "-o", "e.sqlite", "--at", "2026-05-01")
    value = holds("bundle-of", ask(*words, "--json"))
    assert isinstance(value, dict)
    assert value["decisions"][0]["verdict"] == "no-go"
    first = (filled / "e.sqlite").read_bytes()
    again = ask(*words)
    assert (again.exit_code, "--force" in again.stderr) == (1, True)
    assert ask(*words, "--force").exit_code == 0
    assert (filled / "e.sqlite").read_bytes() == first
    unsigned = ask("verify", "e.sqlite")
    assert (unsigned.exit_code, "not signed" in unsigned.stderr) == (2, True)


def test_what_is_not_there_is_told(ask: Ask, filled: Path) -> None:
    unknown = ask("bundle", "zsh-5-1.fc40", "-o", "e.sqlite")
    assert (unknown.exit_code, "nothing is known of 'zsh-5-1.fc40'" in unknown.stderr) == (1, True)
    assert not (filled / "e.sqlite").exists()
    no_key = ask("bundle", BASH, "-o", "e.sqlite", "--sign", "gone.key")
    assert (no_key.exit_code, "no key gone.key; make one" in no_key.stderr) == (1, True)
    assert ask("bundle", BASH).exit_code == 64
    assert "keygen" in ask("bundle", "--help").stdout
    nowhere = ask("bundle", BASH, "-o", "none/e.sqlite")
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (3, True)


def test_a_bundle_opens_in_datasette(ask: Ask, filled: Path) -> None:
    assert ask("bundle", BASH, "-o", "e.sqlite").exit_code == 0
    told = subprocess.run(
        [sys.executable, "-m", "datasette", "e.sqlite", "--get", "/e/latest_result.json?_shape=array"],
        capture_output=True, text=True, timeout=80, check=True, cwd=filled,
    )  # fmt: skip
    (row,) = json.loads(told.stdout)
    assert (row["testcase"], row["outcome"]) == ("ns.case", "FAILED")
