"""Read the fenced blocks of our documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\A# (?P<path>[\w/.-]+\.(?:py|toml|json|cfg|ini))\n")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, its text, the heading it stands under, the file it says it is."""

    kind: str
    text: str
    heading: str
    path: str | None


def blocks(document: Path, kind: str) -> list[Block]:
    """Return the blocks of one language in `document`, in their order."""
    text = document.read_text(encoding="utf-8")
    found = []
    for fence in _FENCE.finditer(text):
        headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text[: fence.start()]), re.MULTILINE)
        path = _FILE.match(fence["text"])
        block = Block(fence["kind"], fence["text"], headings[-1] if headings else "", path and path["path"])
        if fence["kind"] == kind:
            found.append(block)
    return found
