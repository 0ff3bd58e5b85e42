"""waiverdb-cli from PyPI, unmodified, in an environment of its own: it files waivers, and they are listed."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from ci_results.serve.auth.tokens import digest

from .environments import python

pytestmark = [pytest.mark.needs("clients"), pytest.mark.timeout(120)]
SECRET = "cir_of-the-release-manager"
PROVIDER = "https://id.example/openidc/"
TABLES = f"""
[[auth.tokens]]
name = "rm1"
sha256 = "{digest(SECRET)}"
groups = ["releng"]

[waive]
superusers = ["rm1"]

[[waive.rules]]
testcases = ["dist.*"]
request = {{ groups = ["releng"] }}
"""
LOGIN = f"""
auth_method=OIDC
oidc_id_provider={PROVIDER}
oidc_client_id=waiverdb
oidc_scopes=
    openid
"""
DUMMY = "auth_method=dummy"
BASH = ("-T", "koji_build", "-i", "bash-5.2-1.fc40", "-p", "fedora-40")


def cli(folder: Path, root: str, auth: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run waiverdb-cli with these lines about authentication in its configuration."""
    config = folder / "client.conf"
    config.write_text(f"[waiverdb]\napi_url={root}/api/v1.0\n{auth.strip()}\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    command = [str(python("waiverdb").with_name("waiverdb-cli")), "-C", str(config), *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip


def listed(root: str, **query: str) -> list[dict[str, Any]]:
    """Return waivers, the newest first."""
    answer = requests.get(f"{root}/api/v1.0/waivers/", params=query, timeout=20)
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


@pytest.mark.demand("S-060")
def test_it_files_waivers_in_each_of_its_ways(root: str, tmp_path: Path) -> None:
    data = {"item": "zsh-5.9-1.fc40", "type": "koji_build", "scenario": "uefi"}
    body = {"testcase": "dist.abicheck", "outcome": "FAILED", "data": data}
    result = requests.post(f"{root}/api/v2.0/results", json=body, timeout=20).json()
    plain = cli(tmp_path, root, DUMMY, "-t", "dist.rpmlint", *BASH, "-c", "no bug, ž")
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout == (
        "Created waiver 1 for result with subject type koji_build, identifier bash-5.2-1.fc40 and testcase"
        " dist.rpmlint\n"
    )
    by_id = cli(tmp_path, root, DUMMY, "-r", str(result["id"]), "-p", "fedora-40", "-c", "known")
    assert by_id.returncode == 0, by_id.stderr
    old = '{"productmd.compose.id": "Fedora-40-20260301.n.0"}'
    by_subject = cli(tmp_path, root, DUMMY, "-s", old, "-t", "compose.boot", "-p", "fedora-40", "-c", "known")
    assert by_subject.returncode == 0, by_subject.stderr
    back = cli(tmp_path, root, DUMMY, "-t", "dist.rpmlint", *BASH, "-c", "a bug", "--no-waived")
    assert back.returncode == 0, back.stderr
    said = [
        (one["subject_type"], one["subject_identifier"], one["testcase"], one["scenario"], one["waived"])
        for one in listed(root)
    ]
    assert said == [
        ("koji_build", "bash-5.2-1.fc40", "dist.rpmlint", None, False),
        ("compose", "Fedora-40-20260301.n.0", "compose.boot", None, True),
        ("koji_build", "zsh-5.9-1.fc40", "dist.abicheck", "uefi", True),
    ]
    assert {one["username"] for one in listed(root, include_obsolete="true")} == {"user"}
    assert listed(root, include_obsolete="true")[-1]["comment"] == "no bug, ž"


def test_it_shows_what_is_refused(root: str, tmp_path: Path) -> None:
    gone = cli(tmp_path, root, DUMMY, "-r", "99", "-p", "fedora-40", "-c", "known")
    assert (gone.returncode, gone.stderr) == (
        1, "Error: Failed to create waivers: Result id not found in Resultsdb\n",
    )  # fmt: skip


@pytest.mark.parametrize("tables", [TABLES], ids=["tokens"])
def test_it_shows_a_token_where_its_login_keeps_one(root: str, tmp_path: Path) -> None:
    """Its way to log in keeps tokens in a file, which may hold one of ours: it is sent as a bearer."""
    kept = {
        "idp": PROVIDER, "sub": "rm1", "access_token": SECRET, "token_type": "Bearer",
        "expires_at": time.time() + 86_400, "refresh_token": "", "scopes": ["openid"],
    }  # fmt: skip
    cache = tmp_path / ".openidc" / "oidc_waiverdb.json"
    cache.parent.mkdir()
    cache.write_text(json.dumps({"one": kept}))
    mine = cli(tmp_path, root, LOGIN, "-t", "dist.rpmlint", *BASH, "-c", "known")
    assert mine.returncode == 0, mine.stdout + mine.stderr
    theirs = cli(tmp_path, root, LOGIN, "-t", "free.x", *BASH, "-c", "known", "-u", "bodhi")
    assert theirs.returncode == 0, theirs.stdout + theirs.stderr
    assert [(one["username"], one["proxied_by"]) for one in listed(root)] == [
        ("bodhi", "rm1"),
        ("rm1", None),
    ]
    basic = cli(tmp_path, root, DUMMY, "-t", "dist.rpmlint", *BASH, "-c", "known")
    assert basic.returncode == 1
    assert "Authentication failed:" in basic.stderr
