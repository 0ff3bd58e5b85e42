"""examples/tox-project: what `init --tox` wrote there keeps results, offline, and stores nothing twice."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "tox-project"
WRITTEN = "[testenv:ci-results]"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example, without what a person may have run there."""
    left_out = shutil.ignore_patterns(".tox", "__pycache__", ".pytest_cache", "ci-results.db*", "*.jsonl")
    return Path(shutil.copytree(EXAMPLE, tmp_path / "tox-project", ignore=left_out))


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command there with the programs of this environment, and nothing else of it."""
    env = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    env["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    env |= {"PIP_NO_INDEX": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    return subprocess.run(words, cwd=project, env=env, capture_output=True, text=True, check=False)


def tox(project: Path) -> subprocess.CompletedProcess[str]:
    """Run its environment with what is installed here: nothing is fetched."""
    words = ("-m", "tox", "run", "-e", "ci-results", "-x", "testenv:ci-results.deps=")
    return run(project, sys.executable, *words)


def told(project: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (project / "ci-results.jsonl").read_text().splitlines()]


def test_the_example_is_what_init_writes(project: Path) -> None:
    tox_ini = (project / "tox.ini").read_text()
    (project / "ci-results.toml").unlink()
    (project / "tox.ini").write_text(tox_ini[: tox_ini.index(f"\n{WRITTEN}")])
    done = run(project, sys.executable, "-m", "ci_results", "init", "--tox")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "next: tox run -e ci-results · ci-results serve"
    for name in ("tox.ini", "ci-results.toml"):
        assert (project / name).read_text() == (EXAMPLE / name).read_text()
    again = run(project, sys.executable, "-m", "ci_results", "init", "--tox")
    assert again.returncode == 2
    assert again.stdout == tox_ini[tox_ini.index(WRITTEN) :]


@pytest.mark.needs("tox")
@pytest.mark.timeout(180)
@pytest.mark.demand("S-143")
def test_tests_run_in_tox_are_kept_once_and_sent_on_offline(project: Path) -> None:
    first = tox(project)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "junit.xml: stored  +5 new  =0 same" in first.stdout
    assert re.search(r"PASSED +3\s+INFO +1\b", first.stdout)
    names = [f"tox-project.tests.test_widget.{name}" for name in (
        "test_a_width_is_read[12 mm-12]", "test_a_width_is_read[3 cm-30]", "test_inches_are_read",
        "test_what_is_no_width_is_refused",
    )]  # fmt: skip
    lines = told(project)
    assert sorted(one["testcase"] for one in lines if "parent" in one["data"]) == names
    assert {tuple(one["data"]["item"]) for one in lines} == {("tox-project",)}

    feed = (project / "ci-results.jsonl").read_bytes()
    second = tox(project)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "junit.xml: same  +0 new  =5 same" in second.stdout
    assert "sink=feed state=ok sent=0" in second.stdout
    assert (project / "ci-results.jsonl").read_bytes() == feed

    test = project / "tests" / "test_widget.py"
    test.write_text(test.read_text().replace("12 miles", "12 mm"))
    third = tox(project)
    assert third.returncode == 1
    assert "junit.xml: stored  +2 new  ~2 superseding  =3 same" in third.stdout
    news = {one["key"]: one["outcome"] for one in told(project)[5:]}
    assert news == {"overall": "FAILED", "tests.test_widget::test_what_is_no_width_is_refused": "FAILED"}
    pairs = [(one["seq"], one["id"]) for one in told(project)]
    assert pairs == sorted(set(pairs))
