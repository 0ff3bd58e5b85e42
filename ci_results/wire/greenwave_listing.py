"""Tell policies and subject types as Greenwave lists them. Obeys COMPAT 3.1, 3.6."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from ..domain.policy import Policy, Rule
from ..domain.subject import Match, Selector, SubjectType

_HIDDEN = ("valid_since", "valid_until")


def policy(policy: Policy) -> dict[str, Any]:
    """Return one policy; what it does not say is null or []."""
    one_context, one_type = policy.single
    return {
        "id": policy.id,
        "product_versions": list(policy.product_versions),
        "decision_context": policy.decision_contexts[0] if one_context else None,
        "decision_contexts": [] if one_context else list(policy.decision_contexts),
        "subject_type": policy.subject_types[0] if one_type else None,
        "subject_types": [] if one_type else list(policy.subject_types),
        "rules": [rule(each) for each in policy.rules],
        "excluded_packages": list(policy.excluded_packages),
        "packages": list(policy.packages),
        "relevance_key": policy.relevance_key,
        "relevance_value": policy.relevance_value,
    }


def rule(rule: Rule) -> dict[str, Any]:
    """Return one rule: its type under `rule`, then its options; dates of validity are not shown."""
    given = {field.name: getattr(rule.options, field.name) for field in fields(rule.options)}
    return {"rule": rule.type.name} | {
        key: _value(value) for key, value in given.items() if key not in _HIDDEN
    }


def subject_types(types: Iterable[SubjectType]) -> list[dict[str, Any]]:
    """Return all of them, sorted by id."""
    return [_subject_type(kind) for kind in sorted(types, key=lambda kind: kind.id)]


def _subject_type(kind: SubjectType) -> dict[str, Any]:
    return {
        "id": kind.id,
        "aliases": list(kind.aliases),
        "item_key": kind.item_key,
        "is_koji_build": kind.is_koji_build,
        "is_nvr": kind.is_nvr,
        "ignore_missing_policy": kind.ignore_missing_policy,
        "product_version_match": [_match(each) for each in kind.product_version_match],
        "product_version_from_koji_build_target": [
            _match(each) for each in kind.product_version_from_koji_build_target
        ],
        "product_version": kind.product_version,
        "item_dict": {} if kind.item_dict is None else _selector(kind.item_dict),
        "result_queries": [_selector(each) for each in kind.result_queries],
    }


def _match(match: Match) -> dict[str, str]:
    return {"match": match.match, "product_version": match.product_version}


def _selector(selector: Selector) -> dict[str, Any]:
    named = {"item_key": selector.item_key} if selector.item_key else {}
    return named | ({"keys": dict(selector.keys)} if selector.keys else {})


def _value(value: Any) -> Any:
    if isinstance(value, Rule):
        return rule(value)
    if isinstance(value, (tuple, list)):
        return [_value(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _value(each) for key, each in value.items()}
    if isinstance(value, timedelta):
        return f"{int(value.total_seconds())}s"
    return value.isoformat() if isinstance(value, datetime) else value
