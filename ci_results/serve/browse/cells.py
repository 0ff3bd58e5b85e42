"""How Datasette's cells of our databases look: marks, times, durations, links. Everything is escaped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from markupsafe import Markup

from .. import words
from .metadata import archived, home

if TYPE_CHECKING:
    from datasette.app import Datasette

OUTCOMES = frozenset({"outcome", "outcome_before"})
TIMES = frozenset(
    {
        "time",
        "submit_time",
        "last_ok",
        "last_try",
        "last_result",
        "last_build",
        "last_report",
        "received_at",
        "resolved_at",
        "granted_at",
        "expires_at",
        "last_time",
    }
)
LINKS = frozenset({"ref_url", "run_url", "url"})
RUNS = frozenset({"ref_url", "run_url"})
BYTES = "raw_bytes"


def cell(value: object, column: str, table: str | None, database: str, datasette: Datasette) -> Markup | None:
    """Draw one cell, or return None to leave it to Datasette."""
    if column == "duration_s" and isinstance(value, int | float):
        return Markup('<span data-value="{}">{}</span>').format(value, words.seconds(value))
    if column == BYTES and isinstance(value, int):
        return Markup('<span data-value="{}">{:,} bytes</span>').format(value, value)
    if isinstance(value, int) and (column == "waiver" or (column == "id" and table == "active_waiver")):
        return _waiver_link(value, datasette)
    if column in ("id", "quarantine_id") and isinstance(value, int):
        return _quarantine_link(value, column, table, datasette)
    if not isinstance(value, str) or not value:
        return None
    if column in OUTCOMES:
        return words.outcome(value)
    if column == "coverage":
        return words.coverage(value)
    if column in TIMES:
        return words.when(value, datetime.now(UTC))
    if column in LINKS:
        drawn = words.link(value, words.short_url(value) if words.safe_url(value) else None)
        return drawn + " " + words.kept(value) if column in RUNS and archived(datasette) else drawn
    if column in ("item", "subject") or (
        column in ("testcase", "name") and (column == "testcase" or table == "testcase")
    ):
        return _own_link(value, column, database, datasette)
    return None


def _own_link(value: str, column: str, database: str, datasette: Datasette) -> Markup:
    """Link an item to its page (or its question, under a plain Datasette), a testcase to its history."""
    root = home(datasette)
    if column in ("item", "subject") and root is not None:
        url = f"{root}item/{quote(value, safe='')}"
    elif column in ("item", "subject"):
        url = datasette.urls.query(database, "latest_for_item") + "?" + urlencode({"item": value})
    else:
        url = datasette.urls.query(database, "testcase_history") + "?" + urlencode({"testcase": value})
    return Markup('<a href="{}">{}</a>').format(url, words.breakable(value))


def _waiver_link(value: int, datasette: Datasette) -> Markup | None:
    """Link the number of a waiver to its page; under a plain Datasette there is none."""
    root = home(datasette)
    return None if root is None else Markup('<a href="{}waiver/W-{}">{}</a>').format(root, value, value)


def _quarantine_link(value: int, column: str, table: str | None, datasette: Datasette) -> Markup | None:
    root = home(datasette)
    if root is None or (column == "id" and table != "quarantine"):
        return None
    return Markup('<a href="{}quarantine/{}">{}</a>').format(root, value, value)
