"""docs/sizing.md: what is extrapolated is what was measured, and a store grows as the page says."""

from __future__ import annotations

import importlib
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from ci_results.store.sqlite import SqliteStore

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT

sys.path.pop(0)

TEXT = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
KINDS = ("harvest, SQLite", "harvest, PostgreSQL", "messages, SQLite", "messages, PostgreSQL")


def number(text: str) -> float:
    return float(text.replace(",", ""))


def measured() -> dict[str, float]:
    """Return the bytes of each more, at the greatest size of each kind."""
    rows = re.findall(
        r"^\| (\w+) \| (\w+) \| [\d,]+ \| [\d,]+ \| ([\d,]+) \| [\d,]+ \| [\d.]+ \|$", TEXT, re.MULTILINE
    )
    return {f"{shape}, {store}": number(more) for shape, store, more in rows}


def test_what_is_extrapolated_is_what_was_measured() -> None:
    each = measured()
    assert set(each) == set(KINDS)
    assert "| results | " + " | ".join(KINDS) + " |" in TEXT
    rows = re.findall(r"^\| ([\d,]+) ((?:\| [\d.]+ GB )+)\|$", TEXT, re.MULTILINE)
    assert [number(results) for results, _ in rows] == [1e6, 1e7, 1e8]
    for results, cells in rows:
        told = [float(size) for size in re.findall(r"([\d.]+) GB", cells)]
        for kind, size in zip(KINDS, told, strict=True):
            exact = each[kind] * number(results) / 1e9
            assert abs(size - exact) <= max(0.05, 0.02 * exact), (results, kind, exact)


def test_a_store_grows_as_the_page_says(tmp_path: Path) -> None:
    """From a small store, whose share of fixed pages is greater: within a third."""
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        pages = importlib.import_module("sizing").pages
    finally:
        sys.path.remove(str(ROOT / "bench"))
    path = tmp_path / "r.db"
    sizes = []
    with SqliteStore.open(path) as store:
        for count, page in enumerate(pages(20_000, "harvest"), 1):
            store.commit_page(page)
            if count in (10, 20):
                with closing(sqlite3.connect(path)) as connection:
                    connection.execute("pragma wal_checkpoint(truncate)").fetchall()
                sizes.append(path.stat().st_size)
    each = (sizes[1] - sizes[0]) / 10_000
    assert abs(each / measured()["harvest, SQLite"] - 1) < 1 / 3, each


def test_the_measurement_that_is_named_is_there() -> None:
    named = set(re.findall(r"bench/\w+\.py", TEXT))
    assert named
    assert all((ROOT / name).is_file() for name in named)
