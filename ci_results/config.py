"""ci-results.toml: which sources there are and where the results go.

Every error is a ConfigError that names file, table and key. Relative paths in the file count from
the folder it lies in. Secrets are never in the file: `token_env` and `token_file` say where they are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from .collect.source import Source
from .config_auth import Auth, read_auth, read_permissions
from .config_bus import BusTable, Listening, read_bus
from .config_gate import Gate
from .config_spread import Spreading, read_spread
from .config_waive import read_rules
from .domain.expectation import EventRules
from .domain.outcome import Outcome
from .domain.ownership import Owner, Ownership
from .domain.permission import Permission
from .domain.reach import Reach
from .domain.unpack_limits import UnpackLimits
from .errors import ConfigError, shown
from .plugin.addresses import SourceAddress
from .plugin.contract import Collector, Lookup, Sink
from .plugin.lookups import ConfiguredLookup, build_lookup
from .plugin.token import Token
from .sinks.configured import ConfiguredSink, SinkTable, build_sink, read_table
from .store.urls import counted_from
from .strict import placed, structure
from .waive.rules import NO_RULES, Rules

DEFAULT_FILE = Path("ci-results.toml")
DEFAULT_STORE = "sqlite:ci-results.db"
DEFAULT_RATE = 200.0
"""Requests that one client may ask a second, where others than this machine reach the server."""

_POSITIVE = (
    "workers",
    "max_limit",
    "max_batch",
    "max_subjects",
    "max_body_bytes",
    "max_report_bytes",
    "max_head_bytes",
    "max_url_bytes",
    "receive_timeout_s",
    "keep_alive_s",
    "max_connections",
    "rate_burst",
)
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
"""What a source may be called: it is a table of the file and a word of the command line."""
TAKEN = ("api", "report", "import-et", "manual")
"""Names of sources that come by other doors than a harvest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Table `serve`: where `ci-results serve` listens, what it lets in, and what it tells of itself.

    allowed_hosts      names beside loopback's that browsers may ask for
    workers            processes that answer
    cors               origins whose pages may read and post, e.g. "https://ci.example"; "*" = any
    proxies            addresses whose X-Forwarded-For is believed
    max_limit          rows of one answer; a greater `limit` is served as this one
    max_batch          results of one batch
    max_subjects       subjects of one decision
    max_body_bytes     of a request; max_head_bytes of its headers, max_url_bytes of its path and query
    max_report_bytes   of a request that posts reports
    receive_timeout_s  for a whole request to come; keep_alive_s = an idle connection stays open
    max_connections    of one worker at once
    rate_per_s         requests of one client address a second, 0 = any number; None = any number where
                       only this machine reaches the server, else DEFAULT_RATE; rate_burst = at once
    follow             record decisions that change, in a process beside the server
    listen             take messages from the buses of the configuration, likewise
    access_log         a JSON line on stderr for each request
    """

    host: str = "127.0.0.1"
    port: int = 8001
    allowed_hosts: tuple[str, ...] = ()
    workers: int = 1
    cors: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    max_limit: int = 10_000
    max_batch: int = 10_000
    max_subjects: int = 5_000
    max_body_bytes: int = 32 * 1024 * 1024
    max_report_bytes: int = 1024 * 1024 * 1024
    max_head_bytes: int = 64 * 1024
    max_url_bytes: int = 32 * 1024
    receive_timeout_s: float = 30.0
    keep_alive_s: int = 75
    max_connections: int = 1_000
    rate_per_s: float | None = None
    rate_burst: int = 200
    follow: bool = False
    listen: bool = False
    access_log: bool = False

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.rate_per_s is not None and self.rate_per_s < 0:
            raise ValueError(f"rate_per_s must not be negative, got {self.rate_per_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Table `report`: what is assumed of reports where it is not told.

    owns    globs of the testcases that reports may say something about; without it any
    unpack  what packed reports may unfold to
    """

    item_type: str = "koji_build"
    namespace: str | None = None
    owns: tuple[str, ...] = ()
    unpack: UnpackLimits = field(default_factory=UnpackLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class FromET:
    """Table `import.et`: how verdicts of the Errata Tool are read.

    outcomes  its words to ours: { RETRIED = "NEEDS_INSPECTION" }
    """

    outcomes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """Tables `import.*`."""

    et: FromET = FromET()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreKeys:
    """The keys of a source's table that the core reads; all others belong to the collector.

    outcomes    words of the source to ours: { UNSTABLE = "NEEDS_INSPECTION" }
    parallel    requests in flight at once
    retries     how often a harvest goes on where the source went away in between
    ca          file of certificates to trust
    stale_after_h  `doctor` warns where the last good harvest is older
    every_s     how often a harvest is sent for, where they are spread over workers
    owns        globs of the testcases that it may say something about; without it any
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
    every_s: float = 900.0
    owns: tuple[str, ...] = ()


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
    imports: Imports = Imports()
    sources: Mapping[str, SourceTable] = field(default_factory=dict)
    sinks: Mapping[str, SinkTable] = field(default_factory=dict)
    auth: Auth = field(default_factory=Auth)
    permissions: tuple[Permission, ...] = ()
    waive: Rules = NO_RULES
    gate: Gate = field(default_factory=Gate)
    events: EventRules = field(default_factory=EventRules)
    buses: Mapping[str, BusTable] = field(default_factory=dict)
    listen: Listening = field(default_factory=Listening)
    messages: Mapping[str, Any] = field(default_factory=dict)
    spread: Spreading = field(default_factory=Spreading)

    @property
    def store_url(self) -> str:
        """The store's URL; a relative file counts from the folder of the configuration."""
        return counted_from(self.store, self.folder)

    @property
    def folder(self) -> Path:
        """The folder that relative paths count from."""
        return Path() if self.path is None else self.path.parent

    def owned_by_reports(self) -> Ownership | None:
        """Return what reports may say something about, None = anything."""
        return self._ownership("report", self.report.owns, "[report]")

    def owned_by(self, name: str) -> Ownership | None:
        """Return what the source of that name may say something about, None = anything."""
        return self._ownership(name, self.sources[name].core.owns, f"[source.{name}]")

    def owned_by_bus(self, name: str) -> Ownership | None:
        """Return what the messages of a bus may say something about, None = anything."""
        return self._ownership(name, self.buses[name].core.owns, f"[bus.{name}]")

    def owner_of(self, testcase: str) -> str | None:
        """Return who answers for a testcase: contact, owner or name of the source that owns it, or None."""
        who = [
            source.core.contact or source.core.owner or source.name
            for source in self.sources.values()
            if source.core.owns and Permission(testcases=source.core.owns).covers(testcase)
        ]
        return ", ".join(dict.fromkeys(who)) or None

    @property
    def reach(self) -> Reach:
        """How far decisions reach out; its file counts from the folder of the configuration."""
        given = self.gate.remote
        return (
            given if given.ca is None else replace(given, ca=str(self.folder / Path(given.ca).expanduser()))
        )

    def build_lookup(self, kinds: Mapping[str, Lookup[Any]]) -> ConfiguredLookup | None:
        """Return who knows builds, None where nobody is configured. Raises ConfigError."""
        if self.gate.builds is None:
            return None
        where = f"{self.path or DEFAULT_FILE}: [gate.builds]"
        return build_lookup(self.gate.builds, kinds, self.folder, where)

    def _ownership(self, name: str, globs: tuple[str, ...], table: str) -> Ownership | None:
        if not globs:
            return None
        others = [
            Owner(
                source=other.name,
                owned=Permission(testcases=other.core.owns),
                who=other.core.contact or other.core.owner,
            )
            for other in self.sources.values()
            if other.core.owns and other.name != name
        ]
        where = f"{self.path or DEFAULT_FILE}: {table} owns"
        return Ownership(owned=Permission(testcases=globs), where=where, others=others)


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
    known = {
        *("store", "outcomes", "serve", "report", "import", "source", "sink"),
        *("auth", "permissions", "waive", "gate", "events", "bus", "listen", "messages", "spread"),
    }
    for key in whole:
        if key not in known:
            raise ConfigError(f"{path}: unknown key {key}; known are {', '.join(sorted(known))}")
    tables = _table(whole, "source", path)
    return Config(
        path=path,
        store=structure(whole.get("store", DEFAULT_STORE), str, f"{path}: store"),
        outcomes=structure(whole.get("outcomes", []), tuple[str, ...], f"{path}: outcomes"),
        serve=structure(_table(whole, "serve", path), Serving, f"{path}: [serve]"),
        report=_report(whole, path),
        imports=_imports(whole, path),
        sources={name: _source_table(name, table, path) for name, table in tables.items()},
        sinks={name: _sink_table(name, table, path) for name, table in _table(whole, "sink", path).items()},
        auth=read_auth(_table(whole, "auth", path), f"{path}: [auth]", path.parent),
        permissions=read_permissions(whole.get("permissions", []), f"{path}: permissions"),
        waive=read_rules(_table(whole, "waive", path), f"{path}: [waive]", path.parent),
        gate=structure(_table(whole, "gate", path), Gate, f"{path}: [gate]"),
        events=structure(_table(whole, "events", path), EventRules, f"{path}: [events]"),
        buses={name: _bus_table(name, table, path) for name, table in _table(whole, "bus", path).items()},
        listen=structure(_table(whole, "listen", path), Listening, f"{path}: [listen]"),
        messages=_table(whole, "messages", path),
        spread=read_spread(_table(whole, "spread", path), f"{path}: [spread]", path.parent),
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
    if "outcomes" in wanted:
        rest["outcomes"] = [list(pair) for pair in core.outcomes.items()]
    for key in rest:
        if key not in wanted:
            known = ", ".join(sorted(wanted | {each.name for each in fields(CoreKeys)}))
            raise ConfigError(f"{where} {key}: unknown key; known are {known}")
    for each in fields(collector.options):
        if each.name not in rest and each.default is MISSING and each.default_factory is MISSING:
            raise ConfigError(f"{where} {each.name}: missing, and collector {core.collector} needs it")
    options = placed(structure(rest, collector.options, where), config.folder)
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
        token=_token(core, config),
        ca=None if core.ca is None else _path(core.ca, config),
        ownership=config.owned_by(table.name) if table.name in config.sources else None,
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


def build_sinks(names: Iterable[str], config: Config, kinds: Mapping[str, Sink[Any]]) -> list[ConfiguredSink]:
    """Return the sinks of these names, all where none is given. Raises ConfigError."""
    where = config.path or DEFAULT_FILE
    chosen = list(dict.fromkeys(names)) or list(config.sinks)
    if not chosen:
        raise ConfigError(f'{where}: no sink is configured; write [sink.NAME] with kind = "resultsdb"')
    for name in chosen:
        if name not in config.sinks:
            known = ", ".join(config.sinks) or "none"
            raise ConfigError(f"{where}: no sink {shown(name)}; known are {known}")
    origins = tuple(_addresses(config))
    return [
        build_sink(config.sinks[name], kinds, config.folder, f"{where}: [sink.{name}]", origins)
        for name in chosen
    ]


def _addresses(config: Config) -> Iterator[SourceAddress]:
    """Yield where sources are, of those that have an address."""
    for name, table in config.sources.items():
        core, url = table.core, table.rest.get("url")
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            yield SourceAddress(
                source=name, url=url, user=core.user, token=_token(core, config), timeout_s=core.timeout_s,
                ca=None if core.ca is None else _path(core.ca, config),
            )  # fmt: skip


def _token(core: CoreKeys, config: Config) -> Token:
    return Token(core.token_env, None if core.token_file is None else _path(core.token_file, config))


def check_name(name: str) -> str:
    """Return `name` if a source may be called so. Raises ConfigError."""
    if not NAME.fullmatch(name) or name in TAKEN:
        taken = " and ".join(f"`{each}`" for each in TAKEN)
        raise ConfigError(
            f"source name {shown(name)}: use lower case letters, digits, dots, dashes; {taken} are taken"
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
    for key, least in (("parallel", 1), ("retries", 0), ("timeout_s", 0.1), ("every_s", 1)):
        if getattr(core, key) < least:
            raise ConfigError(f"{where} {key}: must be at least {least}, got {getattr(core, key)}")
    if core.token_env is not None and core.token_file is not None:
        raise ConfigError(f"{where} token_file: token_env is set as well; keep one of them")
    _check_globs(table, where)
    rest = {key: value for key, value in table.items() if key not in names}
    return SourceTable(name=name, core=core, rest=rest)


def _imports(whole: Mapping[str, Any], path: Path) -> Imports:
    imports: Imports = structure(_table(whole, "import", path), Imports, f"{path}: [import]")
    vocabulary = structure(whole.get("outcomes", []), tuple[str, ...], f"{path}: outcomes")
    return Imports(et=FromET(outcomes=_outcomes(imports.et.outcomes, vocabulary, f"{path}: [import.et]")))


def _report(whole: Mapping[str, Any], path: Path) -> Report:
    table = _table(whole, "report", path)
    report: Report = structure(table, Report, f"{path}: [report]")
    _check_globs(table, f"{path}: [report]")
    return report


def _check_globs(table: Mapping[str, Any], where: str) -> None:
    """Refuse `owns` that owns nothing: nobody would be let in, or everybody."""
    if "owns" in table and (not table["owns"] or not all(glob.strip() for glob in table["owns"])):
        raise ConfigError(f'{where} owns: a glob is empty, or there is none; write owns = ["baseos.*"]')


def _sink_table(name: str, table: object, path: Path) -> SinkTable:
    if not NAME.fullmatch(name):
        raise ConfigError(f"{path}: sink name {shown(name)}: use lower case letters, digits, dots, dashes")
    return read_table(name, table, f"{path}: [sink.{name}]")


def _bus_table(name: str, table: object, path: Path) -> BusTable:
    if not NAME.fullmatch(name):
        raise ConfigError(f"{path}: bus name {shown(name)}: use lower case letters, digits, dots, dashes")
    return read_bus(name, table, f"{path}: [bus.{name}]")


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
