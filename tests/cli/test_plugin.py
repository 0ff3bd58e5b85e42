"""`ci-results plugin`: list, new, record, check; a whole plugin's life on one machine, offline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import Result

from ci_results.testing.exchange import load, load_about

ROOT = Path(__file__).parents[2]
Ask = Callable[..., Result]
TOKEN = "t0p-s3cret-of-acme"


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def acme(ask: Ask, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new plugin acme, as good as installed: its folder is on the path, with its metadata."""
    done = ask("plugin", "new", "acme")
    assert done.exit_code == 0, done.output
    made = folder / "ci-results-acme"
    info = made / "ci_results_acme-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ci-results-acme\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[ci_results]\nacme = ci_results_acme\n")
    (info / "direct_url.json").write_text(json.dumps({"url": made.as_uri(), "dir_info": {"editable": True}}))
    monkeypatch.syspath_prepend(str(made))
    monkeypatch.delitem(sys.modules, "ci_results_acme", raising=False)
    return made


@pytest.fixture
def server() -> Iterator[str]:
    """A small CI server, three pages long, that gives away what it should not."""
    runs = [
        {
            "id": f"r{number}",
            "suite": "smoke",
            "status": "success",
            "build": f"bash-5.2-{number}.fc40",
            "finished": "2026-03-01T10:00:00+00:00",
            "url": "https://ci-01.corp.acme.com/runs/1",
            "log": f"jane.doe@corp.acme.com used {TOKEN} on node-7.corp.acme.com",
        }
        for number in range(1, 10)
    ]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            after = int(query["after"][0][1:]) if "after" in query else 0
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.send_response(401)
                self.end_headers()
                return
            body = json.dumps(runs[after : after + 2]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.mark.demand("S-144")
def test_a_new_plugin_is_green_before_the_first_edit(acme: Path) -> None:
    done = run_pytest(acme)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
    assert (acme / "ci_results_acme" / "__init__.py").read_text().count("def ") <= 4


def test_new_says_what_to_do_next(ask: Ask, folder: Path) -> None:
    done = ask("plugin", "new", "acme", "--into", "plugins")
    assert "created plugins/ci-results-acme" in done.output
    assert "to change: plugins/ci-results-acme/ci_results_acme/__init__.py" in done.output
    assert "next: cd plugins/ci-results-acme && pip install -e .[test] && pytest" in done.output


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Acme-CI", "ci-results plugin new acme_ci"),
        ("ci-results-acme", "ci-results plugin new acme"),
        ("9acme", "ci-results plugin new acme"),
        ("class", "letter first"),
        ("../acme", "ci-results plugin new acme"),
        ("ácme", "ci-results plugin new cme"),
        ("testing", "letter first"),
        ("x", "letter first"),
        ("a" * 60, "letter first"),
    ],
)
def test_a_bad_name_is_refused_with_a_better_one(name: str, hint: str, ask: Ask, folder: Path) -> None:
    done = ask("plugin", "new", name)
    assert done.exit_code == 3
    assert hint in done.output
    assert list(folder.iterdir()) == []


def test_new_never_writes_over_what_is_there(ask: Ask, folder: Path) -> None:
    ask("plugin", "new", "acme")
    module = folder / "ci-results-acme" / "ci_results_acme" / "__init__.py"
    module.write_text("# mine")
    done = ask("plugin", "new", "acme")
    assert done.exit_code == 3
    assert "is there already" in done.output
    assert module.read_text() == "# mine"


@pytest.mark.parametrize("url", ["ftp://acme", 'https://x"; import os', "acme"])
def test_an_address_that_could_break_out_of_the_template_is_refused(url: str, ask: Ask, folder: Path) -> None:
    assert ask("plugin", "new", "acme", "--url", url).exit_code == 3
    assert list(folder.iterdir()) == []


@pytest.mark.demand("S-144")
def test_list_shows_name_version_distribution_hooks_and_state(ask: Ask, acme: Path) -> None:
    rows = json.loads(ask("plugin", "list", "--json").stdout)
    mine = next(row for row in rows if row["name"] == "acme")
    assert mine == {
        "name": "acme",
        "version": "0.1.0",
        "distribution": "ci-results-acme",
        "hooks": ["register_collectors"],
        "state": "ok",
        "problem": None,
    }
    table = [line.split() for line in ask("plugin", "list").stdout.splitlines()]
    assert ["acme", "0.1.0", "ci-results-acme", "ok", "register_collectors"] in table


