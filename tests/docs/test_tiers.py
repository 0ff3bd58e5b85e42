"""docs/tiers.md says what the code does."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ci_results.decide.tier_plan import Do, Scope
from ci_results.operations.tiers import read_graph

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "tiers.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_the_graph_of_the_document_is_read(tmp_path: Path) -> None:
    (block,) = blocks(DOCUMENT, "graph")
    (tmp_path / "graph.yaml").write_text(block.text)
    assert read_graph(tmp_path / "graph.yaml").closure("emacs") == ("glibc", "bash")


def test_every_word_is_told() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \|", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted([*map(str, Scope), *map(str, Do)])
