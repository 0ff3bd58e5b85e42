"""docs/messages.md says what messages become: each row of its tables is read and must say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_results import Garbled, open_message, read_message
from ci_results.messages.builtin import READERS
from ci_results.normalise.normaliser import Normaliser

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
SAMPLES = Path(__file__).parents[1] / "messages" / "samples"
FOLDERS = {"centos_pipeline": "pipeline"}


def tables() -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of each reader's table, by the reader's name."""
    name, inside = "", False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if said := re.fullmatch(r"## .*\(`(\w+)`\)", line):
            name = said[1]
        if not line.startswith("|"):
            inside = False
        elif line.startswith("| the message "):
            inside = True
        elif inside and not line.startswith("|---"):
            yield name, [cell.strip() for cell in line[1:-1].split("|")]


def told(name: str) -> list[list[str]]:
    """Return what the samples of a reader say, as the page writes it."""
    reader = next(each for each in READERS if each.name == name)()
    normalise = Normaliser("page", reader.outcomes)
    rows: list[list[str]] = []
    for path in sorted((SAMPLES / FOLDERS.get(name, name)).glob("*.json")):
        if path.name.endswith(".golden.json"):
            continue
        seen = read_message(reader, reader.options(), open_message(path.read_bytes()), b"")  # type: ignore[arg-type]
        for each in seen:
            if isinstance(each, Garbled):
                rows.append([path.stem, f"quarantined: {each.reason}", "", "", ""])
                continue
            result = normalise(each)
            item = result.item if len(result.item) < 60 else f"{result.item[:20]}…"
            rows.append([path.stem, result.testcase, result.outcome, item, result.item_type])
        if not seen:
            rows.append([path.stem, "nothing", "", "", ""])
    return rows


@pytest.mark.demand("S-120")
@pytest.mark.parametrize("name", [reader.name for reader in READERS])
def test_the_page_says_what_the_samples_say(name: str) -> None:
    assert [row for reader, row in tables() if reader == name] == told(name)
