"""The command line against a recorded Jenkins master that wants a token."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ci_results_jenkins.recorded_master import RecordedMaster
from click.testing import Result

Ask = Callable[..., Result]
RECORDING = Path(__file__).parents[2] / "examples" / "masters" / "master.ndjson.xz"
TOKEN = "11b2c3d4e5f6a7b8"


@pytest.fixture
def master(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedMaster]:
    monkeypatch.setenv("JTOKEN", TOKEN)
    with RecordedMaster(RECORDING, user="reader", token=TOKEN).serve() as serving:
        yield serving


def add(ask: Ask, url: str, *more: str) -> Result:
    jobs = 'jobs=["rpm/f42/tier1/*", "timer-job"]'
    words = ("--user", "reader", "--token-env", "JTOKEN", "--owner", "qe", "--set", jobs)
    return ask("source", "add", "rpm", url, *words, *more)


@pytest.mark.demand("S-125")
def test_a_master_is_one_command_and_one_token(ask: Ask, master: RecordedMaster, folder: Path) -> None:
    added = add(ask, master.url)
    assert added.exit_code == 0, added.output
    assert "Jenkins 2.448" in added.stdout
    assert "so it is its own item (ci_build)" in added.stdout
    (report,) = json.loads(ask("harvest", "--json").stdout)
    assert report["state"] == "ok"
    assert report["new"] > 1_000
    (again,) = json.loads(ask("harvest", "--json").stdout)
    assert (again["new"], again["requests"]) == (0, 1)
    (row,) = json.loads(ask("coverage", "--json").stdout)
    assert (row["source"], row["owner"], row["publishes"], row["silent"]) == ("rpm", "qe", 2, 1)


@pytest.mark.parametrize(("token", "said"), [("wrong", "401"), (None, "JTOKEN is not set")])
def test_a_wrong_token_is_told_with_what_to_do(
    ask: Ask, master: RecordedMaster, monkeypatch: pytest.MonkeyPatch, token: str | None, said: str
) -> None:
    if token is None:
        monkeypatch.delenv("JTOKEN")
    else:
        monkeypatch.setenv("JTOKEN", token)
    added = add(ask, master.url)
    assert added.exit_code == 2
    assert said in added.stdout
    assert ask("harvest").exit_code == 3


def test_the_token_is_written_nowhere(ask: Ask, master: RecordedMaster, folder: Path) -> None:
    said = [
        add(ask, master.url),
        ask("--log-json", "harvest"),
        ask("source", "list", "--json"),
        ask("doctor"),
    ]
    assert not any(TOKEN in done.output for done in said)
    assert not any(TOKEN.encode() in path.read_bytes() for path in folder.iterdir() if path.is_file())


@pytest.mark.demand("S-030")
def test_a_build_without_item_is_retried_after_a_rule_is_mended(
    ask: Ask, master: RecordedMaster, folder: Path
) -> None:
    assert add(ask, master.url, "--set", 'fallback="quarantine"').exit_code == 0
    ask("harvest")
    waiting = json.loads(ask("quarantine", "list", "--limit", "1000", "--json").stdout)
    assert len(waiting) > 50
    config = folder / "ci-results.toml"
    config.write_text(config.read_text() + 'item = [{ find = "parameter", name = "NVR" }]\n')
    retried = ask("quarantine", "retry", "--source", "rpm", "--json")
    assert retried.exit_code == 2
    stored = [one for one in json.loads(retried.stdout) if one["reason"] is None]
    left = json.loads(ask("quarantine", "list", "--json").stdout)
    assert {record["key"].partition("#")[0] for record in left} == {"timer-job"}
    assert len(stored) + len(left) == len(waiting)
    rows = json.loads(ask("result", "list", "--item", "openssl-3.2.1-2.el10", "--json").stdout)
    assert any(row["outcome"] == "FAILED" for row in rows)


def test_fourteen_masters_come_from_a_table(ask: Ask, master: RecordedMaster, folder: Path) -> None:
    rows = "".join(f"m{number},{master.url},team{number},reader,JTOKEN\n" for number in range(14))
    (folder / "masters.csv").write_text(f"name,url,owner,user,token_env\n{rows}")
    assert ask("source", "add", "--from", "masters.csv", "--no-check").exit_code == 0
    listed = json.loads(ask("source", "list", "--json").stdout)
    assert [(row["source"], row["owner"]) for row in listed] == [(f"m{n}", f"team{n}") for n in range(14)]
    (dry,) = json.loads(ask("harvest", "--dry-run", "--json", "m7").stdout)
    assert (dry["state"], dry["new"] > 40_000) == ("ok", True)


@pytest.mark.demand("S-017")
def test_one_question_finds_an_item_in_jobs_of_every_kind(
    ask: Ask, master: RecordedMaster, folder: Path
) -> None:
    jobs = 'jobs=["rpm/f42/rpmgrill", "rpm/f42/pipeline-parallel", "rpm/f42/compose matrix", "products/*"]'
    rules = "item=[{ find = 'parameter', name = 'NVR' }]"
    words = ("--user", "reader", "--token-env", "JTOKEN", "--no-check", "--set", jobs, "--set", rules)
    ask("source", "add", "rpm", master.url, *words)
    assert ask("harvest").exit_code == 0
    kinds = set()
    for item in ("bash-5.2.26-1.el10", "glibc-2.39-1.el10", "comp-1-1", "openssl-3.2.1-1.el10"):
        rows = json.loads(ask("result", "list", "--item", item, "--limit", "1000", "--json").stdout)
        assert rows, item
        kinds |= {row["data"]["job"][0] for row in rows}
        for row in rows:
            assert {"item", "type", "job", "build"} <= set(row["data"])
            assert row["ref_url"].startswith(master.url)
    assert {"rpm/f42/rpmgrill", "rpm/f42/pipeline-parallel", "rpm/f42/compose matrix"} < kinds


@pytest.mark.demand("S-018")
def test_fourteen_masters_are_harvested_in_one_run_with_bounded_questions(
    ask: Ask, master: RecordedMaster, folder: Path
) -> None:
    tables = "".join(
        f'[source.m{number}]\ncollector = "jenkins"\nurl = "{master.url}"\n'
        'user = "reader"\ntoken_env = "JTOKEN"\njobs = ["rpm/f42/rpmgrill", "timer-job"]\n'
        for number in range(14)
    )
    (folder / "ci-results.toml").write_text(tables)
    reports = json.loads(ask("harvest", "--json").stdout)
    assert {report["state"] for report in reports} == {"ok"}
    assert len({report["new"] for report in reports}) == 1
    assert not any("depth=" in target for _, target in master.asked)
    jobs_asked = [target for _, target in master.asked if "Builds" in target or "builds" in target]
    assert len(jobs_asked) <= 14 * 3
    master.asked.clear()
    again = json.loads(ask("harvest", "--json").stdout)
    assert sum(report["new"] for report in again) == 0
    assert len(master.asked) == 14
