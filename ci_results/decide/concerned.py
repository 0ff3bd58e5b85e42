"""Which decisions a new result or waiver may change: contexts and product versions. Obeys COMPAT 3.8."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ..domain.policy import Policy, globs
from ..domain.subject import Match, SubjectType
from .policy_set import PolicySet

_KOJI = re.compile(r"f(\d+)")
_FEDORA = re.compile(r"(?:fc|Fedora\D*)(\d+)")
_EPEL = re.compile(r"epel(\d+)")
_RHEL = re.compile(r"(?:el|rhel-)(\d+)")
_RAWHIDE = re.compile(r"rawhide$|Fedora-Rawhide")


def concerned(
    policies: PolicySet, kind: SubjectType, testcase: str | None, product_versions: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Return (decision context, product version) of all decisions that may change, sorted.

    testcase          that has something new; None = any of them
    product_versions  of the subject; () = not known, then those that the policies name

    A policy whose rules do not say which testcases they look at (a remote file, a plan, SQL) may change.
    """
    found = set()
    for policy in policies.policies:
        if set(policy.subject_types) & set(kind.names) and _looks_at(policy, testcase):
            versions = (
                filter(policy.covers_version, product_versions)
                if product_versions
                else (policy.product_versions)
            )
            found |= {(context, version) for version in versions for context in policy.decision_contexts}
    return sorted(found)


def _looks_at(policy: Policy, testcase: str | None) -> bool:
    if testcase is None or not policy.rules:
        return True
    for rule in policy.rules:
        names = tuple(rule.type.testcases(rule.options))
        if not names or globs(names)(testcase):
            return True
    return False


def product_versions(kind: SubjectType, identifier: str, build_target: str | None = None) -> list[str]:
    """Return the product versions of a subject, [] where nothing tells them.

    >>> from .subject_types import BUILT_IN
    >>> compose, build = BUILT_IN[1], BUILT_IN[2]
    >>> product_versions(compose, "RHEL-8.1.0-20190701.n.0"), product_versions(build, "bash-5-1.fc38")
    (['rhel-8'], ['fedora-38'])
    """
    matched = _matched(kind.product_version_match, identifier)
    if matched:
        return matched
    if kind.product_version:
        return [kind.product_version]
    if kind.is_koji_build and build_target:
        found = _matched(kind.product_version_from_koji_build_target, build_target)
        guessed = found or _guessed(build_target, koji=True)
        if guessed:
            return guessed
    if kind.is_nvr:
        return _guessed(identifier.rpartition("-")[2].rpartition(".")[2], koji=kind.is_koji_build)
    return []


def _matched(matches: Iterable[Match], text: str) -> list[str]:
    """Return what regular expressions make of a text that they match at its start, lower case, sorted."""
    found = set()
    for pattern, version in matches:
        if match := re.match(pattern, text):
            found.add(match.expand(version).lower())
    return sorted(found)


def _guessed(text: str, *, koji: bool) -> list[str]:
    if _RAWHIDE.match(text):
        return ["fedora-rawhide"]
    kinds = ((_FEDORA, "fedora"), (_EPEL, "epel"), (_RHEL, "rhel"))
    for pattern, product in ((_KOJI, "fedora"), *kinds) if koji else kinds:
        if match := pattern.match(text):
            return [f"{product}-{match[1]}"]
    return []
