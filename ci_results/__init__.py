"""The public API for plugin authors: everything a plugin may import, and nothing else is promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .domain.checkpoint import Checkpoint
from .domain.garbled import Garbled
from .domain.itemtype import ItemType
from .domain.job import Job
from .domain.observation import Observation
from .domain.outcome import Outcome
from .domain.report import Report
from .domain.result import Result
from .domain.run import Run
from .errors import (
    CollectError,
    InvalidError,
    SinkRefusedError,
    SinkUnavailableError,
    SourceGarbledError,
    SourceRefusedError,
    SourceUnavailableError,
)
from .plugin.contract import Collector, Format, Seen, Sink
from .plugin.http_ahead import Ask
from .plugin.reading import read_each, read_junit
from .plugin.spec import hookimpl

if TYPE_CHECKING:
    from .plugin.http import SourceSession

__all__ = [
    "Ask",
    "Checkpoint",
    "CollectError",
    "Collector",
    "Format",
    "Garbled",
    "InvalidError",
    "ItemType",
    "Job",
    "Observation",
    "Outcome",
    "Report",
    "Result",
    "Run",
    "Seen",
    "Sink",
    "SinkRefusedError",
    "SinkUnavailableError",
    "SourceGarbledError",
    "SourceRefusedError",
    "SourceSession",
    "SourceUnavailableError",
    "hookimpl",
    "read_each",
    "read_junit",
]


def __getattr__(name: str) -> object:
    """Give SourceSession when it is asked for: it pulls in requests, which `--help` does without."""
    if name == "SourceSession":
        from .plugin.http import SourceSession

        return SourceSession
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
