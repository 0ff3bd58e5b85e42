"""docs/api-reports.md says what POST /api/ci/v1/reports takes and answers."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

from fake_server import serving

from ci_results.config_auth import Auth
from ci_results.serve.ci_v1 import REPORTS, parts
from ci_results.serve.ci_v1.report_query import KNOWN
from ci_results.serve.ci_v1.upload import KINDS, MULTIPART, PROOF
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore

DOCUMENT = ROOT / "docs" / "api-reports.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
REPORT = b'<testsuite name="s"><testcase name="a"/><testcase name="b"/><testcase name="c"/></testsuite>'


def rows(heading: str) -> list[str]:
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| (?!---)([^|]+?) \|", section, re.MULTILINE)[1:]


def test_every_parameter_and_type_is_named_in_the_order_of_the_document(tmp_path: Path) -> None:
    assert [row.strip("`") for row in rows("The query")] == list(KNOWN)
    said = TEXT.split("\n## The body\n")[1].split(".\n")[0].split("Whatever")[0]
    assert re.findall(r"`([^`]+)`", said) == [kind for kind in KINDS if kind != MULTIPART]
    with SqliteStore.open(tmp_path / "results.db") as store:
        (paths,) = [part.paths for part in parts(Surroundings(store=store)) if REPORTS in part.paths]
    post = paths[REPORTS]["post"]
    assert [each["name"] for each in post["parameters"]] == [*KNOWN, PROOF]
    told = {status for row in rows("The answer") for status in row.split(", ")}
    assert told <= set(post["responses"])


def shape(value: Any) -> Any:
    """Return the names and kinds in an answer."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "text" if isinstance(value, str) else type(value).__name__


def test_the_answer_shown_is_the_one_that_is_given() -> None:
    (shown,) = blocks(DOCUMENT, "json")
    told = json.loads(shown.text)
    with serving(Auth()) as client:
        for command in (block.text for block in blocks(DOCUMENT, "sh")):
            path = re.findall(r"http://127\.0\.0\.1:8001([^']+)'", command)[0]
            files = [("report", ("junit.xml", REPORT)), ("report", ("notes.bin", b"\0"))]
            answer = client.post(path, files=files, headers={PROOF: "curl"})
            assert answer.status_code in (200, 201)
            if answer.status_code == 201:
                said = answer.json()
    assert shape(said) == shape(told)
    for name in ("stored", "same", "superseding", "quarantined", "results", "quarantine", "next"):
        assert said[name] == told[name], name
    for given, one in zip(said["files"], told["files"], strict=True):
        assert [given[name] for name in ("file", "state", "format", "outcomes", "reason")] == [
            one[name] for name in ("file", "state", "format", "outcomes", "reason")
        ]
