"""A job of openQA as its API tells it: recognise it, read it. See docs/formats/openqa.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, ClassVar, NamedTuple

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_records import json_records, shape
from .json_values import inside, text, when
from .records import BEGUN
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "ok": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "softfailed": Outcome.INFO,
    "skip": Outcome.INFO,
    "none": Outcome.INFO,
    "job passed": Outcome.PASSED,
    "job softfailed": Outcome.INFO,
    "job failed": Outcome.FAILED,
    "job parallel_failed": Outcome.FAILED,
    "job skipped": Outcome.FAILED,
    "job incomplete": Outcome.ERROR,
    "job obsoleted": Outcome.NEEDS_INSPECTION,
    "job parallel_restarted": Outcome.NEEDS_INSPECTION,
    "job user_cancelled": Outcome.NEEDS_INSPECTION,
    "job user_restarted": Outcome.NEEDS_INSPECTION,
    "job timeout_exceeded": Outcome.NEEDS_INSPECTION,
    "job replaced": Outcome.INFO,
}
"""Fedora's mapping. A module's words stand alone, a job's behind `job`: skipped is a job's failure only."""
_FIELDS = ("id", "test", "name", "state", "result", "reason", "clone_id", "group", "t_finished", "settings")
_MODULES = ("modules", "testresults")
_MODULE_WORDS = {"passed": "ok", "failed": "fail", "skipped": "skip"}
_SETTINGS = ("DISTRI", "VERSION", "FLAVOR", "BUILD", "MACHINE", "SUBVARIANT", "ISO", "HDD_1", "ADVISORY")
_MAX_MODULES = 10_000
_LISTED = 100
_QUEUED = frozenset({"scheduled", "assigned", "setup"})
_RUNNING = frozenset({"running", "uploading"})


class OpenQA:
    """Reads `GET /api/v1/jobs/ID`: one observation a module, then the job, which is their parent.

    The job's test and settings may stand behind its modules, which are held for them.
    """

    name: ClassVar[str] = "openqa"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether there is a job with a state, a result and settings."""
        found = shape(head)
        return ("job", "state") in found and {("job", "result"), ("job", "settings")} <= set(found)

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the answer holds."""
        telling = Telling(about, self.name, OUTCOMES)
        job: dict[str, Any] = {}
        held: list[_Module] = []
        modules = [("job", name, "[]") for name in _MODULES]
        for path, value in json_records(stream, *modules, *(("job", field) for field in _FIELDS)):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path in modules and not text(value, "name"):
                yield from telling.bad(value, "a module without a name")
            elif path in modules:
                held.append(_Module(text(value, "name"), text(value, "result"), text(value, "category")))
                if len(held) > _MAX_MODULES:
                    yield telling.unread(
                        Garbled(raw=b"", reason="the job has too many modules", kind="report")
                    )
                    break
            elif len(path) == 2 and value is not BEGUN:
                job[path[1]] = value
        yield from _told(job, held, telling)


class _Module(NamedTuple):
    name: str
    result: str
    category: str


def _told(job: Mapping[str, Any], modules: list[_Module], telling: Telling) -> Iterator[Observation]:
    """Yield the modules and the job. Its own result decides, for a module may fail that does not matter."""
    settings = inside(job, "settings")
    test = text(job, "test") or text(settings, "TEST") or "job"
    telling.time = when(job, "t_finished")
    arch = text(settings, "ARCH") or None
    scenario = ".".join(filter(None, (text(settings, "FLAVOR"), text(settings, "MACHINE")))) or None
    for module in modules:
        word = module.result.lower() or "none"
        yield telling.child(
            f"{test}.{module.name}",
            _MODULE_WORDS.get(word, word),
            key=module.name,
            arch=arch,
            scenario=scenario,
            data={"category": plain_text.value(module.category)} if module.category else None,
        )
    failed = [module.name for module in modules if module.result.lower() in ("failed", "fail")][:_LISTED]
    reasons = [*(f"{name} module failed" for name in failed), text(job, "reason")]
    word = _word(job)
    if telling.damage and OUTCOMES.get(word) in (Outcome.PASSED, Outcome.INFO):
        word = "damaged"
    yield from telling.job(
        test,
        word,
        note=plain_text.note("\n".join(reasons), *telling.damage[:3]),
        arch=arch,
        scenario=scenario,
        data=_data(job, settings),
    )


def _data(job: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    data: dict[str, str | tuple[str, ...]] = {"source": "openqa"}
    for name in _SETTINGS:
        if said := text(settings, name):
            data[name.lower()] = plain_text.value(said)
    if job.get("id") is not None:
        data["job_id"] = plain_text.value(job["id"])
    if "MACHINE" in settings:
        data["firmware"] = "uefi" if "uefi" in text(settings, "MACHINE").lower() else "bios"
    return data


def _word(job: Mapping[str, Any]) -> str:
    if job.get("clone_id"):
        return "job replaced"
    result, state = text(job, "result").lower(), text(job, "state").lower()
    if result and result != "none":
        return f"job {result}"
    if state in _QUEUED:
        return "queued"
    return "running" if state in _RUNNING else "error"
