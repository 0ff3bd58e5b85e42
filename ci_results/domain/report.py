"""Report: what a reader of report files is told about the file it reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the file itself does not say.

    item, item_type  what was tested: ("bash-5.2-1.el9", "koji_build")
    prefix           namespace put before each testcase name: "baseos"
    run              the run that all observations of this file belong to
    time             when the run ended, where the caller knows; wins over the file's own
    scenario, arch   where it ran
    """

    item: str
    item_type: str
    prefix: str
    run: Run
    time: datetime | None = None
    scenario: str | None = None
    arch: str | None = None
