"""What our documents show is there: commands and their options, tox environments, the layers."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import click
import pytest

from ci_results.cli.main import cli

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, Block, blocks

sys.path.pop(0)

DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("plugins/*/README.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
]
SHELL = ("sh", "console", "shell", "bash")


def commands(document: Path) -> Iterator[list[str]]:
    """Give each simple command of the shell blocks of `document`, as words."""
    found: list[Block] = [block for kind in SHELL for block in blocks(document, kind)]
    for block in found:
        for line in block.text.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\|?|;", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True)
                if words:
                    yield words


def spoken(text: str) -> Iterator[list[str]]:
    """Give each `ci-results ...` that stands in the prose of a document."""
    for found in re.findall(r"`(ci-results [^`]+)`", text):
        yield shlex.split(found)


def fault(words: list[str]) -> str | None:
    """Say what of a `ci-results` command line is not there, None where all of it is."""
    command: click.Command = cli
    context = click.Context(cli, resilient_parsing=True)
    rest = words[1:]
    while isinstance(command, click.Group) and rest:
        options = {name: option for option in command.params for name in option.opts}
        if rest[0].startswith("-"):
            if rest[0] not in options and rest[0] not in ("--help", "--version", "-h"):
                return f"{command.name} has no option {rest[0]}"
            takes = rest[0] in options and not getattr(options[rest[0]], "is_flag", False)
            rest = rest[2 if takes else 1 :]
            continue
        if rest[0] in ("NOUN", "COMMAND", "..."):
            return None
        found = command.get_command(context, rest[0])
        if found is None and hasattr(command, "default"):
            found, rest = command.get_command(context, command.default), [command.default, *rest]
        if found is None:
            return f"{command.name} has no command {rest[0]}"
        command, rest = found, rest[1:]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {
        "--help",
        "-h",
    }
    unknown = [word for word in rest if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known]
    return f"{command.name} has no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_shown_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    shown = [words for words in commands(document) if words[0].endswith("ci-results")] + list(spoken(text))
    assert [found for words in shown if (found := fault(words))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_tox_environment_shown_is_there(document: Path) -> None:
    tox = ConfigParser(interpolation=None)
    tox.read([ROOT / "examples" / "tox-project" / "tox.ini", ROOT / "tox.ini"], encoding="utf-8")
    listed = re.split(r"[\s,]+", tox["tox"].get("env_list", tox["tox"].get("envlist", "")).strip())
    there = {section.removeprefix("testenv:") for section in tox.sections()} | set(listed)
    text = document.read_text(encoding="utf-8")
    shown = {
        name for names in re.findall(r"tox (?:run )?(?:-q )?-e ([\w,.-]+)", text) for name in names.split(",")
    }
    assert shown - there == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_toml_block_can_be_read(document: Path) -> None:
    for block in blocks(document, "toml"):
        tomllib.loads(block.text)


OWN_TESTS = {"write-a-collector.md", "hooks.md"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_python_block_runs(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of write-a-collector.md and hooks.md are run by test_write_a_collector.py and test_hooks.py."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "document"}
    for number, block in enumerate(blocks(document, "python"), 1):
        code = compile(block.text, f"{document.name}, block {number} ({block.heading})", "exec")
        if document.name not in OWN_TESTS:
            exec(code, names)  # noqa: S102 our own document


def test_the_check_of_commands_finds_what_is_not_there() -> None:
    assert fault(["ci-results", "harvest", "--dry-run", "x"]) is None
    assert fault(["ci-results", "harvets"]) == "cli has no command harvets"
    assert fault(["ci-results", "plugin", "recrod"]) == "plugin has no command recrod"
    assert fault(["ci-results", "plugin", "new", "--knid", "jenkins"]) == "new has no option --knid"


def test_the_layers_shown_are_the_ones_that_are_held() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    held = [[name.strip().removeprefix("ci_results.") for name in layer.split("|")] for layer in layers]
    diagrams = [block.text for document in DOCUMENTS for block in blocks(document, "layers")]
    assert diagrams
    for diagram in diagrams:
        assert [[name.strip() for name in layer.split("|")] for layer in diagram.split(">")] == held


def test_every_room_has_its_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name.strip().removeprefix("ci_results.") for layer in layers for name in layer.split("|")}
    rooms = {path.parent.name for path in (ROOT / "ci_results").glob("*/__init__.py")}
    assert rooms - named == {"templates"}
