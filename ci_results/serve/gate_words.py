"""How verdicts, requirements and waivers read on every page: word and symbol, never colour alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from ..domain.decision import State, Verdict
from . import words

VERDICT_MARKS: Mapping[str, tuple[str, str]] = {
    Verdict.GO: ("passed", "✔"),
    Verdict.NO_GO: ("failed", "✖"),
    Verdict.ERROR: ("error", "‼"),
    Verdict.NO_POLICY: ("look", "∅"),
    Verdict.WAIT: ("waiting", "…"),
}
STATE_MARKS: Mapping[str, tuple[str, str]] = {
    State.PASSED: ("passed", "✔"),
    State.FAILED: ("failed", "✖"),
    State.ERRORED: ("error", "‼"),
    State.UNKNOWN: ("error", "¿"),
    State.WAITING: ("waiting", "▶"),
    State.MISSING: ("waiting", "○"),
    State.EXCLUDED: ("other", "–"),
    State.FETCHED: ("other", "↓"),
    State.FILE_MISSING: ("failed", "∅"),
    State.FILE_INVALID: ("failed", "✖"),
    State.FILE_UNREACHED: ("error", "‼"),
    "waived": ("waived", "⚑"),
}
"""Of each state its style class and its symbol; a waived requirement has its own, for it did not pass."""

_WAIVER_MARKS = {
    "pending": ("waiting", "…"),
    "active": ("waived", "⚑"),
    "expired": ("other", "⌛"),
    "rejected": ("failed", "✖"),
    "withdrawn": ("other", "↩"),
    "suspended": ("look", "⏸"),
}
_CHANGE_MARKS = {
    "new failure": ("failed", "✖"),
    "still fails": ("look", "="),
    "missing": ("waiting", "○"),
    "not done": ("waiting", "▶"),
    "fixed": ("passed", "✔"),
    "only here": ("info", "+"),
    "same": ("other", "="),
}


def verdict(word: str) -> Markup:
    """Draw a verdict, e.g. a red "✖ NO-GO"."""
    return words.badge(word, VERDICT_MARKS, word.upper().replace("NO-POLICY", "NO POLICY"))


def requirement(word: str) -> Markup:
    """Draw how a requirement stands, e.g. "○ missing"; "waived" is drawn as such."""
    return words.badge(word, STATE_MARKS)


def waiver(word: str) -> Markup:
    """Draw how a waiver stands, e.g. "⚑ active"."""
    return words.badge(word, _WAIVER_MARKS)


def change(word: str) -> Markup:
    """Draw how a testcase stands beside another item's, e.g. a red "✖ new failure"."""
    return words.badge(word, _CHANGE_MARKS)


def gate_bar(progress: Mapping[str, float], said: str) -> Markup:
    """Draw how far the required tests of a gate are; `said` tells the same in words."""
    parts = {"passed": "passed", "waived": "waived", "failed": "failed", "error": "errored"}
    return words.bar({name: progress[key] for name, key in parts.items()}, said, progress["required"])


def strip(results: Sequence[Mapping[str, Any]], path: Callable[[str], str]) -> Markup:
    """Draw the last results of a testcase, the oldest first: a symbol each, which says its word to all."""
    drawn = Markup("")
    for each in results:
        word = each["outcome"]
        style, symbol = words.OUTCOME_MARKS.get(word, ("other", "◆"))
        said = f"{word} {each['item'] or 'an item without a name'} {each['time'][:16].replace('T', ' ')} UTC"
        inner = Markup(
            '<span class="pip {}" title="{}"><span aria-hidden="true">{}</span>'
            '<span class="away">{}</span></span>'
        ).format(style, said, symbol, said)
        link = Markup('<a href="{}">{}</a>').format(path(each["item"]), inner) if each["item"] else inner
        drawn += Markup("<li>{}</li>").format(link)
    return Markup('<ol class="strip">{}</ol>').format(drawn)


def ends(text: str | None, now: datetime) -> Markup:
    """Draw when a waiver ends: "2026-01-02T03:04:05Z", or that it never does."""
    if not text:
        return Markup('<span class="none">no end</span>')
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time> <span class="ago">{}</span>').format(
        text, f"{moment:%Y-%m-%d %H:%M}", words.ago(moment, now)
    )
