"""Checkpoint: a safe point of a harvest."""

from __future__ import annotations

from dataclasses import dataclass

from .job import Job


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that was yielded before belongs together; `cursor` is where the next harvest begins.

    The store commits page, quarantine and cursor in one transaction. The cursor is opaque text
    that only the collector reads: an id, or JSON. `jobs` is what the source has at all, where the
    collector happens to know: coverage shows which of them are silent.
    """

    cursor: str
    jobs: tuple[Job, ...] = ()
