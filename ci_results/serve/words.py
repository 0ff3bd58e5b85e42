"""How outcomes, times and links read on every page: word and symbol, never colour alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from markupsafe import Markup, escape

OF_RUN = "/archive/of"
"""The page of what is kept of a run."""

OUTCOME_MARKS = {
    "PASSED": ("passed", "✔"),
    "INFO": ("info", "ℹ"),
    "FAILED": ("failed", "✖"),
    "NEEDS_INSPECTION": ("look", "?"),
    "ERROR": ("error", "‼"),
    "QUEUED": ("waiting", "…"),
    "RUNNING": ("waiting", "▶"),
}
"""Of each outcome its style class and its symbol; words that configuration adds get "other" and ◆."""

_COVERAGE_MARKS = {
    "publishes": ("passed", "✔"),
    "silent": ("failed", "∅"),
    "disabled": ("other", "⏸"),
    "never built": ("other", "…"),
    "gone": ("other", "✕"),
}
_STATE_MARKS = {"ok": ("passed", "✔"), "failing": ("failed", "✖"), "never harvested": ("other", "…")}
_STANDING_MARKS = {
    "passed": ("passed", "✔"),
    "failed": ("failed", "✖"),
    "error": ("error", "‼"),
    "needs inspection": ("look", "?"),
    "waiting": ("waiting", "…"),
    "missing": ("waiting", "○"),
}
_BAR_PARTS = ("passed", "info", "waived", "failed", "error", "needs_inspection", "other")
_UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")
_JOINTS = re.compile(r"(?<=[./_#:-])(?=\w)")
_STEPS = ((60, 1, "s"), (3600, 60, "min"), (172_800, 3600, "h"), (5_184_000, 86_400, "days"))


def outcome(word: str) -> Markup:
    """Draw an outcome, e.g. a green "✔ PASSED"."""
    return badge(word, OUTCOME_MARKS)


def coverage(word: str) -> Markup:
    """Draw what a job does about results, e.g. a red "∅ silent"."""
    return badge(word, _COVERAGE_MARKS)


def state(word: str) -> Markup:
    """Draw how a source fares: "ok", "failing" or "never harvested"."""
    return badge(word, _STATE_MARKS)


def standing(word: str) -> Markup:
    """Draw how a plan, or a testcase of one without a result ("missing"), stands: "passed", "waiting"."""
    return badge(word, _STANDING_MARKS)


def bar(counts: Mapping[str, float], said: str, required: float | None = None) -> Markup:
    """Draw how far a plan is; `said` tells the same in words, for those who do not see the bar.

    required  what all parts come to when all is done; None = `counts` says so
    """
    whole = counts["required"] if required is None else required
    parts, begins = Markup(""), 0.0
    for name in _BAR_PARTS:
        if counts.get(name):
            width = 100 * counts[name] / whole
            style = name.replace("_", "-")
            parts += Markup('<rect class="{}" x="{:.3f}" y="0" width="{:.3f}" height="4"></rect>').format(
                style, begins, width
            )
            begins += width
    return Markup(
        '<svg class="progress" viewBox="0 0 100 4" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>'
    ).format(said, parts)


def when(text: str | None, now: datetime) -> Markup:
    """Draw a time of a view ("2026-01-02T03:04:05.000000", UTC) with how long ago that is."""
    if not text:
        return Markup('<span class="none">never</span>')
    moment = parse_time(text)
    if moment is None:
        return Markup("{}").format(text)
    return Markup('<time datetime="{}Z">{} UTC</time> <span class="ago">{}</span>').format(
        text, f"{moment:%Y-%m-%d %H:%M:%S}", ago(moment, now)
    )


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago `moment` is, e.g. "14 min ago"; both aware."""
    seconds = (now - moment).total_seconds()
    ahead = seconds < 0
    seconds = abs(seconds)
    for below, unit, name in _STEPS:
        if seconds < below:
            text = f"{int(seconds // unit)} {name}"
            break
    else:
        text = (
            f"{int(seconds // 2_629_800)} months"
            if seconds < 63_115_200
            else f"{int(seconds // 31_557_600)} years"
        )
    return f"in {text}" if ahead else f"{text} ago"


def parse_time(text: str) -> datetime | None:
    """Read a time as the views write it, or return None for anything else."""
    if not _UTC_TEXT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def safe_url(text: str | None) -> str | None:
    """Return `text` where a browser may follow it: http or https with a host; else None."""
    if not text or not text.isprintable():
        return None
    try:
        parts = urlsplit(text.strip())
        host = parts.hostname
    except ValueError:
        return None
    return text.strip() if parts.scheme.lower() in ("http", "https") and host else None


def link(text: str | None, label: str | None = None) -> Markup:
    """Draw a link that leaves us, or the bare text where following it is not safe (`javascript:`)."""
    if not text:
        return Markup("")
    url = safe_url(text)
    if url is None:
        return Markup("{}").format(text)
    return Markup('<a class="out" href="{}" rel="noopener noreferrer nofollow">{}</a>').format(
        url, label or text
    )


def kept(url: str | None) -> Markup:
    """Draw the link to what is kept of the run at `url`, whatever became of it there."""
    if not url or safe_url(url) is None:
        return Markup("")
    return Markup('<a class="quiet" href="{}?{}">kept</a>').format(OF_RUN, urlencode({"url": url}))


def short_url(url: str) -> str:
    """Return what a reader needs of a long URL: "ci.example.com/…/openssl/42"."""
    parts = urlsplit(url)
    pieces = [piece for piece in parts.path.split("/") if piece]
    if len(url) <= 48 or len(pieces) <= 2:
        return url.partition("://")[2].rstrip("/") or url
    return f"{parts.netloc}/…/{'/'.join(pieces[-2:])}"


def breakable(name: str) -> Markup:
    """Allow a long name to break after its dots, slashes, dashes and underscores, not inside words."""
    return Markup("<wbr>").join(escape(piece) for piece in _JOINTS.split(name))


def seconds(value: float | None) -> str:
    """Say a duration for people: "0.42 s", "3 min 20 s", "2 h 5 min"."""
    if value is None:
        return ""
    if value < 60:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def badge(word: str, marks: Mapping[str, tuple[str, str]], shown: str | None = None) -> Markup:
    """Draw a word as `marks` say, as style class and symbol; one that they do not know gets ◆."""
    style, symbol = marks.get(word, ("other", "◆"))
    return Markup(
        '<span class="mark {}" data-value="{}"><span aria-hidden="true">{}</span> {}</span>'
    ).format(style, word, symbol, shown or word)
