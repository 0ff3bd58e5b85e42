"""Read rules: a tag names a type, its keys are the type's options. Obeys COMPAT 3.2, 3.4."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, get_type_hints

from .. import strict
from ..domain.policy import Place, Rule
from ..domain.rule import RuleType
from ..errors import ConfigError
from .findings import Finding, Level, near
from .values import Attributes, boolean, duration, moment, text, texts
from .yaml_tree import Node, Unreadable

RuleTypes = Mapping[str, RuleType[Any]]
"""The rule types that are known, by name."""

OBSOLETE = frozenset({"PackageSpecificBuild", "FedoraAtomicCi"})


@lru_cache(maxsize=1_000)  # 50 us, once a type instead of once a rule
def _hints_of(options: Hashable) -> dict[str, Any]:
    return get_type_hints(options)


def _hints(options: Any) -> dict[str, Any]:
    return _hints_of(options)


def _is_rule(value: Any) -> Rule:
    if not isinstance(value, Rule):
        raise TypeError("must be a rule")
    return value


strict.register(Rule, _is_rule)
strict.register(timedelta, duration)


class RuleReader:
    """Reads the rules of one file; what is only odd is gathered in `findings`.

    stranger  what is read, where others than the installation wrote it: "remote policies"
    """

    def __init__(
        self, file: str, types: RuleTypes, findings: list[Finding] | None = None, stranger: str = ""
    ) -> None:
        self.file, self.types, self.stranger = file, types, stranger
        self.findings = [] if findings is None else findings

    def tagged(self, node: Node) -> tuple[Rule, ...]:
        """Read a list of rules as policy files write them. Raises Unreadable."""
        if not isinstance(node.value, list):
            raise Unreadable("Expected list of Rule objects", node.line)
        return tuple(self._tagged(each) for each in node.value)

    def typed(self, node: Node) -> tuple[Rule, ...]:
        """Read a list of rules as requests write them, each with a `type`. Raises Unreadable."""
        if not isinstance(node.value, list) or not all(isinstance(each.value, dict) for each in node.value):
            raise Unreadable("Expected list of Rule objects")
        return tuple(self._typed(each) for each in node.value)

    def _tagged(self, node: Node) -> Rule:
        if node.tag is None:
            raise Unreadable("Expected list of Rule objects", node.line)
        name = node.tag.removeprefix("!")
        if name in OBSOLETE:
            told = f'{node.tag} is obsolete. Please use the "packages" allowlist instead.'
            raise Unreadable(told, node.line)
        kind = self.types.get(name)
        if kind is None:
            meant = near(name, self.types)
            told = f"could not determine a constructor for the tag {node.tag!r}, in line {node.line}"
            raise Unreadable(f"{told}; did you mean !{meant}" if meant else told, node.line)
        if not isinstance(node.value, dict):
            raise Unreadable(f"Expected mapping for {node.tag} tagged object", node.line)
        try:
            return self._rule(kind, node, self.tagged)
        except Unreadable as err:
            raise Unreadable(f"YAML object {node.tag}: {err.message}", err.line or node.line) from err

    def _typed(self, node: Node) -> Rule:
        given = dict(node.value)
        named = given.pop("type", None)
        if named is None or not named.value:
            raise Unreadable("Key 'type' is required for each list item")
        kind = self.types.get(named.value) if isinstance(named.value, str) else None
        if kind is None:
            raise Unreadable(f"Key 'type' for an list item is not valid: {named.value}")
        return self._rule(kind, Node(given, 0), self.typed)

    def _rule(self, kind: RuleType[Any], node: Node, inner: Callable[[Node], tuple[Rule, ...]]) -> Rule:
        if kind.trusted and self.stranger:
            raise Unreadable(f"{kind.name} is not allowed in {self.stranger}", node.line)
        if kind.lenient:
            options = _peers_options(kind.options, Attributes(node))
            known = [field.name for field in dataclasses.fields(kind.options)]
            self.findings.extend(odd_keys(self.file, f"!{kind.name}", node, known))
        else:
            options = self._options(kind, node, inner)
        for told in kind.check(options):
            raise Unreadable(told, node.line)
        return Rule(type=kind, options=options, place=Place(self.file, node.line))

    def _options(self, kind: RuleType[Any], node: Node, inner: Callable[[Node], tuple[Rule, ...]]) -> Any:
        """Give a rule type of ours or of a stranger its options, strictly."""
        hints = _hints(kind.options)
        given = {
            key: inner(each) if hints.get(key) == tuple[Rule, ...] else _value(each)
            for key, each in node.value.items()
        }
        if node.repeated:
            key, line = node.repeated[0]
            raise Unreadable(f"key {key} is given twice", line)
        nested = {key: value for key, value in given.items() if hints.get(key) == tuple[Rule, ...]}
        try:
            return strict.structure({**given, **{k: list(v) for k, v in nested.items()}}, kind.options, "")
        except ConfigError as err:
            told = str(err).removeprefix(" ").removeprefix(": ")
            key = told.partition(":")[0].partition("[")[0].partition(".")[0]
            meant = near(key, hints) if "unknown key" in told else None
            if meant:
                told = f"{told}; did you mean {meant}"
            raise Unreadable(told, node.lines.get(key, node.line)) from err


def odd_keys(file: str, where: str, node: Node, known: list[str]) -> list[Finding]:
    """Find keys that the peer passes over: unknown ones, and those that come twice."""
    found = []
    for key in node.value:
        if key not in known:
            meant = near(key, known)
            told = f"{where} has no key {key!r}: it is passed over" + (
                f"; did you mean {meant}" if meant else ""
            )
            found.append(
                Finding(Level.WARNING, "unknown-key", Place(file, node.lines.get(key, node.line)), told)
            )
    for key, line in node.repeated:
        told = f"{where} has the key {key!r} twice: the last one counts"
        found.append(Finding(Level.WARNING, "repeated-key", Place(file, line), told))
    return found


def _peers_options(options: type[Any], given: Attributes) -> Any:
    """Read options as the peer reads them: in the order of its keys, with its words."""
    hints = _hints(options)
    found = {}
    for field in dataclasses.fields(options):
        read = _READERS[hints[field.name]]
        if field.default is dataclasses.MISSING:
            found[field.name] = given.required(field.name, read)
        elif (value := given.optional(field.name, read)) is not None:
            found[field.name] = value
    return options(**found)


_READERS: dict[Any, Callable[[Node], Any]] = {
    str: text,
    str | None: text,
    bool: boolean,
    tuple[str, ...]: texts,
    datetime | None: moment,
}


def _value(node: Node) -> Any:
    if node.tag is not None:
        raise Unreadable(f"could not determine a constructor for the tag {node.tag!r}", node.line)
    if isinstance(node.value, dict):
        return {key: _value(each) for key, each in node.value.items()}
    if isinstance(node.value, list):
        return [_value(each) for each in node.value]
    return node.value
