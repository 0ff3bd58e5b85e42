"""docs/formats/packed.md shows every limit of unpacking with its default."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

from ci_results.config import Report, read_config
from ci_results.domain.unpack_limits import UnpackLimits

DOCUMENT = ROOT / "docs" / "formats" / "packed.md"


def test_every_limit_is_shown_with_its_default() -> None:
    (shown,) = blocks(DOCUMENT, "toml")
    assert tomllib.loads(shown.text)["report"]["unpack"] == asdict(UnpackLimits())
    assert read_config(shown.text, Path("ci-results.toml")).report == Report()
