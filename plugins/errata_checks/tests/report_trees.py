"""Trees of reports that tests write, and what a harvest of one yielded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ci_results import Checkpoint, Garbled, Observation

LONG_AGO = 1_767_225_600.0
"""2026-01-01, when the reports were written that no test says otherwise of."""


def rpmgrill(nvr: str = "bash-5.2-1.fc40", *gripes: str, status: str = "completed") -> bytes:
    """Return a report of rpmgrill with one module."""
    name, version, release = nvr.rsplit("-", 2)
    module = {"module": "ElfChecks", "status": status, "results": [{"code": code} for code in gripes]}
    package = {"name": name, "version": version, "release": release}
    return json.dumps({"package": package, "results": {"tool": "rpmgrill"}, "tests": [module]}).encode()


class Tree:
    """A folder of reports."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str | bytes, body: bytes | None = None, at: float | None = LONG_AGO) -> Path:
        """Write a report, a small one of rpmgrill by default, as if at that time; None = now."""
        file = self.root / os.fsdecode(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(rpmgrill() if body is None else body)
        if at is not None:
            os.utime(file, (at, at))
        return file


class Harvest:
    """What a harvest yielded, sorted by kind; `error` is what it ended with."""

    def __init__(self, steps: Iterator[Any]) -> None:
        self.seen: list[Any] = []
        self.error: Exception | None = None
        try:
            for each in steps:
                self.seen.append(each)
        except Exception as err:  # noqa: BLE001 (tests look at it)
            self.error = err
        self.observations = [each for each in self.seen if isinstance(each, Observation)]
        self.garbled = [each for each in self.seen if isinstance(each, Garbled)]
        self.cursors = [each.cursor for each in self.seen if isinstance(each, Checkpoint)]

    @property
    def cursor(self) -> str:
        """The last cursor."""
        assert self.error is None, self.error
        return self.cursors[-1]

    @property
    def files(self) -> list[str]:
        """The reports that were read, by key."""
        return sorted({each.run.key for each in self.observations if each.run is not None})

    @property
    def reasons(self) -> list[str]:
        """Why something was not read."""
        return [each.reason for each in self.garbled]
