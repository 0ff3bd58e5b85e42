"""Gates: which decisions there are about a subject, as pairs of product version and decision context."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ..domain.policy import is_glob
from ..domain.subject import SubjectType
from .policy_set import PolicySet


class GateName(NamedTuple):
    """One gate: ("fedora-40", "bodhi_update_push_stable")."""

    product_version: str
    context: str


def gates_of(
    policies: PolicySet,
    kind: SubjectType,
    product_versions: Collection[str] = (),
    contexts: Collection[str] = (),
) -> list[GateName]:
    """Return the gates that some policy sets up for subjects of `kind`, sorted.

    product_versions  of the subject; () = not known, then those that policies name without a glob
    contexts          only these, whether or not a policy is for them; () = all that a policy is for
    """
    found = set()
    for policy in policies.policies:
        if set(policy.subject_types) & set(kind.names):
            plain = [each for each in policy.product_versions if not is_glob(each)]
            asked = filter(policy.covers_version, product_versions) if product_versions else plain
            found |= {GateName(version, context) for version in asked for context in policy.decision_contexts}
    if contexts:
        versions = set(product_versions) or {each.product_version for each in found}
        return sorted(GateName(version, context) for version in versions for context in contexts)
    return sorted(found)
