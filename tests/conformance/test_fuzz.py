"""schemathesis against what is served, by the document of it: no accident, and every answer as promised.

CI_RESULTS_FUZZ_S says for how many seconds each store is fuzzed (tox -e fuzz: ten minutes).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ci_results.config_auth import TokenTable
from ci_results.domain.permission import Permission
from ci_results.operations.policies import FixedPolicies
from ci_results.serve.auth.access import Access
from ci_results.serve.auth.tokens import Tokens, digest
from ci_results.store.protocol import Store

from .gating import policies
from .places import serving

TOKEN = "cir_of-the-fuzzer"
ACCESS = Access(
    tokens=Tokens([TokenTable(name="fuzzer", sha256=digest(TOKEN), groups=("qe",))]),
    permissions=[Permission(testcases=("*",), users=frozenset({"fuzzer"}))],
)
"""Somebody who may submit results of everything, so that API 3 is fuzzed too."""

SECONDS = int(os.environ.get("CI_RESULTS_FUZZ_S", "5"))


@pytest.mark.timeout(SECONDS + 120)
def test_whatever_is_asked_is_answered_as_the_document_says(store: Store, tmp_path: Path) -> None:
    with serving(store, access=ACCESS, policies=FixedPolicies(policies())) as api:
        done = fuzz(f"{api.root}/openapi.json", tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert api.get("//healthcheck").status_code == 200
    asked = re.search(r"([\d,]+) generated", done.stdout)
    assert asked, done.stdout
    assert int(asked[1].replace(",", "")) > 0  # how many depends on the machine
    assert not store.check()


def fuzz(document: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run schemathesis for SECONDS."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", document, "--max-time", str(SECONDS)),
        *("--checks", "all", "--continue-on-failure", "--header", f"Authorization: Bearer {TOKEN}"),
        *("--generation-database", "none", "--output-truncate", "false", "--warnings", "off", "--no-color"),
    ]
    hooks = {"SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("fuzz_hooks.py"))}
    return subprocess.run(
        command, cwd=folder, env=os.environ | hooks, capture_output=True, text=True, check=False
    )
