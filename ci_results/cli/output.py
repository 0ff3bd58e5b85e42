"""How the command line speaks: tables, JSON, times, outcomes; results to stdout, the rest to stderr."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

COLOURS = {
    "PASSED": "green",
    "INFO": "cyan",
    "FAILED": "red",
    "ERROR": "magenta",
    "NEEDS_INSPECTION": "yellow",
    "QUEUED": "blue",
    "RUNNING": "blue",
    "passed": "green",
    "failed": "red",
    "error": "magenta",
    "needs inspection": "yellow",
    "waiting": "blue",
    "missing": "blue",
    "ok": "green",
    "good": "green",
    "stored": "green",
    "sent": "green",
    "publishes": "green",
    "active": "green",
    "pending": "blue",
    "suspended": "yellow",
    "changed": "yellow",
    "silent": "yellow",
    "warning": "yellow",
    "stopped": "yellow",
    "busy": "yellow",
    "unreadable": "yellow",
    "bad": "red",
    "unreachable": "red",
    "refused": "red",
    "garbled": "red",
    "broken": "red",
    "store": "red",
}


def say(text: str) -> None:
    """Tell a person something that is no result."""
    click.echo(text, err=True)


def next_command(*commands: str) -> None:
    """End a message with what to do next."""
    say(click.style("next: ", dim=True) + " · ".join(commands))


def word(text: str) -> str:
    """Colour a word that has a colour; the word itself always stays."""
    return click.style(text, fg=COLOURS[text]) if text in COLOURS else text


def print_json(value: object) -> None:
    """Print `value` as JSON: dataclasses as objects, times as ISO 8601 in UTC."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns; the first line names them. Control characters are shown, not sent."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max((len(row[n]) for row in [list(heads), *cells]), default=0) for n in range(len(heads))]
    click.secho(_line(heads, widths), bold=True)
    for row in cells:
        click.echo(_line(row, widths, colour=True))


def printable(text: str) -> str:
    """Return `text` without what would steer a terminal: "a\\x1b[2J" becomes "a?[2J"."""
    return "".join(char if char.isprintable() else " " if char in "\t\n\r" else "?" for char in text)


def stamp(time: datetime | None) -> str:
    """Write a time in UTC and how long ago it was: `2026-01-02T03:04:05Z (14 min ago)`."""
    if time is None:
        return "never"
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} ({ago(datetime.now(UTC) - time)})"


def ago(age: Any) -> str:
    """Write an age in words: `14 min ago`, `3 h ago`; of the future: `in 2 d`."""
    seconds = age.total_seconds()
    size = abs(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if size >= length:
            text = f"{size / length:.0f} {unit}"
            break
    else:
        text = f"{size:.0f} s"
    return f"{text} ago" if seconds >= 0 else f"in {text}"


def size(count: float) -> str:
    """Write a number of bytes: `212 kB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def seconds(duration: float | None) -> str:
    """Write a duration: `1.2 s`, `3.4 min`, empty for None."""
    if duration is None:
        return ""
    return f"{duration:.3g} s" if duration < 90 else f"{duration / 60:.1f} min"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: `1 record`, `2 records`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _line(cells: Sequence[str], widths: Sequence[int], *, colour: bool = False) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    if colour:
        padded = [word(cell) + pad[len(cell) :] for cell, pad in zip(cells, padded, strict=True)]
    return "  ".join(padded).rstrip()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(f"no JSON for {type(value).__name__}")
