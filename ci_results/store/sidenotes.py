"""What a page brings beside results, as rows: records for the quarantine, and jobs. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from ..domain.page import Page
from .identity import record_digest, to_us

Bad = tuple[str, str | None, str | None, str, bytes, str | None, int]
"""kind, key, position, reason, raw, told, digest of a quarantined record"""


def bad_records(page: Page) -> list[Bad]:
    """Return what a page quarantines; its texts are made such that every store takes them."""
    found: list[Bad] = []
    whole = _told(page.told)
    for bad in page.quarantine:
        told = whole if bad.told is None else _told(bad.told)
        key = bad.key and storable(bad.key)
        found.append((
            bad.kind, key, bad.position and storable(bad.position), storable(bad.reason), bad.raw, told,
            record_digest(bad.kind, key, bad.raw, told),
        ))  # fmt: skip
    return found


def _told(said: Mapping[str, str] | None) -> str | None:
    return None if said is None else storable(json.dumps(said, ensure_ascii=False, sort_keys=True))


def job_rows(page: Page, source: int) -> list[tuple[int, str, str, int | None, int | None]]:
    """Return the rows of _job: source, name, state, last_build, last_report."""
    return [
        (source, storable(job.name), job.state, _us(job.last_build), _us(job.last_report))
        for job in page.jobs
    ]  # fmt: skip


def _us(time: datetime | None) -> int | None:
    return None if time is None else to_us(time)


def storable(text: str) -> str:
    """Return a text that describes, with NUL and lone surrogates written as escapes.

    >>> storable("a" + chr(0))
    'a\\\\x00'
    """
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