@pytest.mark.demand("S-144")
def test_list_shows_a_broken_plugin_and_the_others(ask: Ask, acme: Path) -> None:
    (acme / "ci_results_acme" / "__init__.py").write_text("raise RuntimeError('out of order')\n")
    done = ask("plugin", "list", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["acme"]["state"] == "broken"
    assert rows["acme"]["problem"] == "RuntimeError: out of order"
    assert rows["builtin"]["state"] == "ok"


def test_record_writes_a_recording_that_keeps_the_contract(
    ask: Ask, acme: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", TOKEN)
    into = acme / "tests" / "recording"
    done = ask("plugin", "record", "acme", "--url", server, "--token-env", "ACME_TOKEN", "--into", into)
    assert done.exit_code == 0, done.output
    assert "6 observations" in done.output
    assert "options = Options(url='https://source.test')" in done.output
    assert load_about(into) == {"collector": "acme", "pages": 3}
    written = "".join(path.read_text() for path in into.iterdir())
    for leak in (TOKEN, "acme.com", "jane.doe", "node-7", "ci-01"):
        assert leak not in written
    passed = run_pytest(acme)
    assert passed.returncode == 0, passed.stdout + passed.stderr


def test_record_takes_a_source_to_its_end(
    ask: Ask, acme: Path, folder: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", TOKEN)
    table = f'[source.widgets]\ncollector = "acme"\nurl = "{server}"\ntoken_env = "ACME_TOKEN"\n'
    (folder / "ci-results.toml").write_text(table)
    done = ask("plugin", "record", "widgets", "--all", "--into", "recording")
    assert done.exit_code == 0, done.output
    assert "9 observations" in done.output
    assert load_about(folder / "recording")["pages"] is None
    asked = [exchange.url for exchange in load(folder / "recording")]
    assert len(asked) >= 6  # one more where a connection was lost, and asked anew
    assert len(set(asked)) == 6


def test_record_writes_nothing_where_the_server_refuses(ask: Ask, acme: Path, server: str) -> None:
    into = acme / "tests" / "recording"
    before = sorted(into.iterdir())
    done = ask("plugin", "record", "acme", "--url", server, "--into", into)
    assert done.exit_code == 3
    assert "401" in done.output
    assert sorted(into.iterdir()) == before


def test_record_of_an_unknown_name_says_which_there_are(ask: Ask, acme: Path) -> None:
    done = ask("plugin", "record", "acne", "--url", "https://source.test")
    assert done.exit_code == 3
    assert "known are acme" in done.output


def test_check_of_a_new_plugin_passes_and_builds_its_wheel(ask: Ask, acme: Path) -> None:
    before = sorted(str(path) for path in acme.rglob("*") if "__pycache__" not in str(path))
    done = ask("plugin", "check", "--release", acme)
    assert done.exit_code == 0, done.output
    assert "wheel: ci_results_acme-0.1.0-py3-none-any.whl" in done.output
    assert "checks passed" in done.output
    assert sorted(str(path) for path in acme.rglob("*") if "__pycache__" not in str(path)) == before


def test_check_finds_an_installed_plugin_by_its_name(ask: Ask, acme: Path) -> None:
    done = ask("plugin", "check", "acme", "--json")
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert done.exit_code == 0, done.output
    assert findings["loads"]["said"] == "acme: register_collectors"
    assert findings["contract"]["said"] == "tests/test_contract.py"


def change(path: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        text = (folder / path).read_text()
        assert old in text
        (folder / path).write_text(text.replace(old, new))

    return apply


MODULE = "ci_results_acme/__init__.py"


@pytest.mark.parametrize(
    ("spoil", "failed"),
    [
        (lambda folder: (folder / "README.md").unlink(), "README"),
        (lambda folder: (folder / "LICENSE").write_text(""), "licence"),
        (change("setup.py", 'license="Apache-2.0",', ""), "metadata"),
        (change("setup.py", 'name="ci-results-acme"', 'name="acme"'), "distribution"),
        (change("setup.py", 'entry_points={"ci_results"', 'entry_points={"ci-results"'), "entry point"),
        (change("setup.py", '["acme = ci_results_acme"]', '["acme = acme_ci"]'), "package"),
        (change("setup.py", '["acme = ci_results_acme"]', '["acme = ci_results_acne"]'), "loads"),
        (change(MODULE, "def register_collectors", "def register_colectors"), "loads"),
        (change(MODULE, "@hookimpl\n", ""), "loads"),
        (change(MODULE, "key=run[", "key=id(run) or run["), "tests"),
        (
            lambda folder: (folder / "tests" / "test_contract.py").write_text("def test_x(): pass\n"),
            "contract",
        ),
    ],
    ids=[
        "readme",
        "licence",
        "licence-field",
        "name",
        "group",
        "package",
        "module",
        "hook",
        "mark",
        "rule",
        "contract",
    ],
)
def test_check_names_what_is_wrong(spoil: Callable[[Path], None], failed: str, ask: Ask, acme: Path) -> None:
    spoil(acme)
    done = ask("plugin", "check", acme, "--json")
    assert done.exit_code == 1
    bad = [finding for finding in json.loads(done.stdout) if not finding["ok"]]
    assert failed in [finding["check"] for finding in bad]
    assert all(finding["mend"] for finding in bad)


def test_check_for_a_release_looks_into_the_wheel(ask: Ask, acme: Path) -> None:
    change("setup.py", 'include=["ci_results_acme", "ci_results_acme.*"]', 'include=["nothing"]')(acme)
    done = ask("plugin", "check", "--release", acme)
    assert done.exit_code == 1
    assert "bad  wheel holds: lacks ci_results_acme" in done.output


def test_check_of_nothing_says_what_to_give(ask: Ask, folder: Path) -> None:
    assert "holds no setup.py" in ask("plugin", "check").output
    done = ask("plugin", "check", "nobody")
    assert done.exit_code == 1
    assert "no folder and no plugin 'nobody'" in done.output
