"""docs/write-a-collector.md: each block runs, and the plugin it builds keeps its contract."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ci_results.operations.plugin_new import new_plugin
from ci_results.testing.exchange import load
from ci_results.testing.format_contract import golden_text
from ci_results.testing.lessons import LESSONS

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "write-a-collector.md"


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The distribution that a newcomer has after the first section."""
    folder = new_plugin("widgetci", tmp_path).folder
    for block in blocks(DOCUMENT, "python"):
        if block.path:
            assert (folder / block.path).is_file(), f"{block.path} is no file that `plugin new` writes"
            (folder / block.path).write_text(block.text, encoding="utf-8")
    return folder


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
    ]
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.demand("S-144")
def test_the_collector_of_the_document_keeps_its_contract(plugin: Path) -> None:
    done = run_pytest(plugin)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_a_mistake_in_it_is_told_as_the_document_promises(plugin: Path) -> None:
    module = plugin / "ci_results_widgetci" / "__init__.py"
    module.write_text(module.read_text().replace("yield Checkpoint(cursor)", "pass"), encoding="utf-8")
    done = run_pytest(plugin)
    assert done.returncode == 1
    for line in (
        "no Checkpoint among them",
        "why   the cursor moves only",
        "mend  after each page",
        "#checkpoints-and",
    ):
        assert line in done.stdout
    assert "harvest_rules.py" not in done.stdout


def test_every_python_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other in one module, so that a later block may use an earlier one."""
    monkeypatch.chdir(tmp_path)
    module = type(sys)("document")
    monkeypatch.setitem(sys.modules, "document", module)
    monkeypatch.setitem(sys.modules, "ci_results_widgetci", module)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "test_contract.py"), raising=False)
    run = blocks(DOCUMENT, "python")
    for number, block in enumerate(run, 1):
        exec(compile(block.text, f"block {number} ({block.heading})", "exec"), vars(module))  # noqa: S102
    assert len(run) >= 7
    case: Any = vars(module)["TestWidgetReport"]()
    assert golden_text(case.read(b"#widgets\npass a\n#end\n")).count('"outcome"') == 1


def test_the_format_of_the_document_keeps_its_contract(tmp_path: Path) -> None:
    text = [block.text for block in blocks(DOCUMENT, "python") if block.heading == "A format"]
    (tmp_path / "tests" / "samples").mkdir(parents=True)
    (tmp_path / "tests" / "samples" / "one.txt").write_bytes(b"#widgets\npass a\nfail b\n#end\n")
    (tmp_path / "tests" / "test_format.py").write_text("\n\n".join(text), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
        "tests/test_format.py",
    ]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    for update in (["--update-golden"], []):
        done = subprocess.run(
            command + update, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_messages_of_the_document_keep_their_contract(tmp_path: Path) -> None:
    (text,) = [block.text for block in blocks(DOCUMENT, "python") if block.heading == "Messages of a bus"]
    (tmp_path / "messages").mkdir()
    (tmp_path / "test_messages.py").write_text(text, encoding="utf-8")
    for status in ("started", "ended"):
        word = "ok" if status == "ended" else status
        body = {"id": 7, "suite": "boot", "status": word, "build": "bash-5.2-1.fc40"}
        saved = {"topic": f"org.example.widgetci.{status}", "id": f"m-{status}", "body": body}
        (tmp_path / "messages" / f"{status}.json").write_text(json.dumps(saved), encoding="utf-8")
    words = ["-q", "-p", "no:cacheprovider", "-W", "error", "test_messages.py"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    for update in (["--update-golden"], []):
        command = [sys.executable, "-m", "pytest", *words, *update]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_exchange_of_the_document_can_be_read(tmp_path: Path) -> None:
    (block,) = blocks(DOCUMENT, "json")
    (tmp_path / "one.json").write_text(block.text)
    (exchange,) = load(tmp_path)
    assert json.loads(exchange.body) == [{"id": "r1"}]


def test_every_lesson_is_taught() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    headings = {
        line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")
    }
    assert {lesson.anchor for lesson in LESSONS.values()} <= headings


def test_every_link_within_our_documents_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            goal = (document.parent / path).resolve() if path else document
            assert goal.exists(), f"{document.name}: {target}"
            if anchor and goal.suffix == ".md":
                lines = goal.read_text(encoding="utf-8").splitlines()
                slugs = {
                    re.sub(r"[^\w -]", "", x.lstrip("# ").lower()).replace(" ", "-")
                    for x in lines
                    if x[:1] == "#"
                }
                assert anchor in slugs, f"{document.name}: {target}"
