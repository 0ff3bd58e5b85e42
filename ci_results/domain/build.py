"""Build: what a build system tells of one build."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..errors import InvalidError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build, as the system that made it knows it; None = it does not say.

    nvr        "bash-5.2-1.fc40", of which `component`, `version` and `release` are the parts
    source     where it was made from, the revision as fragment: "git+https://host/rpms/bash.git#abc"
    built_at   when it was begun, aware
    told_by    the address of the system, for messages
    """

    nvr: str
    component: str
    version: str
    release: str
    epoch: int | None = None
    source: str | None = None
    owner: str | None = None
    built_at: datetime | None = None
    task_id: int | None = None
    told_by: str = ""

    def __post_init__(self) -> None:
        if self.built_at is not None and self.built_at.tzinfo is None:
            raise InvalidError(f"build {self.nvr}: built_at has no zone: {shown(self.built_at)}")
