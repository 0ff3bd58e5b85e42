"""Where the pages about items, gates and waivers are."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from ...domain.asked import Request
from ...domain.decision import Requirement


def waive_path(each: Requirement, request: Request) -> str:
    """Return the address of a request for a waiver that is filled in, for what a decision was asked."""
    result = each.result
    return new_waiver_path(
        subject_type=each.subject.type,
        subject=each.subject.identifier,
        testcase=each.testcase,
        product_version=request.product_version,
        scenario=each.scenario if result is None else result.scenario,
        arch=None if result is None else result.arch,
        purpose=request.purpose,
    )


def new_waiver_path(**filled: str | None) -> str:
    """Return the address of the form that asks for a waiver."""
    given = {name: value for name, value in filled.items() if value}
    return "/waiver/-/new" + (f"?{urlencode(given)}" if given else "")


def waiver_path(number: int) -> str:
    """Return the address of a waiver's page."""
    return f"/waiver/W-{number}"


def typed_item_path(kind: str, name: str) -> str:
    """Return the address of the page of a subject, which says of what type it is."""
    return f"/item/{quote(kind, safe='')}/{quote(name, safe='')}"


def compare_path(left: str, right: str) -> str:
    """Return the address of two items side by side."""
    return f"/compare?{urlencode({'left': left, 'right': right})}"


def gate_path(kind: str, name: str, product_version: str, context: str | None, purpose: str = "") -> str:
    """Return the address of the page of a subject at one gate."""
    asked = {"product_version": product_version, "context": context, "purpose": purpose}
    given = {key: value for key, value in asked.items() if value}
    return f"{typed_item_path(kind, name)}?{urlencode(given)}"
