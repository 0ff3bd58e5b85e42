"""The public API for plugin authors: everything a plugin may import, and nothing else is promised."""

from __future__ import annotations

from .domain.checkpoint import Checkpoint
from .domain.garbled import Garbled
from .domain.job import Job
from .domain.observation import Observation
from .domain.outcome import Outcome
from .domain.report import Report
from .domain.run import Run
from .errors import (
    CollectError,
    InvalidError,
    SourceGarbledError,
    SourceRefusedError,
    SourceUnavailableError,
)
from .plugin.contract import Collector, Format, Seen, Sink
from .plugin.reading import read_each, read_junit
from .plugin.spec import hookimpl

__all__ = [
    "Checkpoint",
    "CollectError",
    "Collector",
    "Format",
    "Garbled",
    "InvalidError",
    "Job",
    "Observation",
    "Outcome",
    "Report",
    "Run",
    "Seen",
    "Sink",
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
