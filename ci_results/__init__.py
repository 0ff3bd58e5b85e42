"""The public API for plugin authors: everything a plugin may import, and nothing else is promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .domain.asked import HistoryOf, LatestLike, LatestOf
from .domain.batch import Batch
from .domain.build import Build
from .domain.carried import Arrival, Departure
from .domain.checkpoint import Checkpoint
from .domain.decision import Requirement, State
from .domain.envelope import Envelope
from .domain.garbled import Garbled
from .domain.happening import Happening
from .domain.itemtype import ItemType
from .domain.job import Job
from .domain.observation import Observation
from .domain.outcome import Outcome
from .domain.purpose import PurposeKind
from .domain.report import Report
from .domain.result import Result
from .domain.rule import RuleType
from .domain.run import Run
from .domain.weighing import Weighing
from .errors import (
    CollectError,
    InvalidError,
    SinkRefusedError,
    SinkUnavailableError,
    SourceGarbledError,
    SourceRefusedError,
    SourceUnavailableError,
)
from .messages.opening import open_message, open_saved
from .plugin.addresses import SourceAddress
from .plugin.contract import Collector, Format, Lookup, Messages, Seen, Sink
from .plugin.http_ahead import Ask
from .plugin.reading import read_each, read_junit, read_message
from .plugin.spec import hookimpl
from .plugin.transport import Inlet, Outlet, Transport

if TYPE_CHECKING:
    from .plugin.http import SourceSession
    from .plugin.reports import read_report, report_outcomes

__all__ = [
    "Arrival",
    "Ask",
    "Batch",
    "Build",
    "Checkpoint",
    "CollectError",
    "Collector",
    "Departure",
    "Envelope",
    "Format",
    "Garbled",
    "Happening",
    "HistoryOf",
    "Inlet",
    "InvalidError",
    "ItemType",
    "Job",
    "LatestLike",
    "LatestOf",
    "Lookup",
    "Messages",
    "Observation",
    "Outcome",
    "Outlet",
    "PurposeKind",
    "Report",
    "Requirement",
    "Result",
    "RuleType",
    "Run",
    "Seen",
    "Sink",
    "SinkRefusedError",
    "SinkUnavailableError",
    "SourceAddress",
    "SourceGarbledError",
    "SourceRefusedError",
    "SourceSession",
    "SourceUnavailableError",
    "State",
    "Transport",
    "Weighing",
    "hookimpl",
    "open_message",
    "open_saved",
    "read_each",
    "read_junit",
    "read_message",
    "read_report",
    "report_outcomes",
]


def __getattr__(name: str) -> object:
    """Give what pulls in requests or every reader of reports when asked for it: `--help` does without."""
    if name == "SourceSession":
        from .plugin.http import SourceSession

        return SourceSession
    if name in ("read_report", "report_outcomes"):
        from .plugin import reports

        return getattr(reports, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
