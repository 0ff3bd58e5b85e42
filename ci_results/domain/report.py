"""Report: what a reader of report files is told about the file it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the file itself does not say.

    item, item_type  what was tested: ("bash-5.2-1.el9", "koji_build")
    prefix           namespace put before each testcase name: "baseos"
    run              the run that all observations of this file belong to
    time             when the run ended, where the caller knows; wins over the file's own
    scenario, arch   where it ran
    outcomes         words, lower case, to our outcomes, where the source's configuration maps them otherwise
                     than the format does: the whole report is as bad as its parts by these
    scratch          gives empty files (tempfile.TemporaryFile) for what a reader must remember of millions of
                     cases; None = it remembers that in memory
    """

    item: str
    item_type: str
    prefix: str
    run: Run
    time: datetime | None = None
    scenario: str | None = None
    arch: str | None = None
    outcomes: Mapping[str, str] = field(default_factory=dict)
    scratch: Callable[[], IO[bytes]] | None = None
