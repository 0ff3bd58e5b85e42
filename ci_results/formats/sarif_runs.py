"""The runs of a SARIF log: what each found, summed up by rule when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from . import plain_text
from .findings import LINE_CHARS, OTHERS, Findings
from .json_values import inside, number, objects, text, when
from .records import Path

RUN = ("runs", "[]")
RESULTS = (*RUN, "results")
RESULT = (*RESULTS, "[]")
_RULE = (*RUN, "tool", "driver", "rules", "[]")
_EXTENSION_RULE = (*RUN, "tool", "extensions", "[]", "rules", "[]")
_NAME = (*RUN, "tool", "driver", "name")
_VERSION = (*RUN, "tool", "driver", "version")
_INVOCATION = (*RUN, "invocations", "[]")
WANTED = (RESULT, _RULE, _EXTENSION_RULE, _NAME, _VERSION, _INVOCATION)
_MAX_RULES = 100_000
_MAX_KINDS = 5_000
_MAX_CHARS = 8 << 20
_LISTED = 100
_DEFAULT = "warning"


class Runs:
    """All runs of one log.

    count, silent, failed  how many there are; tell no results, which is not the same as none found; failed
    """

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.count = self.silent = self.failed = 0
        self.time: datetime | None = None
        self._run: _Run | None = None

    def take(self, path: Path, value: Any) -> None:
        """Take what lies at a path of the log."""
        if path == RUN:
            self.close()
            self._run = _Run()
            self.count += 1
        elif self._run is not None:
            self._run.take(path, value)

    def close(self) -> None:
        """End the run that is open, if one is."""
        run, self._run = self._run, None
        if run is None:
            return
        run.close(self.findings)
        self.silent += not run.told
        self.failed += run.failed
        self.time = run.time or self.time


class _Run:
    """One run of one tool: its rules, and its findings until the rules are known."""

    def __init__(self) -> None:
        self.told = self.failed = False
        self.time: datetime | None = None
        self._name = self._version = ""
        self._rules: list[str] = []
        self._levels: dict[str, str] = {}
        self._found: dict[tuple[str, int | None, str], _Kind] = {}
        self._chars = 0

    def take(self, path: Path, value: Any) -> None:
        if path == RESULTS:
            self.told = True
        elif path == RESULT:
            self._result(value)
        elif path in (_RULE, _EXTENSION_RULE):
            self._rule(value, driver=path == _RULE)
        elif path == _NAME:
            self._name = str(value)[:200]
        elif path == _VERSION:
            self._version = plain_text.value(value)
        elif path == _INVOCATION and isinstance(value, Mapping):
            self.failed = self.failed or value.get("executionSuccessful") is False
            self.time = when(value, "endTimeUtc") or self.time

    def _rule(self, rule: object, *, driver: bool) -> None:
        name = text(rule, "id")
        if driver and len(self._rules) < _MAX_RULES:
            self._rules.append(name)
        level = text(inside(rule, "defaultConfiguration"), "level")
        if level and len(self._levels) < _MAX_RULES:
            self._levels[name] = level

    def _result(self, result: Mapping[str, Any]) -> None:
        if text(result, "baselineState") == "absent":
            return  # it was found in the base, and is gone
        name = text(result, "ruleId") or text(inside(result, "rule"), "id")
        index = number(result, "ruleIndex")
        place = int(index) if index is not None and 0 <= index < _MAX_RULES else None
        word = _word(result)
        kind = self._found.get((name, place, word))
        if kind is None:
            key = (name, place, word) if len(self._found) < _MAX_KINDS else (OTHERS, None, word)
            kind = self._found.setdefault(key, _Kind())
        kind.count += 1
        if len(kind.lines) < _LISTED and self._chars < _MAX_CHARS:
            kind.lines.append(_line(result)[:LINE_CHARS])
            self._chars += len(kind.lines[-1])

    def close(self, findings: Findings) -> None:
        """Hand over what was found, now that the levels of all rules are known."""
        data = {"tool_version": self._version} if self._version else None
        for (name, place, word), kind in self._found.items():
            if not name and place is not None and place < len(self._rules):
                name = self._rules[place]
            word = word or f"level {self._levels.get(name, _DEFAULT)}"
            check = f"{self._name or 'tool'}.{name or 'unnamed rule'}"
            findings.add(check, word, kind.lines, count=kind.count, data=data)


@dataclass(slots=True)
class _Kind:
    """Findings of one rule and one word: how many, and the first of them as lines of text."""

    count: int = 0
    lines: list[str] = field(default_factory=list)


def _word(result: Mapping[str, Any]) -> str:
    """Say a result's word; "" where only its rule knows the level."""
    suppressions = list(objects(result, "suppressions"))
    if suppressions and all(text(each, "status") in ("", "accepted") for each in suppressions):
        return "suppressed"
    if text(result, "baselineState") == "unchanged":
        return "unchanged"
    kind = text(result, "kind").lower() or "fail"
    if kind != "fail":
        return f"kind {kind}"
    level = text(result, "level").lower()
    return f"level {level}" if level else ""


def _line(result: Mapping[str, Any]) -> str:
    """Say where and what: `src/a.c:12: double free`."""
    message = inside(result, "message")
    said = text(message, "text") or text(message, "markdown") or text(message, "id")
    where = next((inside(each, "physicalLocation") for each in objects(result, "locations")), {})
    uri = unquote(text(inside(where, "artifactLocation"), "uri")).removeprefix("file://")
    line = number(inside(where, "region"), "startLine")
    if not uri:
        return said
    return f"{uri}:{line:.0f}: {said}" if line and line > 0 else f"{uri}: {said}"
