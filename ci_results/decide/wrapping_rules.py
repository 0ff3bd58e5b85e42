"""Rules of ours that hold other rules: such as only inform, and such as are for some packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..domain.asked import Asked, Question
from ..domain.decision import Requirement, State
from ..domain.policy import Rule, globs
from ..domain.rule import RuleType
from ..domain.weighing import Weighing


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentalOptions:
    """Key of !ExperimentalRule: the rules that only inform."""

    rules: tuple[Rule, ...]


class Experimental(RuleType[ExperimentalOptions]):
    """New tests, watched before they may block: these rules are judged and shown, and never block."""

    name = "ExperimentalRule"
    options = ExperimentalOptions

    def questions(self, options: ExperimentalOptions, asked: Asked) -> Iterator[Question]:
        """Ask what they ask."""
        return _questions(options.rules, asked)

    def judge(self, options: ExperimentalOptions, weighing: Weighing) -> Sequence[Requirement]:
        """What they require, none of it blocking."""
        return [each for rule in options.rules for each in weighing.judge(rule, blocking=False)]

    def testcases(self, options: ExperimentalOptions) -> Iterator[str]:
        """Theirs."""
        return _testcases(options.rules)

    def check(self, options: ExperimentalOptions) -> Iterator[str]:
        """Look for rules."""
        return _check(options.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagesOptions:
    """Keys of !PackagesRule: `rules` are for packages that match a glob, and none of `excluded_packages`."""

    rules: tuple[Rule, ...]
    packages: tuple[str, ...] = ("*",)
    excluded_packages: tuple[str, ...] = ()


class Packages(RuleType[PackagesOptions]):
    """Rules that a policy adds for some packages, or spares some of."""

    name = "PackagesRule"
    options = PackagesOptions

    def questions(self, options: PackagesOptions, asked: Asked) -> Iterator[Question]:
        """Ask what they ask, where they are for this package."""
        return _questions(options.rules, asked) if _is_for(options, asked.package) else iter(())

    def judge(self, options: PackagesOptions, weighing: Weighing) -> Sequence[Requirement]:
        """What they require; that a package is excluded by name is shown."""
        package = weighing.asked.package
        if _is_for(options, package):
            return [each for rule in options.rules for each in weighing.judge(rule)]
        if package is not None and globs(options.excluded_packages)(package):
            told = f"package {package} is excluded from {', '.join(_testcases(options.rules))}"
            return [weighing.told(State.EXCLUDED, "excluded", told, waivable=False)]
        return ()

    def testcases(self, options: PackagesOptions) -> Iterator[str]:
        """Theirs."""
        return _testcases(options.rules)

    def monotonic(self, options: PackagesOptions) -> bool:
        """As they are."""
        return all(rule.type.monotonic(rule.options) for rule in options.rules)

    def check(self, options: PackagesOptions) -> Iterator[str]:
        """Look for rules."""
        return _check(options.rules)


def _is_for(options: PackagesOptions, package: str | None) -> bool:
    """Say whether the rules are for `package`; where a type tells no package, they are for all or none."""
    if package is None:
        return options.packages == ("*",)
    return globs(options.packages)(package) and not globs(options.excluded_packages)(package)


def _questions(rules: Iterable[Rule], asked: Asked) -> Iterator[Question]:
    for rule in rules:
        yield from rule.type.questions(rule.options, asked)


def _testcases(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        yield from rule.type.testcases(rule.options)


def _check(rules: tuple[Rule, ...]) -> Iterator[str]:
    if not rules:
        yield "rules: name at least one"
    if any(rule.type.name == "RemoteRule" for rule in rules):
        yield "rules: RemoteRule stands in a policy itself only"
