"""Check a plugin before it is shared: its name, its papers, that it loads, that its contract holds."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import NotFoundError, PluginError, shown
from ..plugin.spec import PROJECT

_TESTS_TIMEOUT_S = 900
_BUILD_TIMEOUT_S = 300
_CONTRACT = re.compile(r"\b(?:\w*Contract)\b\s*\)\s*:")
_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".tox", ".nox", ".venv", "venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache"
)
_METADATA = """
import os, runpy, setuptools, sys
sys.argv[1:] = ["--quiet", "egg_info", "--egg-base", sys.argv[1]]
sys.path.insert(0, os.getcwd())
runpy.run_path("setup.py", run_name="__main__") if os.path.exists("setup.py") else setuptools.setup()
"""
_WHEEL = "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"
_LOAD = """
import json, sys
from importlib.metadata import EntryPoint
from ci_results.plugin.manager import load_plugins
entry = EntryPoint(name=sys.argv[1], value=sys.argv[2], group="ci_results")
mine = [one for one in load_plugins([entry]).loaded if one.name == entry.name][-1]
print(json.dumps({"problem": mine.problem, "hooks": list(mine.hooks)}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found; `mend` says what to do where it is not `ok`."""

    check: str
    ok: bool
    said: str
    mend: str = ""


def find_plugin(asked: str) -> Path:
    """Return the folder of a plugin's source: `asked` is that, or the name of an installed plugin.

    Raises NotFoundError where there is neither, or the plugin was not installed from a folder.
    """
    path = Path(asked)
    if path.is_dir():
        if not any((path / name).is_file() for name in ("setup.py", "pyproject.toml")):
            raise NotFoundError(f"{path}: holds no setup.py; give the folder of a plugin's distribution")
        return path.resolve()
    dist = _installed(asked)
    if dist is None:
        known = ", ".join(sorted(entry.name for entry in entry_points(group=PROJECT))) or "none is installed"
        raise NotFoundError(f"no folder and no plugin {shown(asked)}; installed are {known}")
    told = json.loads(dist.read_text("direct_url.json") or "{}")
    folder = Path(unquote(urlsplit(told.get("url", "")).path))
    if not told.get("url", "").startswith("file:") or not folder.is_dir():
        raise NotFoundError(f"plugin {asked} was installed as a wheel; give the folder of its source")
    return folder


def check_plugin(folder: Path, release: bool = False) -> Iterator[Finding]:
    """Check the distribution in `folder`, one finding after another; `release` builds the wheel too.

    Nothing is written into `folder`: papers are made from a copy. Its tests run in it.
    """
    with tempfile.TemporaryDirectory(prefix="ci-results-check-") as scratch:
        copy = Path(scratch) / "source"
        shutil.copytree(folder, copy, ignore=_NOT_COPIED)
        yield from _papers(folder)
        try:
            info = _metadata(copy, Path(scratch))
        except PluginError as err:
            yield Finding(
                check="metadata", ok=False, said=str(err), mend="mend setup.py, the file of metadata"
            )
            return
        yield from _named(info)
        yield from _loads(copy, info)
        yield from _contract(folder)
        if release:
            yield from _released(copy, Path(scratch), info)


@dataclass(frozen=True, slots=True)
class _Info:
    metadata: Message
    entries: dict[str, str]


def _papers(folder: Path) -> Iterator[Finding]:
    readme = next((path for path in sorted(folder.glob("README*")) if path.stat().st_size), None)
    yield Finding(
        check="README",
        ok=readme is not None,
        said=readme.name if readme else "no README with anything in it",
        mend="write README.md: what it collects, and the table for ci-results.toml",
    )
    licence = next((path for path in sorted(folder.glob("LICEN[CS]E*")) if path.stat().st_size), None)
    yield Finding(
        check="licence",
        ok=licence is not None,
        said=licence.name if licence else "no LICENSE",
        mend="add LICENSE with the text of your licence, and license= to setup.py",
    )


def _named(info: _Info) -> Iterator[Finding]:
    name = str(info.metadata.get("Name", ""))
    yield Finding(
        check="distribution",
        ok=name.lower().replace("_", "-").startswith("ci-results-"),
        said=f"{name} {info.metadata.get('Version')}",
        mend="call the distribution ci-results-NAME, so that people find it",
    )
    yield Finding(
        check="entry point",
        ok=bool(info.entries),
        said=", ".join(f"{entry} = {value}" for entry, value in info.entries.items()) or "none",
        mend=f'entry_points={{"{PROJECT}": ["NAME = ci_results_NAME"]}} in setup.py',
    )
    odd = [
        value for value in info.entries.values() if not re.match(r"ci_results_[a-z0-9_]+(?:[.:]|$)", value)
    ]
    if info.entries:
        yield Finding(
            check="package",
            ok=not odd,
            said=", ".join(odd or info.entries.values()),
            mend="call the package ci_results_NAME, so that no two plugins share one",
        )
    licence = info.metadata.get("License-Expression") or info.metadata.get("License")
    yield Finding(
        check="metadata",
        ok=bool(licence and info.metadata.get("Summary")),
        said=f"licence {licence}, summary {shown(info.metadata.get('Summary'))}",
        mend='license="..." and description="..." in setup.py',
    )


def _loads(copy: Path, info: _Info) -> Iterator[Finding]:
    for name, value in info.entries.items():
        run = _python([_LOAD, name, value], copy, _BUILD_TIMEOUT_S, import_from=copy)
        try:
            told = json.loads(run.stdout.strip().splitlines()[-1])
        except (ValueError, IndexError):
            told = {"problem": _last_line(run), "hooks": []}
        yield Finding(
            check="loads",
            ok=told["problem"] is None and bool(told["hooks"]),
            said=told["problem"] or f"{name}: {', '.join(told['hooks']) or 'implements no hook'}",
            mend="the entry point names the module that holds the functions with @hookimpl: docs/hooks.md",
        )


def _contract(folder: Path) -> Iterator[Finding]:
    tests = sorted(folder.glob("tests/**/*.py"))
    held = [path for path in tests if _CONTRACT.search(path.read_text(encoding="utf-8", errors="replace"))]
    yield Finding(
        check="contract",
        ok=bool(held),
        said=", ".join(str(path.relative_to(folder)) for path in held) or "no test inherits a contract",
        mend="class TestX(CollectorContract), from ci_results.testing: docs/write-a-collector.md",
    )
    if not tests:
        return
    run = _python(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        folder,
        _TESTS_TIMEOUT_S,
        import_from=folder,
    )
    yield Finding(
        check="tests",
        ok=run.returncode == 0,
        said=_last_line(run) if run.returncode == 0 else run.stdout[-4000:].strip() or _last_line(run),
        mend="run pytest there and mend what it names",
    )


def _released(copy: Path, scratch: Path, info: _Info) -> Iterator[Finding]:
    wheels = scratch / "wheels"
    wheels.mkdir()
    run = _python([_WHEEL, str(wheels)], copy, _BUILD_TIMEOUT_S)
    if "bdist_wheel" in run.stderr:  # this setuptools is too old for it: pip fetches one
        run = _python(["-m", "pip", "wheel", "--no-deps", "-w", str(wheels), "."], copy, _BUILD_TIMEOUT_S)
    wheel = next(wheels.glob("*.whl"), None)
    yield Finding(
        check="wheel",
        ok=wheel is not None,
        said=wheel.name if wheel else _last_line(run),
        mend="mend setup.py until `pip wheel --no-deps .` works",
    )
    if wheel is None:
        return
    names = zipfile.ZipFile(wheel).namelist()
    packages = {re.split(r"[.:]", value)[0] for value in info.entries.values()}
    missing = sorted(
        package for package in packages if not any(name.startswith(f"{package}/") for name in names)
    )
    extra = sorted({name.partition("/")[0] for name in names} & {"tests", "test", "docs", "build"})
    yield Finding(
        check="wheel holds",
        ok=not missing and not extra,
        said=f"lacks {', '.join(missing)}"
        if missing
        else f"{len(names)} files{' and ' if extra else ''}{extra or ''}",
        mend='packages=find_packages(include=["ci_results_NAME", "ci_results_NAME.*"]) in setup.py',
    )


def _metadata(copy: Path, scratch: Path) -> _Info:
    goal = scratch / "metadata"
    goal.mkdir()
    run = _python([_METADATA, str(goal)], copy, _BUILD_TIMEOUT_S)
    found = next(goal.glob("*.egg-info/PKG-INFO"), None)
    if found is None:
        raise PluginError(f"no metadata came of it: {_last_line(run)}")
    entries = configparser.ConfigParser(delimiters=("=",))
    entries.optionxform = str  # type: ignore[assignment,method-assign]
    entries.read(found.parent / "entry_points.txt", encoding="utf-8")
    ours = dict(entries[PROJECT]) if entries.has_section(PROJECT) else {}
    return _Info(Parser().parsestr(found.read_text(encoding="utf-8")), ours)


def _python(
    arguments: list[str], folder: Path, timeout_s: int, import_from: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run this Python in `folder`; a first argument that is no option is a program's text."""
    program = arguments if arguments[0].startswith("-") else ["-c", *arguments]
    env = dict(os.environ)
    if import_from is not None:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(import_from), env.get("PYTHONPATH", "")]))
    try:
        return subprocess.run(
            [sys.executable, *program],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(program, 1, "", f"did not end within {timeout_s} s")


def _last_line(run: subprocess.CompletedProcess[str]) -> str:
    lines = (
        run.stdout.strip() if run.returncode == 0 else run.stderr.strip() or run.stdout.strip()
    ).splitlines()
    return lines[-1] if lines else f"ended with code {run.returncode}"


def _installed(name: str) -> Distribution | None:
    for entry in entry_points(group=PROJECT):
        if name in (entry.name, entry.value) and entry.dist is not None:
            return entry.dist
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        return None
