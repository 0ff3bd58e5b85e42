"""Lint: what is most likely wrong about policies that can be read, each with file and line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ..domain.policy import Policy, Rule, globs, is_glob
from .findings import Finding, Level, near
from .policy_set import PolicySet


def lint(
    policies: PolicySet,
    *,
    testcases: Collection[str] | None = None,
    product_versions: Collection[str] | None = None,
    contexts: Collection[str] | None = None,
) -> list[Finding]:
    """Return findings in the order of files and lines.

    testcases          all that ever reported; None = not known, and nothing is said of names
    product_versions   all that are in use; likewise
    contexts           all that are asked for; likewise
    """
    found = [*policies.findings]
    for policy in policies.policies:
        found += _never_applies(policy, policies, product_versions, contexts)
        found += _shadowed_within(policy)
        if testcases is not None:
            found += _unknown_testcases(policy, testcases)
    found += _shadowed(policies.policies)
    return sorted(set(found), key=lambda each: (each.place, each.kind, each.message))


def _warn(kind: str, where: Policy | Rule, told: str) -> Finding:
    return Finding(Level.WARNING, kind, where.place, told)


def _never_applies(
    policy: Policy,
    policies: PolicySet,
    versions: Collection[str] | None,
    contexts: Collection[str] | None,
) -> Iterator[Finding]:
    """Find why no subject ever comes under a policy."""
    named = f"policy {policy.id!r} never applies: "
    if not policy.product_versions:
        yield _warn("never-applies", policy, f"{named}it has no product version")
    elif versions is not None and not any(map(policy.covers_version, versions)):
        told = f"{named}no product version is {_or(policy.product_versions)}"
        yield _warn("never-applies", policy, told + _meant(policy.product_versions, versions))
    if contexts is not None and not set(policy.decision_contexts) & set(contexts):
        told = f"{named}nobody asks for {_or(policy.decision_contexts)}"
        yield _warn("never-applies", policy, told + _meant(policy.decision_contexts, contexts))
    known = {name for kind in policies.subject_types.types for name in kind.names}
    for name in policy.subject_types:
        meant = near(name, known) if name not in known else None
        if meant:
            told = f"subject type {name!r} is not known; did you mean {meant}"
            yield _warn("unknown-subject-type", policy, told)
    if policy.packages and all(globs(policy.excluded_packages)(each) for each in policy.packages):
        yield _warn("never-applies", policy, f"{named}excluded_packages cover all its packages")
    nvr = [kind for name in policy.subject_types if (kind := policies.subject_types.find(name)).is_nvr]
    if (policy.packages or policy.excluded_packages) and policy.subject_types and not nvr:
        told = f"policy {policy.id!r} names packages, which subjects of its types do not tell"
        yield _warn("no-effect", policy, told)


def _shadowed_within(policy: Policy) -> Iterator[Finding]:
    """Find rules that stand twice in one policy: the second is not weighed."""
    first: dict[Any, Rule] = {}
    for rule in policy.rules:
        before = first.setdefault(rule.identity, rule)
        if before is not rule:
            told = f"!{rule.type.name} is not weighed: it is the rule of {before.place}"
            if rule.options != before.options:
                told += ", which counts with its own dates"
            yield _warn("shadowed", rule, told)


def _shadowed(policies: Iterable[Policy]) -> Iterator[Finding]:
    """Find rules with dates or keys of their own that an equal one in an earlier policy always shadows."""
    first: dict[Any, list[tuple[Policy, Rule]]] = {}
    for policy in policies:
        for rule in policy.rules:
            for earlier, before in first.get(rule.identity, ()):
                if before.options != rule.options and _covers(earlier, policy):
                    told = f"!{rule.type.name} is not weighed: {before.place} is the same but for its dates"
                    yield _warn("shadowed", rule, told)
                    break
            first.setdefault(rule.identity, []).append((policy, rule))


def _covers(earlier: Policy, later: Policy) -> bool:
    """Say whether whatever comes under `later` comes under `earlier` before."""
    return (
        earlier is not later
        and set(later.decision_contexts) <= set(earlier.decision_contexts)
        and set(later.subject_types) <= set(earlier.subject_types)
        and all(version in earlier.product_versions for version in later.product_versions)
        and not earlier.packages
        and not earlier.excluded_packages
    )


def _unknown_testcases(policy: Policy, testcases: Collection[str]) -> Iterator[Finding]:
    """Find testcases that never reported: such a gate stays closed."""
    for rule in policy.rules:
        for name in rule.type.testcases(rule.options):
            if is_glob(name):
                if not any(map(globs((name,)), testcases)):
                    yield _warn("unknown-testcase", rule, f"no testcase that ever reported matches {name!r}")
            elif name not in testcases:
                told = f"testcase {name!r} never reported"
                yield _warn("unknown-testcase", rule, told + _meant((name,), testcases))


def _meant(names: Iterable[str], known: Collection[str]) -> str:
    meant = next((found for name in names if (found := near(name, known))), None)
    return f"; did you mean {meant}" if meant else ""


def _or(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))
