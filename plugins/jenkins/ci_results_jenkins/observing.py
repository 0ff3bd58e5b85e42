"""What a build and its cases mean as observations, in the master's own words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase

from ci_results import Garbled, Observation, Run

from .address import build_url
from .model import Build, Case

BUILD = "build"
"""Key of the observation of the build itself; it is the parent of its cases."""

NOTE_LIMIT = 100_000
VALUE_LIMIT = 4_096
RESERVED = frozenset(
    {"item", "type", "arch", "scenario", "parent", "job", "build", "result", "cause", "upstream"}
)
_SECRET = re.compile(r"pass|secret|token|credential|private|api_?key", re.IGNORECASE)


def run_of(build: Build) -> Run:
    """Return what all observations of the build share."""
    data: dict[str, str | tuple[str, ...]] = {"job": build.job, "build": str(build.number)}
    if build.result and not build.running:
        data["result"] = build.result
    if causes := tuple(cause for cause in build.causes if cause):
        data["cause"] = causes
    if build.upstream:
        data["upstream"] = tuple(f"{project}#{number}" for project, number in build.upstream)
    for name, value in build.parameters.items():
        if not _SECRET.search(name) and any(fnmatchcase(name, glob) for glob in build.options.parameters):
            key = re.sub(r"[:\x00-\x1f]", "_", f"parameter.{name}" if name in RESERVED else name)
            data[key] = value if len(value) <= VALUE_LIMIT else f"({len(value)} characters, see the build)"
    return Run(key=build.key, ref_url=build_url(build.options.url, build.job, build.number), data=data)


def observe_build(build: Build, run: Run, item: tuple[str, str], testcase: str) -> Observation:
    """Return the observation of the build itself; its counts say whether anything was executed."""
    data: dict[str, str | tuple[str, ...]] = {}
    if build.ran is not None and not build.running:
        data = {
            "executed": str(build.ran), "cases": str(build.cases), "failed": str(build.failed),
            "skipped": str(build.skipped),
        }  # fmt: skip
    arch, scenario = _place(build)
    return Observation(
        key=BUILD,
        testcase=testcase,
        outcome="RUNNING" if build.running else str(build.result),
        item=item[0],
        item_type=item[1],
        time=build.began if build.running else build.ended,
        duration_s=build.duration_s,
        note=build.name if build.name != f"#{build.number}" else None,
        scenario=scenario,
        arch=arch,
        data=data,
        run=run,
    )


def observe_cases(
    build: Build,
    run: Run,
    item: tuple[str, str],
    cases: Iterable[Case | Garbled],
    testcase_from: Callable[[Case], str],
) -> Iterator[Observation | Garbled]:
    """Yield an observation for each case; equal keys are numbered in the report's order."""
    seen: Counter[str] = Counter()
    given: set[str] = {BUILD}
    place = _place(build)
    for case in cases:
        if isinstance(case, Garbled):
            yield case
            continue
        axes = ",".join([f"{axis}={value}" for axis, value in case.configuration.items()])
        key = "::".join(filter(None, (axes, *case.blocks, case.suite, case.classname, case.name)))
        unique = key
        while unique in given:
            seen[key] += 1
            unique = f"{key}#{seen[key] + 1}"
        given.add(unique)
        arch, scenario = _place(build, case) if case.configuration else place
        yield Observation(
            key=unique,
            testcase=testcase_from(case),
            outcome=case.status,
            item=item[0],
            item_type=item[1],
            time=build.ended,
            duration_s=case.duration_s,
            note=_note(case.error),
            scenario=scenario,
            arch=arch,
            parent=BUILD,
            data={"stage": case.blocks} if case.blocks else {},
            run=run,
        )


def _note(error: str | None) -> str | None:
    """Return the error; one that is very long is cut, and says so and where the whole is."""
    if error is None or len(error) <= NOTE_LIMIT:
        return error
    return f"{error[:NOTE_LIMIT]}\n[{len(error) - NOTE_LIMIT} more characters in the build's report]"


def _place(build: Build, case: Case | None = None) -> tuple[str | None, str | None]:
    """Return architecture and scenario: axes of the matrix first, then parameters."""
    options = build.options
    axes = dict(case.configuration) if case is not None else {}
    arch = (axes.pop(options.arch, None) or build.parameters.get(options.arch)) if options.arch else None
    if options.scenario:
        return arch, axes.get(options.scenario) or build.parameters.get(options.scenario)
    return arch, ",".join(f"{axis}={value}" for axis, value in axes.items()) or None
