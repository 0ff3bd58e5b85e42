"""What a configuration says of one master: which jobs, how an item is found, how testcases are named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from string import Formatter

from ci_results import InvalidError

FINDERS = ("parameter", "build_name", "description", "upstream", "artifact", "job")
FALLBACKS = ("build", "quarantine")
FIELDS = frozenset({"namespace", "job", "folder", "suite", "class", "name", "scenario"})


@dataclass(frozen=True, kw_only=True)
class ItemRule:
    """One way of finding what a build tested.

    find      where to look: parameter, build_name, description, upstream, artifact or job
    name      of the parameter
    pattern   regular expression searched for there; a group `item` is the item, else the whole match
    template  an item made of the pattern's named groups: "{name}-{version}-{release}"
    type      item type of what is found
    """

    find: str
    name: str | None = None
    pattern: str | None = None
    template: str | None = None
    type: str = "koji_build"

    def __post_init__(self) -> None:
        if self.find not in FINDERS:
            raise InvalidError(f"item rule: find = {self.find!r} is none of {', '.join(FINDERS)}")
        if self.find == "parameter" and not self.name:
            raise InvalidError("item rule: find = 'parameter' needs the parameter's name")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as err:
                raise InvalidError(f"item rule: pattern {self.pattern!r}: {err}") from err

    def __str__(self) -> str:
        what = f"{self.find} {self.name}" if self.name else self.find
        return f"{what} ~ {self.pattern}" if self.pattern else what


@dataclass(frozen=True, kw_only=True)
class Options:
    """A source's table, beside the core's keys.

    url             root of the master
    jobs            globs of full names, "!" before what is left out: ["rpm/*", "!*/sandbox/*"]
    item            rules, the first that finds something wins
    fallback        where none does: "build" (the build itself, type ci_build) or "quarantine"
    namespace       put before every testcase
    testcase        of a case; fields {namespace} {job} {folder} {suite} {class} {name} {scenario}
    build_testcase  of the build itself; fields {namespace} {job} {folder}
    artifacts       glob of JUnit files to read where a build has no report: "**/TEST-*.xml"
    arch, scenario  name of the parameter or matrix axis that holds them
    parameters      globs of the parameters to keep as attributes; secrets never are
    """

    url: str
    jobs: tuple[str, ...] = ("*",)
    item: tuple[ItemRule, ...] = ()
    fallback: str = "build"
    namespace: str = "ci"
    testcase: str = "{namespace}.{job}.{class}.{name}"
    build_testcase: str = "{namespace}.{job}"
    artifacts: str | None = None
    arch: str | None = None
    scenario: str | None = None
    parameters: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        if self.fallback not in FALLBACKS:
            raise InvalidError(f"fallback = {self.fallback!r} is neither 'build' nor 'quarantine'")
        for key in ("testcase", "build_testcase"):
            template = getattr(self, key)
            try:
                used = {field for _, field, _, _ in Formatter().parse(template) if field is not None}
            except ValueError as err:
                raise InvalidError(f"{key} = {template!r}: {err}") from err
            if unknown := used - FIELDS:
                known = " ".join(f"{{{field}}}" for field in sorted(FIELDS))
                raise InvalidError(f"{key} = {template!r}: no field {unknown.pop()!r}; there are {known}")

    def wants(self, full_name: str) -> bool:
        """Say whether the job of that full name is to be harvested."""
        wanted = [glob for glob in self.jobs if not glob.startswith("!")] or ["*"]
        unwanted = [glob[1:] for glob in self.jobs if glob.startswith("!")]
        return any(fnmatchcase(full_name, glob) for glob in wanted) and not any(
            fnmatchcase(full_name, glob) for glob in unwanted
        )
