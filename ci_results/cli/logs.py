"""Logging of the command line: warnings for people on stderr, or everything as JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """A JSON object a line: time, level, logger, message and the record's extra values."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in record.__dict__.items() if key not in _OWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class Told(logging.Formatter):
    """One line for a person: the message and its values."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        values = " ".join(f"{key}={value}" for key, value in record.__dict__.items() if key not in _OWN)
        text = f"{record.levelname.lower()}: {record.getMessage()} {values}".rstrip()
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


@contextmanager
def logging_to_stderr(*, as_json: bool) -> Iterator[None]:
    """Send the log to stderr meanwhile: from INFO as JSON, else from WARNING as text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else Told())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO if as_json else logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


@contextmanager
def access_log_to_stderr() -> Iterator[None]:
    """Send the access log of a server to stderr meanwhile, always as JSON."""
    log = logging.getLogger("ci_results.access")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)
        log.propagate = True
