"""ci-results.toml: which sources there are and where the results go.

Every error is a ConfigError that names file, table and key. Relative paths in the file count from
the folder it lies in. Secrets are never in the file: `token_env` and `token_file` say where they are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from .collect.source import Source, Token
from .domain.outcome import Outcome
from .errors import ConfigError, shown
from .plugin.contract import Collector
from .strict import structure

DEFAULT_FILE = Path("ci-results.toml")
DEFAULT_STORE = "sqlite:ci-results.db"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
"""What a source may be called: it is a table of the file and a word of the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Table `serve`: where `ci-results serve` listens, and the names that browsers may ask for."""

    host: str = "127.0.0.1"
    port: int = 8001
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Table `report`: what `ci-results report` assumes where it is not told."""

    item_type: str = "koji_build"
    namespace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreKeys:
    """The keys of a source's table that the core reads; all others belong to the collector.

    outcomes    words of the source to ours: { UNSTABLE = "NEEDS_INSPECTION" }
    parallel    requests in flight at once
    retries     how often a harvest goes on where the source went away in between
    ca          file of certificates to trust
    stale_after_h  `doctor` warns where the last good harvest is older
    """

    collector: str
    owner: str | None = None
    contact: str | None = None
    outcomes: dict[str, str] = field(default_factory=dict)
    parallel: int = 4
    timeout_s: float = 60.0
    retries: int = 3
    user: str | None = None
    token_env: str | None = None
    token_file: str | None = None
    ca: str | None = None
    stale_after_h: float = 48.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """One table `source.NAME` as written: its core keys, and the rest for the collector."""

    name: str
    core: CoreKeys
    rest: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole file; `path` is None where there is none and the defaults hold."""

    path: Path | None = None
    store: str = DEFAULT_STORE
    outcomes: tuple[str, ...] = ()
    serve: Serving = Serving()
    report: Report = Report()
    sources: Mapping[str, SourceTable] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder that relative paths count from."""
        return Path() if self.path is None else self.path.parent


def load_config(path: Path | None) -> Config:
    """Read `path`; None = ./ci-results.toml where it is there, else the defaults. Raises ConfigError."""
    if path is None:
        if not DEFAULT_FILE.is_file():
            return Config()
        path = DEFAULT_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as err:
        raise ConfigError(f"{path}: no such file; write it with: ci-results source add NAME URL") from err
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: cannot be read: {err}") from err
    return read_config(text, path)


def read_config(text: str, path: Path) -> Config:
    """Read the text of a configuration; `path` is for messages and relative paths. Raises ConfigError."""
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{path}: {err}") from err
    known = {"store", "outcomes", "serve", "report", "source"}
    for key in whole:
        if key not in known:
            raise ConfigError(f"{path}: unknown key {key}; known are {', '.join(sorted(known))}")
    tables = _table(whole, "source", path)
    return Config(
        path=path,
        store=structure(whole.get("store", DEFAULT_STORE), str, f"{path}: store"),
        outcomes=structure(whole.get("outcomes", []), tuple[str, ...], f"{path}: outcomes"),
        serve=structure(_table(whole, "serve", path), Serving, f"{path}: [serve]"),
        report=structure(_table(whole, "report", path), Report, f"{path}: [report]"),
        sources={name: _source_table(name, table, path) for name, table in tables.items()},
    )


