"""What an event lets expect: the testcases that policies ask of its subject, or those that it names."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.asked import Request
from ..domain.expectation import Event, unique
from ..domain.subject import Subject
from ..errors import PluginError
from .concerned import concerned, product_versions
from .judge import questions
from .policy_set import PolicySet


def versions_of(event: Event, policies: PolicySet) -> tuple[str, ...]:
    """Return the product versions of an event's subject, () where nothing tells them."""
    if event.product_version is not None:
        return (event.product_version,)
    kind = policies.subject_types.find(event.subject.type)
    return tuple(product_versions(kind, event.subject.identifier, event.build_target))


def named(event: Event, policies: PolicySet) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the testcases to expect, and the plans whose testcases are to be expected as well.

    Those that the event names, if any; else those that the rules of policies for its subject ask for,
    in whatever decision context, in order of their names. Globs, remote files and SQL name none.
    """
    if event.testcases:
        return unique(event.testcases), ()
    kind = policies.subject_types.find(event.subject.type)
    testcases: set[str] = set()
    plans: dict[str, None] = {}
    for context, version in concerned(policies, kind, None, versions_of(event, policies)):
        names, more = _asked(policies, event.subject, context, version)
        testcases.update(names)
        plans |= dict.fromkeys(more)
    return tuple(sorted(testcases)), tuple(plans)


def _asked(
    policies: PolicySet, subject: Subject, context: str, version: str
) -> tuple[Iterable[str], Iterable[str]]:
    """Return the testcases and plans that decide about a subject; of broken rules none."""
    try:
        needs = questions(
            policies, Request(subjects=(subject,), product_version=version, contexts=(context,))
        )
    except PluginError:
        return (), ()
    own = (plan.plan for plan in needs.plans if plan.subject == subject)
    return filter(str.isprintable, needs.latest.get(subject, ())), own
