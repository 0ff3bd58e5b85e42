"""The XML of a Beaker job (`bkr job-results`): recognise it, read it. See docs/formats/beaker.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .junit_values import moment, seconds
from .telling import Telling
from .whole import WHOLE
from .xml_elements import Begun, Element, Ended
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "pass": Outcome.PASSED,
    "warn": Outcome.NEEDS_INSPECTION,
    "fail": Outcome.FAILED,
    "panic": Outcome.FAILED,
    "skip": Outcome.INFO,
    "none": Outcome.INFO,
    "aborted": Outcome.ERROR,
    "cancelled": Outcome.ERROR,
}
_RECIPES = frozenset({"recipe", "guestrecipe"})
_SKIPPED = ("logs", "rpm", "fetch", "params", "notify", "packages", "ks_appends", "repos", "distroRequires",
            "hostRequires", "partitions", "roles", "installation", "watchdog", "autopick")  # fmt: skip
_QUEUED = frozenset({"new", "processed", "queued", "scheduled"})
_RUNNING = frozenset({"waiting", "installing", "running", "reserved"})
_UNDECIDED = frozenset({"new", "none", "warn", ""})
_LINES = 100


class Beaker:
    """Reads a job: one observation a task of a recipe, then one for the whole job."""

    name: ClassVar[str] = "beaker"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is a job with recipes."""
        return root_name(head) == "job" and b"<recipeSet" in head

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, self.name, OUTCOMES)
        recipes: list[dict[str, str]] = []
        job: dict[str, str] = {}
        for each in xml_records(stream, telling, ("job",), ("task",), _SKIPPED):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Element):
                yield _task(each, recipes[-1] if recipes else {}, telling)
            elif isinstance(each, Begun) and each.name in _RECIPES:
                recipes.append(each.attributes)
                ended = moment(each.attributes.get("finish_time"))[0]
                telling.time = max(filter(None, (ended, telling.time)), default=None)
            elif isinstance(each, Begun) and each.name == "job":
                job = each.attributes
            elif isinstance(each, Ended) and each.name in _RECIPES and recipes:
                recipes.pop()
        word = _word(job.get("result", ""), job.get("status", "")) if job else None
        bad = word if word in ("fail", "panic", "aborted", "cancelled", "running", "queued") else None
        data = {
            name: plain_text.value(job[name]) for name in ("id", "status", "result", "group") if job.get(name)
        }
        yield from telling.end(word=bad, data=data, total="tasks")


def _task(task: Element, recipe: dict[str, str], telling: Telling) -> Observation:
    name = task.get("name").strip("/").replace("/", ".")
    failed = [
        f"{each.get('path')}: {each.get('result')} {each.text or each.get('message')}".rstrip()
        for each in task.at("results").all("result")
        if each.get("result").lower() not in ("pass", "none", "skip")
    ]
    data = {
        "recipe": recipe.get("id", ""),
        "distro": recipe.get("distro", ""),
        "system": recipe.get("system", ""),
    }
    data |= {
        "task": task.get("id"),
        "role": task.get("role").replace("None", ""),
        "status": task.get("status"),
    }
    return telling.child(
        f"beaker.{name or 'unnamed'}",
        _word(task.get("result"), task.get("status")),
        key=f"{recipe.get('id', '')}/{task.get('id')}/{name}",
        note=plain_text.note("\n".join(failed[:_LINES])),
        time=moment(task.get("finish_time"))[0],
        duration_s=_duration(task.get("duration")),
        arch=recipe.get("arch") or None,
        scenario=recipe.get("variant") or None,
        data={attribute: plain_text.value(said) for attribute, said in data.items() if said},
    )


def _word(result: str, status: str) -> str:
    """Say how it went. Aborted and cancelled are of the laboratory, unless a verdict came before."""
    result, status = result.lower(), status.lower()
    if result in _UNDECIDED:
        if status in ("aborted", "cancelled"):
            return status
        if status in _QUEUED:
            return "queued"
        if status in _RUNNING:
            return "running"
    return result or "no result"


def _duration(text: str) -> float | None:
    """Read `1 day, 2:03:04`."""
    days, comma, clock = text.rpartition(", ")
    number = days.partition(" ")[0]
    took = seconds(clock if comma else text)
    if took is None or not comma:
        return took
    return took + int(number) * 86_400 if number.isascii() and number.isdigit() and len(number) < 5 else None
