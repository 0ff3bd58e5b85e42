"""A plugin for tests: a source that is a file of lines, each one thing that it yields or meets.

{"see": {...}}           an Observation, `time` as ISO text
{"checkpoint": "x"}      a Checkpoint at this line; the cursor is the line's number
{"garbled": "text"}      a Garbled record
{"away": "text"}         SourceUnavailableError, {"refused": ..}, {"bug": ..} likewise
{"sleep": 0.1}           a slow source
{"touch": "file"}        makes the file: how a test learns how far it came
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import click

from ci_results import (
    Checkpoint,
    Collector,
    Garbled,
    Job,
    Observation,
    Run,
    Seen,
    SourceRefusedError,
    SourceSession,
    SourceUnavailableError,
    hookimpl,
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """`script` is its path; `namespace` goes before what is read again."""

    script: str
    jobs: tuple[str, ...] = ()


class Scripted(Collector[Options]):
    """Plays its script from the line after the cursor."""

    name = "scripted"
    options = Options
    outcomes: ClassVar = {"success": "PASSED", "failure": "FAILED"}

    def harvest(self, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        path = Path(options.script)
        if not path.exists():
            raise SourceUnavailableError(f"{path}: no route to host")
        lines = path.read_text(encoding="utf-8").splitlines()
        for number in range(int(cursor or 0), len(lines)):
            yield from self._play(json.loads(lines[number]), number + 1)

    def _play(self, line: dict[str, Any], number: int) -> Iterator[Seen]:
        match line:
            case {"see": dict(fields)}:
                yield observation(fields)
            case {"checkpoint": _}:
                jobs = tuple(Job(**job) for job in line.get("jobs", ()))
                yield Checkpoint(str(number), jobs)
            case {"garbled": str(text)}:
                yield Garbled(raw=text.encode(), reason=f"cannot read {text}", key=text)
            case {"away": str(text)}:
                raise SourceUnavailableError(text)
            case {"refused": str(text)}:
                raise SourceRefusedError(text)
            case {"bug": str(text)}:
                raise KeyError(text)
            case {"sleep": seconds}:
                time.sleep(seconds)
            case {"touch": str(file)}:
                Path(file).touch()

    def check(self, options: Options, http: SourceSession) -> Iterable[str]:
        yield f"script {options.script}"
        if not Path(options.script).exists():
            raise SourceUnavailableError(f"{options.script}: no route to host")

    def reread(
        self, options: Options, record: Garbled, http: SourceSession
    ) -> Iterable[Observation | Garbled]:
        text = record.raw.decode()
        if text not in options.jobs:
            yield Garbled(raw=record.raw, reason=f"still cannot read {text}")
        else:
            yield observation({"key": text, "testcase": f"scripted.{text}", "outcome": "SUCCESS"})


def observation(fields: dict[str, Any]) -> Observation:
    """Make an Observation of what a script says of it; what it leaves out is assumed."""
    values = {"item": "bash-5.2-1.fc40", "item_type": "koji_build", "testcase": "scripted.smoke", **fields}
    if "time" in values:
        values["time"] = datetime.fromisoformat(values["time"])
    if "run" in values:
        values["run"] = Run(key=values["run"])
    return Observation(**values)


@hookimpl
def register_collectors() -> list[Collector[Any]]:
    return [Scripted()]


@hookimpl
def register_commands() -> list[click.Command]:
    return [hello]


@click.command()
def hello() -> None:
    """Say hello."""
    click.echo("hello from a plugin")
