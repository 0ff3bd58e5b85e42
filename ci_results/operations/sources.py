"""Add sources to the configuration file and take them out, leaving every other byte as it is."""

from __future__ import annotations

import csv
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ..errors import ConfigError, InvalidError, NotFoundError, shown

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\[\]]+?)\s*\]?\]\s*(?:#.*)?$")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NEW_FILE = """\
# What ci-results harvests, and where it keeps the results: docs/cli.md
store = "sqlite:ci-results.db"
"""


def text_of(path: Path) -> str:
    """Return the text of the configuration, or that of a new one where there is none. Raises ConfigError."""
    if not path.exists():
        return _NEW_FILE
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: cannot be read: {err}") from err


def remove_source(path: Path, name: str) -> None:
    """Take the table `source.NAME` out of the file. Raises ConfigError, NotFoundError."""
    if not path.exists():
        raise ConfigError(f"{path}: no such file")
    write_text(path, without_source(text_of(path), name))


def with_source(text: str, name: str, values: Mapping[str, Any]) -> str:
    """Return `text` with a table for source `name` at its end. Raises ConfigError where it has one."""
    before = _parse(text)
    if name in before.get("source", {}):
        raise ConfigError(
            f"[source.{name}] is there already; take it out with: ci-results source remove {name}"
        )
    kept = {key: value for key, value in values.items() if value is not None}
    lines = [f"[source.{_key(name)}]", *(f"{_key(key)} = {toml_value(value)}" for key, value in kept.items())]
    after = text.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n" if text.strip() else "\n".join(lines) + "\n"
    wanted = {**before, "source": {**before.get("source", {}), name: kept}}
    if not _says(after, wanted):
        raise ConfigError(f"[source.{name}] cannot be added without changing other tables; write it by hand")
    return after


def without_source(text: str, name: str) -> str:
    """Return `text` without the tables of source `name` and the comments right above them."""
    before = _parse(text)
    if name not in before.get("source", {}):
        known = ", ".join(before.get("source", {})) or "none"
        raise NotFoundError(f"no source {shown(name)}; known are {known}")
    after = "".join(_without(text.splitlines(keepends=True), name))
    sources = {other: table for other, table in before["source"].items() if other != name}
    wanted = {key: value for key, value in before.items() if key != "source"} | (
        {"source": sources} if sources else {}
    )
    if not _says(after, wanted):
        raise ConfigError(
            f"[source.{name}] cannot be taken out without changing other tables; edit the file by hand"
        )
    return after


def toml_value(value: object) -> str:
    """Write one value as TOML, on one line: 'text', 7, true, ["a", "b"], { key = "value" }."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {toml_value(each)}" for key, each in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(toml_value, value)) + "]"
        case _:
            raise InvalidError(f"no way to write {shown(value)} in the configuration")


def read_masters(stream: IO[str], where: str) -> list[tuple[str, dict[str, Any]]]:
    """Read a table of sources: a CSV with a header, the column `name` and any keys of the table.

    An empty field is left out, e.g. `name,url,owner,token_env`; a collector of folders needs no `url`.
    Raises ConfigError with the line.
    """
    rows = csv.DictReader(stream)
    if "name" not in (rows.fieldnames or ()):
        raise ConfigError(f"{where}: line 1: column name is missing")
    masters: list[tuple[str, dict[str, Any]]] = []
    for row in rows:
        if None in row or not row["name"]:
            raise ConfigError(f"{where}: line {rows.line_num}: needs name and as many fields as the header")
        values: dict[str, Any] = {"collector": "jenkins"}
        values |= {key: _number(value) for key, value in row.items() if value and key != "name"}
        masters.append((row["name"].strip(), values))
    return masters


def write_text(path: Path, text: str) -> None:
    """Replace the file at once, so that nobody reads half of it. Raises ConfigError."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        os.replace(part, path)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err}") from err


def _number(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() else text.strip()


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else toml_value(name)


def _belongs(header: str, name: str) -> bool:
    """Say whether a header's dotted name is `source.NAME` or below it."""
    try:
        parsed = tomllib.loads(f"[{header}]\n")
    except tomllib.TOMLDecodeError:
        return False
    return isinstance(parsed.get("source"), dict) and name in parsed["source"]


def _without(lines: list[str], name: str) -> list[str]:
    """Return the lines that are neither in a table of `name` nor the comment right above one."""
    kept: list[str] = []
    ours: list[str] | None = None
    for line in lines:
        header = _HEADER.match(line)
        if header is not None and _belongs(header["name"], name):
            if ours is None:
                _take_comments(kept)
            ours = []
        elif header is not None and ours is not None:
            kept += _take_comments(ours)
            ours = None
        (kept if ours is None else ours).append(line)
    return kept


def _take_comments(lines: list[str]) -> list[str]:
    """Take off the comment lines at the end, which belong to the next table, and one blank line above."""
    start = len(lines)
    while start > 1 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    if start and not lines[start - 1].strip():
        start -= 1
    taken = lines[start:]
    del lines[start:]
    return taken


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"the configuration is no TOML: {err}") from err
