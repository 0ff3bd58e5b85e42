"""Explain: which rules are in force for a product version, context and package, and where each stands."""

from __future__ import annotations

from typing import NamedTuple

from ..domain.policy import Policy, Rule
from ..domain.subject import SubjectType
from .policy_set import PolicySet


class Effective(NamedTuple):
    """One rule, and why it does not count: "" where it does."""

    policy: Policy
    rule: Rule | None
    passed_over: str = ""


def chosen(
    policies: PolicySet,
    *,
    product_version: str | None = None,
    contexts: tuple[str, ...] = (),
    subject_type: str | None = None,
) -> list[Policy]:
    """Return the policies that are for all that is named, in load order; None and () ask nothing."""
    names = None if subject_type is None else set(policies.subject_types.find(subject_type).names)
    return [
        policy
        for policy in policies.policies
        if (product_version is None or policy.covers_version(product_version))
        and (not contexts or set(contexts) & set(policy.decision_contexts))
        and (names is None or not policy.subject_types or names & set(policy.subject_types))
    ]


def effective(
    policies: PolicySet,
    kind: SubjectType,
    *,
    product_version: str,
    contexts: tuple[str, ...] = (),
    package: str | None = None,
) -> list[Effective]:
    """Return the rules for subjects of `kind`, in the order in which they are weighed.

    contexts  () = all that some policy is for
    package   name of the component; None = what holds for any
    """
    asked = contexts or tuple(sorted(policies.contexts))
    found: list[Effective] = []
    seen: dict[object, Rule] = {}  # a decision for several contexts weighs a rule once, else each its own
    for policy in policies.applicable(kind, asked, product_version):
        if policy.excludes(package):
            found.append(Effective(policy, None, f"package {package} is in its excluded_packages"))
        elif policy.spares(package):
            found.append(Effective(policy, None, f"package {package} is not among its packages"))
        else:
            for rule in policy.rules:
                gates = ("",) if contexts else policy.decision_contexts
                before = [seen.setdefault((gate, rule.identity), rule) for gate in gates]
                why = (
                    ""
                    if any(each is rule for each in before)
                    else f"the same rule stands at {before[0].place}"
                )
                found.append(Effective(policy, rule, why))
    return found
