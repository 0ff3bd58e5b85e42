"""Write a new plugin: a whole distribution whose tests pass before its author changes anything."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from ..errors import ConfigError, shown

SHARED = "shared"
KINDS = ("collector", "jenkins")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
_TAKEN = {"testing", "plugin", "templates", "builtin", "results"}
_FIELD = re.compile(r"@@(\w+)@@")
_SUFFIX = ".tmpl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written: the new distribution's folder and its files, relative to it."""

    folder: Path
    files: tuple[PurePosixPath, ...]


def check_plugin_name(name: str) -> str:
    """Return `name` if a plugin may be called so: "acme". Raises ConfigError that suggests a better one."""
    if _NAME.fullmatch(name) and name not in _TAKEN and not keyword.iskeyword(name):
        return name
    better = re.sub(r"[^a-z0-9]+", "_", name.lower().removeprefix("ci-results-")).strip("_0123456789")
    if _NAME.fullmatch(better) and better not in _TAKEN and not keyword.iskeyword(better):
        hint = f"; try: ci-results plugin new {better}"
    else:
        hint = ""
    raise ConfigError(
        f"plugin name {shown(name)}: use lower case letters, digits and underscores, a letter first{hint}"
    )


def new_plugin(
    name: str, into: Path, kind: str = "collector", url: str | None = None, token_env: str | None = None
) -> Written:
    """Write the distribution `ci-results-NAME` into a folder of that name below `into`.

    Raises ConfigError where the name is bad or the folder holds something already.
    """
    check_plugin_name(name)
    if kind not in KINDS:
        raise ConfigError(f"kind {shown(kind)}: known are {', '.join(KINDS)}")
    fields = _fields(name, kind, url, token_env)
    folder = into / fields["distribution"]
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder}: is there already and holds files; choose another name or --into")
    written = []
    for path, text in sorted({**dict(_templates(SHARED)), **dict(_templates(kind))}.items()):
        relative = PurePosixPath(render(str(path), fields))
        goal = folder / relative
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_text(render(text, fields), encoding="utf-8")
        written.append(relative)
    return Written(folder=folder, files=tuple(written))


def render(text: str, fields: Mapping[str, str]) -> str:
    """Put `fields` in the place of @@NAME@@; a name that is not there is a KeyError."""
    return _FIELD.sub(lambda found: fields[found[1]], text)


def _fields(name: str, kind: str, url: str | None, token_env: str | None) -> dict[str, str]:
    if url is not None and not re.fullmatch(r"https?://[^\s\"'\\{}]+", url):
        raise ConfigError(f"--url {shown(url)}: give the address of the server, http or https")
    if token_env is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", token_env):
        raise ConfigError(f"--token-env {shown(token_env)}: give the name of an environment variable")
    words = [word for word in name.split("_") if word]
    core = ".".join(version("ci-results").split(".")[:2])
    requires = [f'"ci-results>={core}"', *(['"ci-results-jenkins"'] if kind == "jenkins" else [])]
    return {
        "name": name,
        "Class": "".join(word.capitalize() for word in words),
        "title": " ".join(word.capitalize() for word in words),
        "distribution": f"ci-results-{name.replace('_', '-')}",
        "package": f"ci_results_{name}",
        "summary": f"ci-results: the results of {' '.join(word.capitalize() for word in words)}",
        "requires": ", ".join(requires),
        "url": (url or f"https://{name.replace('_', '-')}.example.com").rstrip("/"),
        "token_line": f'token_env = "{token_env}"' if token_env else '# token_env = "JENKINS_TOKEN"',
    }


def _templates(kind: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Give each template of `kind`: the path it is written to, its text."""
    yield from _below(files("ci_results.templates") / kind, PurePosixPath())


def _below(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in folder.iterdir():
        name = entry.name.replace("PACKAGE", "@@package@@").replace("dot-", ".")
        if entry.is_dir():
            yield from _below(entry, path / name)
        elif name.endswith(_SUFFIX):
            yield path / name.removesuffix(_SUFFIX), entry.read_text(encoding="utf-8")
