"""The gate that the configuration describes: the same for every command, and for the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .context import Context

if TYPE_CHECKING:
    from ..decide.policy_set import PolicySet
    from ..domain.subject import SubjectTypes
    from ..operations.gate import Gate
    from ..operations.gating.outside import Outside
    from ..operations.policies import FilePolicies
    from ..store.protocol import Store


def open_gate(context: Context) -> Gate:
    """Return where decisions are made. Raises ConfigError, StoreError."""
    from ..operations.gate import Gate

    return Gate(
        policies=open_policies(context),
        store=open_to_decide(context),
        outside=outside_of(context),
        owner_of=owners_of(context),
    )


def following_gate(context: Context) -> Callable[[], Gate]:
    """Return what gives the gate, another one each time that policies have changed. Raises as open_gate."""
    gate, policies = open_gate(context), policies_in_force(context)

    def current() -> Gate:
        nonlocal gate
        if policies.current().digest != gate.policies.digest:
            gate = replace(gate, policies=policies.current())
        return gate

    return current


def open_policies(context: Context) -> PolicySet:
    """Return the policies that the configuration names. Raises ConfigError."""
    from ..operations.gate import load_policies

    gate = context.config.gate
    return load_policies(
        gate.policies,
        context.config.folder,
        context.plugins.rule_types,
        subject_types=gate.subject_types,
        settings=gate.settings,
    )


def subject_types_of(context: Context) -> SubjectTypes:
    """Return the types of subjects that are known; no policy is read for it. Raises ConfigError."""
    from ..decide.policy_set import load
    from ..operations.gate import policy_files, read_files

    patterns = context.config.gate.subject_types
    files = policy_files(patterns, context.config.folder, "subject_types") if patterns else []
    return load((), {}, subject_types=read_files(files)).subject_types


def policies_in_force(context: Context) -> FilePolicies:
    """Return the same for a process that lives long: they follow their files. Raises ConfigError."""
    from ..operations.policies import FilePolicies

    gate = context.config.gate
    return FilePolicies(
        gate.policies,
        context.config.folder,
        context.plugins.rule_types,
        subject_types=gate.subject_types,
        settings=gate.settings,
    )


def outside_of(context: Context) -> Outside:
    """Return what decisions may ask beside the store; it is closed with the command. Raises ConfigError."""
    from ..operations.gating.outside import Outside

    config = context.config
    outside = Outside(config.gate.settings, config.reach, config.build_lookup(context.plugins.lookups))
    context.closing(outside)
    return outside


def owners_of(context: Context) -> Callable[[str], str | None] | None:
    """Return what tells who answers for a testcase; None where no source owns any."""
    config = context.config
    return config.owner_of if any(source.core.owns for source in config.sources.values()) else None


def open_to_decide(context: Context) -> Store:
    """Open the store; one that is absent is an error of the world, and no "no"."""
    from ..errors import NotFoundError, StoreError

    try:
        return context.store(must_exist=True)
    except NotFoundError as err:
        raise StoreError(str(err)) from err
