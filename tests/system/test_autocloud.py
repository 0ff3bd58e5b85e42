"""A configured source of saved Autocloud messages, harvested by the command as an operator runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[2] / "plugins" / "autocloud" / "tests" / "messages"
CONFIGURED = """store = "sqlite:results.db"
[source.cloud]
collector = "autocloud"
path = "messages"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration, and a folder with one job from queued to its end, a failure, and a broken message."""
    (tmp_path / "ci-results.toml").write_text(CONFIGURED)
    (tmp_path / "messages").mkdir()
    lines = []
    for minute, status in enumerate(("queued", "running", "success")):
        saved = json.loads((SAMPLES / "image-success.json").read_bytes())
        saved["topic"] = f"org.fedoraproject.prod.autocloud.image.{status}"
        saved["timestamp"] += 60 * minute
        saved["msg"]["status"] = status
        lines += [json.dumps(saved)] * 2  # each delivered twice
    (tmp_path / "messages" / "2019-10.jsonl").write_text("\n".join(lines) + "\n")
    for name in ("image-failed", "image-disagreeing", "compose-complete-one-failed"):
        (tmp_path / "messages" / f"{name}.json").write_bytes((SAMPLES / f"{name}.json").read_bytes())
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ci_results", "--config", str(folder / "ci-results.toml"), *words]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


def latest(folder: Path) -> list[dict[str, Any]]:
    done = run(folder, "result", "list", "--latest", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return sorted(found, key=lambda one: str(one["key"]))


@pytest.mark.demand("S-080")
def test_saved_messages_of_autocloud_are_harvested_once(folder: Path) -> None:
    first = run(folder, "harvest")
    assert first.returncode == 0, first.stderr
    assert [(one["key"], one["outcome"], one["testcase"], one["scenario"]) for one in latest(folder)] == [
        ("prod/compose/42", "FAILED", "autocloud.compose", ""),
        ("prod/job/501", "PASSED", "compose.autocloud", "x86_64.qcow2"),
        ("prod/job/502", "FAILED", "compose.autocloud", "x86_64.vagrant-libvirt"),
    ]
    listed = run(folder, "quarantine", "list", "--json")
    assert ["the topic says success" in one["reason"] for one in json.loads(listed.stdout)] == [True]
    total = json.loads(run(folder, "result", "list", "--json").stdout)
    again = run(folder, "harvest", "--json")
    assert again.returncode == 0, again.stderr
    (report,) = json.loads(again.stdout)
    assert (report["new"], report["quarantined"]) == (0, 0)
    assert json.loads(run(folder, "result", "list", "--json").stdout) == total


@pytest.mark.demand("S-080")
def test_a_message_that_comes_in_another_file_stores_nothing(folder: Path) -> None:
    assert run(folder, "harvest").returncode == 0
    before = latest(folder)
    copy = folder / "messages" / "copy.jsonl"
    copy.write_bytes((folder / "messages" / "2019-10.jsonl").read_bytes())
    done = run(folder, "harvest", "--json")
    (report,) = json.loads(done.stdout)
    assert report["new"] == 0, report
    assert latest(folder) == before


def test_a_folder_that_is_not_there_is_told(folder: Path) -> None:
    path = folder / "ci-results.toml"
    path.write_text(path.read_text().replace('"messages"', '"elsewhere"'))
    done = run(folder, "harvest")
    assert done.returncode == 3
    assert f"no folder {folder}/elsewhere" in done.stdout + done.stderr
