"""`ci-results db` on PostgreSQL, and a harvest into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from ci_results_jenkins.recorded_master import RecordedMaster
from click.testing import Result

Ask = Callable[..., Result]
Place = Callable[[str], str]
RECORDING = Path(__file__).parents[2] / "examples" / "masters" / "master.ndjson.xz"
SERVER = "postgresql://postgres@127.0.0.1:5432"

pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture
def empty(postgresql: Place) -> Iterator[str]:
    """The URL of a database that is not there; dropped where it was made."""
    name = postgresql("any").rpartition("=")[2]
    yield f"{SERVER}/{name}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as admin:
        admin.execute(f"drop database if exists {name}".encode())


@pytest.mark.timeout(120)  # to drop a database waits for a checkpoint
def test_a_database_is_made_by_one_command(ask: Ask, empty: str) -> None:
    absent = ask("--store", empty, "db", "check")
    assert absent.exit_code == 3
    assert "does not exist" in absent.stderr
    for said in ("made", "is there already"):
        created = ask("--store", empty, "db", "create")
        assert (created.exit_code, created.stdout) == (0, f"{empty}: {said}\n")
    assert "sound" in ask("--store", empty, "db", "check").stderr


def test_a_schema_that_is_not_there_is_made_too(ask: Ask, postgresql: Place) -> None:
    url = postgresql("one").replace("%3D", "%3Dmore_")
    schema = postgresql("one").rpartition("=")[2]
    assert ask("--store", url, "db", "check").exit_code == 1
    assert ask("--store", url, "db", "create").exit_code == 0
    assert ask("--store", url, "db", "check").exit_code == 0
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as admin:
        admin.execute(f"drop schema more_{schema} cascade".encode())


def test_where_there_is_no_store_the_next_command_is_told(ask: Ask, postgresql: Place, folder: Path) -> None:
    for url in (postgresql("one"), "sqlite:none.db"):
        for command in (["db", "migrate"], ["db", "check"], ["result", "list"]):
            answer = ask("--store", url, *command)
            assert answer.exit_code == 1, (url, command)
            assert "no store" in answer.stderr
    assert not (folder / "none.db").exists()


def test_care_for_a_database_says_what_is_done_otherwise(ask: Ask, postgresql: Place) -> None:
    store = ("--store", postgresql("one"))
    assert ask(*store, "db", "create").exit_code == 0
    assert "has the schema of this version" in ask(*store, "db", "migrate").stdout
    backup = ask(*store, "db", "backup", "x.db")
    assert backup.exit_code == 64
    assert "pg_dump" in backup.stderr
    assert "MB before" in ask(*store, "db", "vacuum").stdout.replace("kB", "MB")
    assert json.loads(ask(*store, "db", "check", "--json").stdout)["problems"] == []
    assert ask(*store, "doctor").exit_code == 0


def test_a_copy_is_told_with_its_digest(ask: Ask, postgresql: Place, configured: Callable[..., None]) -> None:
    see = {"key": "1", "outcome": "SUCCESS", "time": "2026-01-01T00:00:00+00:00", "run": "job#1"}
    configured(one=[{"see": see}, {"checkpoint": "c"}])
    assert ask("harvest").exit_code == 0
    url = postgresql("one")
    copied = ask("db", "copy", "sqlite:r.db", url)
    assert copied.exit_code == 0, copied.output
    assert "1 results and 0 quarantined records copied" in copied.stdout
    assert "are equal: 2 facts" in copied.stdout
    again = ask("db", "copy", "sqlite:r.db", url)
    assert again.exit_code == 3
    assert "has rows already" in again.stderr
    back = json.loads(ask("db", "copy", "--json", url, "back.db").stdout)
    assert back["digest"] in copied.stdout
    assert ask("--store", "back.db", "result", "list").stdout == ask("result", "list").stdout


@pytest.mark.timeout(120)
def test_a_harvest_into_postgresql_is_that_into_sqlite(ask: Ask, postgresql: Place, folder: Path) -> None:
    with RecordedMaster(RECORDING).serve() as master:
        (folder / "ci-results.toml").write_text(
            f'[source.rpm]\ncollector = "jenkins"\nurl = "{master.url}"\n'
            "item = [{ find = 'parameter', name = 'NVR' }]\n"
            'jobs = ["rpm/f42/*", "timer-job", "products/*"]\n'
        )
        url = postgresql("one")
        reports = [json.loads(ask("--store", store, "harvest", "--json").stdout) for store in (url, "r.db")]
        assert reports[0][0]["new"] == reports[1][0]["new"] > 1_000
        (again,) = json.loads(ask("--store", url, "harvest", "--json").stdout)
        assert (again["state"], again["new"], again["requests"]) == ("ok", 0, 1)
    from ci_results.store.opening import open_store

    dumps = []
    for store in (url, "r.db"):
        opened = open_store(store)
        dumps.append(list(opened.dump(portable=True)))
        assert opened.check() == []
        opened.close()
    assert dumps[0] == dumps[1]
    asked = ("result", "list", "--item", "openssl", "--limit", "500", "--json")
    assert ask("--store", url, *asked).stdout == ask("--store", "r.db", *asked).stdout
