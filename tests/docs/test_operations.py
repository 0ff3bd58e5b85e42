"""docs/operations.md: the drill is done as it stands, every command is one, and every metric is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ci_results.cli.main import cli
from ci_results.config_spread import Spreading
from ci_results.domain.page import Page
from ci_results.store.opening import create_store, open_store
from ci_results.testing.store_contract import result

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

PAGE = ROOT / "docs" / "operations.md"
SERVER = {"PGHOST": "127.0.0.1", "PGPORT": "5432", "PGUSER": "postgres"}


def lines(heading: str) -> list[list[str]]:
    """Return the blocks of commands under a heading, a line each."""
    return [block.text.splitlines() for block in blocks(PAGE, "sh") if block.heading == heading]


def done(commands: list[str], folder: Path) -> str:
    """Run commands as they stand, ours in this process; return what they print."""
    said = ""
    for line in commands:
        words = shlex.split(line, comments=True)
        if words[0] == "ci-results":
            ran = CliRunner().invoke(cli, words[1:])
            assert ran.exit_code == 0, (line, ran.output)
            said += ran.stdout
        else:
            other = subprocess.run(words, cwd=folder, capture_output=True, text=True)
            assert other.returncode == 0, (line, other.stderr)
    return said


def fill(url: str) -> None:
    create_store(url)
    store = open_store(url)
    store.commit_page(Page(source="ci", results=[result(f"k{number}") for number in range(20)]))
    store.close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI_RESULTS_CONFIG", raising=False)
    monkeypatch.delenv("CI_RESULTS_STORE", raising=False)
    return tmp_path


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a database of its own."""
    name = f"ci_results_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    for variable, value in SERVER.items():
        monkeypatch.setenv(variable, value)
    yield name
    for each in (name, f"{name}_drill"):
        subprocess.run(["dropdb", "--if-exists", "--force", each], check=True, capture_output=True)


def test_the_drill_of_a_file_is_done_as_it_stands(here: Path) -> None:
    fill(f"sqlite:{here / 'results.db'}")
    (here / "ci-results.toml").write_text('store = "sqlite:results.db"\n')
    drill, _postgresql = lines("Restore drill")
    said = done(drill, here)
    assert "the canonical dumps of both are equal: 21 facts" in said
    assert said.count("ns.case") == 1
    assert not list(here.glob("drill*.db"))


@pytest.mark.needs("postgresql")
@pytest.mark.needs("pg_dump")
def test_the_drill_of_a_database_is_done_as_it_stands(here: Path, database: str) -> None:
    fill(f"postgresql:///{database}")
    _sqlite, drill = lines("Restore drill")
    said = done([line.replace("ci_results", database) for line in drill], here)
    live = done([f"ci-results db copy postgresql:///{database} sqlite:live.db"], here)
    digests = re.findall(r"21 facts, digest (\w+)", said + live)
    assert len(digests) == 2
    assert len(set(digests)) == 1
    assert said.count("ns.case") == 1


def test_backups_are_the_commands_that_the_drill_uses() -> None:
    (sqlite,), (postgresql,) = lines("Backup")
    assert sqlite.startswith("ci-results db backup ")
    assert postgresql.startswith("pg_dump --format=custom --file=")


def test_the_upgrade_is_what_the_commands_say(here: Path) -> None:
    (upgrade,) = lines("Upgrade")
    fill(f"sqlite:{here / 'ci-results.db'}")
    ours = [line for line in upgrade if line.startswith("ci-results")]
    assert "has the schema of this version" in done(ours, here)


def test_what_is_typed_when_a_disk_is_full_is_what_there_is(here: Path) -> None:
    fill(f"sqlite:{here / 'ci-results.db'}")
    (typed,) = lines("A disk is full")
    assert "before" in done(typed, here)


def test_every_key_of_spread_is_shown_with_its_default() -> None:
    (block,) = [each for each in blocks(PAGE, "toml") if each.text.startswith("[spread]")]
    table = tomllib.loads(block.text)["spread"]
    told = set(table) | set(re.findall(r"\b(password_file|ca|cert|key)\b", block.text))
    assert told == {each.name for each in fields(Spreading)}
    same = {"queue", "limit_s", "grace_s", "retries", "first_pause_s"}
    assert {name: table[name] for name in same} == {name: getattr(Spreading(), name) for name in same}


def test_alerts_ask_for_metrics_that_are_explained() -> None:
    serving = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(ci_results_\w+)", serving, re.MULTILINE))
    (block,) = blocks(PAGE, "yaml")
    rules = yaml.safe_load(block.text)["groups"][0]["rules"]
    asked = {name for rule in rules for name in re.findall(r"ci_results_\w+", rule["expr"])}
    assert len(rules) > 5
    assert asked <= explained
    shown = re.findall(r"`((?:source|bus|sink|follower)_\w+|write_queue)`", PAGE.read_text(encoding="utf-8"))
    assert {f"ci_results_{name}" for name in shown} <= explained


def test_alerts_say_what_to_type_and_that_is_there(fault: Callable[[list[str]], str | None]) -> None:
    (block,) = blocks(PAGE, "yaml")
    for rule in yaml.safe_load(block.text)["groups"][0]["rules"]:
        (words,) = re.findall(r"(ci-results [^;:{]+)", rule["annotations"]["do"])[-1:]
        assert fault(shlex.split(words)) is None, words


@pytest.fixture
def fault() -> Callable[[list[str]], str | None]:
    sys.path.insert(0, str(Path(__file__).parent))
    from test_documents import fault as found

    sys.path.pop(0)
    return found


def test_celery_takes_what_is_shown_of_it() -> None:
    from celery.bin.celery import celery

    shown = [
        line for block in lines("Harvests on many workers") for line in block if line.startswith("celery")
    ]
    assert len(shown) == 2
    for words in map(shlex.split, shown):
        assert words[1:3] == ["-A", "ci_results.spread.app"]
        assert words[3] in celery.commands
