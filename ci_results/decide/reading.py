"""Policy text to policies: of our files, of remote rule files, of requests. Obeys COMPAT 3.2, 3.4."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..domain.policy import Place, Policy
from . import values
from .findings import Finding, Level
from .rules import RuleReader, RuleTypes, odd_keys
from .values import Attributes
from .yaml_tree import Node, Unreadable, from_json, plain, read_documents

KEYS = (
    "id",
    "product_versions",
    "decision_contexts",
    "decision_context",
    "subject_types",
    "subject_type",
    "rules",
    "excluded_packages",
    "packages",
    "relevance_key",
    "relevance_value",
)
ON_DEMAND = "on-demand-policy"


def read_policies(file: str, text: bytes, types: RuleTypes, findings: list[Finding]) -> Iterator[Policy]:
    """Yield the policies of one of our files; what is wrong or odd goes to `findings`.

    A document that cannot be used is left out and found as an ERROR; those after it are read.
    """
    try:
        for document in read_documents(text):
            try:
                yield _policy(document, RuleReader(file, types, findings))
            except Unreadable as err:
                findings.append(_error(file, err, document.line))
    except Unreadable as err:
        findings.append(_error(file, err, 0))


def read_remote(url: str, text: bytes, types: RuleTypes) -> tuple[Policy, ...]:
    """Read a remote rule file. Raises Unreadable with the peer's words.

    There the id is optional, product versions default to all, subject types to any; a rule that
    fetches is not allowed.
    """
    policies = []
    for document in read_documents(text):
        policy = _policy(document, RuleReader(url, types, stranger="remote policies"), remote=True)
        if any(rule.type.name == "RemoteRule" for rule in policy.rules):
            told = f"{_named(policy.id)}: RemoteRule is not allowed in remote policies"
            raise Unreadable(told, document.line)
        policies.append(replace(policy, source=url))
    return tuple(policies)


def read_on_demand(body: Mapping[str, Any], types: RuleTypes) -> Policy:
    """Make the policy of a request that brings its own rules. Raises Unreadable with the peer's words."""
    node = from_json({key: value for key, value in body.items() if key in KEYS})
    reader = RuleReader("the request", types, stranger="requests")
    given = Attributes(node)
    rules = given.required("rules", reader.typed)
    return Policy(
        id=given.optional("id", values.text) or ON_DEMAND,
        product_versions=(),
        decision_contexts=(),
        subject_types=(),
        rules=rules,
        place=Place("the request"),
        digest=_digest(node),
        excluded_packages=given.optional("excluded_packages", values.texts) or (),
        packages=given.optional("packages", values.texts) or (),
    )


def _policy(node: Node, reader: RuleReader, *, remote: bool = False) -> Policy:
    if not isinstance(node.value, dict):
        raise Unreadable("Expected mapping for !Policy tagged object", node.line)
    given = Attributes(node)
    titled = node.value.get("id")
    name = None if titled is None or isinstance(titled.value, (dict, list)) else titled.value
    try:
        policy = _read(given, reader, remote)
    except Unreadable as err:
        raise Unreadable(f"{_named(name)}: {err.message}", err.line or node.line) from err
    if not remote:
        reader.findings.extend(odd_keys(reader.file, "!Policy", node, list(KEYS)))
    return policy


def _read(given: Attributes, reader: RuleReader, remote: bool) -> Policy:
    optional = given.optional
    name = optional("id", values.text) if remote else given.required("id", values.text)
    versions = optional("product_versions", values.texts)
    if versions is None and not remote:
        versions = given.required("product_versions", values.texts)
    contexts = optional("decision_contexts", values.texts) or ()
    context = optional("decision_context", values.text)
    kinds = optional("subject_types", values.texts) or ()
    kind = optional("subject_type", values.text)
    rules = given.required("rules", reader.tagged)
    excluded = optional("excluded_packages", values.texts) or ()
    packages = optional("packages", values.texts) or ()
    relevance = optional("relevance_key", values.text), optional("relevance_value", values.text)
    return Policy(
        id=name or "",
        product_versions=versions or ("*",) if remote else versions or (),
        subject_types=_one_of(kinds, kind, "subject_type", "subject types", needed=not remote),
        decision_contexts=_one_of(contexts, context, "decision_context", "decision contexts"),
        rules=rules,
        place=Place(reader.file, given.node.line),
        digest=_digest(given.node),
        excluded_packages=excluded,
        packages=packages,
        relevance_key=relevance[0],
        relevance_value=relevance[1],
        single=(bool(context), bool(kind)),
    )


def _one_of(
    several: tuple[str, ...], one: str | None, key: str, named: str, *, needed: bool = True
) -> tuple[str, ...]:
    if several and one:
        raise Unreadable(f'Both properties "{key}s" and "{key}" were set')
    if not several and not one and needed:
        raise Unreadable(f"No {named} provided")
    return (one,) if one else several


def _named(name: object) -> str:
    return f"Policy {str(name) if name not in (None, '') else 'untitled'!r}"


def _digest(node: Node) -> str:
    said = json.dumps(plain(replace(node, tag=None)), sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(parts: Iterable[str]) -> str:
    """Return the digest of several things, in order."""
    return "sha256:" + hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _error(file: str, err: Unreadable, line: int) -> Finding:
    return Finding(Level.ERROR, "unreadable", Place(file, err.line or line), err.message)
