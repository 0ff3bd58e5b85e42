"""What a configuration says of one tree of reports: where it is, and how an item is found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from ci_results import InvalidError

FINDERS = ("report", "path", "folder", "file")


@dataclass(frozen=True, kw_only=True)
class ItemRule:
    """One way of finding what a report is about.

    find      where to look: in the report itself, its path from the root, the name of the folder
              that it lies in, or its own name
    pattern   regular expression searched for there, not in a report: the groups `old` and `new` are a pair of
              builds, a group `item` is the item, else the whole match; `arch` and `scenario` are theirs
    template  an item made of the pattern's named groups: "{name}-{version}-{release}"
    type      item type of what is found; a pair is of the type with `_pair` behind it

    Without a pattern the whole text is the item, or OLD..NEW a pair.
    """

    find: str
    pattern: str | None = None
    template: str | None = None
    type: str = "koji_build"

    def __post_init__(self) -> None:
        if self.find not in FINDERS:
            raise InvalidError(f"item rule: find = {self.find!r} is none of {', '.join(FINDERS)}")
        if self.find == "report" and (self.pattern is not None or self.template is not None):
            raise InvalidError("item rule: find = 'report' takes no pattern: the report says its item")
        if self.pattern is None:
            if self.template is not None:
                raise InvalidError("item rule: a template needs a pattern with named groups")
            return
        try:
            groups = re.compile(self.pattern).groupindex
        except re.error as err:
            raise InvalidError(f"item rule: pattern {self.pattern!r}: {err}") from err
        if ("old" in groups) != ("new" in groups):
            raise InvalidError(f"item rule: pattern {self.pattern!r}: the groups old and new go together")
        if self.template is not None:
            try:
                used = {field for _, field, _, _ in Formatter().parse(self.template) if field is not None}
            except ValueError as err:
                raise InvalidError(f"item rule: template {self.template!r}: {err}") from err
            if unknown := sorted(used - set(groups)):
                known = ", ".join(groups) or "none"
                raise InvalidError(
                    f"item rule: template {self.template!r}: no group {unknown[0]!r}; there are {known}"
                )

    def __str__(self) -> str:
        return f"{self.find} ~ {self.pattern}" if self.pattern else self.find


@dataclass(frozen=True, kw_only=True)
class Options:
    """A source's table, beside the core's keys.

    path       a folder of reports, or
    url        the address of an HTTP index of it, or of a JSON file that lists it
    files      globs of file names, instead of the collector's own; of one folder only the files of the
               first glob that any file there matches are read
    item       rules, the first that finds something wins
    namespace  put before every testcase
    link       with a path: the address where people see the same folder
    settle_s   a damaged file that was changed so short a time ago is still being written: it is read
               again by the next harvest
    outcomes   words and what the source maps them to, so that a whole report is as bad as its parts by it
    closed_after_days  folders without folders, which their listing shows unchanged for so long, are read once
    """

    path: Path | None = None
    url: str | None = None
    files: tuple[str, ...] = ()
    item: tuple[ItemRule, ...] = (ItemRule(find="report"),)
    namespace: str = "dist"
    link: str | None = None
    settle_s: float = 600.0
    outcomes: tuple[tuple[str, str], ...] = ()
    closed_after_days: float | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.url is None):
            raise InvalidError("write either path, a folder of reports, or url, an HTTP index of them")
        for key in ("url", "link"):
            address = getattr(self, key)
            if address is not None and not address.startswith(("http://", "https://")):
                hint = "; a folder is path" if key == "url" else ""
                raise InvalidError(f"{key} = {address!r} is no http or https address{hint}")
        if self.url is not None and ("?" in self.url or "#" in self.url):
            raise InvalidError(f"url = {self.url!r}: an index has no query")
        if not self.item:
            raise InvalidError('item: without a rule nothing is found; write item = [{ find = "report" }]')
        if any("/" in glob for glob in self.files):
            raise InvalidError("files: globs of names, without a slash")
