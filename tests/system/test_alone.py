"""What the running thing promises as a whole: alone, small, passive."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
REPORT = """<testsuite name="s" tests="2"><testcase classname="c" name="a"/>
<testcase classname="c" name="b"><failure message="no"/></testcase></testsuite>"""


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "ci_results", "--config", str(folder / "ci-results.toml"), *words]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ci-results.toml").write_text('store = "sqlite:results.db"\n[report]\nnamespace = "local"\n')
    (tmp_path / "junit.xml").write_text(REPORT)
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Iterator[tuple[Path, str, psutil.Process]]:
    reported(folder)
    with subprocess.Popen(
        command(folder, "serve", "--port", "0"), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        address = next(
            found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
        )
        yield folder, address, psutil.Process(process.pid)
        process.terminate()


def reported(folder: Path) -> None:
    """Report the file with nothing in the environment but the interpreter."""
    words = command(folder, "report", "--item", "bash-5.2-1.fc40", str(folder / "junit.xml"))
    alone = {"PATH": os.path.dirname(sys.executable), "HOME": str(folder)}
    done = subprocess.run(words, env=alone, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.demand("S-010", "S-011", "S-024")
def test_it_works_alone_on_an_item_that_nobody_has_heard_of(folder: Path) -> None:
    reported(folder)
    listed = subprocess.run(
        command(folder, "result", "list", "--item", "bash", "--json"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"FAILED"' in listed.stdout


def facts(store: Path) -> str:
    """Return a digest of all that the store holds."""
    connection = sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)
    dump = "\n".join(connection.iterdump())
    connection.close()
    return hashlib.sha256(dump.encode()).hexdigest()


@pytest.mark.timeout(60)
@pytest.mark.demand("S-005", "S-014")
def test_a_server_that_nobody_asks_does_nothing_and_is_small(
    served: tuple[Path, str, psutil.Process],
) -> None:
    folder, address, process = served
    urllib.request.urlopen(f"{address}/healthcheck").close()  # noqa: S310
    before = facts(folder / "results.db")
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        abroad = [one for one in process.net_connections() if one.raddr and one.raddr.ip != "127.0.0.1"]
        assert abroad == []
        time.sleep(0.1)
    assert facts(folder / "results.db") == before
    assert process.children() == []
    assert process.memory_info().rss < 512 * 1024 * 1024


@pytest.mark.demand("S-009")
def test_nothing_here_needs_taskotron() -> None:
    for path in [
        *ROOT.glob("ci_results/**/*.py"),
        *ROOT.glob("ci_results/**/*.sql"),
        ROOT / "docs" / "cli.md",
    ]:
        if path.name != "echo.py":  # which knows its announcements, to leave them alone
            assert "taskotron" not in path.read_text(encoding="utf-8").lower()


@pytest.mark.demand("S-008")
def test_prior_art_is_credited_and_the_licence_is_ours() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "Josef Skladanka" in readme
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    for path in ROOT.glob("ci_results/**/*.py"):
        assert "GNU General Public" not in path.read_text(encoding="utf-8")


@pytest.mark.demand("S-027")
def test_the_hooks_are_few() -> None:
    from ci_results.plugin import spec

    hooks = [name for name, value in vars(spec).items() if hasattr(value, "ci_results_spec")]
    assert 5 <= len(hooks) <= 14
