"""Import plans of manual tests: whole or not at all, and what changes is a new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..domain.itemtype import ItemType
from ..domain.plan import Plan, PlanVersion
from ..errors import InvalidError, NotFoundError, shown
from ..formats.plan_files import PlanFile
from ..normalise.items import BUILT_IN, check_item
from ..store.protocol import Store

ITEM_TYPES: Mapping[str, ItemType] = {kind.name: kind for kind in BUILT_IN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of an import.

    state           "new", "changed", or "same": then `version` is the one that was there
    added, removed  testcases that the version before did not require, or required
    """

    version: PlanVersion
    state: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def planned(
    read: PlanFile, name: str, item: str | None, item_type: str | None, default_type: str = "koji_build"
) -> Plan:
    """Return the plan that a file makes; what the caller says of the item wins over what its rows say.

    Raises InvalidError where neither says what it is for, or the rows do not agree.
    """
    return Plan(
        name=name,
        item=item or _agreed(read.items, "item", "--item"),
        item_type=item_type or (_agreed(read.types, "type", "--item-type") if read.types else default_type),
        cases=read.cases,
    )


def current(store: Store, name: str) -> PlanVersion | None:
    """Return the newest version of a plan, None where there is none of that name."""
    try:
        return store.plan(name)
    except NotFoundError:
        return None


def touched(plan: Plan, before: PlanVersion | None) -> tuple[str, ...]:
    """Return the testcases that an import is about: who imports it must be permitted all of them.

    Those of the version before are among them, else anybody might take away what a gate waits for.
    """
    return tuple(dict.fromkeys((*plan.testcases, *(before.plan.testcases if before else ()))))


def import_plan(
    plan: Plan,
    actor: str,
    store: Store,
    before: PlanVersion | None,
    *,
    item_types: Mapping[str, ItemType] = ITEM_TYPES,
) -> Imported:
    """Store `plan` as what follows `before`, the newest version as the caller has seen it.

    Raises StaleError where that is not the newest any more, InvalidError for an item that is none.
    """
    kind = item_types.get(plan.item_type)
    if kind is None:
        raise InvalidError(
            f"item type {shown(plan.item_type)} is not known; known are {', '.join(sorted(item_types))}"
        )
    if plan.is_for_one:
        check_item(kind, plan.item)
    version, new = store.save_plan(plan, actor, before=0 if before is None else before.version)
    if not new:
        return Imported(version=version, state="same")
    old = () if before is None else before.plan.testcases
    return Imported(
        version=version,
        state="new" if before is None else "changed",
        added=tuple(each for each in plan.testcases if each not in old),
        removed=tuple(each for each in old if each not in plan.testcases),
    )


def _agreed(named: tuple[str, ...], what: str, option: str) -> str:
    if not named:
        raise InvalidError(f"nothing says what {what} the plan is for: give {option}, or a column {what}")
    if len(named) > 1:
        raise InvalidError(
            f"the rows name several {what}s ({', '.join(named[:3])}): import a plan each, or give {option}"
        )
    return named[0]
