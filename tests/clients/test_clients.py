"""Clients from PyPI, unmodified, each in an environment of its own: they notice no difference."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from .environments import python

HERE = Path(__file__).parent
pytestmark = [pytest.mark.needs("clients"), pytest.mark.timeout(120)]


def run(client: str, folder: Path, *words: str) -> str:
    """Run a program of a client's environment; return what it says."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [str(python(client)), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def groups_of(api: str) -> dict[str, dict[str, Any]]:
    """Return all groups by their description."""
    rows = requests.get(f"{api}/groups?limit=50", timeout=20).json()["data"]
    return {one["description"]: one for one in rows}


def results(api: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{api}/results?{query}", timeout=20).json()["data"]
    return found


def test_resultsdb_api(api: str, tmp_path: Path) -> None:
    said = json.loads(run("resultsdb-api", tmp_path, str(HERE / "drive_resultsdb_api.py"), api))
    result, described, group = said["result"], said["described"], said["group"]
    assert (group["description"], group["ref_url"], len(group["uuid"])) == (
        "nightly of ž",
        "https://ci/1",
        36,
    )
    assert said["updated group"] == group | {"description": "weekly"}
    assert said["updated testcase"] == said["testcase"] | {"ref_url": "https://t/2"}
    assert result["data"] == {
        "item": ["bash-5.2-1.fc40"], "type": ["koji_build"], "tags": ["x", "x", "y"], "arch": ["x86_64"],
    }  # fmt: skip
    assert (result["outcome"], result["note"], result["ref_url"]) == ("PASSED", "a note", "https://ci/1/a")
    assert result["groups"] == [group["uuid"]]
    assert result["testcase"] == said["updated testcase"] == said["got testcase"]
    assert described["testcase"]["ref_url"] == "https://t/b"
    assert said["one"] == result
    for question, found in {
        "by item": [described, result],
        "by two items": [result],
        "by outcome": [described],
        "by pattern": [result],
        "by group": [result],
        "by testcase": [result],
    }.items():
        assert said[question]["data"] == found, question
    assert [one["name"] for one in said["testcases"]["data"]] == ["client.a/b c", "client.b"]
    assert [one["name"] for one in said["named testcases"]["data"]] == ["client.b"]
    assert said["got group"] == said["groups"]["data"][0] == said["updated group"] | {"results_count": 1}
    assert said["no result"] == {"message": "Result not found (HTTP 404)", "status": 404}
    assert said["no testcase"] == {"message": "Testcase not found (HTTP 404)", "status": 404}
    assert said["no outcome"]["status"] == 400
    assert "must be one of: PASSED, INFO" in said["no outcome"]["message"]
    assert said["colon"] == {"message": "Colon not allowed in key name: ['a:b'] (HTTP 400)", "status": 400}


def test_resultsdb_conventions(api: str, tmp_path: Path) -> None:
    said = json.loads(
        run("resultsdb-conventions", tmp_path, str(HERE / "drive_resultsdb_conventions.py"), api)
    )
    assert results(api) == said[::-1]
    base, desktop, image = said
    assert base["groups"] == desktop["groups"], "the same group is sent with each result"
    assert len(base["groups"]) == 3
    groups = groups_of(api)
    assert groups["bodhi.FEDORA-2026-1"]["results_count"] == 2
    assert groups["bodhi.FEDORA-2026-1"]["ref_url"] == "https://bodhi.fedoraproject.org/updates/FEDORA-2026-1"
    assert groups["source.openqa"]["results_count"] == 3
    assert image["data"]["fedoracoreos.image.platform"] == ["metal"]
    assert image["data"]["meta.conventions"] == ["result fedoracoreos.build fedoracoreos.image"]
    assert results(api, "fedoracoreos.build.stream=next") == [image]
    assert results(api, f"groups={base['groups'][0]}&testcases=update.base") == [base]


PARTS = """
from avocado import Test

class Parts(Test):
    def test_bad(self):
        self.fail("expected ž, got /")

    def test_cancelled(self):
        self.cancel("not today, and neither tomorrow")

    def test_broken(self):
        raise RuntimeError(self.params.get("x y"))
"""
VARIANTS = '[{"paths": ["/run/*"], "variant_id": "v", "variant": [["/run/a", [["/run/a", "x y", "1/2"]]]]}]'


def test_the_avocado_plugin(api: str, tmp_path: Path) -> None:
    """Its group is its job, named by 40 digits, which do not fit into the peer's own column.

    Of tests that pass it tells nothing: 113.0 looks for a reason to fail that its own runner no longer gives.
    """
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "parts.py").write_text(PARTS)
    (tmp_path / "variants.json").write_text(VARIANTS)
    words = [
        str(python("avocado").with_name("avocado")), "run", "--resultsdb-api", api, "--resultsdb-logs",
        "https://logs.example", "--resultsdb-note-limit", "20", "--job-results-dir", str(tmp_path / "jobs"),
        "--json-variants-load", "variants.json", "--", "sub/parts.py",
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr  # some of its tests failed
    (group,) = requests.get(f"{api}/groups", timeout=20).json()["data"]
    assert (len(group["uuid"]), group["results_count"]) == (40, 3)
    assert group["ref_url"].startswith("https://logs.example/job-")
    found = {one["testcase"]["name"]: one for one in results(api, f"groups={group['uuid']}")}
    said = {name: (one["outcome"], one["note"], one["data"]["status"]) for name, one in found.items()}
    assert said == {
        "sub/parts.py:Parts.test_bad;v": ("FAILED", "expected ž, got /", ["FAIL"]),
        "sub/parts.py:Parts.test_cancelled;v": ("INFO", "not today, and neith...", ["CANCEL"]),
        "sub/parts.py:Parts.test_broken;v": ("NEEDS_INSPECTION", "1/2", ["ERROR"]),
    }
    broken = found["sub/parts.py:Parts.test_broken;v"]
    assert broken["data"]["param x y"] == ["1/2 (path: /run/a)"]
    assert results(api, "param x y=1/2 (path: /run/a)&status=ERROR") == [broken]
    assert requests.get(f"{broken['testcase']['href']}/results", timeout=20).json()["data"] == [broken]


def test_autocloudreporter(api: str, composes: str, tmp_path: Path) -> None:
    run("autocloudreporter", tmp_path, str(HERE / "drive_autocloudreporter.py"), api, composes)
    failed, passed = results(api)
    image = "Fedora-Cloud-Base-Rawhide-20171126.n.0.x86_64.qcow2"
    assert (passed["outcome"], failed["outcome"]) == ("PASSED", "FAILED")
    assert passed["testcase"]["name"] == "compose.cloud.all"
    assert passed["ref_url"] == "https://autocloud.example/jobs/1/output"
    assert passed["data"]["item"] == [image]
    assert passed["data"]["productmd.compose.id"] == ["Fedora-Rawhide-20171126.n.0"]
    assert passed["data"]["productmd.image.subvariant"] == ["Cloud_Base"]
    assert passed["groups"] == failed["groups"]
    assert results(api, "productmd.compose.id=Fedora-Rawhide-20171126.n.0&limit=1") == [failed]
    newest = requests.get(f"{api}/results/latest?item={image}&_distinct_on=productmd.image.arch", timeout=20)
    assert newest.json()["data"] == [failed]
    groups = groups_of(api)
    compose = groups["compose.Fedora-Rawhide-20171126.n.0"]
    assert (compose["results_count"], compose["ref_url"].startswith(composes)) == (2, True)
