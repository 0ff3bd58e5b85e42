"""A run of TPS as JSON of our own (tps.schema.json): recognise it, read it. See docs/formats/tps.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_records import json_records, shape
from .json_values import text, when
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "good": Outcome.PASSED,
    "bad": Outcome.FAILED,
    "busy": Outcome.RUNNING,
    "not_started": Outcome.QUEUED,
    "waived": Outcome.INFO,
}
_FIELDS = ("tool", "run_id", "advisory")
_DATA = ("host", "repo", "stream", "variant")
_DROPPED = "invalidated"
_BUILDS = frozenset({"koji_build", "brew-build", "brew_build", "rpm"})
"""What a job's `item` is: of the caller's type where that is one of these, else a koji_build."""


class TPS:
    """Reads a run: one observation a job, apart by architecture, stream and variant, then one for the run."""

    name: ClassVar[str] = "tps"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether its `tool` is tps."""
        return shape(head).get(("tool",)) == "tps"

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the run holds."""
        telling = Telling(about, self.name, OUTCOMES, checker=True)
        run: dict[str, Any] = {}
        dropped = 0
        for path, value in json_records(stream, ("jobs", "[]"), *((field,) for field in _FIELDS)):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif len(path) == 1 and path[0] in _FIELDS:
                run[path[0]] = value
            elif len(path) == 2 and text(value, "state").lower() == _DROPPED:
                dropped += 1
            elif len(path) == 2:
                yield from _job(value, telling, text(run, "advisory"))
        told = ("run_id", "advisory")
        data: dict[str, str] = {name: plain_text.value(run[name]) for name in told if name in run}
        if dropped:
            data["invalidated"] = str(dropped)
        yield from telling.end(data=data, total="jobs")


def _job(job: object, telling: Telling, advisory: str) -> Iterator[Observation | Garbled]:
    key, state, arch, stream = (text(job, field) for field in ("id", "state", "arch", "stream"))
    if not isinstance(job, dict) or not (key and state and arch and stream):
        yield from telling.bad(job, "a job without id, state, arch or stream")
        return
    variant, item = text(job, "variant"), text(job, "item")
    item_type = "redhat-advisory" if advisory and not item else None
    if item and telling.about.item_type not in _BUILDS:
        item_type = "koji_build"
    end = when(job, "finished") or when(job, "started")
    start, stop = when(job, "started"), when(job, "finished")
    yield telling.child(
        text(job, "check") or "tps",
        state,
        key=key,
        note=plain_text.note(text(job, "note")),
        time=end,
        duration_s=max((stop - start).total_seconds(), 0.0) if start and stop else None,
        ref_url=plain_text.link(job.get("log_url")),
        item=item or advisory or None,
        item_type=item_type,
        arch=arch,
        scenario=f"{stream}/{variant}" if variant else stream,
        data={name: plain_text.value(said) for name in _DATA if (said := text(job, name))},
        ran=state.lower() not in ("waived",),
    )
