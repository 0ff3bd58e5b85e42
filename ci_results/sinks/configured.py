"""A table `sink.NAME` of the configuration, and the sink that it makes, with what it wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from ..domain.happening import ALL_KINDS, Kind
from ..domain.result import Result
from ..errors import ConfigError, shown
from ..plugin.addresses import SourceAddress
from ..plugin.contract import Sink
from ..strict import placed, structure

_GIVEN = "origins"
"""The option that the core gives; a file has none of that name."""

_FILES = ("token_file", "ca")
"""Options that name files: they count from the folder of the configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkKeys:
    """The keys of a sink's table that the core reads; all others belong to its kind.

    kind           which plugin's sink it is
    sources        globs of source names, "!" before what is left out: ["*", "!imported"]
    testcases      globs of testcases, likewise
    events         what it gets beside results, of those that its kind takes: ["waiver", "decision"];
                   default: all
    begin          what it gets first: "start", all that is stored; "now", what is stored after its first
                   delivery
    batch          results handed over at once: after a crash so many may come again
    retries        how often a pass tries again where the sink is away
    stale_after_h  `doctor` warns where something has waited for longer
    """

    kind: str
    sources: tuple[str, ...] = ()
    testcases: tuple[str, ...] = ()
    events: tuple[Kind, ...] = ALL_KINDS
    begin: Literal["start", "now"] = "start"
    batch: int = 100
    retries: int = 3
    stale_after_h: float = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkTable:
    """One table as written: its core keys, and the rest for its kind."""

    name: str
    core: SinkKeys
    rest: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredSink:
    """One configured sink; `options` is an instance of `sink.options`."""

    name: str
    sink: Sink[Any]
    options: Any
    keys: SinkKeys

    @property
    def takes(self) -> frozenset[str]:
        """What it gets beside results."""
        return self.sink.takes & frozenset(self.keys.events)

    def wants(self, result: Result) -> bool:
        """Say whether `result` is to go there."""
        keys = self.keys
        return (not keys.sources or matches(result.source, keys.sources)) and (
            not keys.testcases or matches(result.testcase, keys.testcases)
        )


def matches(name: str, globs: Sequence[str]) -> bool:
    """Say whether some glob takes `name`, and none that begins with "!" leaves it out.

    Without globs that take, all are taken.
    >>> [matches(name, ("rpm.*", "!rpm.sandbox.*")) for name in ("rpm.lint", "rpm.sandbox.x", "other")]
    [True, False, False]
    """
    taken = [glob for glob in globs if not glob.startswith("!")] or ["*"]
    left_out = [glob[1:] for glob in globs if glob.startswith("!")]
    return any(fnmatchcase(name, glob) for glob in taken) and not any(
        fnmatchcase(name, glob) for glob in left_out
    )


def read_table(name: str, table: object, where: str) -> SinkTable:
    """Read one table; `where` begins its messages: "ci-results.toml: [sink.far]". Raises ConfigError."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    if "kind" not in table:
        raise ConfigError(f'{where} kind: missing; write kind = "resultsdb"')
    if "token" in table:
        raise ConfigError(f"{where} token: no secrets in this file; use token_env or token_file")
    names = {each.name for each in fields(SinkKeys)}
    core = structure({key: value for key, value in table.items() if key in names}, SinkKeys, where)
    for key, least in (("batch", 1), ("retries", 0)):
        if getattr(core, key) < least:
            raise ConfigError(f"{where} {key}: must be at least {least}, got {getattr(core, key)}")
    return SinkTable(name=name, core=core, rest={key: table[key] for key in table if key not in names})


def build_sink(
    table: SinkTable,
    kinds: Mapping[str, Sink[Any]],
    folder: Path,
    where: str,
    origins: tuple[SourceAddress, ...] = (),
) -> ConfiguredSink:
    """Return the sink that `table` describes, its options checked by its kind. Raises ConfigError.

    origins  where the configured sources are: given to a kind whose options have a field of that name
    """
    sink = kinds.get(table.core.kind)
    if sink is None:
        known = ", ".join(sorted(kinds)) or "none is installed"
        raise ConfigError(f"{where} kind: no plugin offers {shown(table.core.kind)}; known are {known}")
    wanted = {each.name: each for each in fields(sink.options) if each.name != _GIVEN}
    for key in table.rest:
        if key not in wanted:
            known = ", ".join(sorted({*wanted, *(each.name for each in fields(SinkKeys))}))
            raise ConfigError(f"{where} {key}: unknown key; known are {known}")
    for name, each in wanted.items():
        if name not in table.rest and each.default is MISSING and each.default_factory is MISSING:
            raise ConfigError(f"{where} {name}: missing, and a sink of kind {table.core.kind} needs it")
    if table.rest.get("token_env") is not None and table.rest.get("token_file") is not None:
        raise ConfigError(f"{where} token_file: token_env is set as well; keep one of them")
    options = {
        key: str(folder / Path(value).expanduser()) if key in _FILES and isinstance(value, str) else value
        for key, value in table.rest.items()
    }
    built = placed(structure(options, sink.options, where), folder)
    try:
        built = sink.placed(built, folder)
    except ConfigError as err:
        raise ConfigError(f"{where} {err}") from err
    if hasattr(built, _GIVEN):
        built = replace(built, **{_GIVEN: origins})
    return ConfiguredSink(name=table.name, sink=sink, options=built, keys=table.core)
