"""`plugin new NAME --kind jenkins`: two functions, a recorded master, offline; what its contract catches."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from ci_results.cli.main import cli
from ci_results.operations.plugin_new import new_plugin
from ci_results.testing.exchange import Exchange, load, load_about

ROOT = Path(__file__).parents[2]
JENKINS = ROOT / "plugins" / "jenkins"
TOKEN = "11" + "ab" * 16


@pytest.fixture
def baseos(tmp_path: Path) -> Path:
    return new_plugin("baseos", tmp_path, "jenkins", "https://jenkins-baseos.corp.acme.com/", "JTOKEN").folder


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    path = os.pathsep.join([str(ROOT), str(JENKINS)])
    env = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_it_is_green_before_the_first_edit(baseos: Path) -> None:
    done = run_pytest(baseos)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_it_has_two_functions_to_change_and_the_hook(baseos: Path) -> None:
    text = (baseos / "ci_results_baseos" / "__init__.py").read_text()
    assert re.findall(r"^ *def (\w+)", text, re.MULTILINE) == [
        "item_from",
        "testcase_from",
        "register_collectors",
    ]
    assert "class Baseos(Jenkins):" in text


def test_it_knows_the_master_and_where_its_token_is(baseos: Path) -> None:
    readme = (baseos / "README.md").read_text()
    assert 'url = "https://jenkins-baseos.corp.acme.com"' in readme
    assert 'token_env = "JTOKEN"' in readme
    assert '"ci-results-jenkins"' in (baseos / "setup.py").read_text()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('build.parameters.get("NVR")', '"unknown"', "test_items_fit_their_type"),
        ('return f"baseos.{case', 'return f"{case', "test_testcases_have_a_namespace"),
        ("@hookimpl\n", "", "test_hooks_are_spelt_and_marked"),
        ('name = "baseos"', 'name = "BaseOS"', "test_the_name_is_plain"),
    ],
    ids=["no item", "no namespace", "no mark", "name"],
)
def test_a_mistake_in_it_is_named_by_its_rule(old: str, new: str, rule: str, baseos: Path) -> None:
    module = baseos / "ci_results_baseos" / "__init__.py"
    text = module.read_text()
    assert old in text
    text = text.replace(old, new)
    if rule == "test_testcases_have_a_namespace":
        text = re.sub(r"return f\"\{case.*", 'return "smoke"', text)
    module.write_text(text)
    done = run_pytest(baseos)
    assert done.returncode == 1
    assert rule in done.stdout
    assert "  mend  " in done.stdout


@pytest.fixture
def master(baseos: Path) -> Iterator[str]:
    """The recorded master as a server: it gives the whole document, whatever the tree."""
    answers: dict[str, Exchange] = {
        urlsplit(each.url).path: each for each in load(baseos / "tests" / "recording")
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(urlsplit(self.path).path)
            body = b"<html></html>" if answer is None else answer.body
            port = str(self.server.server_address[1])
            body = body.replace(b"https://source.test", f"http://127.0.0.1:{port}".encode())
            self.send_response(404 if answer is None else answer.status)
            for name, value in (answer.headers if answer else {"Content-Type": "text/html"}).items():
                self.send_header(name, value)
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


Install = Callable[[Path, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a plugin's folder on the path, with metadata, where it is not installed anyway."""

    def put(folder: Path, name: str) -> None:
        info = tmp_path / name / f"ci_results_{name}-9.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ci-results-{name}\nVersion: 9\n")
        (info / "entry_points.txt").write_text(f"[ci_results]\n{name} = ci_results_{name}\n")
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.syspath_prepend(str(tmp_path / name))
        monkeypatch.delitem(sys.modules, f"ci_results_{name}", raising=False)

    return put


def test_new_probes_the_master_it_is_given(
    master: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(JENKINS, "jenkins")
    monkeypatch.setenv("JTOKEN", TOKEN)
    words = ["plugin", "new", "kernel", "--kind", "jenkins", "--url", master, "--token-env", "JTOKEN"]
    done = CliRunner().invoke(cli, [*words, "--into", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    assert "probe: ok" in done.output
    assert "Jenkins 2.448" in done.output
    assert "2 jobs: 2 active" in done.output


def test_new_is_written_where_the_master_is_away_too(install: Install, tmp_path: Path) -> None:
    install(JENKINS, "jenkins")
    words = [
        "plugin",
        "new",
        "kernel",
        "--kind",
        "jenkins",
        "--url",
        "http://127.0.0.1:9",
        "--token-env",
        "NOT_SET",
    ]
    done = CliRunner().invoke(cli, [*words, "--into", str(tmp_path / "new")])
    assert done.exit_code == 0
    assert "probe: bad" in done.output
    assert "NOT_SET is not set" in done.output
    assert (tmp_path / "new" / "ci-results-kernel" / "setup.py").is_file()


def test_its_own_master_is_recorded_and_keeps_the_contract(
    baseos: Path, master: str, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(JENKINS, "jenkins")
    install(baseos, "baseos")
    monkeypatch.setenv("JTOKEN", TOKEN)
    into = baseos / "tests" / "recording"
    words = ["plugin", "record", "baseos", "--url", master, "--token-env", "JTOKEN", "--user", "bot", "--all"]
    done = CliRunner().invoke(cli, [*words, "--into", str(into), "--set", "namespace=baseos"])
    assert done.exit_code == 0, done.output
    assert "9 observations" in done.output
    assert load_about(into) == {"collector": "baseos", "pages": None}
    written = "".join(path.read_text() for path in into.iterdir())
    assert "127.0.0.1" not in written
    assert TOKEN not in written
    assert all(json.loads(path.read_text()) for path in into.iterdir())
    passed = run_pytest(baseos)
    assert passed.returncode == 0, passed.stdout + passed.stderr
