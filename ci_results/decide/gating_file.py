"""Look at a remote rule file before it counts, as Greenwave's validate-gating-yaml does. Obeys COMPAT 3.7."""

from __future__ import annotations

from .policy_set import PolicySet
from .yaml_tree import Unreadable


def validate(text: bytes, policies: PolicySet) -> str:
    """Return what is to be said of a file that can be used. Raises Unreadable for one that cannot."""
    found = policies.read_remote("", text)
    if not found:
        raise Unreadable("No policies defined")
    asked = {context for policy in found for context in policy.decision_contexts}
    strange = sorted(asked - policies.contexts)
    if not strange:
        return "All OK"
    return (
        "Greenwave could not find a parent policy(ies) for following decision context(s): "
        f"{', '.join(strange)}. Please change your policy so that it will match a decision context in the "
        "parent policies."
    )
