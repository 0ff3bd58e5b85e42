"""docs/serving.md shows every key of table `serve` with its default, and every metric."""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

from ci_results.config import DEFAULT_RATE, Serving
from ci_results.serve.metrics import Metrics
from ci_results.store.sqlite import SqliteStore

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "serving.md"


def test_every_key_is_shown_with_its_default() -> None:
    shown = blocks(DOCUMENT, "toml")[0].text.replace("# rate_per_s", "rate_per_s")
    table = tomllib.loads(shown)["serve"]
    defaults = {each.name: getattr(Serving(), each.name) for each in fields(Serving)}
    defaults = {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()}
    assert table == {**defaults, "rate_per_s": DEFAULT_RATE}
    assert list(table) == list(defaults)


def test_every_metric_is_explained(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "results.db") as store:
        store.decisions.begin()
        metrics = Metrics(store)
        metrics.seen("/", "GET", 200, 0.1)
        told = set(re.findall(r"^# TYPE (ci_results_\w+)", metrics.text().decode(), re.MULTILINE))
    explained = set(re.findall(r"^\| `(ci_results_\w+)", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    assert explained == told
