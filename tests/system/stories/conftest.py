"""What the stories share: folders with a real server, and the command line as people type it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

LONG_S = 60
"""For what others do, on a busy machine."""

ANNA, BERT, CORA, BOT = (f"cir_{letter * 43}" for letter in "abcd")
"""Tokens: of Anna, who asks; of Bert, who approves; of Cora, an outsider; of a program."""


@dataclass(frozen=True)
class House:
    """A folder with policies and a configuration, and the server that runs on it."""

    folder: Path
    url: str

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line of shell in the folder, where `ci-results` is on the PATH."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["/bin/sh", "-c", line], cwd=self.folder, env=os.environ | {"PATH": path},
            capture_output=True, text=True, check=False, timeout=LONG_S,
        )  # fmt: skip

    def get(self, path: str) -> Any:
        """Return what the server answers."""
        answer = requests.get(f"{self.url}{path}", timeout=LONG_S)
        assert answer.ok, answer.text
        return answer.json()

    def post(self, path: str, said: object, token: str = BOT) -> Any:
        """Post JSON, as a program with a token does."""
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.post(f"{self.url}{path}", json=said, headers=headers, timeout=LONG_S)
        assert answer.ok, answer.text
        return answer.json()

    def report(self, testcase: str, outcome: str, item: str, **data: str) -> Any:
        """Post a result, as every client of ResultsDB does."""
        data = {"item": item, "type": "koji_build"} | data
        return self.post("/api/v2.0/results", {"testcase": testcase, "outcome": outcome, "data": data})

    def decide(self, context: str, item: str, **more: object) -> Any:
        """Ask as Bodhi asks Greenwave."""
        asked = {
            "product_version": "fedora-40", "decision_context": context,
            "subject": [{"type": more.pop("kind", "koji_build"), "item": item}],
        }  # fmt: skip
        return self.post("/api/v1.0/decision", asked | more)

    def until(self, true: Callable[[], Any]) -> Any:
        """Return what `true` returns, once it is true."""
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline:
            if found := true():
                return found
            time.sleep(0.05)
        raise AssertionError("it did not come")

    def lines(self, name: str) -> list[Any]:
        """Return the lines of a file of JSON lines, as far as they are whole."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def furnished(folder: Path, policies: str, more: str = "", store: str = "sqlite:results.db") -> Path:
    """Write policies and a configuration that knows our people, with the tables `more`; return `folder`."""
    (folder / "policies.yaml").write_text(policies, encoding="utf-8")
    tokens = "".join(
        f'[[auth.tokens]]\nname = "{name}"\nsha256 = "{sha256(token.encode()).hexdigest()}"\n'
        for name, token in {"anna": ANNA, "bert": BERT, "cora": CORA, "bot": BOT}.items()
    )
    text = f'store = "{store}"\n[gate]\npolicies = ["policies.yaml"]\n{tokens}{more}'
    (folder / "ci-results.toml").write_text(text, encoding="utf-8")
    return folder


class Browser:
    """A browser of somebody who has pasted a token and fills in forms."""

    def __init__(self, house: House, token: str) -> None:
        self._url = house.url
        self._session = requests.Session()
        self.send("/inbox/-/login", token=token, next="/inbox")

    def send(self, path: str, **fields: str) -> requests.Response:
        """Open the page, fill its form in, send it off; return the answer itself, wherever it leads."""
        page = self._session.get(f"{self._url}{path}", timeout=LONG_S)
        found = re.search(r'name="form" value="([^"]+)"', page.text)
        assert found, page.text
        fields = {"form": found[1]} | fields
        return self._session.post(f"{self._url}{path}", fields, allow_redirects=False, timeout=LONG_S)

    def ask(self, subject: str, testcase: str, **more: str) -> None:
        """Ask for a waiver."""
        fields = {
            "subject_type": "koji_build", "subject": subject, "testcase": testcase, "step": "request",
            "product_version": "fedora-40", "comment": "infra, bug 4711",
        }  # fmt: skip
        answer = self.send("/waiver/-/new", **fields | more)
        assert answer.status_code == 303, answer.text


@contextmanager
def open_house(folder: Path) -> Iterator[House]:
    """Run `ci-results serve` in the folder, on a free port."""
    words = [sys.executable, "-m", "ci_results", "serve", "--port", "0"]
    with subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said + process.stderr.read()
            yield House(folder, found[0])
        finally:
            process.terminate()


POLICIES = """\
--- !Policy
id: push
product_versions: [fedora-*, rhel-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: dist.rpmlint}
- !PassingTestCaseRule {test_case_name: baseos.boot}
- !ExperimentalRule {rules: [!PassingTestCaseRule {test_case_name: fuzz.nightly}]}
--- !Policy
id: cloud
product_versions: [fedora-*]
decision_context: image_upload
subject_type: compose
rules:
- !PassingTestCaseRule {test_case_name: compose.autocloud, scenario: x86_64.qcow2}
- !PassingTestCaseRule {test_case_name: compose.autocloud, scenario: x86_64.vagrant-libvirt}
--- !Policy
id: good
product_versions: [fedora-*]
decision_context: tier_good
subject_type: koji_build
rules: [!PassingTestCaseRule {test_case_name: tier.boot}]
--- !Policy
id: closure
product_versions: [fedora-*]
decision_context: rebuild_what_is_needed
subject_type: koji_build
rules: [!TierRule {scope: closure, decision_context: tier_good}]
--- !Policy
id: tier
product_versions: [fedora-*]
decision_context: rebuild_whole_tier
subject_type: koji_build
rules: [!TierRule {scope: tier, decision_context: tier_good}]
--- !Policy
id: rhel
product_versions: [rhel-*]
decision_context: rhel_push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: baseos.rpm.f42.rpmgrill}
- !PassingTestCaseRule {test_case_name: baseos.rpm.f42.pipeline-parallel}
- !PassingTestCaseRule {test_case_name: desktop.smoke}
"""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server for all stories that need nothing special; each has items of its own."""
    with open_house(furnished(tmp_path_factory.mktemp("house"), POLICIES)) as opened:
        yield opened
