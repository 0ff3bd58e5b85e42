"""Promote: take rules out of an !ExperimentalRule, in the text of a policy file, and leave all else.

Comments, order, quotes and line ends stay. What was written is read again and compared, so that a form
of YAML that this does not know is refused instead of being changed into something else.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]

from ..domain.policy import Policy, Rule
from ..errors import InvalidError
from .findings import Finding, Level
from .reading import read_policies
from .rules import RuleTypes

EXPERIMENTAL = "ExperimentalRule"


class Watched(NamedTuple):
    """A rule that only informs: `inner` of the !ExperimentalRule that is number `outer` of its policy."""

    policy: Policy
    outer: int
    inner: int

    @property
    def rule(self) -> Rule:
        """The rule itself."""
        found: Rule = self.policy.rules[self.outer].options.rules[self.inner]
        return found

    @property
    def testcases(self) -> tuple[str, ...]:
        """Names and globs that it looks at."""
        return tuple(self.rule.type.testcases(self.rule.options))


def watched(policies: Iterable[Policy]) -> list[Watched]:
    """Return all rules that only inform, in the order of the files."""
    return [
        Watched(policy, outer, inner)
        for policy in policies
        for outer, rule in enumerate(policy.rules)
        if rule.type.name == EXPERIMENTAL
        for inner in range(len(rule.options.rules))
    ]


def promote(file: str, text: bytes, types: RuleTypes, chosen: Sequence[Watched]) -> bytes:
    """Return the text of a policy file in which these rules are required.

    Raises InvalidError for a file that is written in a way that this cannot change: change it by hand.
    """
    by_rule: dict[tuple[int, int], set[int]] = {}
    for each in chosen:
        by_rule.setdefault((each.policy.place.line, each.outer), set()).add(each.inner)
    try:
        changed = text.decode("utf-8")
        for (line, outer), inner in sorted(by_rule.items(), reverse=True):  # the last first: lines stay true
            changed = _Edit(changed, line, outer).without(sorted(inner))
    except (UnicodeDecodeError, yaml.YAMLError, _NotKnownError) as err:
        raise _by_hand(file, chosen, str(err)) from err
    findings: list[Finding] = []
    before = list(read_policies(file, text, types, []))
    after = list(read_policies(file, changed.encode(), types, findings))
    odd = [each for each in findings if each.level is Level.ERROR]
    wanted = [_promoted(policy, by_rule) for policy in before]
    if odd or wanted != [_shape(policy) for policy in after]:
        raise _by_hand(file, chosen, str(odd[0]) if odd else "the text would not say what is wanted")
    return changed.encode()


class _NotKnownError(ValueError):
    """A way of writing that is not handled."""


def _by_hand(file: str, chosen: Sequence[Watched], why: str) -> InvalidError:
    places = ", ".join(str(each.rule.place) for each in chosen)
    return InvalidError(f"{file}: cannot be changed by itself ({why}); move by hand the rules at {places}")


class _Edit:
    """One !ExperimentalRule in a text: found by the line of its policy, and its number among the rules."""

    def __init__(self, text: str, line: int, outer: int) -> None:
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._text = text = text if text.endswith("\n") else text + self._newline
        self._lines = text.splitlines(keepends=True)
        roots = [
            root
            for root in yaml.compose_all(text, Loader=yaml.SafeLoader)
            if root is not None and root.start_mark.line + 1 == line
        ]
        if len(roots) != 1:
            raise _NotKnownError(f"no single policy begins in line {line}")
        self._rules = _member(roots[0], "rules")
        self._rule = _at(self._rules, outer)
        self._inner = _member(self._rule, "rules")

    def without(self, numbers: Sequence[int]) -> str:
        """Return the text with these inner rules behind the experimental one, which goes when it is empty."""
        nodes = [_at(self._inner, number) for number in numbers]
        whole = len(nodes) == len(self._inner.value)
        if self._rules.flow_style:
            return self._in_flow(nodes, whole)
        indent, first = self._column(self._rule), self._rule.start_mark.line
        if self._inner.flow_style:
            said = [f"{indent}- {self._said(node)}{self._newline}" for node in nodes]
            kept = [] if whole else [self._cut(nodes, self._rule)]
        else:
            blocks = [self._block(node) for node in nodes]
            said = [self._dedented(block, indent) for block in blocks]
            gone = {number for block in blocks for number in block}
            rest = [
                self._lines[number] for number in range(first, self._end(self._rule)) if number not in gone
            ]
            if whole:
                rest = [f"{indent}{line.lstrip()}" for line in rest if line.lstrip().startswith("#")]
            kept = ["".join(rest)] if rest else []
        return "".join([*self._lines[:first], *kept, *said, *self._lines[self._end(self._rule) :]])

    def _said(self, node: Any) -> str:
        start, end = int(node.start_mark.index), int(node.end_mark.index)
        return self._text[start:end].rstrip()

    def _column(self, node: Any) -> str:
        """Return the blanks before the dash of an element of a list in block style."""
        line: str = self._lines[node.start_mark.line]
        before = line[: int(node.start_mark.column)]
        if before.strip() != "-":
            raise _NotKnownError(f"line {node.start_mark.line + 1} holds more than one rule")
        return before[: before.index("-")]

    def _end(self, node: Any) -> int:
        """Return the number of the line behind a node, from 0; blank and comment lines are not its own.

        A node in block style ends where the next one begins, which is on a line of its own.
        """
        end = int(node.end_mark.line) + (1 if node.flow_style else 0)
        while end > node.start_mark.line + 1 and _says_nothing(self._lines[end - 1]):
            end -= 1
        return end

    def _block(self, node: Any) -> range:
        """Return the lines of an inner rule, with the comments right above it."""
        indent, first = self._column(node), int(node.start_mark.line)
        while self._lines[first - 1].startswith(f"{indent}#"):
            first -= 1
        return range(first, self._end(node))

    def _dedented(self, block: range, indent: str) -> str:
        lines = [self._lines[number] for number in block]
        more = min(len(line) - len(line.lstrip()) for line in lines if line.strip()) - len(indent)
        if more < 0:
            raise _NotKnownError(f"line {block[0] + 1} is indented less than its list")
        return "".join(line[more:] if line.strip() else line for line in lines)

    def _cut(self, nodes: Sequence[Any], within: Any) -> str:
        """Return the lines of `within` without these elements of a list in flow style."""
        first, end = within.start_mark.line, self._end(within)
        begin = sum(map(len, self._lines[:first]))
        text = "".join(self._lines[first:end])
        for start, stop in sorted(self._spans(nodes), reverse=True):
            text = text[: start - begin] + text[stop - begin :]
        return text

    def _spans(self, nodes: Sequence[Any]) -> list[tuple[int, int]]:
        """Return from where to where to cut, each with one of the commas beside it."""
        listed = self._inner.value
        found, kept = [], False
        for number, node in enumerate(listed):
            if not any(node is one for one in nodes):
                kept = True
            elif kept:  # with the comma before
                found.append((listed[number - 1].end_mark.index, node.end_mark.index))
            else:
                found.append((node.start_mark.index, listed[number + 1].start_mark.index))
        return found

    def _in_flow(self, nodes: Sequence[Any], whole: bool) -> str:
        """Change a list of rules that is in flow style itself: [!ExperimentalRule {rules: [...]}]."""
        start, end = self._rule.start_mark.index, self._rule.end_mark.index
        said = ", ".join(map(self._said, nodes))
        if whole:
            return self._text[:start] + said + self._text[end:]
        kept = self._text[start:end]
        for first, stop in sorted(self._spans(nodes), reverse=True):
            kept = kept[: first - start] + kept[stop - start :]
        return f"{self._text[:start]}{kept}, {said}{self._text[end:]}"


def _says_nothing(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#") or line.rstrip() in ("---", "...")


def _member(node: Any, key: str) -> Any:
    found = [value for name, value in node.value if name.value == key] if _is_mapping(node) else []
    if len(found) != 1 or not isinstance(found[0], yaml.SequenceNode):
        raise _NotKnownError(f"line {node.start_mark.line + 1} has no single list of {key}")
    return found[0]


def _is_mapping(node: Any) -> bool:
    return isinstance(node, yaml.MappingNode)


def _at(node: Any, number: int) -> Any:
    if number >= len(node.value):
        raise _NotKnownError(f"the list in line {node.start_mark.line + 1} is shorter")
    return node.value[number]


def _promoted(policy: Policy, by_rule: Mapping[tuple[int, int], set[int]]) -> Any:
    """Return the shape that a policy has to have after the change."""
    rules: list[Any] = []
    for outer, rule in enumerate(policy.rules):
        gone = by_rule.get((policy.place.line, outer))
        if gone is None:
            rules.append(_rule(rule))
            continue
        kept = [each for inner, each in enumerate(rule.options.rules) if inner not in gone]
        if kept:
            rules.append((rule.type.name, (("rules", tuple(map(_rule, kept))),)))
        rules += [_rule(each) for inner, each in enumerate(rule.options.rules) if inner in gone]
    return _about(policy), Counter(map(repr, rules))


def _shape(policy: Policy) -> Any:
    return _about(policy), Counter(repr(_rule(each)) for each in policy.rules)


def _about(policy: Policy) -> tuple[Any, ...]:
    said = [each.name for each in dataclasses.fields(policy) if each.compare]
    return tuple(getattr(policy, name) for name in said if name not in ("rules", "place", "digest"))


def _rule(rule: Rule) -> Any:
    """Return what a rule says, wherever it stands."""
    said = []
    for each in dataclasses.fields(rule.options):
        value = getattr(rule.options, each.name)
        nested = isinstance(value, tuple) and any(isinstance(one, Rule) for one in value)
        said.append((each.name, tuple(map(_rule, value)) if nested else value))
    return rule.type.name, tuple(said)
