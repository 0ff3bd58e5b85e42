"""PolicySet: all policies that are in force, found by context, subject type and product version at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..domain.decision import State
from ..domain.policy import Place, Policy, is_glob
from ..domain.subject import SubjectType, SubjectTypes
from ..errors import ConfigError
from .findings import Finding, Level, near
from .reading import digest_of, read_on_demand, read_policies, read_remote
from .rules import RuleTypes
from .subject_types import BUILT_IN, read_subject_types
from .yaml_tree import Unreadable

_REMEMBERED = 20_000
_REMEMBERED_BYTES = 16 << 20
"""Of texts of remote rule files; what was read of them takes several times as much."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the configuration says of decisions; the names are Greenwave's, in lower case.

    distinct_latest_results_on  what sets results of one testcase apart, as answers show it
    remote_rule_policies        templates of addresses by subject type, "*" for any other
    waive_unfinished            whether a waiver counts for a run that is queued or running
    """

    outcomes_passed: frozenset[str] = frozenset({"PASSED", "INFO"})
    outcomes_error: frozenset[str] = frozenset({"ERROR"})
    outcomes_incomplete: frozenset[str] = frozenset({"QUEUED", "RUNNING"})
    distinct_latest_results_on: tuple[str, ...] = ("scenario", "system_architecture", "system_variant")
    remote_rule_policies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dist_git_url_template: str | None = None
    waive_unfinished: bool = False

    @cached_property
    def states(self) -> Mapping[str, State]:
        """What each word means that something is said of."""
        said = {
            State.ERRORED: self.outcomes_error,
            State.WAITING: self.outcomes_incomplete,
            State.PASSED: self.outcomes_passed,
        }
        return {word: state for state, words in said.items() for word in words}  # of two the last

    def state_of(self, outcome: str) -> State:
        """Return what an outcome means; a word that nothing is said of means failed."""
        return self.states.get(outcome, State.FAILED)


class PolicySet:
    """Policies in load order, the subject types, the rule types and settings; it never changes.

    digest    "sha256:..." of all policies and subject types
    findings  what is odd about the files, though they can be used
    """

    def __init__(
        self,
        policies: Iterable[Policy],
        types: RuleTypes,
        subject_types: Iterable[SubjectType] = BUILT_IN,
        settings: Settings | None = None,
        findings: Iterable[Finding] = (),
    ) -> None:
        self.policies = tuple(policies)
        self.types = dict(types)
        self.subject_types = SubjectTypes(tuple(subject_types))
        self.settings = settings or Settings()
        self.findings = tuple(findings)
        self.digest = digest_of([*(each.digest for each in self.policies), repr(self.subject_types.types)])
        self._index = _Index(self.policies)
        self._found: dict[tuple[tuple[str, ...], str, str], tuple[Policy, ...]] = {}
        self._remote: dict[tuple[str, bytes], tuple[Policy, ...] | Unreadable] = {}
        self._remembered = 0

    def applicable(
        self, kind: SubjectType, contexts: tuple[str, ...], product_version: str
    ) -> tuple[Policy, ...]:
        """Return the policies that are for subjects of `kind` in any of these contexts, in load order."""
        key = contexts, kind.id, product_version
        found = self._found.get(key)
        if found is None:
            numbers = self._index.find(contexts, kind.names, product_version)
            found = tuple(self.policies[number] for number in numbers)
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[key] = found
        return found

    def read_remote(self, url: str, text: bytes) -> tuple[Policy, ...]:
        """Return the policies of a remote rule file. Raises Unreadable.

        What came of a file is remembered, that it cannot be read as well: a large one takes a second.
        """
        found = self._remote.get((url, text))
        if found is None:
            try:
                found = read_remote(url, text, self.types)
            except Unreadable as err:
                found = err
            if self._remembered + len(text) > _REMEMBERED_BYTES or len(self._remote) >= _REMEMBERED:
                self._remote, self._remembered = {}, 0
            self._remote[url, text] = found
            self._remembered += len(text)
        if isinstance(found, Unreadable):
            raise Unreadable(found.message, found.line)
        return found

    def on_demand(self, body: Mapping[str, Any]) -> Policy:
        """Return the policy of a request that brings its own rules. Raises Unreadable."""
        return read_on_demand(body, self.types)

    def unknown_contexts(self, asked: Iterable[str]) -> str | None:
        """Say which of these contexts no policy is for: to decide without them would open their gates."""
        known = self.contexts
        unknown = [context for context in asked if context not in known]
        if not unknown:
            return None
        meant = near(unknown[0], known)
        listed = ", ".join(sorted(known)) or "none: write [gate] policies"
        maybe = f"; did you mean {meant}" if meant else ""
        return f"no policy is for {', '.join(unknown)}{maybe}; contexts are {listed}"

    @property
    def contexts(self) -> frozenset[str]:
        """All decision contexts that some policy is for."""
        return frozenset(context for policy in self.policies for context in policy.decision_contexts)


class _Index:
    """Numbers of policies by (context, subject type), and there by product version where it is no glob."""

    def __init__(self, policies: tuple[Policy, ...]) -> None:
        self._exact: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._globs: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._policies = policies
        for number, policy in enumerate(policies):
            plain = not any(map(is_glob, policy.product_versions))
            for context in set(policy.decision_contexts):
                for kind in set(policy.subject_types):
                    if plain:
                        for version in set(policy.product_versions):
                            self._exact[context, kind, version].append(number)
                    else:
                        self._globs[context, kind].append(number)

    def find(self, contexts: tuple[str, ...], kinds: tuple[str, ...], version: str) -> list[int]:
        found: set[int] = set()
        for context in contexts:
            for kind in kinds:
                found.update(self._exact.get((context, kind, version), ()))
                for number in self._globs.get((context, kind), ()):
                    if self._policies[number].covers_version(version):
                        found.add(number)
        return sorted(found)


def load(
    policies: Iterable[tuple[str, bytes]],
    types: RuleTypes,
    *,
    subject_types: Iterable[tuple[str, bytes]] = (),
    settings: Settings | None = None,
) -> PolicySet:
    """Read files, each a name and its bytes, to the set that is in force. Raises ConfigError.

    A set with an error is refused whole. Subject types of files take the place of built-in ones of
    the same id, and come before them.
    """
    findings: list[Finding] = []
    kinds = [kind for file, text in subject_types for kind in read_subject_types(file, text, findings)]
    found = [policy for file, text in policies for policy in read_policies(file, text, types, findings)]
    findings += _repeated(found)
    errors = [each for each in findings if each.level is Level.ERROR]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise ConfigError(f"{errors[0].place}: {' '.join(errors[0].message.split())}{more}")
    named = {kind.id for kind in kinds}
    kinds += [kind for kind in BUILT_IN if kind.id not in named]
    return PolicySet(found, types, kinds, settings, findings)


def _repeated(policies: list[Policy]) -> list[Finding]:
    """Find ids that are given twice: answers could not tell them apart."""
    first: dict[str, Place] = {}
    found = []
    for policy in policies:
        place = first.setdefault(policy.id, policy.place)
        if place != policy.place:
            told = f"policy {policy.id!r} is at {place} too: answers cannot tell them apart"
            found.append(Finding(Level.WARNING, "repeated-id", policy.place, told))
    return found