def build_source(table: SourceTable, config: Config, collectors: Mapping[str, Collector[Any]]) -> Source:
    """Return the source that `table` describes, its options checked by its collector. Raises ConfigError."""
    where = f"{config.path or DEFAULT_FILE}: [source.{table.name}]"
    core = table.core
    collector = collectors.get(core.collector)
    if collector is None:
        known = ", ".join(sorted(collectors)) or "none is installed"
        raise ConfigError(f"{where} collector: no plugin offers {shown(core.collector)}; known are {known}")
    rest = dict(table.rest)
    wanted = {each.name for each in fields(collector.options)} if is_dataclass(collector.options) else set()
    for shared in ("owner", "contact", "user", "parallel", "timeout_s"):
        if shared in wanted and shared not in rest and getattr(core, shared) is not None:
            rest[shared] = getattr(core, shared)
    for key in rest:
        if key not in wanted:
            known = ", ".join(sorted(wanted | {each.name for each in fields(CoreKeys)}))
            raise ConfigError(f"{where} {key}: unknown key; known are {known}")
    for each in fields(collector.options):
        if each.name not in rest and each.default is MISSING and each.default_factory is MISSING:
            raise ConfigError(f"{where} {each.name}: missing, and collector {core.collector} needs it")
    options = structure(rest, collector.options, where)
    url = rest.get("url")
    return Source(
        name=table.name,
        collector=collector,
        options=options,
        outcomes=_outcomes(core.outcomes, config.outcomes, where),
        url=url if isinstance(url, str) else None,
        owner=core.owner,
        contact=core.contact,
        parallel=core.parallel,
        timeout_s=core.timeout_s,
        retries=core.retries,
        user=core.user,
        token=Token(core.token_env, None if core.token_file is None else _path(core.token_file, config)),
        ca=None if core.ca is None else _path(core.ca, config),
    )


def build_sources(
    names: Iterable[str], config: Config, collectors: Mapping[str, Collector[Any]]
) -> list[Source]:
    """Return the sources of these names, all where none is given. Raises ConfigError."""
    chosen = list(dict.fromkeys(names)) or list(config.sources)
    if not chosen:
        where = config.path or DEFAULT_FILE
        raise ConfigError(f"{where}: no source is configured; add one with: ci-results source add NAME URL")
    for name in chosen:
        if name not in config.sources:
            known = ", ".join(config.sources) or "none"
            raise ConfigError(f"{config.path or DEFAULT_FILE}: no source {shown(name)}; known are {known}")
    return [build_source(config.sources[name], config, collectors) for name in chosen]


def check_name(name: str) -> str:
    """Return `name` if a source may be called so. Raises ConfigError."""
    if not NAME.fullmatch(name) or name == "report":
        raise ConfigError(
            f"source name {shown(name)}: use lower case letters, digits, dots, dashes; `report` is taken"
        )
    return name


def _source_table(name: str, table: object, path: Path) -> SourceTable:
    where = f"{path}: [source.{name}]"
    check_name(name)
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    if "collector" not in table:
        raise ConfigError(f'{where} collector: missing; write collector = "jenkins"')
    if "token" in table:
        raise ConfigError(f"{where} token: no secrets in this file; use token_env or token_file")
    names = {each.name for each in fields(CoreKeys)}
    core = structure({key: value for key, value in table.items() if key in names}, CoreKeys, where)
    for key, least in (("parallel", 1), ("retries", 0), ("timeout_s", 0.1)):
        if getattr(core, key) < least:
            raise ConfigError(f"{where} {key}: must be at least {least}, got {getattr(core, key)}")
    if core.token_env is not None and core.token_file is not None:
        raise ConfigError(f"{where} token_file: token_env is set as well; keep one of them")
    rest = {key: value for key, value in table.items() if key not in names}
    return SourceTable(name=name, core=core, rest=rest)


def _outcomes(given: Mapping[str, str], vocabulary: Iterable[str], where: str) -> dict[str, str]:
    ours = {*map(str, Outcome), *vocabulary}
    for word, outcome in given.items():
        if outcome not in ours:
            raise ConfigError(
                f"{where} outcomes.{word}: {shown(outcome)} is none of {', '.join(sorted(ours))}"
            )
    return {word.lower(): outcome for word, outcome in given.items()}


def _path(text: str, config: Config) -> Path:
    return config.folder / Path(text).expanduser()


def _table(whole: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    table = whole.get(key, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {key} must be a table")
    return table
