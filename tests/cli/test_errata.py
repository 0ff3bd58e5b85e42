"""The example of reports of checks: from disk and over HTTP the same rows, a second time nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import Result

Ask = Callable[..., Result]
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "errata"
SOURCES = ("rpmgrill", "covscan", "rpmdiff", "rpminspect", "tps")
LONG_AGO = 1_767_225_600


@pytest.fixture
def example(folder: Path) -> Path:
    """The working directory with the example in it, its reports written long ago."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    for file in (folder / "reports").rglob("*.*"):
        os.utime(file, (LONG_AGO, LONG_AGO))
    return folder


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder as `python -m http.server` does; yield its address and what is asked."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            asked.append(f"{self.command} {self.path}")

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
    finally:
        server.shutdown()
        server.server_close()


def harvest(ask: Ask, *words: str) -> dict[str, tuple[str, int, int, int]]:
    """Harvest all; return of each source its state, and how many were new, the same, and refused."""
    done = ask(*words, "harvest", "--json")
    assert done.exit_code == 0, done.output
    return {
        told["source"]: (told["state"], told["new"], told["same"], told["quarantined"])
        for told in json.loads(done.stdout)
    }


def rows(ask: Ask, *words: str) -> list[dict[str, Any]]:
    """Return all rows, without what tells when they came here."""
    done = ask(*words, "result", "list", "--json", "--limit", "1000")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    for row in told:
        for name in ("id", "seq"):
            del row[name]
    return sorted(told, key=lambda row: json.dumps(row, sort_keys=True))


@pytest.mark.demand("S-019", "S-025")
def test_reports_on_disk_and_behind_http_are_the_same_rows(ask: Ask, example: Path) -> None:
    first = harvest(ask)
    assert {name: state for name, (state, *_) in first.items()} == dict.fromkeys(SOURCES, "ok")
    assert all(new > 2 and refused == 0 for _, new, _, refused in first.values())
    assert harvest(ask) == dict.fromkeys(SOURCES, ("ok", 0, 0, 0))
    with serving(example / "reports") as (url, asked):
        text = (example / "ci-results.toml").read_text().replace("results.db", "http.db")
        for name in SOURCES:
            text = text.replace(f'path = "reports/{name}"', f'url = "{url}{name}/"')
        lines = [line for line in text.splitlines() if not line.startswith("link")]
        (example / "http.toml").write_text("\n".join(lines))
        linked = (example / "ci-results.toml").read_text().replace("results.db", "linked.db")
        for name in SOURCES:
            path = f'path = "reports/{name}"'
            linked = linked.replace(path, f'{path}\nlink = "{url}{name}/"')
        linked = "\n".join(line for line in linked.splitlines() if "reports.example.com" not in line)
        (example / "linked.toml").write_text(linked)
        over_http = ("--config", "http.toml")
        assert harvest(ask, *over_http) == first == harvest(ask, "--config", "linked.toml")
        assert rows(ask, *over_http) == rows(ask, "--config", "linked.toml")
        asked.clear()
        assert harvest(ask, *over_http) == dict.fromkeys(SOURCES, ("ok", 0, 0, 0))
        assert [each for each in asked if each.startswith("GET") and not each.endswith("/")] == []


@pytest.mark.demand("S-020", "S-021", "S-022", "S-023")
def test_what_the_checks_say_is_found_as_it_was_said(ask: Ask, example: Path) -> None:
    harvest(ask)
    told = rows(ask)

    def of(testcase: str, **data: str) -> list[dict[str, Any]]:
        return [
            row
            for row in told
            if row["testcase"] == testcase
            and all(value in row["data"].get(key, []) for key, value in data.items())
        ]

    (compared,) = of("dist.rpmdiff.comparison", newnvr="demo-1.1-1.el9", oldnvr="demo-1.0-1.el9")
    assert compared["outcome"] == "NEEDS_INSPECTION"
    (scanned,) = of("dist.covscan", item="demo-1.2-1.el9 demo-1.1-1.el9")
    assert scanned["outcome"] == "PASSED"
    (added,) = of("dist.covscan", item="demo-1.1-1.el9 demo-1.0-1.el9")
    assert {row["outcome"] for row in of("dist.covscan.cppcheck")} == {"FAILED"} == {added["outcome"]}
    (grilled,) = of("dist.rpmgrill", item="demo-2.0-1.fc44")
    assert grilled["outcome"] == "ERROR"
    assert of("dist.rpmgrill.virus-check", item="demo-2.0-1.fc44", parent="overall")[0]["outcome"] == "ERROR"
    streams = of("dist.tps.tps", item="demo-1.2-1.el9")
    assert len({(row["arch"], row["scenario"]) for row in streams}) == 4
    newest = json.loads(ask("result", "list", "--json", "--latest", "--item", "demo-1.2-1.el9").stdout)
    assert len([row for row in newest if row["testcase"] == "dist.tps.tps"]) == 4


def test_check_says_what_the_reports_are_about(ask: Ask, example: Path) -> None:
    done = ask("source", "check")
    assert done.exit_code == 0, done.output
    assert "reports/tps: 2 of tps*.json, in 3 folders" in done.output
    assert "rpminspect.json: 3 results for demo-2.0-1.fc44 demo-1.0-1.fc44 (koji_build_pair)" in done.output


def test_a_report_without_an_item_is_stored_when_its_rule_is_mended(ask: Ask, example: Path) -> None:
    config = example / "ci-results.toml"
    text = config.read_text()
    start = text.index("item = [")
    config.write_text(text[:start] + text[text.index("]\n", start) + 2 :])
    done = ask("harvest", "rpminspect", "--json")
    (told,) = json.loads(done.stdout)
    assert (told["new"], told["quarantined"]) == (0, 2)
    assert ask("quarantine", "retry", "--all").exit_code != 0
    config.write_text(text)
    again = ask("quarantine", "retry", "--all")
    assert again.exit_code == 0, again.output
    assert len(rows(ask)) == 7
    (told,) = json.loads(ask("harvest", "rpminspect", "--json").stdout)
    assert (told["new"], told["quarantined"]) == (0, 0)


def test_the_readme_shows_the_configuration_of_the_example() -> None:
    readme = (ROOT / "plugins" / "errata_checks" / "README.md").read_text(encoding="utf-8")
    assert f"```toml\n{(EXAMPLE / 'ci-results.toml').read_text(encoding='utf-8')}```" in readme
