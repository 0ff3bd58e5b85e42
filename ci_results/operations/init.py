"""Init: the files that a project needs to keep its results; what is there already stays as it is."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from configparser import ConfigParser, Error
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError

ENVIRONMENT = "ci-results"
_SECTION = re.compile(rf"^\[testenv:[^\]]*\b{ENVIRONMENT}\b[^\]]*\]", re.MULTILINE)
_NOT_PLAIN = re.compile(r"[^a-z0-9_-]+")

FEED = """\
{off}[sink.feed]
{off}kind = "jsonlines"
{off}path = "ci-results.jsonl"
"""

CONFIGURATION = """\
# What ci-results keeps, and where. `ci-results --help` shows what there is to do with it.
store = "sqlite:ci-results.db"

[report]                          # what `ci-results report FILE --item ITEM` assumes
namespace = "{name}"{pad}# put before each testcase
item_type = "plain"               # or koji_build, compose, redhat-container-image ...

# Where results are sent on by `ci-results deliver`: a file, a JSON object a line.
{feed}
# A CI server to harvest is added with: ci-results source add NAME URL
"""

TOX = """\
[testenv:{environment}]
description = run the tests, keep their results in ci-results.db, send them on to ci-results.jsonl
{skip}deps =
{deps}    ci-results
    pytest
allowlist_externals =
    ci-results
    pytest
# go on after a test has failed: that is a result too, and the run fails in the end
ignore_errors = true
commands =
    pytest --junit-xml={{env_tmp_dir}}/junit.xml {{posargs}}
    ci-results report {{env_tmp_dir}}/junit.xml --namespace {name} \\
        --item {{env:ITEM:{name}}} --item-type {{env:ITEM_TYPE:plain}} --run {{env:RUN:local}}
    ci-results deliver feed
"""

_OTHER_TOX = (("tox.toml", None), ("pyproject.toml", "tool.tox"), ("setup.cfg", "tox:tox"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What became of one file: `state` is "written", "extended", or "kept"; `lines` = what to put there."""

    path: Path
    state: str
    why: str = ""
    lines: str = ""


def begin(folder: Path, *, tox: bool = False) -> list[Begun]:
    """Write ci-results.toml into `folder`, and with `tox` the environment `ci-results` into tox.ini.

    Nothing that is there is changed but that tox.ini gets a section at its end. Raises ConfigError.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; make it first")
    name = project_name(folder)
    done = [_configure(folder / "ci-results.toml", name, feed=tox)]
    if tox:
        done.append(_extend(folder / "tox.ini", name))
    return done


def project_name(folder: Path) -> str:
    """Return what a project is called, fit for a namespace: of pyproject.toml, else of the folder."""
    try:
        said = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError):
        said = folder.resolve().name
    return _NOT_PLAIN.sub("-", str(said).lower()).strip("-") or "project"


def _configure(path: Path, name: str, *, feed: bool) -> Begun:
    pad = " " * max(1, 34 - len(f'namespace = "{name}"'))
    text = CONFIGURATION.format(name=name, pad=pad, feed=FEED.format(off="" if feed else "# "))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        lines = "" if not feed or _has_feed(path) else FEED.format(off="")
        return Begun(path=path, state="kept", why="is there already", lines=lines)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror or err}") from err
    return Begun(path=path, state="written")


def _has_feed(path: Path) -> bool:
    """Say whether the configuration has the sink that the tox environment delivers to."""
    try:
        return "feed" in tomllib.loads(path.read_text(encoding="utf-8")).get("sink", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError, TypeError) as err:
        raise ConfigError(f"{path}: cannot be read: {err}") from err


def _extend(path: Path, name: str) -> Begun:
    """Add the environment to tox.ini; where it must not be, say why and what it would be."""
    text = _text(path)
    section = TOX.format(
        environment=ENVIRONMENT,
        name=name,
        deps="    {[testenv]deps}\n" if text and _has_deps(text, path) else "",
        skip="" if _is_package(path.parent) else "skip_install = true\n",
    )
    if text is not None and _SECTION.search(text):
        why = f"has an environment {ENVIRONMENT} already; compare it with these lines"
        return Begun(path=path, state="kept", why=why, lines=section)
    if text is None and (other := _other_tox(path.parent)):
        why = f"is not there, for tox is configured in {other}; say there what these lines say"
        return Begun(path=path, state="kept", why=why, lines=section)
    _append(path, text or "", section)
    return Begun(path=path, state="written" if text is None else "extended")


def _append(path: Path, text: str, section: str) -> None:
    """Put a section at the end of a file, with its own ends of lines, and touch nothing before."""
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    ends = "\r\n" if "\r\n" in text else "\n"
    try:
        with path.open("a", encoding="utf-8", newline=ends) as file:
            file.write(gap + section)
            file.flush()
            os.fsync(file.fileno())
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror or err}") from err


def _text(path: Path) -> str | None:
    """Return the text of a file with its ends of lines as they are, None where there is none."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: cannot be read: {err}") from err


def _ini(text: str, path: Path) -> ConfigParser:
    parsed = ConfigParser(interpolation=None, strict=False)
    try:
        parsed.read_string(text)
    except Error as err:
        raise ConfigError(f"{path}: is no INI file: {err}; mend it first") from err
    return parsed


def _has_deps(text: str, path: Path) -> bool:
    return _ini(text, path).has_option("testenv", "deps")


def _is_package(folder: Path) -> bool:
    """Say whether tox could install the project itself."""
    return any((folder / name).exists() for name in ("setup.py", "setup.cfg", "pyproject.toml"))


def _other_tox(folder: Path) -> str | None:
    """Return the file that tox reads where there is no tox.ini; a new tox.ini would hide it."""
    for name, section in _OTHER_TOX:
        text = _text(folder / name)
        if text is None:
            continue
        if section is None:
            return name
        if name.endswith(".cfg"):
            if _ini(text, folder / name).has_section(section):
                return name
        elif _holds(text, folder / name, section):
            return name
    return None


def _holds(text: str, path: Path, dotted: str) -> bool:
    try:
        table: object = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{path}: {err}; mend it first") from err
    for key in dotted.split("."):
        if not isinstance(table, Mapping) or key not in table:
            return False
        table = table[key]
    return True
